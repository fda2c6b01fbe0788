/*
 * csv.h: tables of sequences or pairs of sequences, with a header line, separated by commas or tabs.
 */
#ifndef RNA_CSV_H
#define RNA_CSV_H

#include "seq/entry.h"

struct rna_csv;

struct rna_csv_options {
	const char *a, *b;        /* columns of the sequences of a pair; NULL: one sequence, in `seq` or `sequence` */
	const char *reverse;      /* column whose sequences are written 3'->5', or NULL */
	const char *label;        /* column of the label, or NULL: `label` when there is one */
	uint64_t max;             /* letters in a sequence */
	const char *const *keep;  /* columns kept as text, nkeep of them */
	size_t nkeep;
};

/*
 * Reads the header line.  Names come from the column called as the sequence's with `seq` or `sequence` replaced by
 * `name` or `id` (a_seq: a_name, a_id; seq: name, id); else they are empty.  A missing column is an error that names
 * those there are.
 */
struct rna_csv *rna_csv_open(struct rna_lines *l, const struct rna_csv_options *opts, struct rna_err *err);
enum rna_status rna_csv_read(struct rna_csv *c, struct rna_entry *e, struct rna_err *err) RNA_CHECK;
/* The i-th column of keep in the row that was read: not NUL-terminated, until the next read. */
const char *rna_csv_kept(const struct rna_csv *c, size_t i, size_t *n);
void rna_csv_close(struct rna_csv *c);

#endif
