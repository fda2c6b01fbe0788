/*
 * fasta.h: FASTA and FASTQ text to sequences.
 */
#ifndef RNA_FASTA_H
#define RNA_FASTA_H

#include "seq/entry.h"

struct rna_fasta;

/*
 * Reads from in, which stays the caller's.  FASTA or FASTQ is told record by record, by '>' or '@'.  max: letters in a
 * record.  NULL: no memory.
 */
struct rna_fasta *rna_fasta_create(struct rna_input *in, uint64_t max);
/*
 * The next record: head and seq of e.  Lines may end in CRLF; blank lines and, in FASTA, lines that begin with ';' are
 * skipped; sequences may be wrapped, empty, or one line of any length.  FASTQ qualities are counted and dropped.
 */
enum rna_status rna_fasta_read(struct rna_fasta *f, struct rna_entry *e, struct rna_err *err) RNA_CHECK;
/*
 * The text of the next records, *n bytes at *p: about `want`, fewer where these would have to be waited for or can't be
 * read.  1: nothing follows.  What of it others have read, whole records of so many lines, is skipped.
 */
int rna_fasta_window(struct rna_fasta *f, size_t want, const unsigned char **p, size_t *n);
void rna_fasta_skip(struct rna_fasta *f, size_t n, uint64_t lines);
void rna_fasta_destroy(struct rna_fasta *f);

#endif
