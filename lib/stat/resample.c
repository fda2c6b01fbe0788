/*
 * resample.c: the bootstrap for any measure (resample.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/resample.h"
#include "stream/rng.h"

#define LEAST_DRAWS 20 /* fewer say nothing about a 95 % interval */

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

enum rna_status
rna_resample(size_t n, int draws, uint64_t seed, size_t nvalues,
    void (*measure)(const double *w, void *arg, double *values), void *arg, double *sample)
{
	struct rna_rng rng;
	double *w;
	size_t i;
	int d;

	if (n == 0 || n > UINT32_MAX)
		return RNA_EINVAL;
	if ((w = calloc(n, sizeof(*w))) == NULL)
		return RNA_EMEM;
	for (d = 0; d < draws; d++) {
		memset(w, 0, n * sizeof(*w));
		rna_rng_init(&rng, rna_rng_key(seed, 0, (uint64_t)d, 0, RNA_RNG_BOOTSTRAP));
		for (i = 0; i < n; i++)
			w[rna_rng_below(&rng, (uint32_t)n)]++;
		measure(w, arg, sample + (size_t)d * nvalues);
	}
	free(w);
	return RNA_OK;
}

/* Low and high ends of n values, which are sorted. */
static void
set_ends(double *x, int n, struct rna_interval *iv)
{
	if (n < LEAST_DRAWS)
		return;
	qsort(x, (size_t)n, sizeof(*x), ascending);
	iv->low = x[(int)(0.025 * (n - 1) + 0.5)];
	iv->high = x[(int)(0.975 * (n - 1) + 0.5)];
}

enum rna_status
rna_resample_interval(const double *sample, int draws, size_t nvalues, size_t at, double value, struct rna_interval *iv)
{
	double *x;
	int d, n = 0;

	*iv = (struct rna_interval){value, NAN, NAN};
	if (draws < LEAST_DRAWS || !isfinite(value))
		return RNA_OK;
	if ((x = calloc((size_t)draws, sizeof(*x))) == NULL)
		return RNA_EMEM;
	for (d = 0; d < draws; d++) {
		x[n] = sample[(size_t)d * nvalues + at];
		n += isfinite(x[n]) != 0;
	}
	set_ends(x, n, iv);
	free(x);
	return RNA_OK;
}

enum rna_status
rna_resample_difference(const double *a, const double *b, int draws, size_t nvalues, size_t at, double value,
    struct rna_interval *iv, double *p)
{
	int d, n = 0, below = 0, above = 0;
	double *x;
	size_t i;

	*iv = (struct rna_interval){value, NAN, NAN};
	*p = NAN;
	if (draws < LEAST_DRAWS || !isfinite(value))
		return RNA_OK;
	if ((x = calloc((size_t)draws, sizeof(*x))) == NULL)
		return RNA_EMEM;
	for (d = 0; d < draws; d++) {
		i = (size_t)d * nvalues + at;
		x[n] = a[i] - b[i];
		if (!isfinite(x[n]))
			continue;
		below += x[n] <= 0;
		above += x[n] >= 0;
		n++;
	}
	set_ends(x, n, iv);
	if (n >= LEAST_DRAWS)
		*p = fmin(1, 2 * (1 + fmin(below, above)) / (1 + n));
	free(x);
	return RNA_OK;
}
