/*
 * bootstrap.c: percentile intervals (bootstrap.h).
 */
#include <math.h>
#include <stdlib.h>

#include "stat/bootstrap.h"
#include "stream/rng.h"

static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
draw(const double *above, const double *below, size_t n, uint64_t seed, int number)
{
	struct rna_rng rng;
	double a = 0, b = 0;
	size_t i, at;

	rna_rng_init(&rng, rna_rng_key(seed, 0, (uint64_t)number, 0, RNA_RNG_BOOTSTRAP));
	for (i = 0; i < n; i++) {
		at = rna_rng_below(&rng, (uint32_t)n);
		a += above[at];
		b += below[at];
	}
	return a / b;
}

enum rna_status
rna_bootstrap_ratio(const double *above, const double *below, size_t n, int draws, uint64_t seed,
    struct rna_interval *iv)
{
	double a = 0, b = 0, *sample;
	size_t i;
	int d, kept = 0;

	*iv = (struct rna_interval){NAN, NAN, NAN};
	for (i = 0; i < n; i++) {
		a += above[i];
		b += below[i];
	}
	if (b == 0)
		return RNA_OK;
	iv->value = a / b;
	if (draws < 20 || n > UINT32_MAX)
		return RNA_OK;
	if ((sample = calloc((size_t)draws, sizeof(*sample))) == NULL)
		return RNA_EMEM;
	for (d = 0; d < draws; d++) {
		sample[kept] = draw(above, below, n, seed, d);
		kept += isfinite(sample[kept]) != 0; /* a draw without a single target says nothing */
	}
	qsort(sample, (size_t)kept, sizeof(*sample), ascending);
	if (kept > 0) {
		iv->low = sample[(int)(0.025 * (kept - 1) + 0.5)];
		iv->high = sample[(int)(0.975 * (kept - 1) + 0.5)];
	}
	free(sample);
	return RNA_OK;
}
