/*
 * classify_state.c: a training left off between two epochs, and taken up again.
 */
#include <stdlib.h>

#include "nn/classify_private.h"
#include "nn/replace.h"

enum { WEIGHTS, BEST, MOMENTS, NFILES };

static const char *const files[NFILES] = {"/weights.safetensors", "/best.safetensors", "/optimizer.safetensors"};

struct rna_classify_state
rna_classify_state(const struct rna_classify *c)
{
	return (struct rna_classify_state){c->epoch, c->step, c->best.f1, c->best.loss};
}

enum rna_status
rna_classify_save(const struct rna_classify *c, const char *folder, struct rna_err *err)
{
	enum rna_status s = RNA_OK;

	for (int i = 0; i < NFILES && s == RNA_OK; i++) {
		char *path = rna_replace_join(folder, files[i]);

		if (path == NULL)
			s = rna_fail(err, RNA_EMEM, "out of memory");
		else if (i == WEIGHTS)
			s = rna_params_save(c->params, NULL, path, err);
		else if (i == MOMENTS)
			s = rna_optimizer_save(&c->optimizer, path, err);
		else if (c->best.weights != NULL)
			s = rna_best_save(&c->best, c->params, path, err);
		free(path);
	}
	return s;
}

static enum rna_status
load_files(struct rna_classify *c, const char *folder, int scored, struct rna_err *err)
{
	enum rna_status s = RNA_OK;

	for (int i = 0; i < NFILES && s == RNA_OK; i++) {
		char *path = rna_replace_join(folder, files[i]);

		if (path == NULL)
			s = rna_fail(err, RNA_EMEM, "out of memory");
		else if (i == WEIGHTS)
			s = rna_params_load(c->params, NULL, path, err);
		else if (i == MOMENTS)
			s = rna_optimizer_load(&c->optimizer, path, err);
		else if (scored)
			s = rna_best_load(&c->best, c->params, path, err);
		free(path);
	}
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
