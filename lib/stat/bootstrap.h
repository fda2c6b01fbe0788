/*
 * bootstrap.h: percentile intervals of a ratio of sums, records drawn with replacement (Efron 1979).
 */
#ifndef RNA_BOOTSTRAP_H
#define RNA_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

struct rna_interval {
	double value, low, high;
};

/*
 * value = sum(above) / sum(below), with its 95 % interval over `draws` resamples of the n records (under 20 draws: low
 * and high are NaN).  The resamples depend on seed and n only, so that two ratios over the same records are drawn
 * alike.  RNA_EMEM: no memory for the draws.
 */
enum rna_status rna_bootstrap_ratio(const double *above, const double *below, size_t n, int draws, uint64_t seed,
    struct rna_interval *iv) RNA_CHECK;

#endif
