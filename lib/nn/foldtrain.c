/*
 * foldtrain.c: steps and rounds of training a folding network.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/best.h"
#include "nn/epochorder.h"
#include "nn/foldtrain.h"
#include "nn/replace.h"
#include "stream/rng.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8

struct rna_foldtrain {
	struct rna_foldnet *net;
	const struct rna_folddata *d;
	struct rna_foldtrain_options opts;
	struct rna_optimizer optimizer[2]; /* of the network, and of the language model that learns */
	int noptimizers;
	struct rna_foldscorer *train, *eval;
	struct rna_neural *dp;
	size_t *order, at;       /* of the epoch, and the next in it */
	size_t longest;          /* of all RNAs */
	float *scores, *dscores; /* [3, longest, longest] */
	float lengths[RNA_LENGTHS], dlengths[RNA_LENGTHS];
	int32_t *called; /* [longest] */
	int64_t epoch, step;
	struct rna_best best; /* no weights: the caller writes them */
};

/* 1. Making and freeing */

static enum rna_status
make_optimizers(struct rna_foldtrain *t, struct rna_err *err)
{
	struct rna_params *const params[2] = {&t->net->params, t->opts.tuned};
	enum rna_status st = RNA_OK;

	for (int i = 0; i < 2 && params[i] && !st; i++, t->noptimizers++)
		st = rna_optimizer_init(&t->optimizer[i], params[i], err);
	return st;
}

struct rna_foldtrain *
rna_foldtrain_open(struct rna_foldnet *net, const struct rna_folddata *d, const struct rna_foldtrain_options *opts,
    struct rna_err *err)
{
	struct rna_foldtrain *t = calloc(1, sizeof(*t));
	size_t k = 0;

	if (!t) {
		(void)!rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	t->net = net;
	t->d = d;
	t->opts = *opts;
	rna_best_init(&t->best);
	for (size_t i = 0; i < d->n; i++)
		t->longest = d->list[i].n > t->longest ? d->list[i].n : t->longest;
	t->train = rna_foldscorer_create(net, opts->lm, 1);
	t->eval = rna_foldscorer_create(net, opts->lm, 0);
	t->dp = rna_neural_create(opts->energy, net->config.max_helix);
	t->order = calloc(d->ntrain + 1, sizeof(*t->order));
	t->scores = reallocarray(NULL, t->longest * t->longest + 1, 3 * sizeof(*t->scores));
	t->dscores = reallocarray(NULL, t->longest * t->longest + 1, 3 * sizeof(*t->dscores));
	t->called = calloc(t->longest + 1, sizeof(*t->called));
	if (!t->train || !t->eval || !t->dp || !t->order || !t->scores || !t->dscores || !t->called)
		(void)!rna_fail(err, RNA_EMEM, "out of memory");
	else if (d->ntrain == 0)
		(void)!rna_fail(err, RNA_EFORMAT, "no RNAs to train on");
	else if (make_optimizers(t, err) == RNA_OK) {
		for (size_t i = 0; i < d->n; i++)
			if (!d->list[i].valid)
				t->order[k++] = i;
		t->at = d->ntrain; /* the epoch before the first has ended */
		return t;
	}
	rna_foldtrain_close(t);
	return NULL;
}

void
rna_foldtrain_close(struct rna_foldtrain *t)
{
	if (!t)
		return;
	for (int i = 0; i < 2; i++)
		rna_optimizer_fini(&t->optimizer[i]);
	rna_foldscorer_destroy(t->train);
	rna_foldscorer_destroy(t->eval);
	rna_neural_destroy(t->dp);
	free(t->order);
	free(t->scores);
	free(t->dscores);
	free(t->called);
	free(t);
}

/* 2. The order of an epoch */

static uint64_t
key_of(const struct rna_foldtrain *t, size_t example, enum rna_purpose purpose)
{
	return rna_rng_key(t->opts.seed, (uint64_t)t->epoch, t->d->list[example].rid, example, purpose);
}

static uint64_t
order_key(const void *t, size_t example)
{
	return key_of(t, example, RNA_RNG_SHUFFLE);
}

/* Begins the next epoch. */
static enum rna_status
begin_epoch(struct rna_foldtrain *t, struct rna_err *err)
{
	t->epoch++;
	t->at = 0;
	return rna_epoch_order(t->order, t->d->ntrain, order_key, t, err);
}

/* 3. Steps */

/* Forward, loss and backward of one RNA; its part of the step's gradient. */
static enum rna_status
learn(struct rna_foldtrain *t, size_t example, double share, struct rna_foldtrain_round *did, struct rna_err *err)
{
	const struct rna_foldexample *e = &t->d->list[example];
	const struct rna_neural_scores s = {t->scores, t->lengths};
	const size_t size = 3 * e->n * e->n;
	struct rna_neural_loss loss;
	enum rna_status st;

	memset(t->dscores, 0, size * sizeof(*t->dscores));
	memset(t->dlengths, 0, sizeof(t->dlengths));
	if ((st = rna_foldscorer_forward(
		 t->train, e->letters, e->n, key_of(t, example, RNA_RNG_DROPOUT), t->scores, t->lengths, err)) ||
	    (st = rna_neural_loss(t->dp, e->letters, e->n, &s, e->reference, &t->opts.margins, t->opts.lambda, &loss,
		 t->dscores, t->dlengths, NULL, err)))
		return st;
	did->loss += loss.loss;
	did->hinge += loss.hinge;
	did->thermo += loss.thermodynamic;
	did->rnas++;
	if (!(loss.loss > 0))
		return RNA_OK;
	for (size_t i = 0; i < size; i++)
		t->dscores[i] *= (float)share;
	for (size_t i = 0; i < RNA_LENGTHS; i++)
		t->dlengths[i] *= (float)share;
	return rna_foldscorer_backward(t->train, t->dscores, t->dlengths, err);
}

static enum rna_status
zero(struct rna_foldtrain *t, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	for (int i = 0; i < t->noptimizers && !st; i++)
		st = rna_optimizer_zero(&t->optimizer[i], err);
	return st;
}

/* Of the gradients of all parameters, for the clip of all. */
static enum rna_status
take_norm(struct rna_foldtrain *t, double *norm, struct rna_err *err)
{
	double part = 0, sum = 0;
	enum rna_status st = RNA_OK;

	for (int i = 0; i < t->noptimizers && !st; i++, sum += part * part)
		st = rna_optimizer_norm(&t->optimizer[i], &part, err);
	*norm = t->noptimizers == 1 ? part : sqrt(sum);
	for (int i = 0; i < t->noptimizers && t->noptimizers > 1 && !st; i++)
		st = rna_optimizer_set_norm(&t->optimizer[i], *norm, err);
	return st;
}

/* One optimiser step with the next RNAs of the epoch. */
static enum rna_status
step(struct rna_foldtrain *t, struct rna_foldtrain_round *did, struct rna_err *err)
{
	const size_t left = t->d->ntrain - t->at, n = left < t->opts.batch ? left : t->opts.batch;
	const double before = did->loss;
	struct rk_adamw_step s = {
	    .beta1 = BETA1, .beta2 = BETA2, .eps = EPSILON, .weight_decay = t->opts.weight_decay, .clip = t->opts.clip};
	enum rna_status st = zero(t, err);

	for (size_t i = 0; i < n && !st; i++)
		st = learn(t, t->order[t->at + i], 1 / (double)n, did, err);
	t->at += n;
	if (st || (st = take_norm(t, &did->norm, err)))
		return st;
	if (!isfinite(did->norm) || !isfinite(did->loss))
		return rna_fail(err, RNA_EINVAL, "step %lld: loss or gradient is not finite; try a smaller --lr",
		    (long long)t->step + 1);
	s.t = ++t->step;
	s.lr = did->lr = rna_schedule_lr(&t->opts.schedule, t->step);
	if (!(did->loss > before))
		return RNA_OK; /* all are right by their margins: nothing to learn */
	for (int i = 0; i < t->noptimizers && !st; i++)
		st = rna_optimizer_step(&t->optimizer[i], &s, err);
	return st ? st : rna_foldscorer_repack(t->train, err);
}

/* 4. Validation and rounds */

double
rna_fold_f1(const int32_t *called, const int32_t *known, size_t n)
{
	size_t hits = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		all += (called[i] >= 0) + (size_t)(known[i] >= 0);
		hits += called[i] >= 0 && called[i] == known[i];
	}
	return all ? 2.0 * (double)hits / (double)all : 1;
}

static enum rna_status
validate(struct rna_foldtrain *t, struct rna_foldtrain_round *did, struct rna_err *err)
{
	const struct rna_neural_scores s = {t->scores, t->lengths};
	enum rna_status st = rna_foldscorer_repack(t->eval, err);
	double score;

	for (size_t i = 0; i < t->d->n && !st; i++) {
		const struct rna_foldexample *e = &t->d->list[i];

		if (!e->valid)
			continue;
		if ((st = rna_foldscorer_forward(t->eval, e->letters, e->n, 0, t->scores, t->lengths, err)) ||
		    (st = rna_neural_fold(t->dp, e->letters, e->n, &s, NULL, t->called, &score, err)))
			return st;
		did->valid_f1 += rna_fold_f1(t->called, e->truth, e->n) / (double)t->d->nvalid;
		did->valid_reach += rna_fold_f1(e->reference, e->truth, e->n) / (double)t->d->nvalid;
	}
	did->scored = 1;
	return st;
}

enum rna_status
rna_foldtrain_round(struct rna_foldtrain *t, int64_t steps, struct rna_foldtrain_round *did, struct rna_err *err)
{
	const int64_t first = t->step;
	enum rna_status st;

	memset(did, 0, sizeof(*did));
	while (t->step - first < steps)
		if ((t->at == t->d->ntrain && (st = begin_epoch(t, err))) || (st = step(t, did, err)))
			return st;
	did->epoch = t->epoch;
	did->step = t->step;
	did->loss /= (double)did->rnas;
	did->hinge /= (double)did->rnas;
	did->thermo /= (double)did->rnas;
	if (t->d->nvalid > 0 && (st = validate(t, did, err)))
		return st;
	did->best = !did->scored || rna_best_is(&t->best, did->valid_f1, 0);
	return RNA_OK;
}

/* 5. Leaving off and going on */

static const char *const files[2] = {"/optimizer.safetensors", "/optimizer_model.safetensors"};

struct rna_foldtrain_state
rna_foldtrain_state(const struct rna_foldtrain *t)
{
	return (struct rna_foldtrain_state){t->epoch, t->step, t->at, t->best.f1};
}

enum rna_status
rna_foldtrain_save(const struct rna_foldtrain *t, const char *folder, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	for (int i = 0; i < t->noptimizers && !st; i++) {
		char *path = rna_replace_join(folder, files[i]);

		st = path ? rna_optimizer_save(&t->optimizer[i], path, err) : rna_fail(err, RNA_EMEM, "out of memory");
		free(path);
	}
	return st;
}

enum rna_status
rna_foldtrain_resume(
    struct rna_foldtrain *t, const struct rna_foldtrain_state *s, const char *folder, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	for (int i = 0; i < t->noptimizers && !st; i++) {
		char *path = rna_replace_join(folder, files[i]);

		st = path ? rna_optimizer_load(&t->optimizer[i], path, err) : rna_fail(err, RNA_EMEM, "out of memory");
		free(path);
	}
	if (st)
		return st;
	if (s->at > t->d->ntrain || s->step < 0 || s->epoch < 0)
		return rna_fail(err, RNA_EFORMAT, "not the state of this training");
	t->epoch = s->epoch;
	t->step = s->step;
	t->at = s->at;
	t->best.f1 = s->best_f1;
	return rna_epoch_order(t->order, t->d->ntrain, order_key, t, err);
}
