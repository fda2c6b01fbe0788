/*
 * neural_terms.c: what the cells of the neural fold are made of: Turner's figures as scores, length terms, and the
 * scores as they are handed in.
 */
#include <string.h>

#include "fold/neural_private.h"

#define LONG_LOOP 9 /* hairpins from here on are neither special nor triloops */

static inline float
as_score(int energy)
{
	return (float)energy / -100.0f;
}

static inline int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Stems with every combination of neighbours. */
static void
set_stems(struct neural_turner *u, const struct rna_energy *e, int t)
{
	int x, y, a, b;

	for (x = 0; x <= FOLD_NO_BASE; x++) {
		for (y = 0; y <= FOLD_NO_BASE; y++) {
			a = x == FOLD_NO_BASE ? -1 : x;
			b = y == FOLD_NO_BASE ? -1 : y;
			u->multi[t][x][y] = as_score(rna_energy_multi_stem(e, t, a, b));
			u->exterior[t][x][y] = as_score(rna_energy_exterior_stem(e, t, a, b));
			if (a >= 0 && b >= 0)
				u->closing[t][x][y] = as_score(e->ml_closing + rna_energy_multi_stem(e, t, a, b));
		}
	}
}

/* Turner's length term of n1 x n2 unpaired bases, where no table looks at all of them. */
static int
length_energy(const struct rna_energy *e, int n1, int n2)
{
	int s = least(n1, n2), t = n1 + n2 - s;

	if (t < 2 || (s == 1 && t < 3) || (s == 2 && t < 4))
		return 0;
	return s == 0 ? e->bulge[t] : e->interior[s + t] + least((t - s) * e->ninio, e->ninio_max);
}

void
rna_neural_set_turner(struct rna_neural *w)
{
	const struct rna_energy *e = w->e;
	struct neural_turner *u = &w->turner;
	int t, x, y;

	for (t = 1; t < RNA_NPAIRS; t++) {
		set_stems(u, e, t);
		u->terminal[t] = t > 2 ? as_score(e->terminal_au) : 0;
		for (x = 0; x < 5; x++) {
			for (y = 0; y < 5; y++) {
				u->mismatch_hairpin[t][x][y] = as_score(e->mismatch_hairpin[t][x][y]);
				u->mismatch_1n[t][x][y] = as_score(e->mismatch_1n[t][x][y]);
				u->mismatch_interior[t][x][y] = as_score(e->mismatch_interior[t][x][y]);
			}
		}
		for (x = 1; x < RNA_NPAIRS; x++)
			u->stack[t][x] = as_score(e->stack[t][x]);
	}
	for (x = 0; x <= RNA_MAXLOOP; x++) {
		for (y = 0; x + y <= RNA_MAXLOOP; y++)
			u->size[y][x] = as_score(length_energy(e, x, y));
	}
}

double
rna_neural_rounded(const struct rna_energy *e, int n)
{
	double x = n > RNA_MAXLOOP ? e->lxc * log((double)n / RNA_MAXLOOP) : 0;

	return x - (int)x;
}

void
rna_energy_neural(struct rna_energy *e)
{
	int *x = &e->int22[0][0][0][0][0][0], k;

	e->nspecial = 0;
	for (k = 0; k < RNA_NPAIRS * RNA_NPAIRS * 625; k++) {
		if (k % 5 == 0 || k / 5 % 5 == 0 || k / 25 % 5 == 0 || k / 125 % 5 == 0)
			x[k] = 0;
	}
}

int
rna_neural_entries(int n1, int n2, int entry[4])
{
	int s = least(n1, n2), t = n1 + n2 - s, k = 0;

	if (s == 0) {
		entry[0] = RNA_LENGTH_BULGE + least(t, RNA_MAXLOOP);
		return 1;
	}
	entry[k++] = RNA_LENGTH_INTERIOR + least(s + t, RNA_MAXLOOP);
	entry[k++] = RNA_LENGTH_EXPLICIT + 5 * least(s, 4) + least(t, 4);
	if (s == t)
		entry[k++] = RNA_LENGTH_SYMMETRY + least(s, 15);
	entry[k++] = RNA_LENGTH_ASYMMETRY + least(t - s, 28);
	return k;
}

/* The terms that depend on lengths alone. */
static void
set_lengths(struct rna_neural *w)
{
	int n1, n2, k, entry[4];
	float x;

	for (n1 = 0; n1 <= RNA_MAXLOOP; n1++) {
		for (n2 = 0; n1 + n2 <= RNA_MAXLOOP; n2++) {
			x = w->turner.size[n2][n1];
			for (k = n1 + n2 > 0 ? rna_neural_entries(n1, n2, entry) : 0; k > 0; k--)
				x += w->lengths[entry[k - 1]];
			w->size[n2][n1] = x;
		}
	}
	for (k = 0; k <= w->in.n; k++) {
		w->hairpin[k] = w->lengths[RNA_LENGTH_HAIRPIN + least(k, RNA_MAXLOOP)];
		if (k >= LONG_LOOP)
			w->hairpin[k] +=
			    (float)((rna_energy_length(w->e, w->e->hairpin, k) + rna_neural_rounded(w->e, k)) / -100);
	}
}

float
rna_neural_hairpin(const struct rna_neural *w, int i, int j, int type)
{
	const uint8_t *code = w->in.code;
	float x = w->hairpin[j - i - 1];

	if (j - i - 1 < LONG_LOOP)
		return x + as_score(rna_energy_hairpin(w->e, code, i, j));
	return x + w->turner.mismatch_hairpin[type][code[i + 1]][code[j - 1]];
}

/* The first entry that is not a number of moderate size, or n. */
static size_t
first_bad(const float *x, size_t n)
{
	typedef int32_t four __attribute__((vector_size(16), aligned(4), may_alias));
	const union {
		float f;
		int32_t i;
	} most = {RNA_SCORE_MOST};
	const four limit = {most.i, most.i, most.i, most.i};
	four a = {0}, b = {0};
	size_t i, k;

	/* the bits of floats without their signs are in the order of the floats, infinity and NaN last */
	for (i = 0; i + 8 <= n; i += 8) {
		a |= (*(const four *)(const void *)(x + i) & INT32_MAX) > limit;
		b |= (*(const four *)(const void *)(x + i + 4) & INT32_MAX) > limit;
	}
	for (k = 0; k < 4; k++)
		i = (a[k] | b[k]) != 0 ? 0 : i;
	while (i < n && fabsf(x[i]) <= RNA_SCORE_MOST)
		i++;
	return i;
}

enum rna_status
rna_neural_set_scores(struct rna_neural *w, const struct rna_neural_scores *scores, struct rna_err *err)
{
	static const struct rna_neural_scores nothing = {NULL, NULL};
	size_t n = (size_t)w->in.n, bad;

	w->scores = scores != NULL ? *scores : nothing;
	if (w->scores.scores != NULL && (bad = first_bad(w->scores.scores, 3 * n * n)) < 3 * n * n)
		return rna_fail(err, RNA_EINVAL, "scores[%zu,%zu,%zu] is %g: not a score", bad / (n * n), bad / n % n,
		    bad % n, (double)w->scores.scores[bad]);
	if (w->scores.lengths != NULL && (bad = first_bad(w->scores.lengths, RNA_LENGTHS)) < RNA_LENGTHS)
		return rna_fail(
		    err, RNA_EINVAL, "lengths[%zu] is %g: not a score", bad, (double)w->scores.lengths[bad]);
	if (w->scores.lengths != NULL)
		memcpy(w->lengths, w->scores.lengths, sizeof(w->lengths));
	else
		memset(w->lengths, 0, sizeof(w->lengths));
	set_lengths(w);
	return RNA_OK;
}
