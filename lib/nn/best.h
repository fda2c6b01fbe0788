/*
 * best.h: the best weights of a training by what its validations say: the largest F1, of equal ones the smaller loss.
 */
#ifndef RNA_BEST_H
#define RNA_BEST_H

#include "nn/params.h"

struct rna_best {
	double f1, loss; /* f1 below 0: there was none yet */
	float *weights;  /* [params->total] as rk_download_f32 gives them; NULL: not kept */
};

void rna_best_init(struct rna_best *b);
void rna_best_fini(struct rna_best *b);
/* 1: f1 and loss are better, and become those of b. */
int rna_best_is(struct rna_best *b, double f1, double loss);
/* Keeps the weights in force; and puts those that were kept, if any, in force. */
enum rna_status rna_best_keep(struct rna_best *b, const struct rna_params *p, struct rna_err *err) RNA_CHECK;
enum rna_status rna_best_restore(const struct rna_best *b, const struct rna_params *p, struct rna_err *err) RNA_CHECK;
/* The weights that are kept, in a file; rna_best_load: what was saved is kept. */
enum rna_status
rna_best_save(const struct rna_best *b, const struct rna_params *p, const char *path, struct rna_err *err) RNA_CHECK;
enum rna_status
rna_best_load(struct rna_best *b, const struct rna_params *p, const char *path, struct rna_err *err) RNA_CHECK;

#endif
