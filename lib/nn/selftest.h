/*
 * selftest.h: answers that are known: a small model made from a seed, compiled-in RNAs, and what comes out.
 */
#ifndef RNA_SELFTEST_H
#define RNA_SELFTEST_H

#include "nn/model.h"

#define RNA_SELFTEST_VALUES 128 /* cls, mean, pooled and logits of four RNAs, eight values of each */

/* The values that rk computes in the given precision, and those that it should (ref64, in double). */
enum rna_status rna_selftest_values(
    struct rk *rk, enum rk_precision precision, float values[RNA_SELFTEST_VALUES], struct rna_err *err) RNA_CHECK;
const float *rna_selftest_expected(void);

/* What two such sets have in common: the largest difference, and the cosine of the angle between them. */
void rna_selftest_compare(const float *a, const float *b, size_t n, double *difference, double *cosine);

/*
 * How often m finds the base behind [MASK] in compiled-in tRNAs and 5S rRNAs, every base masked once (every seventh at
 * a time).  By chance: about a quarter; a trained model: most.
 */
enum rna_status rna_selftest_masked(struct rna_model *m, int *right, int *total, struct rna_err *err) RNA_CHECK;

#endif
