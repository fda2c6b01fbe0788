/*
 * classify_state.c: a training left off between two epochs, and taken up again.
 */
#include <stdlib.h>

#include "nn/classify_private.h"
#include "nn/replace.h"

#define WEIGHTS "/weights.safetensors"
#define BEST "/best.safetensors"
#define MOMENTS "/optimizer.safetensors"

struct rna_classify_state
rna_classify_state(const struct rna_classify *c)
{
	return (struct rna_classify_state){c->epoch, c->step, c->best.f1, c->best.loss};
}

enum rna_status
rna_classify_save(const struct rna_classify *c, const char *folder, struct rna_err *err)
{
	char *weights = rna_replace_join(folder, WEIGHTS), *best = rna_replace_join(folder, BEST),
	     *moments = rna_replace_join(folder, MOMENTS);
	enum rna_status s = RNA_OK;

	if (weights == NULL || best == NULL || moments == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	if (s == RNA_OK)
		s = rna_params_save(c->params, NULL, weights, err);
	if (s == RNA_OK && c->best.weights != NULL)
		s = rna_best_save(&c->best, c->params, best, err);
	if (s == RNA_OK)
		s = rna_optimizer_save(&c->optimizer, moments, err);
	free(weights);
	free(best);
	free(moments);
	return s;
}

static enum rna_status
load_files(struct rna_classify *c, const char *folder, int scored, struct rna_err *err)
{
	char *weights = rna_replace_join(folder, WEIGHTS), *best = rna_replace_join(folder, BEST),
	     *moments = rna_replace_join(folder, MOMENTS);
	enum rna_status s = RNA_OK;

	if (weights == NULL || best == NULL || moments == NULL)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	if (s == RNA_OK)
		s = rna_params_load(c->params, NULL, weights, err);
	if (s == RNA_OK && scored)
		s = rna_best_load(&c->best, c->params, best, err);
	if (s == RNA_OK)
		s = rna_optimizer_load(&c->optimizer, moments, err);
	free(weights);
	free(best);
	free(moments);
	return s;
}

enum rna_status
rna_classify_resume(
    struct rna_classify *c, const struct rna_classify_state *state, const char *folder, struct rna_err *err)
{
	const int64_t steps = rna_classify_steps(c->d, c->opts.batch);
	enum rna_status s;

	if (state->epoch < 1 || state->step != state->epoch * steps || (state->best_f1 >= 0) != (c->d->nvalid > 0))
		return rna_fail(err, RNA_EFORMAT, "not the state of this training");
	if ((s = load_files(c, folder, state->best_f1 >= 0, err)) != RNA_OK ||
	    (s = rna_tape_repack(c->train.t, err)) != RNA_OK)
		return s;
	c->epoch = state->epoch;
	c->step = state->step;
	c->best.f1 = state->best_f1;
	c->best.loss = state->best_loss;
	/* the types are what the model says that learns */
	return c->m->config.class_typer == RNA_TYPER_SHARED ? classify_types(c, err) : RNA_OK;
}
