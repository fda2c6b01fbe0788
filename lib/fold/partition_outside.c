/*
 * partition_outside.c: probabilities of pairs.  X^ = dZ/dX for every sum X of partition.h, by its recurrences walked
 * back, first row to last; the probability of (i,j) is Qb^(i,j) Qb(i,j) / Z.
 *
 *	F^(1)    = 1;  F^(i+1) += F^(i);  F^(j+1) += F^(i) Qb(i,j) w(exterior)
 *	Qd^(i,j) = Qb^(i-1,j+1) w(closing) + Qm^(i,j)
 *	Qm^(i,u) = sum_j Qd^(i,j) Q1(u+1,j)
 *	Qs^(i,j) = Qm^(i,j) + Qs^(i-1,j) w(base)
 *	Q1^(i,j) = Qs^(i,j) + Q1^(i,j+1) w(base) + sum_h Qm(h,i-1) Qd^(h,j)
 *	Qb^(i,j) = F^(i) F(j+1) w(exterior) + Q1^(i,j) w(stem) + sum over (h,m) outside of Qb^(h,m) w(interior)
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "fold/partition_private.h"

#define SPILLS 64 /* of a part: nine loops of each of at most four pairs */

/*
 * For the second branches that begin at u, u-1, .. u-3: sum[k] += what Qd^ of columns from..to-1 gives Qm^(i,u-k-1),
 * and what row i gives Q1^ of rows u-k in these columns.  Q1(u,.) begins at column u + 4, so that none of the four rows
 * reads what another one changes.
 */
static void
walk_branches(struct rna_partition *q, int i, int u, int from, int to, double *sum)
{
	double *qd = q->qd[i & 1], *qm = rna_sum_row(q, q->qm, i), a[4], part[4], *x[4], *y[4];
	int k, low = i + RNA_MIN_SPAN + 1;

	for (k = 0; k < 4; k++) {
		a[k] = u - k >= low ? qm[u - k - 1] : 0;
		x[k] = rna_sum_row(q, q->q1, u - k >= low ? u - k : u);
		y[k] = rna_sum_row(q, q->q1_hat, u - k >= low ? u - k : u);
	}
	q->rows->dot_add4(qd, x, y, a, part, from, to);
	for (k = 0; k < 4; k++)
		sum[k] += part[k];
}

/* What tile s of the columns gives the branches at u and the three before it. */
static void
from_tile(struct rna_partition *q, int i, int u, int s, double *sum)
{
	int end = q->in.n - FOLD_TILE * s + 1, from = end - FOLD_TILE;

	walk_branches(q, i, u, from > u ? from : u + 1, end, sum);
}

/* Their Qm^, which is added to Qd^. */
static void
branch_in(struct rna_partition *q, int i, int u, const double *sum, double *qm_hat)
{
	double *qd = q->qd[i & 1];
	int k;

	for (k = 0; k < 4 && u - k >= i + RNA_MIN_SPAN + 1; k++) {
		qm_hat[u - k - 1] = sum[k];
		qd[u - k - 1] += sum[k];
	}
}

/*
 * A part of Qm^ of row i, added to its Qd^, and of what row i gives Q1^ of the rows below.  Tile t is of the second
 * branches at u = n - FOLD_TILE t down to the next tile's; when it is done, Qd^ is known from there on.  What a tile
 * gives is summed up by itself, so that the sums do not depend on who makes them when.
 */
static void
walk_multi(struct rna_partition *q, const struct fold_part *p, double *qm_hat)
{
	int n = q->in.n, low = p->i + RNA_MIN_SPAN + 1, t, s, u, top;
	double sum[FOLD_TILE];

	for (u = n; p->parts == 1 && u >= low; u -= 4) {
		memset(sum, 0, 4 * sizeof(*sum));
		for (s = 0; s <= (n - u) / FOLD_TILE; s++)
			from_tile(q, p->i, u, s, sum);
		branch_in(q, p->i, u, sum, qm_hat);
	}
	for (t = p->part; p->parts > 1 && (top = n - FOLD_TILE * t) >= low; t += p->parts) {
		memset(sum, 0, sizeof(sum));
		for (s = 0; s <= t; s++) {
			if (s < t)
				rna_partition_wait(q, s + 1);
			for (u = top; u > top - FOLD_TILE && u >= low; u -= 4) {
				from_tile(q, p->i, u, s, sum + (top - u));
				if (s == t)
					branch_in(q, p->i, u, sum + (top - u), qm_hat);
			}
		}
		rna_partition_done(q, t + 1);
	}
}

/* Qb^(i,j) of a pair of type t, but for what F^ and Q1^ give; the small loops have been handed in. */
static double
from_loops(const struct rna_partition *q, int i, int j)
{
	const struct fold_weights *w = &q->w;
	int r = rna_pair_type(q->in.code[j], q->in.code[i]), a = q->in.code[j + 1], b = q->in.code[i - 1];

	return q->qb_hat[i % FOLD_RING][j] + q->bulge_sum[j] * w->terminal[r] +
	       q->one_n_sum[j] * w->mismatch_1n[r][a][b] + q->generic_sum[j] * w->mismatch_interior[r][a][b];
}

/* What a thread hands to columns that are another one's: added later, after that one's own and in order. */
struct spill {
	double *cell, add;
};

/* A thread's part of the columns of a row. */
struct columns {
	int from, to, n;
	struct spill spill[SPILLS];
};

/* To the inner pairs whose loops with (i,j) have tables over all their bases. */
static void
small_loops(struct rna_partition *q, int i, int j, double x, struct columns *c)
{
	int energy[FOLD_SMALL], k, l, s;
	double *cell, add;

	if (j - i >= FOLD_SMALL_SPAN)
		fold_small_energies(q->e, q->in.code, i, j, q->in.type[j], energy);
	for (s = 0; s < FOLD_SMALL; s++) {
		k = i + 1 + fold_small[s].n1;
		l = j - 1 - fold_small[s].n2;
		if (l - k < RNA_MIN_SPAN)
			continue;
		if (j - i < FOLD_SMALL_SPAN)
			energy[s] = rna_energy_interior(q->e, q->in.code, i, j, k, l);
		cell = &q->qb_hat[k % FOLD_RING][l];
		add = x * rna_weight(&q->w, energy[s]) * q->w.small[fold_small[s].n1 + fold_small[s].n2];
		if (l >= c->from)
			*cell += add;
		else
			c->spill[c->n++] = (struct spill){cell, add};
	}
}

/* What (i,j), with x = Qb^, hands to the rows inside. */
static void
fold_out(struct rna_partition *q, int i, int j, double x, struct columns *c)
{
	const struct fold_weights *w = &q->w;
	int t = q->in.type[j], at = i % FOLD_RING, a = q->in.code[i + 1], b = q->in.code[j - 1];

	q->cb[at][j] = x * w->terminal[t];
	q->c1[at][j] = x * w->mismatch_1n[t][a][b];
	q->cg[at][j] = x * w->mismatch_interior[t][a][b];
	q->qd[(i + 1) & 1][j - 1] = x * rna_closing_weight(q, i, j);
	small_loops(q, i, j, x, c);
}

/* Rows that row i writes, made 0. */
static void
clear(struct rna_partition *q, int i)
{
	size_t bytes = (size_t)(q->in.n + 1 - i) * sizeof(double);
	int at = i % FOLD_RING, last = i + 4;

	memset(q->cb[at] + i, 0, bytes);
	memset(q->c1[at] + i, 0, bytes);
	memset(q->cg[at] + i, 0, bytes);
	memset(q->qd[(i + 1) & 1] + i, 0, bytes);
	if (last <= q->in.n)
		memset(q->qb_hat[last % FOLD_RING] + last, 0, (size_t)(q->in.n + 1 - last) * sizeof(double));
}

/* Qs^ and Q1^ of row i. */
static void
start_pairs(struct rna_partition *q, int i, const double *qm_hat)
{
	double *row = rna_sum_row(q, q->q1_hat, i), *qs = q->qs, q1_hat = 0;
	int j;

	clear(q, i);
	for (j = q->in.n; j >= i; j--) {
		qs[j] = qm_hat[j] + q->w.base * qs[j];
		row[j] = q1_hat = row[j] + qs[j] + q->w.base * q1_hat;
	}
}

/* Qb^ and the probabilities of a part of row i, which take the place of Q1^. */
static void
walk_pairs(struct rna_partition *q, int i, struct columns *c)
{
	double *row = rna_sum_row(q, q->q1_hat, i), *qb = rna_sum_row(q, q->qb, i), *f_hat = q->f_hat, x, e;
	int j, t, k;

	c->n = 0;
	for (k = rna_fold_input_first(&q->in, c->from); k < q->in.njs && (j = q->in.js[k]) < c->to; k++) {
		t = q->in.type[j];
		e = f_hat[i] * rna_stem_weight(q, q->w.exterior, t, i, j);
		f_hat[j + 1] += e * qb[j];
		x = from_loops(q, i, j) + e * q->f[j + 1] + row[j] * rna_stem_weight(q, q->w.multi, t, i, j);
		row[j] = x * qb[j] / q->f[1];
		fold_out(q, i, j, x, c);
	}
	for (j = c->from; j < c->to; j++)
		row[j] = q->in.type[j] != 0 ? row[j] : 0;
}

/* Begins row i, after the row before by all threads; parts: what each has of it. */
static void
start_row(struct rna_partition *q, int i, double *qm_hat, const struct columns *parts, int nparts)
{
	int k, s;

	if (i > 1) {
		for (k = 0; k < nparts; k++)
			for (s = 0; s < parts[k].n; s++)
				*parts[k].spill[s].cell += parts[k].spill[s].add;
		q->f_hat[i] += q->f_hat[i - 1] * q->w.unpaired;
	}
	if (i > q->in.n)
		return;
	rna_fold_input_row(&q->in, i);
	memset(qm_hat + i, 0, (size_t)(q->in.n + 1 - i) * sizeof(*qm_hat));
	q->done = 0;
}

/* A part of the sums over what is outside of row i, before its pairs. */
static void
walk_sums(struct rna_partition *q, const struct fold_part *p, double *qm_hat, struct columns *own)
{
	const struct fold_weights *w = &q->w;
	int i = p->i;

	rna_fold_input_share(&q->in, i, p->part, p->parts, &own->from, &own->to);
	struct sum_interior in = {i, own->from < i + RNA_MIN_SPAN ? i + RNA_MIN_SPAN : own->from, own->to, -1, q->cb,
	    q->c1, q->cg, q->v[i & 1], q->v[(i + 1) & 1], w->bulge, w->one_n, w->generic, w->ninio, q->bulge_sum,
	    q->one_n_sum, q->generic_sum};
	q->rows->interior(&in);
	walk_multi(q, p, qm_hat);
}

/* Row n + 1: only what is left of row n. */
static void
walk_row_alone(struct rna_partition *q, const struct fold_part *p, double *qm_hat, struct columns *parts)
{
	start_row(q, p->i, qm_hat, parts, 1);
	if (p->i > q->in.n)
		return;
	walk_sums(q, p, qm_hat, parts);
	start_pairs(q, p->i, qm_hat);
	walk_pairs(q, p->i, parts);
}

/* The same by one thread of those that share the row. */
static void
walk_row(struct rna_partition *q, const struct fold_part *p, double *qm_hat, struct columns *parts)
{
#pragma omp single
	start_row(q, p->i, qm_hat, parts, p->parts);
	if (p->i > q->in.n)
		return;
	walk_sums(q, p, qm_hat, &parts[p->part]);
#pragma omp barrier
#pragma omp single
	start_pairs(q, p->i, qm_hat);
	walk_pairs(q, p->i, &parts[p->part]);
#pragma omp barrier
}

static void
walk_rows(struct rna_partition *q, int part, int parts, double *qm_hat, struct columns *columns)
{
	struct fold_part p = {1, part, parts};

	for (; p.i <= q->in.n + 1; p.i++)
		(parts > 1 ? walk_row : walk_row_alone)(q, &p, qm_hat, columns);
}

static void
walk(struct rna_partition *q, double *qm_hat, struct columns *columns)
{
	size_t n = (size_t)q->in.n;

	rna_partition_clear_rows(q);
	memset(q->q1_hat, 0, n * (n + 1) / 2 * sizeof(double));
	memset(q->f_hat, 0, (n + 2) * sizeof(double));
	q->f_hat[1] = 1;
	if (rna_partition_team(q) > 1) {
#pragma omp parallel num_threads(rna_partition_team(q))
		walk_rows(q, omp_get_thread_num(), omp_get_num_threads(), qm_hat, columns);
	} else
		walk_rows(q, 0, 1, qm_hat, columns);
}

/* The pairs with p >= least into q->pairs. */
static enum rna_status
collect(struct rna_partition *q, double least, size_t *npairs, struct rna_err *err)
{
	struct rna_pair_prob *grown;
	size_t n = 0, cap = 0;
	int i, j;

	for (i = 1; i <= q->in.n; i++) {
		const double *p = rna_sum_row(q, q->q1_hat, i);

		for (j = i + RNA_MIN_SPAN; j <= q->in.n; j++) {
			if (!isfinite(p[j]))
				return rna_fail(err, RNA_EINVAL, "a pair's probability leaves the range of numbers");
			if (p[j] < least || p[j] <= 0)
				continue;
			if (n == cap) {
				cap = cap > 0 ? 2 * cap : 256;
				if ((grown = reallocarray(q->pairs, cap, sizeof(*grown))) == NULL)
					return rna_fail(err, RNA_EMEM, "out of memory");
				q->pairs = grown;
			}
			q->pairs[n++] = (struct rna_pair_prob){i - 1, j - 1, p[j] < 1 ? (float)p[j] : 1};
		}
	}
	*npairs = n;
	return RNA_OK;
}

enum rna_status
rna_partition_pairs(
    struct rna_partition *q, double least, const struct rna_pair_prob **pairs, size_t *npairs, struct rna_err *err)
{
	enum rna_status s;
	struct columns *columns;
	double *qm_hat;

	*npairs = 0;
	*pairs = NULL;
	if (!q->filled)
		return rna_fail(err, RNA_EINVAL, "no ensemble to take probabilities from");
	if (q->in.n == 0)
		return RNA_OK;
	free(q->pairs);
	q->pairs = NULL;
	if (!q->walked) {
		qm_hat = malloc(((size_t)q->in.n + 2) * sizeof(*qm_hat));
		columns = reallocarray(NULL, (size_t)rna_partition_team(q), sizeof(*columns));
		if (qm_hat != NULL && columns != NULL)
			walk(q, qm_hat, columns);
		q->walked = qm_hat != NULL && columns != NULL;
		free(qm_hat);
		free(columns);
		if (!q->walked)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	s = collect(q, least, npairs, err);
	*pairs = q->pairs;
	return s;
}
