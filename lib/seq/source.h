/*
 * source.h: records from whatever file the user has: a .rill stream, or sequence text.
 * It is what makes every tool accept FASTA/FASTQ wherever a stream is expected.
 */
#ifndef RNA_SOURCE_H
#define RNA_SOURCE_H

#include "seq/bulk.h"
#include "seq/frame.h"
#include "seq/vocab.h"
#include "stream/stream.h"

enum rna_format {
	RNA_FORMAT_AUTO,   /* a stream by its magic, else FASTA, FASTQ or dot-bracket by the first bytes */
	RNA_FORMAT_FASTA, RNA_FORMAT_CSV, RNA_FORMAT_DBN, RNA_FORMAT_BPSEQ, RNA_FORMAT_CT, RNA_FORMAT_ST
};

struct rna_source_options {
	enum rna_format format;
	int nthreads;
	const char *pair_a, *pair_b;      /* CSV: columns of the two sequences, else NULL */
	const char *reverse;              /* CSV: column whose sequences are written 3'->5', else NULL */
	const char *label;                /* CSV: column of the label, else NULL ("label" is taken when there is one) */
	uint64_t max_nt;                  /* refuse a text record longer than this; 0: 2^31 */
	const char *const *keep;          /* CSV: columns that become str fields of their names, nkeep of them */
	size_t nkeep;
};

struct rna_source;

/* Takes over in, also on failure. */
struct rna_source *rna_source_open(struct rna_input *in, const struct rna_source_options *opts, struct rna_err *err);
int rna_source_is_stream(const struct rna_source *s);
/*
 * The header of the stream in force.  For text: an empty header (no vocabulary, no totals).
 */
const struct rna_header *rna_source_header(const struct rna_source *s);
const char *rna_source_name(const struct rna_source *s);
/*
 * As rna_reader_read.  A text record has `rid`, `name`, `desc` (when there is one), `seq` (letters as read), and for
 * structure files `pair`, `structure`; for CSV pairs also `name_b`, `seq_b`, `label`; `energy` where
 * the file has one.  No tokens: framing is the caller's.
 */
enum rna_status rna_source_read(struct rna_source *s, struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/*
 * The next RNAs of a FASTA file all at once, encoded (bulk.h).  RNA_NEXT: the next is to be read by rna_source_read, as
 * always where the source is something else; what there is to fail does so then.  Both may be called in turn.
 */
enum rna_status rna_source_bulk(struct rna_source *s, struct rna_bulk *b, struct rna_err *err) RNA_CHECK;
void rna_source_close(struct rna_source *s);

#endif
