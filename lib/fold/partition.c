/*
 * partition.c: the sums of partition.h from the last row to the first.  Rows and their loops are those of mfe.c with
 * sums for minima; that V_s counts no loop twice is what sum_rows_text.h sees to.
 *
 * 1. Workspace   2. Rows   3. Threads   4. Scale
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fold/partition_private.h"

#define NROWS (4 * FOLD_RING + 2 * (RNA_MAXLOOP + 1) + 6)
#define TRIANGLES 4
#define TRIES 16
#define PATIENCE 4000 /* looks at a tile before its thread, which may have no processor, is given time: 20 us */

/* 1. Workspace */

struct rna_partition *
rna_partition_create(const struct rna_energy *e)
{
	struct rna_partition *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->e = e;
	q->rows = rna_sum_rows();
	q->threads = 1;
	if (rna_weights_set(&q->w, e) != RNA_OK) {
		free(q);
		return NULL;
	}
	return q;
}

void
rna_partition_trim(struct rna_partition *q)
{
	if (q == NULL)
		return;
	free(q->qb);
	free(q->q1);
	free(q->qm);
	free(q->q1_hat);
	free(q->f);
	free(q->f_hat);
	free(q->memory);
	free(q->pairs);
	q->qb = q->q1 = q->qm = q->q1_hat = q->f = q->f_hat = q->memory = NULL;
	q->pairs = NULL;
	q->filled = q->walked = 0;
	q->cap = 0;
}

void
rna_partition_destroy(struct rna_partition *q)
{
	if (q == NULL)
		return;
	rna_partition_trim(q);
	rna_fold_input_fini(&q->in);
	free(q->w.hairpin);
	free(q);
}

void
rna_partition_share(struct rna_partition *q, int threads)
{
	q->threads = threads;
}

uint64_t
rna_partition_bytes(size_t n)
{
	return 8 * (TRIANGLES * (uint64_t)fold_triangle_cells(n) + NROWS * (uint64_t)fold_row_cells(n));
}

static double *
next_row(struct rna_partition *q, int *k)
{
	return q->memory + (size_t)(*k)++ * fold_row_cells((size_t)q->in.n) + FOLD_PAD;
}

void
rna_partition_clear_rows(struct rna_partition *q)
{
	memset(q->memory, 0, NROWS * fold_row_cells((size_t)q->in.n) * sizeof(double));
}

static void
lay_out_rows(struct rna_partition *q)
{
	int k = 0, s;

	for (s = 0; s < FOLD_RING; s++) {
		q->cb[s] = next_row(q, &k);
		q->c1[s] = next_row(q, &k);
		q->cg[s] = next_row(q, &k);
		q->qb_hat[s] = next_row(q, &k);
	}
	for (s = 0; s <= RNA_MAXLOOP; s++) {
		q->v[0][s] = next_row(q, &k);
		q->v[1][s] = next_row(q, &k);
	}
	q->qd[0] = next_row(q, &k);
	q->qd[1] = next_row(q, &k);
	q->qs = next_row(q, &k);
	q->bulge_sum = next_row(q, &k);
	q->one_n_sum = next_row(q, &k);
	q->generic_sum = next_row(q, &k);
}

static enum rna_status
prepare(struct rna_partition *q, size_t n, struct rna_err *err)
{
	size_t cells = fold_triangle_cells(n) * sizeof(double);

	if (q->qb == NULL || q->cap < n) {
		rna_partition_trim(q);
		q->qb = malloc(cells);
		q->q1 = malloc(cells);
		q->qm = malloc(cells);
		q->q1_hat = malloc(cells);
		q->f = malloc((n + 2) * sizeof(double));
		q->f_hat = malloc((n + 2) * sizeof(double));
		q->memory = malloc(NROWS * fold_row_cells(n) * sizeof(double));
		q->cap = n;
	}
	if (q->qb == NULL || q->q1 == NULL || q->qm == NULL || q->q1_hat == NULL || q->f == NULL || q->f_hat == NULL ||
	    q->memory == NULL) {
		rna_partition_trim(q);
		return rna_fail(err, RNA_EMEM, "the ensemble of %zu nt takes %llu MiB, which can't be had", n,
		    (unsigned long long)(rna_partition_bytes(n) >> 20) + 1);
	}
	lay_out_rows(q);
	return RNA_OK;
}

/* 2. Rows */

static double
small_loops(const struct rna_partition *q, int i, int j, double *const *qb)
{
	double sum = 0, inner;
	int energy[FOLD_SMALL], k, l, s;

	if (j - i >= FOLD_SMALL_SPAN)
		fold_small_energies(q->e, q->in.code, i, j, q->in.type[j], energy);
	for (s = 0; s < FOLD_SMALL; s++) {
		k = i + 1 + fold_small[s].n1;
		l = j - 1 - fold_small[s].n2;
		if (l - k < RNA_MIN_SPAN || (inner = qb[fold_small[s].n1][l]) <= 0)
			continue;
		if (j - i < FOLD_SMALL_SPAN)
			energy[s] = rna_energy_interior(q->e, q->in.code, i, j, k, l);
		sum += inner * rna_weight(&q->w, energy[s]) * q->w.small[fold_small[s].n1 + fold_small[s].n2];
	}
	return sum;
}

/* Adds to the cell (i,j) what it contributes as the inner pair of a loop. */
static void
fold_in(struct rna_partition *q, int i, int j, double x)
{
	const struct fold_weights *w = &q->w;
	int t = rna_pair_type(q->in.code[j], q->in.code[i]), at = i % FOLD_RING;
	int a = q->in.code[j + 1], b = q->in.code[i - 1];

	q->cb[at][j] = x * w->terminal[t];
	q->c1[at][j] = x * w->mismatch_1n[t][a][b];
	q->cg[at][j] = x * w->mismatch_interior[t][a][b];
}

/* A part of row i of Qb. */
static void
fill_qb(struct rna_partition *q, const struct fold_part *p)
{
	const struct fold_weights *w = &q->w;
	const double *qd_inner = q->qd[(p->i + 1) & 1];
	double *qb = rna_sum_row(q, q->qb, p->i), *inner[4], x;
	int j, t, k, b, a = q->in.code[p->i + 1], at = p->i % FOLD_RING, from, to, i = p->i;
	size_t bytes;

	rna_fold_input_share(&q->in, i, p->part, p->parts, &from, &to);
	struct sum_interior in = {i, from < i + RNA_MIN_SPAN ? i + RNA_MIN_SPAN : from, to, 1, q->cb, q->c1, q->cg,
	    q->v[i & 1], q->v[(i + 1) & 1], w->bulge, w->one_n, w->generic, w->ninio, q->bulge_sum, q->one_n_sum,
	    q->generic_sum};

	for (k = 0; k < 4; k++)
		inner[k] = rna_sum_row(q, q->qb, i + 1 + k <= q->in.n ? i + 1 + k : i);
	bytes = (size_t)(to - from) * sizeof(double);
	memset(qb + from, 0, bytes);
	memset(q->cb[at] + from, 0, bytes);
	memset(q->c1[at] + from, 0, bytes);
	memset(q->cg[at] + from, 0, bytes);
	q->rows->interior(&in);
	for (k = rna_fold_input_first(&q->in, from); k < q->in.njs && (j = q->in.js[k]) < to; k++) {
		t = q->in.type[j];
		b = q->in.code[j - 1];
		x = rna_hairpin_weight(q, i, j, t) + small_loops(q, i, j, inner);
		x += q->bulge_sum[j] * w->terminal[t] + q->one_n_sum[j] * w->mismatch_1n[t][a][b];
		x += q->generic_sum[j] * w->mismatch_interior[t][a][b] + qd_inner[j - 1] * rna_closing_weight(q, i, j);
		qb[j] = x;
		fold_in(q, i, j, x);
	}
}

/* Q1 and Qs, and Qd and Qm without the sums over two branches or more. */
static void
start_multi(struct rna_partition *q, int i)
{
	double *q1 = rna_sum_row(q, q->q1, i), *qm = rna_sum_row(q, q->qm, i), *qd = q->qd[i & 1], *qs = q->qs;
	const double *qb = rna_sum_row(q, q->qb, i);
	double before = 0;
	int j;

	for (j = i; j <= q->in.n; j++) {
		before *= q->w.base;
		if (q->in.type[j] != 0)
			before += qb[j] * rna_stem_weight(q, q->w.multi, q->in.type[j], i, j);
		q1[j] = before;
		qs[j] = before + q->w.base * qs[j];
		qd[j] = 0;
		qm[j] = qs[j];
	}
	q->done = 0;
}

/*
 * Adds what the second branches that begin at u from..last, and four at once, give to columns up to end - 1 of Qd. None
 * of four rows Q1(u,.) reaches the columns that the others need Qm of.
 */
static void
add_branches(struct rna_partition *q, int i, int first, int last, int from, int end)
{
	double *qm = rna_sum_row(q, q->qm, i), *qd = q->qd[i & 1], a[4], *x[4];
	int n = q->in.n, u, k;

	for (u = first; u <= last; u += 4) {
		for (k = 0; k < 4; k++) {
			a[k] = u + k <= n ? qm[u + k - 1] : 0;
			x[k] = rna_sum_row(q, q->q1, u + k <= n ? u + k : u);
		}
		q->rows->add4(qd, x, a, from > u + RNA_MIN_SPAN ? from : u + RNA_MIN_SPAN, end);
	}
}

/* Qm before the second branches at u and the three after it, and what they give to columns up to end - 1 of Qd. */
static void
branch_out(struct rna_partition *q, int i, int u, int end)
{
	double *qm = rna_sum_row(q, q->qm, i), *qd = q->qd[i & 1], *qs = q->qs;
	int k;

	for (k = 0; k < 4 && u + k <= q->in.n; k++)
		qm[u + k - 1] = qs[u + k - 1] + qd[u + k - 1];
	add_branches(q, i, u, u, 0, end);
}

/* A part of Qd and Qm of row i: tile t is of the columns before second branches at u = first + FOLD_TILE t and on. */
static void
fill_multi(struct rna_partition *q, const struct fold_part *p)
{
	int n = q->in.n, first = p->i + RNA_MIN_SPAN + 1, t, s, u, from, end;

	for (u = first; p->parts == 1 && u <= n; u += 4) /* rows of Q1 from end to end: memory likes that better */
		branch_out(q, p->i, u, n + 1);
	for (t = p->part; p->parts > 1 && (from = first + FOLD_TILE * t) <= n; t += p->parts) {
		end = from + FOLD_TILE <= n ? from + FOLD_TILE - 1 : n + 1;
		for (s = 0; s < t; s++) {
			rna_partition_wait(q, s + 1);
			u = first + FOLD_TILE * s;
			add_branches(q, p->i, u, u + FOLD_TILE - 1, from - 1, end);
		}
		for (u = from; u < from + FOLD_TILE && u <= n; u += 4)
			branch_out(q, p->i, u, end);
		rna_partition_done(q, t + 1);
	}
}

static void
fill_exterior(struct rna_partition *q, int i)
{
	const double *qb = rna_sum_row(q, q->qb, i);
	double sum = q->f[i + 1] * q->w.unpaired;
	int j;

	for (j = i + RNA_MIN_SPAN; j <= q->in.n; j++) {
		if (q->in.type[j] != 0)
			sum += qb[j] * rna_stem_weight(q, q->w.exterior, q->in.type[j], i, j) * q->f[j + 1];
	}
	q->f[i] = sum;
}

/* 3. Threads */

void
rna_partition_wait(const struct rna_partition *q, int tiles)
{
	const struct timespec pause = {0, 20000};
	int looks = 0;

	while (__atomic_load_n(&q->done, __ATOMIC_ACQUIRE) < tiles)
		if (++looks > PATIENCE)
			(void)nanosleep(&pause, NULL);
}

void
rna_partition_done(struct rna_partition *q, int tiles)
{
	__atomic_store_n(&q->done, tiles, __ATOMIC_RELEASE);
}

/* What no thread has done of row i. */
static void
finish_row(struct rna_partition *q, int i)
{
	double *qm = rna_sum_row(q, q->qm, i);
	int n = q->in.n;

	qm[n] = q->qs[n] + q->qd[i & 1][n];
	fill_exterior(q, i);
}

/* What is left of the row before, and what comes before row i. */
static void
next(struct rna_partition *q, int i)
{
	if (i < q->in.n)
		finish_row(q, i + 1);
	if (i > 0)
		rna_fold_input_row(&q->in, i);
}

static void
fill_row_alone(struct rna_partition *q, const struct fold_part *p)
{
	next(q, p->i);
	if (p->i == 0)
		return;
	fill_qb(q, p);
	start_multi(q, p->i);
	fill_multi(q, p);
}

/* The same by one thread of those that share the row. */
static void
fill_row(struct rna_partition *q, const struct fold_part *p)
{
#pragma omp single
	next(q, p->i);
	if (p->i == 0)
		return;
	fill_qb(q, p);
#pragma omp barrier
#pragma omp single
	start_multi(q, p->i);
	fill_multi(q, p);
#pragma omp barrier
}

static void
fill_rows(struct rna_partition *q, int part, int parts)
{
	struct fold_part p = {q->in.n, part, parts};

	for (; p.i >= 0; p.i--)
		(parts > 1 ? fill_row : fill_row_alone)(q, &p);
}

static enum rna_status
fill(struct rna_partition *q, double log_scale, struct rna_err *err)
{
	enum rna_status s = rna_weights_scale(&q->w, q->e, log_scale, (size_t)q->in.n, err);

	if (s != RNA_OK)
		return s;
	rna_partition_clear_rows(q);
	q->f[q->in.n + 1] = 1;
	if (rna_partition_team(q) > 1) {
#pragma omp parallel num_threads(rna_partition_team(q))
		fill_rows(q, omp_get_thread_num(), omp_get_num_threads());
	} else
		fill_rows(q, 0, 1);
	return RNA_OK;
}

/* 4. Scale */

/*
 * Each base is divided by a scale so that Z stays near 1.  Where some sum leaves the range of a double all the same,
 * another scale is tried, in steps that halve when they change direction.
 */
static enum rna_status
find_scale(struct rna_partition *q, double log_scale, struct rna_err *err)
{
	double step = 0.05 + 0.1 * fabs(log_scale), z;
	int try, way, last = 0;
	enum rna_status s;

	for (try = 0; try < TRIES; try++) {
		if ((s = fill(q, log_scale, err)) != RNA_OK)
			return s;
		z = q->f[1];
		if (isfinite(z) && z > 1e-250 && z < 1e250)
			return RNA_OK;
		way = z <= 1e-250 ? -1 : 1;
		step = last != 0 && way != last ? step / 2 : step;
		log_scale += way * step;
		last = way;
	}
	return rna_fail(err, RNA_EINVAL,
	    "the ensemble's sums leave the range of numbers: parts of this RNA are far more stable than others");
}

enum rna_status
rna_partition_fold(struct rna_partition *q, const char *letters, size_t n, const struct rna_fold_options *opts, int mfe,
    double *ensemble, struct rna_err *err)
{
	enum rna_status s;

	*ensemble = 0;
	q->filled = q->walked = 0;
	if (opts != NULL && opts->no_lonely)
		return rna_fail(err, RNA_EINVAL, "the ensemble can't be had without lonely pairs");
	if ((s = rna_fold_input_set(&q->in, letters, n, opts, err)) != RNA_OK)
		return s;
	if (n > 0) {
		if ((s = prepare(q, n, err)) != RNA_OK ||
		    (s = find_scale(q, -1.07 * mfe / q->w.kt / (double)n, err)) != RNA_OK)
			return s;
		*ensemble = -q->w.kt * (log(q->f[1]) + (double)n * q->w.log_scale) / 100;
	}
	q->filled = 1;
	return RNA_OK;
}
