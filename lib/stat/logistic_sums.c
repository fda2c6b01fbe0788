/*
 * logistic_sums.c: sums over the examples of a logistic regression: loss, gradient, products of the features.
 *
 * Examples are taken in blocks, and all products are those of one small matrix kernel.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/logistic_private.h"

#define TILE LOGISTIC_TILE
#define SLICES LOGISTIC_SLICES
#define BLOCK 32 /* examples */
#define LEAST_CURVE 1e-6

typedef double two __attribute__((vector_size(16), aligned(8), may_alias));

struct logistic_slice {
	struct logistic_sums *s;
	struct rna_task task;
	const double *w;
	double *grad, *gram; /* what is wanted of it; [rows, cols], [rows, rows] */
	size_t every;        /* gram: one example in so many */
	double *sum;         /* [rows, cols] */
	double *x;           /* [BLOCK, rows] examples of a block, a 1 behind each, then zeros */
	double *z;           /* [BLOCK, cols] logits, then their derivatives */
	size_t which[BLOCK]; /* the examples' numbers */
	double a[BLOCK];     /* weights */
	double loss, total;
	size_t n, hits;
};

/* out[i][k] += sum_t a[i * row + t * step] * b[t * cols + k], i and k below TILE; out: rows of `cols`. */
static void
tile(size_t n, const double *a, size_t row, size_t step, const double *b, size_t cols, double *out)
{
	two low[TILE] = {0}, high[TILE] = {0};
	size_t i, t;

	for (t = 0; t < n; t++, a += step, b += cols) {
		const two left = *(const two *)b, right = *(const two *)(b + 2);

#pragma GCC unroll 4
		for (i = 0; i < TILE; i++) {
			const two x = {a[i * row], a[i * row]};

			low[i] += x * left;
			high[i] += x * right;
		}
	}
#pragma GCC unroll 4
	for (i = 0; i < TILE; i++) {
		*(two *)(out + i * cols) += low[i];
		*(two *)(out + i * cols + 2) += high[i];
	}
}

/* Examples from *at on, below end, until a block is full; returns how many. */
static size_t
take_block(struct logistic_slice *p, size_t *at, size_t end, size_t every)
{
	const struct logistic_sums *s = p->s;
	const struct rna_logistic *d = s->d;
	size_t n = 0, j;

	for (; *at < end && n < BLOCK; *at += every) {
		const float *from = d->x + *at * d->dims;
		double *x = p->x + n * s->rows;

		if (d->label[*at] < 0)
			continue;
		for (j = 0; j < d->dims; j++)
			x[j] = (double)from[j];
		x[d->dims] = 1;
		p->which[n] = *at;
		p->a[n++] = d->weight != NULL ? d->weight[d->label[*at]] : 1;
	}
	if (n < BLOCK)
		memset(p->x + n * s->rows, 0, (BLOCK - n) * s->rows * sizeof(*p->x));
	return n;
}

/* z[classes] logits -> derivatives of the loss of example i of the block, which goes into the sums. */
static void
add_example(struct logistic_slice *p, size_t i, double *z)
{
	const struct rna_logistic *d = p->s->d;
	const size_t c = d->classes, label = (size_t)d->label[p->which[i]];
	const double a = p->a[i];
	double top = z[0], sum = 0, squares = 0, right;
	size_t best = 0, k;

	for (k = 1; k < c; k++)
		if (z[k] > top)
			top = z[best = k];
	right = z[label] - top;
	for (k = 0; k < c; k++)
		sum += z[k] = exp(z[k] - top);
	for (k = 0; k < c; k++) {
		z[k] /= sum;
		squares += z[k] * z[k];
	}
	p->loss += a * (log(sum) - right);
	p->total += a;
	p->s->curve[p->which[i]] = a * fmax((1 - squares) / (double)(c - 1), LEAST_CURVE);
	p->hits += best == label;
	p->n++;
	z[label] -= 1;
	for (k = 0; k < c; k++)
		z[k] *= a;
}

static void
run_slice(void *arg)
{
	struct logistic_slice *p = arg;
	const struct logistic_sums *s = p->s;
	const size_t nth = (size_t)(p - s->slice), end = s->d->n * (nth + 1) / SLICES;
	size_t at = s->d->n * nth / SLICES, n, i, k;

	p->loss = p->total = 0;
	p->n = p->hits = 0;
	if (p->grad != NULL)
		memset(p->sum, 0, s->rows * s->cols * sizeof(*p->sum));
	while ((n = take_block(p, &at, end, 1)) > 0) {
		memset(p->z, 0, BLOCK * s->cols * sizeof(*p->z));
		for (i = 0; i < n; i += TILE)
			for (k = 0; k < s->cols; k += TILE)
				tile(s->d->dims + 1, p->x + i * s->rows, s->rows, 1, p->w + k, s->cols,
				    p->z + i * s->cols + k);
		for (i = 0; i < n; i++)
			add_example(p, i, p->z + i * s->cols);
		for (i = 0; p->grad != NULL && i < s->rows; i += TILE)
			for (k = 0; k < s->cols; k += TILE)
				tile(n, p->x + i, 1, s->rows, p->z + k, s->cols, p->sum + i * s->cols + k);
	}
}

static void
run_all(struct logistic_sums *s, void (*run)(void *))
{
	size_t i;

	for (i = 0; i < SLICES; i++) {
		s->slice[i].task.run = run;
		rna_pool_submit(s->pool, &s->slice[i].task);
	}
	for (i = 0; i < SLICES; i++)
		rna_pool_wait(s->pool, &s->slice[i].task);
}

void
logistic_sum(struct logistic_sums *s, const double *w, double *grad)
{
	const size_t size = s->rows * s->cols;
	size_t i, j;

	for (i = 0; i < SLICES; i++) {
		s->slice[i].w = w;
		s->slice[i].grad = grad;
	}
	run_all(s, run_slice);
	s->loss = s->total = 0;
	s->n = s->hits = 0;
	if (grad != NULL)
		memset(grad, 0, size * sizeof(*grad));
	for (i = 0; i < SLICES; i++) {
		const struct logistic_slice *p = &s->slice[i];

		s->loss += p->loss;
		s->total += p->total;
		s->n += p->n;
		s->hits += p->hits;
		for (j = 0; grad != NULL && j < size; j++)
			grad[j] += p->sum[j];
	}
}

/* Some rows of the lower triangle of the products, of all examples. */
static void
run_gram(void *arg)
{
	struct logistic_slice *p = arg;
	const struct logistic_sums *s = p->s;
	const size_t nth = (size_t)(p - s->slice), tiles = s->rows / TILE, first = tiles * nth / SLICES * TILE,
		     last = tiles * (nth + 1) / SLICES * TILE;
	size_t at = 0, n, i, j;
	double total = 0;

	if (first == last)
		return;
	memset(p->gram + first * s->rows, 0, (last - first) * s->rows * sizeof(*p->gram));
	while ((n = take_block(p, &at, s->d->n, p->every)) > 0) {
		for (i = 0; i < n; i++) {
			const double root = sqrt(s->curve[p->which[i]]);

			total += p->a[i];
			for (j = 0; j < s->rows; j++)
				p->x[i * s->rows + j] *= root;
		}
		for (i = first; i < last; i += TILE)
			for (j = 0; j <= i; j += TILE)
				tile(n, p->x + i, 1, s->rows, p->x + j, s->rows, p->gram + i * s->rows + j);
	}
	for (i = first; i < last; i++)
		for (j = 0; j <= i; j++)
			p->gram[i * s->rows + j] /= total > 0 ? total : 1;
}

void
logistic_gram(struct logistic_sums *s, size_t most, double *gram)
{
	size_t i;

	for (i = 0; i < SLICES; i++) {
		s->slice[i].gram = gram;
		s->slice[i].every = s->d->n / most + 1;
	}
	run_all(s, run_gram);
}

enum rna_status
logistic_sums_init(struct logistic_sums *s, const struct rna_logistic *d, struct rna_err *err)
{
	const size_t rows = (d->dims + TILE) / TILE * TILE, cols = (d->classes + TILE - 1) / TILE * TILE,
		     each = rows * cols + BLOCK * (rows + cols);
	size_t i;

	*s = (struct logistic_sums){.d = d, .rows = rows, .cols = cols};
	s->curve = calloc(d->n + 1, sizeof(*s->curve));
	s->slice = calloc(SLICES, sizeof(*s->slice));
	s->memory = calloc(each, SLICES * sizeof(*s->memory));
	s->pool = rna_pool_create(d->threads);
	if (s->curve == NULL || s->slice == NULL || s->memory == NULL || s->pool == NULL) {
		logistic_sums_fini(s);
		return rna_fail(err, RNA_EMEM, "no memory for a regression on %zu numbers", d->dims);
	}
	for (i = 0; i < SLICES; i++) {
		struct logistic_slice *p = &s->slice[i];

		p->s = s;
		p->task.arg = p;
		p->sum = s->memory + i * each;
		p->x = p->sum + rows * cols;
		p->z = p->x + BLOCK * rows;
	}
	return RNA_OK;
}

void
logistic_sums_fini(struct logistic_sums *s)
{
	rna_pool_destroy(s->pool);
	free(s->curve);
	free(s->slice);
	free(s->memory);
	*s = (struct logistic_sums){0};
}
