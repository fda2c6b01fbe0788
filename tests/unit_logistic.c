/*
 * unit_logistic.c: logistic regression against plain loops and Newton's method.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/logistic.h"
#include "stream/rng.h"
#include "tap.h"

#define MOST 200 /* weights of the largest problem that Newton's method solves here */

/* Features that go together: mixtures of three numbers and a little of their own; labels from the numbers, with noise.
 */
static void
make(float *x, int32_t *y, size_t n, size_t dims, size_t classes)
{
	struct rna_rng rng;
	size_t i, j, k;

	rna_rng_init(&rng, 7);
	for (i = 0; i < n; i++) {
		double hidden[3];

		for (k = 0; k < 3; k++)
			hidden[k] = rna_rng_double(&rng) * 2 - 1;
		for (j = 0; j < dims; j++)
			x[i * dims + j] = (float)(hidden[j % 3] + hidden[(j / 3) % 3] +
						  0.05 * (double)(1 + j % 7) * (rna_rng_double(&rng) - 0.5));
		y[i] =
		    (int32_t)((size_t)((hidden[0] + 1 + 0.4 * rna_rng_double(&rng)) / 2.4 * (double)classes) % classes);
		if (i % 11 == 5)
			y[i] = -1;
	}
}

/* p[classes] of example i. */
static void
probabilities(const struct rna_logistic *d, const double *w, size_t i, double *p)
{
	double sum = 0;
	size_t j, k;

	for (k = 0; k < d->classes; k++) {
		p[k] = w[d->dims * d->classes + k];
		for (j = 0; j < d->dims; j++)
			p[k] += (double)d->x[i * d->dims + j] * w[j * d->classes + k];
		p[k] = exp(p[k]);
		sum += p[k];
	}
	for (k = 0; k < d->classes; k++)
		p[k] /= sum;
}

/* Loss with the penalty; gradient, and with h the second derivatives [n, n]. */
static double
plain(const struct rna_logistic *d, const double *w, double l2, double *g, double *h)
{
	const size_t c = d->classes, m = d->dims + 1, n = m * c;
	double loss = 0, total = 0, p[16];
	size_t i, j, k, l, q;

	memset(g, 0, n * sizeof(*g));
	if (h != NULL)
		memset(h, 0, n * n * sizeof(*h));
	for (i = 0; i < d->n; i++)
		if (d->label[i] >= 0)
			total += d->weight != NULL ? d->weight[d->label[i]] : 1;
	for (i = 0; i < d->n; i++) {
		const double a = d->label[i] < 0 ? 0 : (d->weight != NULL ? d->weight[d->label[i]] : 1) / total;

		if (d->label[i] < 0)
			continue;
		probabilities(d, w, i, p);
		loss -= a * log(p[d->label[i]]);
		for (j = 0; j < m; j++) {
			const double xj = j < d->dims ? (double)d->x[i * d->dims + j] : 1;

			for (k = 0; k < c; k++)
				g[j * c + k] += a * xj * (p[k] - ((size_t)d->label[i] == k));
			for (l = 0; h != NULL && l < m; l++)
				for (k = 0; k < c; k++)
					for (q = 0; q < c; q++)
						h[(j * c + k) * n + l * c + q] +=
						    a * xj * (l < d->dims ? (double)d->x[i * d->dims + l] : 1) *
						    ((k == q ? p[k] : 0) - p[k] * p[q]);
		}
	}
	for (i = 0; i < d->dims * c; i++) {
		loss += l2 / 2 * w[i] * w[i];
		g[i] += l2 * w[i];
		if (h != NULL)
			h[i * n + i] += l2;
	}
	return loss;
}

/* The minimum by Newton's method from w on, which has to be near. */
static double
newton(const struct rna_logistic *d, double l2, double *w)
{
	static double h[MOST * MOST], g[MOST];
	const size_t n = (d->dims + 1) * d->classes;
	size_t i, j, k;
	int step;

	for (step = 0; step < 6; step++) {
		(void)plain(d, w, l2, g, h);
		for (i = 0; i < n; i++)
			h[i * n + i] += 1e-12; /* biases may all move together */
		for (i = 0; i < n; i++)        /* Gauss, of a matrix that is symmetric and positive */
			for (j = i + 1; j < n; j++) {
				const double f = h[j * n + i] / h[i * n + i];

				for (k = i; k < n; k++)
					h[j * n + k] -= f * h[i * n + k];
				g[j] -= f * g[i];
			}
		for (i = n; i-- > 0;) {
			for (j = i + 1; j < n; j++)
				g[i] -= h[i * n + j] * g[j];
			g[i] /= h[i * n + i];
		}
		for (i = 0; i < n; i++)
			w[i] -= g[i];
	}
	return plain(d, w, l2, g, NULL);
}

static int
fit(const struct rna_logistic *d, const double *l2, size_t n, double *w, int *steps)
{
	struct rna_err err = {0};
	struct rna_logistic_fit *f = rna_logistic_open(d, &err);
	int bad = f == NULL, took;
	size_t i;

	memset(w, 0, (d->dims + 1) * d->classes * sizeof(*w));
	*steps = 0;
	for (i = 0; !bad && i < n; i++) {
		bad = rna_logistic_run(f, l2[i], w, &took, &err) != RNA_OK;
		*steps += took;
	}
	if (bad)
		diag("%s", err.text);
	rna_logistic_close(f);
	return !bad;
}

static const double path[] = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
#define PENALTIES (sizeof(path) / sizeof(*path))

/* most: steps that are few enough; without the factorisation they are twice as many and more. */
static void
test_minimum(size_t n, size_t dims, size_t classes, const double *weight, int most)
{
	float *x = calloc(n * dims, sizeof(*x));
	int32_t *y = calloc(n, sizeof(*y));
	const struct rna_logistic d = {n, dims, classes, x, y, weight, 1};
	double w[MOST], best[MOST], g[MOST], ours, least, worst = 0, loss, acc, p[16];
	struct rna_err err = {0};
	size_t i, k, hits = 0, used = 0, call;
	int steps;

	if (x == NULL || y == NULL)
		exit(1);
	make(x, y, n, dims, classes);
	for (i = 1; i <= PENALTIES; i++) {
		if (!fit(&d, path, i, w, &steps))
			break;
		memcpy(best, w, sizeof(w));
		ours = plain(&d, w, path[i - 1], g, NULL);
		least = newton(&d, path[i - 1], best);
		worst = fmax(worst, ours - least);
	}
	ok(i > PENALTIES && worst < 1e-7, "%zu features, %zu classes%s: %.1e above the minimum at most", dims, classes,
	    weight != NULL ? ", weighted" : "", worst);
	ok(steps <= most, "all %zu penalties in %d steps", PENALTIES, steps);
	for (i = 0; i < n; i++) {
		if (y[i] < 0)
			continue;
		probabilities(&d, w, i, p);
		for (call = 0, k = 1; k < classes; k++)
			call = p[k] > p[call] ? k : call;
		hits += call == (size_t)y[i];
		used++;
	}
	ok(rna_logistic_score(&d, w, &loss, &acc, &err) == RNA_OK && fabs(loss - plain(&d, w, 0, g, NULL)) < 1e-9 &&
		fabs(acc - (double)hits / (double)used) < 1e-12,
	    "its loss and accuracy are those of plain loops");
	free(x);
	free(y);
}

static void
test_threads(void)
{
	enum { N = 700, DIMS = 19, CLASSES = 5 };
	static float x[N * DIMS];
	static int32_t y[N];
	static double w[5][(DIMS + 1) * CLASSES];
	static const int threads[] = {1, 2, 3, 7, 16};
	int i, steps, same = 1;

	make(x, y, N, DIMS, CLASSES);
	for (i = 0; i < 5; i++) {
		const struct rna_logistic d = {N, DIMS, CLASSES, x, y, NULL, threads[i]};

		same &= fit(&d, path, 3, w[i], &steps) && memcmp(w[i], w[0], sizeof(w[0])) == 0;
	}
	ok(same && w[0][0] != 0, "the same bits for 1, 2, 3, 7 and 16 threads");
}

/* More features than are worth a factorisation; the gradient says how far the minimum is: |g|^2 / (2 l2) at most. */
static void
test_many(void)
{
	enum { N = 60, DIMS = 1100, CLASSES = 3 };
	static float x[N * DIMS];
	static int32_t y[N];
	static double w[(DIMS + 1) * CLASSES], g[(DIMS + 1) * CLASSES];
	const struct rna_logistic d = {N, DIMS, CLASSES, x, y, NULL, 2};
	double square = 0;
	int steps, good;
	size_t i;

	make(x, y, N, DIMS, CLASSES);
	good = fit(&d, path, 2, w, &steps);
	(void)plain(&d, w, path[1], g, NULL);
	for (i = 0; i < DIMS * CLASSES; i++)
		square += g[i] * g[i];
	ok(good && square / (2 * path[1]) < 1e-6, "%d features in %d steps: %.1e above the minimum at most", DIMS,
	    steps, square / (2 * path[1]));
}

static void
test_odd(void)
{
	static const float x[] = {1, 0, -1, 0, 1, 0, -1, 0}, huge[] = {INFINITY, 1, 2, 3, 4, 5, 6, 7};
	static const int32_t y[] = {0, 1, 0, 1}, none[] = {-1, -1, -1, -1};
	struct rna_logistic d = {4, 2, 2, x, y, NULL, 0};
	double w[6], loss, acc;
	struct rna_err err = {0};
	struct rna_logistic_fit *f;
	int steps;

	ok(fit(&d, (const double[]){1e-7}, 1, w, &steps) && isfinite(w[0]) && w[0] > 5 && w[2] == 0,
	    "classes that a number parts, and a number that is always 0");
	d.label = none;
	ok(fit(&d, path, 2, w, &steps) && w[0] == 0 && rna_logistic_score(&d, w, &loss, &acc, &err) == RNA_OK &&
		loss == 0 && acc == 0,
	    "no examples: nothing is learnt");
	d.label = y;
	d.x = huge;
	memset(w, 0, sizeof(w));
	ok((f = rna_logistic_open(&d, &err)) != NULL && rna_logistic_run(f, 0.1, w, &steps, &err) == RNA_EINVAL &&
		strstr(err.text, "not numbers") != NULL,
	    "infinity is refused: %s", err.text);
	rna_logistic_close(f);
}

int
main(void)
{
	static const double weight[] = {2, 0.5, 1};

	test_minimum(300, 6, 3, NULL, 110);
	test_minimum(300, 6, 3, weight, 110);
	test_minimum(90, 13, 2, NULL, 80);
	test_minimum(500, 9, 13, NULL, 600);
	test_threads();
	test_many();
	test_odd();
	return done();
}
