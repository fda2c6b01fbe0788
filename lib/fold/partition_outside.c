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
#include <stdlib.h>
#include <string.h>

#include "fold/partition_private.h"

/*
 * Qm^ of row i, added to its Qd^, and what row i gives Q1^ of the rows below; four u at once.  Q1(u,.) begins at column
 * u + 4, so that none of the four rows reads what another one changes.
 */
static void
walk_multi(struct rna_partition *q, int i, double *qm_hat)
{
	double *qd = q->qd[i & 1], *qm = rna_sum_row(q, q->qm, i), a[4], sum[4], *x[4], *y[4];
	int n = q->in.n, u, k, low = i + RNA_MIN_SPAN + 1;

	for (u = i; u <= n; u++)
		qm_hat[u] = 0;
	for (u = n; u >= low; u -= 4) {
		for (k = 0; k < 4; k++) {
			a[k] = u - k >= low ? qm[u - k - 1] : 0;
			x[k] = rna_sum_row(q, q->q1, u - k >= low ? u - k : u);
			y[k] = rna_sum_row(q, q->q1_hat, u - k >= low ? u - k : u);
		}
		q->rows->dot_add4(qd, x, y, a, sum, u + 1, n + 1);
		for (k = 0; k < 4 && u - k >= low; k++) {
			qm_hat[u - k - 1] = sum[k];
			qd[u - k - 1] += sum[k];
		}
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

/* To the inner pairs whose loops with (i,j) have tables over all their bases. */
static void
small_loops(struct rna_partition *q, int i, int j, double x)
{
	int energy[FOLD_SMALL], k, l, s;

	if (j - i >= FOLD_SMALL_SPAN)
		fold_small_energies(q->e, q->in.code, i, j, q->in.type[j], energy);
	for (s = 0; s < FOLD_SMALL; s++) {
		k = i + 1 + fold_small[s].n1;
		l = j - 1 - fold_small[s].n2;
		if (l - k < RNA_MIN_SPAN)
			continue;
		if (j - i < FOLD_SMALL_SPAN)
			energy[s] = rna_energy_interior(q->e, q->in.code, i, j, k, l);
		q->qb_hat[k % FOLD_RING][l] +=
		    x * rna_weight(&q->w, energy[s]) * q->w.small[fold_small[s].n1 + fold_small[s].n2];
	}
}

/* What (i,j), with x = Qb^, hands to the rows inside. */
static void
fold_out(struct rna_partition *q, int i, int j, double x)
{
	const struct fold_weights *w = &q->w;
	int t = q->in.type[j], at = i % FOLD_RING, a = q->in.code[i + 1], b = q->in.code[j - 1];

	q->cb[at][j] = x * w->terminal[t];
	q->c1[at][j] = x * w->mismatch_1n[t][a][b];
	q->cg[at][j] = x * w->mismatch_interior[t][a][b];
	q->qd[(i + 1) & 1][j - 1] = x * rna_closing_weight(q, i, j);
	small_loops(q, i, j, x);
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

/* Q1^, Qb^ and the probabilities of row i, which take the place of Q1^. */
static void
walk_row(struct rna_partition *q, int i, const double *qm_hat)
{
	double *row = rna_sum_row(q, q->q1_hat, i), *qb = rna_sum_row(q, q->qb, i), *qs = q->qs, *f_hat = q->f_hat;
	double q1_hat = 0, x, e, z = q->f[1];
	int j, t, k;

	clear(q, i);
	for (j = q->in.n; j >= i; j--) {
		qs[j] = qm_hat[j] + q->w.base * qs[j];
		row[j] = q1_hat = row[j] + qs[j] + q->w.base * q1_hat;
	}
	for (k = 0; k < q->in.njs; k++) {
		j = q->in.js[k];
		t = q->in.type[j];
		e = f_hat[i] * rna_stem_weight(q, q->w.exterior, t, i, j);
		f_hat[j + 1] += e * qb[j];
		x = from_loops(q, i, j) + e * q->f[j + 1] + row[j] * rna_stem_weight(q, q->w.multi, t, i, j);
		row[j] = x * qb[j] / z;
		fold_out(q, i, j, x);
	}
	for (j = i; j <= q->in.n; j++)
		row[j] = q->in.type[j] != 0 ? row[j] : 0;
	f_hat[i + 1] += f_hat[i] * q->w.unpaired;
}

static void
walk(struct rna_partition *q, double *qm_hat)
{
	const struct fold_weights *w = &q->w;
	int i, n = q->in.n;

	rna_partition_clear_rows(q);
	memset(q->q1_hat, 0, (size_t)n * ((size_t)n + 1) / 2 * sizeof(double));
	memset(q->f_hat, 0, ((size_t)n + 2) * sizeof(double));
	q->f_hat[1] = 1;
	for (i = 1; i <= n; i++) {
		struct sum_interior in = {i, i + RNA_MIN_SPAN, n + 1, -1, q->cb, q->c1, q->cg, q->v[i & 1],
		    q->v[(i + 1) & 1], w->bulge, w->one_n, w->generic, w->ninio, q->bulge_sum, q->one_n_sum,
		    q->generic_sum};

		rna_fold_input_row(&q->in, i);
		q->rows->interior(&in);
		walk_multi(q, i, qm_hat);
		walk_row(q, i, qm_hat);
	}
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
		if ((qm_hat = malloc(((size_t)q->in.n + 2) * sizeof(*qm_hat))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		walk(q, qm_hat);
		free(qm_hat);
		q->walked = 1;
	}
	s = collect(q, least, npairs, err);
	*pairs = q->pairs;
	return s;
}
