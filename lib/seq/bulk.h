/*
 * bulk.h: FASTA to encoded records with tokens, many RNAs at a time and on several threads: what a record's way through
 * rna_source_read, rna_frame_record and rna_record_encode gives, byte for byte, without the record.
 */
#ifndef RNA_BULK_H
#define RNA_BULK_H

#include "seq/annotate.h"
#include "seq/frame.h"
#include "seq/rid.h"
#include "stream/pool.h"

struct rna_bulk_options {
	const struct rna_framing *framing;
	const struct rna_vocab *vocab;
	const struct rna_annotate *annotate;   /* types; its label must be NULL */
	uint64_t max;                          /* letters in an RNA; 0: 2^31 */
	int nthreads;
};

/* What one thread made. */
struct rna_bulk_part {
	struct rna_buf bytes, sizes;           /* encoded records, one after the other; size_t each */
	/* private */
	const unsigned char *text, *end;
	int whole;                             /* the last RNA ends at end */
	size_t used;
	uint64_t lines;
	struct rna_buf rnas, letters, scratch;
	struct rna_frame_counts counts;
	uint64_t tokens;
	enum rna_status status;
	const struct rna_bulk_options *opts;
	struct rna_task task;
};

struct rna_bulk {
	struct rna_bulk_options opts;
	struct rna_pool *pool;
	struct rna_bulk_part *part;            /* nthreads of them */
	int nparts;                            /* with records, of the last rna_bulk_make */
	struct rna_frame_counts counts;        /* of it */
	uint64_t tokens, lines;
	size_t used;                           /* bytes of text */
	unsigned wait, step;                   /* RNAs that are not tried, after one that did not suit */
};

/* The options are copied.  NULL: no memory. */
struct rna_bulk *rna_bulk_create(const struct rna_bulk_options *opts);
/* Bytes of text that are best given at once; 0: none now, the next RNA has to be read by itself. */
size_t rna_bulk_want(struct rna_bulk *b);
/*
 * Makes records of the RNAs of text, which begins where an RNA does: of all that are whole (the last one is when eof
 * is not 0), up to the first that does not suit: one that is FASTQ, that has comments, blanks or bytes that are no
 * letters between its letters, or that rna_frame_record would not take.  Their identities are counted in rid.
 * RNA_OK: part, counts, used ... are set.  RNA_NEXT: the first RNA does not suit, or is not whole.  RNA_EMEM.
 */
enum rna_status rna_bulk_make(struct rna_bulk *b, const unsigned char *text, size_t n, int eof, struct rna_rid *rid)
    RNA_CHECK;
void rna_bulk_destroy(struct rna_bulk *b);     /* NULL is fine */

#endif
