/*
 * fold_input.h: one sequence as the dynamic programmes see it: base codes, and which pairs are allowed.  Private to
 * lib/fold.
 */
#ifndef RNA_FOLD_INPUT_H
#define RNA_FOLD_INPUT_H

#include "fold/energy.h"
#include "fold/mfe.h"

#define FOLD_NO_BASE 5 /* index of a neighbour that is not there, in tables of stems */
#define RNA_MIN_SPAN 4 /* j - i of the shortest pair: a hairpin of 3 */

struct fold_input {
	int n;
	struct rna_fold_options opts;
	uint8_t *code; /* [n + 2] */
	uint8_t *type; /* [n + 2] pair types of the row at hand, 0 where (i,j) may not pair */
	int32_t *js;   /* [n + 2] columns of the row at hand that may pair, ascending, njs of them */
	int njs;
	int *loop; /* [n + 2] loop of the constraint that a base is in; NULL: no constraint */
};

/*
 * Takes the sequence in; memory is kept from one to the next.  RNA_EINVAL: a constraint of another length, unbalanced
 * or with an unknown letter; n too large.  RNA_EMEM.
 */
enum rna_status rna_fold_input_set(struct fold_input *in, const char *letters, size_t n,
    const struct rna_fold_options *opts, struct rna_err *err) RNA_CHECK;
void rna_fold_input_fini(struct fold_input *in);
/* Fills type[i..n] and js for the pairs (i,j). */
void rna_fold_input_row(struct fold_input *in, int i);

#define FOLD_SHARED_N 600 /* from so many nt on, threads share the rows */
/*
 * The columns that part k of `parts` takes of row i, from..to-1: together i..n, and no part's vectors of up to 16 cells
 * write into the next one, when they begin at from, or the first at i + RNA_MIN_SPAN.
 */
void rna_fold_input_share(const struct fold_input *in, int i, int k, int parts, int *from, int *to);
/* The first column of the row at hand that may pair and is from or more, as its number in js. */
int rna_fold_input_first(const struct fold_input *in, int from);

/* Codes of the bases outside (i,j), -1 where the sequence ends. */
static inline int
fold_before(const struct fold_input *in, int i)
{
	return i > 1 ? in->code[i - 1] : -1;
}

static inline int
fold_after(const struct fold_input *in, int j)
{
	return j < in->n ? in->code[j + 1] : -1;
}

#endif
