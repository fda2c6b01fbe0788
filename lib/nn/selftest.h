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
 * How m's hidden states of compiled-in RNAs in a precision lie to those in another, of a layer (as in embed.h): the
 * cosine of each token's two vectors, the mean and the least.  What all tokens share, their mean vector, is taken off
 * first: it is large in many models, and says nothing of any token.
 */
struct rna_selftest_agreement {
	double mean, least;
	int tokens;
};
enum rna_status rna_selftest_agree(struct rna_model *m, int layer, enum rk_precision precision, enum rk_precision other,
    struct rna_selftest_agreement *agreement, struct rna_err *err) RNA_CHECK;
/*
 * Whether m is fit for vectors in a precision: RNA_OK, or RNA_EINVAL and a sentence when they are not near enough to
 * those in bf16.  RK_FP8 alone is tried: mean and least cosine as below.
 */
#define RNA_SELFTEST_FP8_MEAN 0.995
#define RNA_SELFTEST_FP8_LEAST 0.95
enum rna_status rna_selftest_fit(struct rna_model *m, int layer, enum rk_precision precision,
    struct rna_selftest_agreement *agreement, struct rna_err *err) RNA_CHECK;

/*
 * How often m finds the base behind [MASK] in compiled-in tRNAs and 5S rRNAs, every base masked once (every seventh at
 * a time).  By chance: about a quarter; a trained model: most.
 */
enum rna_status rna_selftest_masked(struct rna_model *m, int *right, int *total, struct rna_err *err) RNA_CHECK;

#endif
