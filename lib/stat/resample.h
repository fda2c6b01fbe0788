/*
 * resample.h: the bootstrap for any measure: records drawn with replacement, the measure taken of each draw (Efron
 * 1979).
 */
#ifndef RNA_RESAMPLE_H
#define RNA_RESAMPLE_H

#include "stat/bootstrap.h"
#include "stream/status.h"

/*
 * Draws n records with replacement `draws` times and calls measure(w, arg, values) for each draw: w[i] is how often
 * record i was drawn, values[nvalues] is the row of sample[draws][nvalues] to fill.  The draws depend on seed and n
 * only, so two measures over the same records are drawn alike, and their rows are paired.
 */
enum rna_status rna_resample(size_t n, int draws, uint64_t seed, size_t nvalues,
    void (*measure)(const double *w, void *arg, double *values), void *arg, double *sample) RNA_CHECK;
/*
 * The percentile interval (95 %) of column number at of the sample, about value.  Draws that are not finite are left
 * out; with fewer than 20 draws low and high are NaN.  RNA_EMEM.
 */
enum rna_status rna_resample_interval(
    const double *sample, int draws, size_t nvalues, size_t at, double value, struct rna_interval *iv) RNA_CHECK;
/*
 * The same of the difference a - b of two samples of the same draws, and in *p the two-sided level at which the
 * interval would just reach 0: twice the smaller of (1 + draws with a difference <= 0) / (1 + draws) and the same for
 * >= 0, at most 1.
 */
enum rna_status rna_resample_difference(const double *a, const double *b, int draws, size_t nvalues, size_t at,
    double value, struct rna_interval *iv, double *p) RNA_CHECK;

#endif
