/*
 * neural.c: fills the dynamic programme of neural.h, from the last row to the first.
 *
 * Positions 1..n, maxima over all that is allowed; b(i,j) = C(i,j) + the branch (i,j), u(i) = rg(i,i) (spec B.4):
 *	N(i,j) = max{ hairpin(i,j); C(k,l) + interior(i,j,k,l); M(i+1,j-1) + closing(i,j) }
 *	E(i,j) = max{ N(i,j); E(i+1,j-1) + stack(i,j) }
 *	C(i,j) = max{ N(i+m-1,j-m+1) + helix(i,j,m), m = 1 .. H; E(i+H,j-H) + helix(i,j,H+1) }
 *	R(i,j) = max{ R(i+1,j) + u(i); R(i,j-1) + u(j); b(i,j); T(i,j) }        one branch or more
 *	T(i,j) = max{ b(i,k) + R(k+1,j) }                                       two or more, the first begins at i
 *	M(i,j) = max{ rg(i,k-1) + T(k,j) }                                      two or more
 *	F(i)   = max{ F(i+1) + u(i); C(i,k) + branch(i,k) + F(k+1) },  F(n+1) = 0; the score is F(1)
 * The bases before the first branch of a multiloop are one region, the others count one by one: R, T and M of the
 * references B.4 write M and M1.
 *
 * What makes it fast is exact (spec C.5):
 *  - What depends on the inner pair alone is added to its cell once (cm, cb, c1, cg).
 *  - For a row i and n1 bases on the 5' side, their region and all lengths are constants; the region of the 3' side is
 *    added once for each n2.
 *  - M is dense, for a region can be anything, but takes four rows at a time; T needs only branches that beat all
 *    other ways to fill i..k from i on.
 *  - All of it on rows of cells, 16 at once.
 *
 * 1. Rows that are read from the scores   2. Cells   3. Rows
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural_private.h"

#define COLUMNS_AHEAD 8 /* rows of the score maps that are asked of memory before they are read */

/* 1. Rows that are read from the scores */

/* Rewards of unpaired bases, summed up. */
static void
set_rewards(struct rna_neural *w)
{
	int i;

	w->reward[0] = 0;
	for (i = 1; i <= w->in.n; i++)
		w->reward[i] =
		    w->reward[i - 1] + (w->reference[i - 1] < 0 ? -w->margins.pos_unpaired : w->margins.neg_unpaired);
}

/* Regions before j, by their length: the diagonals of the map. */
static void
set_region3(struct rna_neural *w)
{
	int d, j;

	for (d = 0; d <= RNA_MAXLOOP; d++) {
		for (j = d + 1; j <= w->in.n + 1; j++)
			w->region3[d][j] = rna_neural_region(w, j - d, j - 1);
	}
}

/* Rows i .. i - NEURAL_BLOCK + 1 of the regions, from the empty one before i on. */
static void
set_regions(struct rna_neural *w, int i)
{
	int last = i > NEURAL_BLOCK ? i - NEURAL_BLOCK + 1 : 1, j;
	float *row;

	for (; i >= last; i--) {
		row = w->region[i % NEURAL_REGIONS];
		row[i - 1] = rna_neural_region(w, i, i - 1);
		if (w->scores.scores != NULL)
			memcpy(row + i,
			    w->scores.scores +
				((size_t)(NEURAL_REGION * w->in.n + i - 1) * (size_t)w->in.n + (size_t)i - 1),
			    (size_t)(w->in.n + 1 - i) * sizeof(float));
		else
			memset(row + i, 0, (size_t)(w->in.n + 1 - i) * sizeof(float));
		if (w->reference != NULL) {
			for (j = i; j <= w->in.n; j++)
				row[j] += w->reward[j] - w->reward[i - 1];
		}
	}
}

/* Columns i .. down to the next multiple of NEURAL_COLUMNS of the two maps of pairs, below the diagonal, as rows. */
static void
set_columns(struct rna_neural *w, int i)
{
	int first = i - i % NEURAL_COLUMNS, j, k;
	size_t n = (size_t)w->in.n;
	const float *mm, *st;

	first = first > 0 ? first : 1;
	for (j = first + 1; j <= w->in.n; j++) {
		mm = w->scores.scores != NULL ? w->scores.scores + (n + (size_t)j - 1) * n - 1 : NULL;
		st = mm != NULL ? mm - n * n : NULL;
		if (mm != NULL && j + COLUMNS_AHEAD <= w->in.n) {
			__builtin_prefetch(mm + COLUMNS_AHEAD * n + first);
			__builtin_prefetch(st + COLUMNS_AHEAD * n + first);
		}
		for (k = first; k <= i && k < j; k++) {
			w->opening[k % NEURAL_COLUMNS][j] = mm != NULL ? mm[k] : 0;
			w->stack_inner[k % NEURAL_COLUMNS][j] = st != NULL ? st[k] : 0;
		}
	}
}

/* Scores of the stacks of row i, with the reward of (i,j); type_inner: types of row i+1. */
static void
set_stacks(struct rna_neural *w, int i)
{
	float *stacked = w->stacked[i % FOLD_RING];
	const float *inner = w->stack_inner[(i + 1) % NEURAL_COLUMNS];
	int k, j, t, q;

	for (k = 0; k < w->in.njs; k++) {
		j = w->in.js[k];
		if (j - i < RNA_MIN_SPAN + 2 || w->type_inner[j - 1] == 0)
			continue;
		t = w->in.type[j];
		q = rna_pair_type(w->in.code[j - 1], w->in.code[i + 1]);
		stacked[j] = w->turner.stack[t][q] + rna_neural_score(w, NEURAL_STACKING, i, j) + inner[j - 1] +
		             rna_neural_reward(w, i, j);
	}
}

/* 2. Cells */

static inline float
larger(float a, float b)
{
	return a > b ? a : b;
}

/*
 * The best of the eight small interior loops of (i,j) that are no stack, without the terms of (i,j); size: lengths and
 * regions of the 5' side.
 */
static float
small_loops(const struct rna_neural *w, int i, int j, int type, const float (*size)[NEURAL_SIDES + 1])
{
	int energy[FOLD_SMALL], s, n1, n2;
	float best = -INFINITY;

	fold_small_energies(w->e, w->in.code, i, j, type, energy);
	for (s = 1; s < FOLD_SMALL; s++) {
		n1 = fold_small[s].n1;
		n2 = fold_small[s].n2;
		best = larger(best, w->cm[(i + 1 + n1) % FOLD_RING][j - 1 - n2] + (float)energy[s] / -100.0f +
					size[n2][n1] + w->region3[n2][j]);
	}
	return best;
}

/* What one thread does of row i: columns from..to-1, and rows of its own for the best interior loops there. */
struct part {
	int i, part, parts;
	int first, njs; /* of the columns that may pair */
	float *bulge, *one_n, *generic;
};

/* N(i,j): the best of all loops that (i,j) closes but for a stack. */
static float
best_loop(const struct rna_neural *w, const struct part *p, int j, int type, const float (*size)[NEURAL_SIDES + 1])
{
	const struct neural_turner *u = &w->turner;
	const uint8_t *code = w->in.code;
	int i = p->i, a = code[i + 1], b = code[j - 1];
	float best;

	best = rna_neural_hairpin(w, i, j, type) + w->region[(i + 1) % NEURAL_REGIONS][j - 1];
	best = larger(best, small_loops(w, i, j, type, size));
	best = larger(best, p->bulge[j] + u->terminal[type]);
	best = larger(best, p->one_n[j] + u->mismatch_1n[type][a][b]);
	best = larger(best, p->generic[j] + u->mismatch_interior[type][a][b]);
	best = larger(best, w->m[(i + 1) % NEURAL_REGIONS][j - 1] + u->closing[rna_pair_type(code[j], code[i])][b][a]);
	return best + rna_neural_score(w, NEURAL_MISMATCH, i, j) + rna_neural_reward(w, i, j);
}

/* C(i,j): the best helix that begins at (i,j). */
static float
best_helix(const struct rna_neural *w, int i, int j)
{
	int m, h = w->max_helix;
	float best, sum = 0;

	if (h == 0)
		return w->e_row[i % FOLD_RING][j];
	best = w->n[i % FOLD_RING][j] + rna_neural_helix(w, 1);
	for (m = 2; m <= h + 1; m++) {
		sum += w->stacked[(i + m - 2) % FOLD_RING][j - m + 2];
		if (sum == -INFINITY)
			return best;
		best = larger(best,
		    (m <= h ? w->n : w->e_row)[(i + m - 1) % FOLD_RING][j - m + 1] + sum + rna_neural_helix(w, m));
	}
	return best;
}

/* Adds to the cell (i,j) what it contributes as the inner pair of a loop. */
static void
fold_in(struct rna_neural *w, int i, int j, float c)
{
	const struct neural_turner *u = &w->turner;
	int q = rna_pair_type(w->in.code[j], w->in.code[i]), at = i % FOLD_RING, x = w->in.code[j + 1],
	    y = w->in.code[i - 1];
	float cm = c + w->opening[i % NEURAL_COLUMNS][j];

	w->cm[at][j] = cm;
	w->cb[at][j] = cm + u->terminal[q];
	w->c1[at][j] = cm + u->mismatch_1n[q][x][y];
	w->cg[at][j] = cm + u->mismatch_interior[q][x][y];
}

/* 3. Rows */

static void
clear(const struct rna_neural *w, float *row, int from, int to)
{
	memcpy(row + from, w->none + from, (size_t)(to + 1 - from) * sizeof(float));
}

static void
clear_row(struct rna_neural *w, int i)
{
	int at = i % FOLD_RING, n = w->in.n;

	clear(w, w->cm[at], i, n);
	clear(w, w->cb[at], i, n);
	clear(w, w->c1[at], i, n);
	clear(w, w->cg[at], i, n);
	clear(w, w->n[at], i, n);
	clear(w, w->e_row[at], i, n);
	clear(w, w->stacked[at], i, n);
	clear(w, rna_neural_row(w, w->c, i), i, n);
	clear(w, rna_neural_row(w, w->r, i), i - FOLD_PAD, n);
	clear(w, w->t_row, i - NEURAL_TILE, n);
}

/* The interior loops of a part of row i, for all columns that pair; size as in small_loops. */
static void
fill_interior(struct rna_neural *w, const struct part *p, float (*size)[NEURAL_SIDES + 1])
{
	const float *cb[NEURAL_SIDES], *c1[NEURAL_SIDES], *cg[NEURAL_SIDES];
	const int i = p->i;
	const float *region5 = w->region[(i + 1) % NEURAL_REGIONS] + i;
	struct neural_interior in = {w->in.js + p->first, p->njs, cb, c1, cg, (const float(*)[NEURAL_SIDES + 1]) size,
	    (const float *const *)w->region3, p->bulge, p->one_n, p->generic};
	int n1, n2;

	for (n1 = 0; n1 <= RNA_MAXLOOP; n1++) {
		cb[n1] = w->cb[(i + 1 + n1) % FOLD_RING];
		c1[n1] = w->c1[(i + 1 + n1) % FOLD_RING];
		cg[n1] = w->cg[(i + 1 + n1) % FOLD_RING];
	}
	for (n2 = 0; n2 <= RNA_MAXLOOP; n2++) {
		for (n1 = 0; n1 <= RNA_MAXLOOP - n2; n1++)
			size[n2][n1] = w->size[n2][n1] + region5[n1];
	}
	w->rows->interior(&in);
}

/* The columns of row i that are this thread's. */
static void
take_columns(const struct rna_neural *w, struct part *p)
{
	int from, to;

	rna_fold_input_share(&w->in, p->i, p->part, p->parts, &from, &to);
	p->first = rna_fold_input_first(&w->in, from);
	p->njs = rna_fold_input_first(&w->in, to) - p->first;
}

/* A part of N, E and C. */
static void
fill_c(struct rna_neural *w, struct part *p)
{
	const int i = p->i;
	float size[NEURAL_SIDES][NEURAL_SIDES + 1], *c = rna_neural_row(w, w->c, i);
	float *n = w->n[i % FOLD_RING], *e = w->e_row[i % FOLD_RING], *stacked = w->stacked[i % FOLD_RING];
	const float *e_inner = w->e_row[(i + 1) % FOLD_RING];
	int k, j;

	take_columns(w, p);
	if (p->njs == 0)
		return;
	fill_interior(w, p, size);
	for (k = p->first; k < p->first + p->njs; k++) {
		j = w->in.js[k];
		n[j] = best_loop(w, p, j, w->in.type[j], (const float(*)[NEURAL_SIDES + 1]) size);
		e[j] = larger(n[j], e_inner[j - 1] + stacked[j]);
		c[j] = best_helix(w, i, j);
		fold_in(w, i, j, c[j]);
	}
}

/* R and T.  A branch that is no better than all else that fills i..j from i on need not be pushed to the right. */
static void
fill_multi(struct rna_neural *w, int i)
{
	const float *c = rna_neural_row(w, w->c, i), *inner = i < w->in.n ? rna_neural_row(w, w->r, i + 1) : NULL;
	const float *unpaired = w->region3[1] + 1, *opening = w->opening[i % NEURAL_COLUMNS];
	float *r = rna_neural_row(w, w->r, i), *t = w->t_row;
	float before = -INFINITY, from_i = -INFINITY, b;
	int j;

	for (j = i + RNA_MIN_SPAN; j <= w->in.n; j++) {
		from_i = larger(from_i + unpaired[j], t[j]);
		if (w->in.type[j] != 0) {
			b = c[j] + rna_neural_stem(w, w->turner.multi, w->in.type[j], i, j) + opening[j];
			if (b > from_i) {
				from_i = b;
				if (j < w->in.n)
					w->rows->max_add(t, rna_neural_row(w, w->r, j + 1), b, j + 1, w->in.n + 1);
			}
		}
		before = larger(larger(before + unpaired[j], inner[j] + unpaired[i]), from_i);
		r[j] = before;
	}
}

/* The rows of M that rows i .. i - NEURAL_BLOCK + 1 will need, from the rows of T that there are. */
static void
start_block(struct rna_neural *w, int i)
{
	float *region[NEURAL_BLOCK], *m[NEURAL_BLOCK];
	struct neural_multi in = {i + 1, w->in.n, w->t, (const float *const *)region, m};
	int r, row;

	set_regions(w, i);
	for (r = 0; r < NEURAL_BLOCK; r++) {
		row = i - r > 0 ? i - r : i; /* before the first row: done again */
		region[r] = w->region[row % NEURAL_REGIONS];
		m[r] = w->m[row % NEURAL_REGIONS];
		clear(w, m[r], row, w->in.n);
	}
	if (i == w->in.n)
		return;
	w->rows->multi(&in);
}

/* Adds row i of T to the rows of M of its block that are not behind, and puts it into the tiles. */
static void
fill_m(struct rna_neural *w, int i)
{
	int row = i, last = i - (NEURAL_BLOCK - 1 - (w->in.n - i) % NEURAL_BLOCK), tile;

	for (; row >= last && row >= 1; row--)
		w->rows->max_add(w->m[row % NEURAL_REGIONS], w->t_row, w->region[row % NEURAL_REGIONS][i - 1],
		    i + 2 * RNA_MIN_SPAN + 1, w->in.n + 1);
	for (tile = (i - 1) / NEURAL_TILE; tile <= (w->in.n - 1) / NEURAL_TILE; tile++)
		memcpy(rna_neural_t(w, i, NEURAL_TILE * tile + 1), w->t_row + NEURAL_TILE * tile + 1,
		    NEURAL_TILE * sizeof(float));
}

static void
fill_exterior(struct rna_neural *w, int i)
{
	const float *c = rna_neural_row(w, w->c, i), *opening = w->opening[i % NEURAL_COLUMNS];
	float best = w->f[i + 1] + w->region3[1][i + 1];
	int k, j;

	for (k = 0; k < w->in.njs; k++) {
		j = w->in.js[k];
		best = larger(best,
		    c[j] + rna_neural_stem(w, w->turner.exterior, w->in.type[j], i, j) + opening[j] + w->f[j + 1]);
	}
	w->f[i] = best;
}

/* What comes before the cells of row i. */
static void
start_row(struct rna_neural *w, int i)
{
	int n = w->in.n;

	rna_fold_input_row(&w->in, i);
	clear_row(w, i);
	set_stacks(w, i);
	if (i == n || i % NEURAL_COLUMNS == NEURAL_COLUMNS - 1)
		set_columns(w, i);
	if ((n - i) % NEURAL_BLOCK == 0)
		start_block(w, i);
}

/* What is left of the row before, and what comes before the cells of row i. */
static void
next(struct rna_neural *w, int i)
{
	if (i < w->in.n) {
		fill_multi(w, i + 1);
		fill_m(w, i + 1);
		fill_exterior(w, i + 1);
		memcpy(w->type_inner + i + 1, w->in.type + i + 1, (size_t)(w->in.n - i));
	}
	if (i > 0)
		start_row(w, i);
}

/* All rows by one thread of those that share them: the cells of C in a row know only rows below; the rest is one's. */
static void
fill_rows(struct rna_neural *w, int part, int parts)
{
	const size_t row = (size_t)w->in.n + 2 * FOLD_PAD;
	float *own = w->loops + 3 * (size_t)part * row + FOLD_PAD;
	struct part p = {w->in.n, part, parts, 0, 0, own, own + row, own + 2 * row};

	for (; p.i >= 0; p.i--) {
		if (parts == 1)
			next(w, p.i);
		else {
#pragma omp single
			next(w, p.i);
		}
		if (p.i > 0)
			fill_c(w, &p);
		if (parts > 1) {
#pragma omp barrier
		}
	}
}

static void
fill(struct rna_neural *w)
{
	int n = w->in.n;

	memset(w->type_inner, 0, (size_t)n + 2);
	clear(w, rna_neural_row(w, w->r, n), n + 1, n + FOLD_PAD - 1);
	w->f[n + 1] = 0;
	if (w->threads > 1 && n >= FOLD_SHARED_N) {
#pragma omp parallel num_threads(w->threads)
		fill_rows(w, omp_get_thread_num(), omp_get_num_threads());
	} else
		fill_rows(w, 0, 1);
}

/* Folds w->in; reference and margins are set. */
static enum rna_status
fold(struct rna_neural *w, const struct rna_neural_scores *scores, int32_t *pair, double *score, struct rna_err *err)
{
	enum rna_status s;

	if ((s = rna_neural_prepare(w, err)) != RNA_OK || (s = rna_neural_set_scores(w, scores, err)) != RNA_OK)
		return s;
	if (w->reference != NULL)
		set_rewards(w);
	set_region3(w);
	fill(w);
	*score = (double)w->f[1];
	rna_neural_trace(w, pair);
	return RNA_OK;
}

enum rna_status
rna_neural_fold(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const struct rna_fold_options *opts, int32_t *pair, double *score, struct rna_err *err)
{
	enum rna_status s;

	*score = 0;
	if (opts != NULL && opts->no_lonely)
		return rna_fail(err, RNA_EINVAL, "lonely pairs can't be left out with the scores of a network");
	if ((s = rna_fold_input_set(&w->in, letters, n, opts, err)) != RNA_OK || n == 0)
		return s;
	w->reference = NULL;
	return fold(w, scores, pair, score, err);
}

/* What the reference is short of when nothing is as in it. */
static double
all_missed(const int32_t *reference, size_t n, const struct rna_margins *margins)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (reference[i] < 0)
			sum += (double)margins->pos_unpaired;
		else if ((size_t)reference[i] > i)
			sum += (double)margins->pos_paired;
	}
	return sum;
}

enum rna_status
rna_neural_fold_augmented(struct rna_neural *w, const char *letters, size_t n, const struct rna_neural_scores *scores,
    const int32_t *reference, const struct rna_margins *margins, int32_t *pair, double *score, struct rna_err *err)
{
	enum rna_status s;

	*score = 0;
	if ((s = rna_fold_input_set(&w->in, letters, n, NULL, err)) != RNA_OK || n == 0)
		return s;
	w->reference = reference;
	w->margins = margins != NULL ? *margins : rna_margins_default;
	if ((s = fold(w, scores, pair, score, err)) == RNA_OK)
		*score += all_missed(reference, n, &w->margins);
	return s;
}
