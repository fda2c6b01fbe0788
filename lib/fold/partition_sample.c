/*
 * partition_sample.c: a structure drawn from the ensemble: each sum of partition.h is taken apart, and one of its terms
 * is drawn with its share.
 */
#include <stdlib.h>

#include "fold/partition_private.h"

struct piece {
	int i, j, paired; /* a pair, or a part of a multiloop with a branch or more */
};

struct draw {
	struct rna_partition *q;
	struct rna_rng *rng;
	int32_t *pair;
	struct piece *stack;
	int depth;
};

static void
push(struct draw *d, int i, int j, int paired)
{
	d->stack[d->depth++] = (struct piece){i, j, paired};
}

/* Takes x from what is left: 1 when this term is the one. */
static int
take(double *left, double x)
{
	*left -= x;
	return *left < 0 && x > 0;
}

/* The stems of the exterior loop.  Rounding may leave a little at the end of a sum: then its last term is taken. */
static void
draw_exterior(struct draw *d)
{
	struct rna_partition *q = d->q;
	int i = 1, j, t, found;
	double left;

	while (i <= q->in.n) {
		const double *qb = rna_sum_row(q, q->qb, i);

		left = rna_rng_double(d->rng) * q->f[i];
		found = 0;
		if (!take(&left, q->f[i + 1] * q->w.unpaired)) {
			for (j = i + RNA_MIN_SPAN; j <= q->in.n; j++) {
				t = rna_pair_type(q->in.code[i], q->in.code[j]);
				if (t == 0 || qb[j] <= 0)
					continue;
				found = j;
				if (take(&left, qb[j] * rna_stem_weight(q, q->w.exterior, t, i, j) * q->f[j + 1]))
					break;
			}
		}
		if (found)
			push(d, i, found, 1);
		i = found ? found + 1 : i + 1;
	}
}

/* One branch of a multiloop that begins at u, within u..j. */
static void
draw_branch(struct draw *d, int u, int j)
{
	struct rna_partition *q = d->q;
	const double *qb = rna_sum_row(q, q->qb, u);
	double left = rna_rng_double(d->rng) * rna_sum_row(q, q->q1, u)[j], tail = 1;
	int k, t, found = 0;

	for (k = j; k >= u + RNA_MIN_SPAN; k--, tail *= q->w.base) {
		t = rna_pair_type(q->in.code[u], q->in.code[k]);
		if (t == 0 || qb[k] <= 0)
			continue;
		found = k;
		if (take(&left, qb[k] * rna_stem_weight(q, q->w.multi, t, u, k) * tail))
			break;
	}
	if (found)
		push(d, u, found, 1);
}

/* i..j with two branches or more: the last of them begins at u. */
static void
draw_split(struct draw *d, int i, int j, double left)
{
	struct rna_partition *q = d->q;
	const double *qm = rna_sum_row(q, q->qm, i);
	int u, found = 0;
	double x;

	for (u = i + RNA_MIN_SPAN + 1; u <= j - RNA_MIN_SPAN; u++) {
		if ((x = qm[u - 1] * rna_sum_row(q, q->q1, u)[j]) <= 0)
			continue;
		found = u;
		if (take(&left, x))
			break;
	}
	if (found) {
		push(d, i, found - 1, 0);
		draw_branch(d, found, j);
	}
}

/* i..j with one branch or more. */
static void
draw_multi(struct draw *d, int i, int j)
{
	struct rna_partition *q = d->q;
	double left = rna_rng_double(d->rng) * rna_sum_row(q, q->qm, i)[j], before = 1;
	int u;

	for (u = i; u <= j - RNA_MIN_SPAN; u++, before *= q->w.base) {
		if (take(&left, before * rna_sum_row(q, q->q1, u)[j])) {
			draw_branch(d, u, j);
			return;
		}
	}
	draw_split(d, i, j, left);
}

/* What (i,j) closes. */
static void
draw_loop(struct draw *d, int i, int j)
{
	struct rna_partition *q = d->q;
	double left = rna_rng_double(d->rng) * rna_sum_row(q, q->qb, i)[j], inner;
	int k, l;

	if (take(&left, rna_hairpin_weight(q, i, j, rna_pair_type(q->in.code[i], q->in.code[j]))))
		return;
	for (k = i + 1; k - i - 1 <= RNA_MAXLOOP && k < j - RNA_MIN_SPAN; k++) {
		for (l = j - 1; (k - i - 1) + (j - l - 1) <= RNA_MAXLOOP && l - k >= RNA_MIN_SPAN; l--) {
			inner = rna_sum_row(q, q->qb, k)[l];
			if (inner > 0 && take(&left, inner * rna_loop_weight(q, i, j, k, l))) {
				push(d, k, l, 1);
				return;
			}
		}
	}
	draw_split(d, i + 1, j - 1, left / rna_closing_weight(q, i, j));
}

enum rna_status
rna_partition_sample(struct rna_partition *q, struct rna_rng *rng, int32_t *pair, struct rna_err *err)
{
	struct draw d = {q, rng, pair, NULL, 0};
	struct piece p;
	int i;

	if (!q->filled)
		return rna_fail(err, RNA_EINVAL, "no ensemble to draw from");
	for (i = 0; i < q->in.n; i++)
		pair[i] = -1;
	if ((d.stack = calloc((size_t)q->in.n + 2, sizeof(*d.stack))) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (q->in.n > 0)
		draw_exterior(&d);
	while (d.depth > 0) {
		p = d.stack[--d.depth];
		if (!p.paired) {
			draw_multi(&d, p.i, p.j);
			continue;
		}
		pair[p.i - 1] = p.j - 1;
		pair[p.j - 1] = p.i - 1;
		draw_loop(&d, p.i, p.j);
	}
	free(d.stack);
	return RNA_OK;
}
