/*
 * foldlm.h: what a language model says of each base of an RNA, as features of a folding network; and the network's
 * scores with it.
 *
 * An RNA longer than the model takes is run in chunks that overlap by half, and each base has its features from the
 * chunk in which it is farthest from a cut.
 */
#ifndef RNA_FOLDLM_H
#define RNA_FOLDLM_H

#include "nn/foldnet.h"
#include "nn/model.h"

struct rna_foldlm;

struct rna_foldlm_options {
	int types;   /* views of an RNA, one with each of its most probable types in the type slot (stack); 0: one view,
	              * as   the model frames it */
	int learns;  /* 1: the model's weights change; types is 0 */
	size_t kept; /* bytes of features that are kept for RNAs that come again; the others are run again */
	enum rk_precision precision;
};

/* m is the caller's and outlives it.  RNA_EINVAL: the model has no types or no head that predicts them. */
struct rna_foldlm *rna_foldlm_open(struct rna_model *m, const struct rna_foldlm_options *opts, struct rna_err *err);
void rna_foldlm_close(struct rna_foldlm *l); /* NULL is fine */
int rna_foldlm_learns(const struct rna_foldlm *l);
/* Takes up an RNA; *views of it, at most RNA_VOCAB_MAX, with their weights, which add up to 1. */
enum rna_status rna_foldlm_begin(struct rna_foldlm *l, const char *letters, size_t n, int *views, const float **sigma,
    struct rna_err *err) RNA_CHECK;
/* Features [n + 1, hidden] of view k of it, in evaluation mode.  k: below, or the next of, the views it was asked for.
 */
enum rna_status rna_foldlm_view(struct rna_foldlm *l, int k, float *features, struct rna_err *err) RNA_CHECK;
/* foldlm_learn.c: the same of a model that learns, with its dropout; key: of that. */
enum rna_status rna_foldlm_learn(struct rna_foldlm *l, uint64_t key, float *features, struct rna_err *err) RNA_CHECK;
/* After rna_foldlm_learn of the same RNA: adds to the gradients of the model's parameters. */
enum rna_status rna_foldlm_backward(struct rna_foldlm *l, const float *dfeatures, struct rna_err *err) RNA_CHECK;
/* The weights have changed. */
enum rna_status rna_foldlm_repack(struct rna_foldlm *l, struct rna_err *err) RNA_CHECK;
/* RNAs taken up, and those of them that were cut into chunks. */
void rna_foldlm_counts(const struct rna_foldlm *l, uint64_t *rnas, uint64_t *stitched);

/*
 * A network and its language model at work (foldscore.c): the scores are the weighted sum over the views.  train: with
 * dropout, and for rna_foldscorer_backward, which adds to the gradients of a language model that learns, too.
 */
struct rna_foldscorer;
/* lm: where the network has features, else NULL.  NULL: no memory. */
struct rna_foldscorer *rna_foldscorer_create(struct rna_foldnet *f, struct rna_foldlm *lm, int train);
void rna_foldscorer_destroy(struct rna_foldscorer *s);
/* As rna_foldrun_forward, rna_foldrun_backward, rna_foldrun_repack. */
enum rna_status rna_foldscorer_forward(struct rna_foldscorer *s, const char *letters, size_t n, uint64_t key,
    float *scores, float *lengths, struct rna_err *err) RNA_CHECK;
enum rna_status rna_foldscorer_backward(
    struct rna_foldscorer *s, const float *dscores, const float *dlengths, struct rna_err *err) RNA_CHECK;
enum rna_status rna_foldscorer_repack(struct rna_foldscorer *s, struct rna_err *err) RNA_CHECK;

#endif
