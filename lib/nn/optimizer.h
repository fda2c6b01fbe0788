/*
 * optimizer.h: AdamW over the flat parameter arrays of a model, with the global gradient norm.
 */
#ifndef RNA_OPTIMIZER_H
#define RNA_OPTIMIZER_H

#include "nn/params.h"
#include "rk_feed.h"
#include "stream/status.h"

struct rna_optimizer {
	struct rna_params *params; /* the caller's; trained (rna_params_train) */
	struct rk_list *zero, *norm, *step;
	int32_t *live;                 /* device, all zero: these calls have no live counts */
	double *norm2, *scratch;       /* device */
	struct rk_adamw_step *setting; /* device */
	size_t nscratch;               /* doubles */
};

/* Makes params trainable where they are not yet.  A failed init leaves o fit for rna_optimizer_fini. */
enum rna_status rna_optimizer_init(struct rna_optimizer *o, struct rna_params *params, struct rna_err *err) RNA_CHECK;
void rna_optimizer_fini(struct rna_optimizer *o);
/* Gradients = 0. */
enum rna_status rna_optimizer_zero(struct rna_optimizer *o, struct rna_err *err) RNA_CHECK;
/* Euclidean norm of all gradients, which is waited for; kept on the device for the clip of the next step. */
enum rna_status rna_optimizer_norm(struct rna_optimizer *o, double *norm, struct rna_err *err) RNA_CHECK;
/* The same without waiting: asks for its square, a double, as the first of a reply. */
enum rna_status rna_optimizer_ask_norm(struct rna_optimizer *o, struct rk_reply *reply, struct rna_err *err) RNA_CHECK;
/* Puts another in its place: that of these gradients and of others together. */
enum rna_status rna_optimizer_set_norm(struct rna_optimizer *o, double norm, struct rna_err *err) RNA_CHECK;
/* One update, after rna_optimizer_norm or rna_optimizer_ask_norm. */
enum rna_status
rna_optimizer_step(struct rna_optimizer *o, const struct rk_adamw_step *setting, struct rna_err *err) RNA_CHECK;

/* Adam's m and v as tensors "m.NAME" and "v.NAME" of a safetensors file, and back. */
enum rna_status rna_optimizer_save(const struct rna_optimizer *o, const char *path, struct rna_err *err) RNA_CHECK;
enum rna_status rna_optimizer_load(struct rna_optimizer *o, const char *path, struct rna_err *err) RNA_CHECK;

#endif
