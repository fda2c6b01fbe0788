/*
 * best.c: the best weights so far.
 */
#include <stdlib.h>

#include "nn/best.h"

void
rna_best_init(struct rna_best *b)
{
	*b = (struct rna_best){.f1 = -1};
}

void
rna_best_fini(struct rna_best *b)
{
	free(b->weights);
	rna_best_init(b);
}

int
rna_best_is(struct rna_best *b, double f1, double loss)
{
	if (!(f1 > b->f1 || (f1 == b->f1 && loss < b->loss)))
		return 0;
	b->f1 = f1;
	b->loss = loss;
	return 1;
}

static enum rna_status
take_memory(struct rna_best *b, const struct rna_params *p, struct rna_err *err)
{
	if (b->weights == NULL && (b->weights = calloc(p->total + 1, sizeof(*b->weights))) == NULL)
		return rna_fail(err, RNA_EMEM, "no memory for the weights of the best epoch");
	return RNA_OK;
}

enum rna_status
rna_best_keep(struct rna_best *b, const struct rna_params *p, struct rna_err *err)
{
	enum rna_status s = take_memory(b, p, err);

	if (s == RNA_OK && rk_download_f32(p->rk, b->weights, p->value, p->total) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	return s;
}

enum rna_status
rna_best_restore(const struct rna_best *b, const struct rna_params *p, struct rna_err *err)
{
	if (b->weights != NULL && rk_upload_f32(p->rk, p->value, b->weights, p->total) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	return RNA_OK;
}

enum rna_status
rna_best_save(const struct rna_best *b, const struct rna_params *p, const char *path, struct rna_err *err)
{
	return rna_params_save(p, b->weights, path, err);
}

enum rna_status
rna_best_load(struct rna_best *b, const struct rna_params *p, const char *path, struct rna_err *err)
{
	enum rna_status s = take_memory(b, p, err);

	return s == RNA_OK ? rna_params_load(p, b->weights, path, err) : s;
}
