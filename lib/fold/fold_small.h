/*
 * fold_small.h: the interior loops whose tables look at all their bases: stacks, bulges of one, up to 2 x 3.  All nine
 * of a pair at once, for the dynamic programmes; rna_energy_interior has the same figures one by one.  Private to
 * lib/fold.
 */
#ifndef RNA_FOLD_SMALL_H
#define RNA_FOLD_SMALL_H

#include "fold/energy.h"

#define FOLD_SMALL      9
#define FOLD_SMALL_SPAN 7 /* j - i from which all nine inner pairs have k <= l */

/* Unpaired bases before and after the inner pair. */
static const struct {
	int8_t n1, n2;
} fold_small[FOLD_SMALL] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 3}, {3, 2}};

/* Energies of the loops of (i,j), of type t, in the order of fold_small; where inner bases do not pair, any number. */
static inline __attribute__((always_inline)) void
fold_small_energies(const struct rna_energy *e, const uint8_t *code, int i, int j, int t, int out[FOLD_SMALL])
{
	const uint8_t *s = code + i, *z = code + j;
	int a = s[1], b = z[-1], c = s[2], d = z[-2], q;
	int large = e->interior[5] + e->ninio + e->mismatch_23[t][a][b];

	out[0] = e->stack[t][rna_pair_type(b, a)];
	out[1] = e->bulge[1] + e->stack[t][rna_pair_type(d, a)];
	out[2] = e->bulge[1] + e->stack[t][rna_pair_type(b, c)];
	out[3] = e->int11[t][rna_pair_type(d, c)][a][b];
	out[4] = e->int21[t][rna_pair_type(z[-3], c)][a][d][b];
	out[5] = e->int21[rna_pair_type(d, s[3])][t][b][a][c];
	out[6] = e->int22[t][rna_pair_type(z[-3], s[3])][a][c][d][b];
	q = rna_pair_type(z[-4], s[3]);
	out[7] = large + e->mismatch_23[q][z[-3]][c];
	q = rna_pair_type(z[-3], s[4]);
	out[8] = large + e->mismatch_23[q][d][s[3]];
}

#endif
