/*
 * classify.c: epochs of fine-tuning.
 *
 * 1. Life   2. A step   3. Validation   4. An epoch
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/classhead.h"
#include "nn/classify_private.h"
#include "nn/epochorder.h"
#include "stream/rng.h"

/* 1. Life */

int64_t
rna_classify_steps(const struct rna_classdata *d, size_t batch)
{
	return (int64_t)((d->ntrain + batch - 1) / batch);
}

/* The weight of each class in the loss. */
static void
weigh(struct rna_classify *c)
{
	const struct rna_classdata *d = c->d;
	size_t classes = json_array_size(d->names), i;
	double *w = c->class_weight;

	for (i = 0; i < d->n; i++)
		w[d->list[i].label] += !d->list[i].valid;
	for (i = 0; i < classes; i++)
		w[i] = !c->opts.weighted ? 1 : w[i] > 0 ? (double)d->ntrain / ((double)classes * w[i]) : 0;
}

/* A language-model head that stays to predict types gets no gradient, and is not to fade either. */
static void
keep_typer(struct rna_classify *c)
{
	int i;

	for (i = 0; i < c->params->n; i++)
		if (strncmp(c->params->list[i].name, "mlm.", 4) == 0)
			c->params->list[i].decay = 0;
}

static enum rna_status
prepare(struct rna_classify *c, struct rna_err *err)
{
	enum rna_status s;
	size_t i, n = 0;

	c->order = calloc(c->d->ntrain + 1, sizeof(*c->order));
	c->class_weight = calloc(json_array_size(c->d->names) + 1, sizeof(*c->class_weight));
	if (c->order == NULL || c->class_weight == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < c->d->n; i++)
		if (!c->d->list[i].valid)
			c->order[n++] = i;
	weigh(c);
	if (c->opts.frozen && (s = classify_frozen_open(c, err)) != RNA_OK)
		return s;
	if (c->m->config.class_typer != RNA_TYPER_NONE && (s = classify_types(c, err)) != RNA_OK)
		return s;
	keep_typer(c);
	if ((s = rna_optimizer_init(&c->optimizer, c->params, err)) != RNA_OK)
		return s;
	return classify_tapes(c, err);
}

struct rna_classify *
rna_classify_open(
    struct rna_model *m, const struct rna_classdata *d, const struct rna_classify_options *opts, struct rna_err *err)
{
	struct rna_classify *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	c->m = m;
	c->d = d;
	c->opts = *opts;
	c->params = &m->params;
	rna_best_init(&c->best);
	c->by_tokens = rna_classhead_by_tokens(&m->config);
	rna_record_init(&c->rec);
	rna_record_init(&c->framed);
	if (prepare(c, err) == RNA_OK)
		return c;
	rna_classify_close(c);
	return NULL;
}

void
rna_classify_close(struct rna_classify *c)
{
	if (c == NULL)
		return;
	rna_tape_destroy(c->train.t);
	rna_tape_destroy(c->eval.t);
	rna_optimizer_fini(&c->optimizer);
	rna_params_fini(&c->head);
	rna_batch_fini(&c->batch);
	rna_record_fini(&c->rec);
	rna_record_fini(&c->framed);
	free(c->first);
	free(c->vectors);
	free(c->types);
	free(c->sigma);
	free(c->share);
	free(c->loss);
	free(c->hit);
	free(c->values);
	free(c->class_weight);
	free(c->order);
	rna_best_fini(&c->best);
	free(c);
}

/* 2. A step */

/* Gradients of n examples, unit by unit. */
static enum rna_status
gradients(struct rna_classify *c, const size_t *who, size_t n, struct classify_sums *sums, struct rna_err *err)
{
	const struct rna_example *list = c->d->list;
	enum rna_status s = rna_optimizer_zero(&c->optimizer, err);
	double total = 0;
	size_t i;

	for (i = 0; i < n; i++)
		total += c->class_weight[list[who[i]].label];
	classify_unit_begin(c);
	for (i = 0; i < n && s == RNA_OK; i++) {
		const struct rna_example *e = &list[who[i]];

		if (!classify_unit_fits(c, who[i])) {
			s = classify_unit_run(c, 1, sums, err);
			classify_unit_begin(c);
		}
		if (s == RNA_OK)
			s = classify_unit_add(c, who[i], c->class_weight[e->label] / total, err);
	}
	return s == RNA_OK ? classify_unit_run(c, 1, sums, err) : s;
}

static enum rna_status
step(struct rna_classify *c, const size_t *who, size_t n, struct rna_classify_epoch *did, struct classify_sums *all,
    struct rna_err *err)
{
	const struct rna_classify_options *o = &c->opts;
	struct classify_sums sums = {0};
	struct rk_adamw_step setting = {.beta1 = 0.9,
	    .beta2 = 0.999,
	    .eps = 1e-8,
	    .weight_decay = o->weight_decay,
	    .clip = o->clip,
	    .t = c->step + 1};
	enum rna_status s;

	setting.lr = did->lr = rna_schedule_lr(&o->schedule, c->step + 1);
	if ((s = gradients(c, who, n, &sums, err)) != RNA_OK ||
	    (s = rna_optimizer_norm(&c->optimizer, &did->norm, err)) != RNA_OK)
		return s;
	if (!isfinite(sums.loss) || !isfinite(did->norm))
		return rna_fail(err, RNA_EINVAL, "epoch %lld: %s is not finite; a smaller --lr may help",
		    (long long)c->epoch, isfinite(sums.loss) ? "the gradient" : "the loss");
	if ((s = rna_optimizer_step(&c->optimizer, &setting, err)) != RNA_OK)
		return s;
	c->step++;
	all->loss += sums.loss * (double)n; /* a step's weights add up to 1 */
	all->n += sums.n;
	all->hits += sums.hits;
	return rna_tape_repack(c->train.t, err);
}

/* 3. Validation */

/* Truth, calls and hits of each class, of the unit that was run. */
static void
count(const struct rna_classify *c, uint64_t *truth, uint64_t *calls, uint64_t *hits)
{
	const int classes = rna_config_classes(&c->m->config);
	int i, k, best;

	for (i = 0; i < c->batch.nslots; i++) {
		const float *z = c->values + (size_t)i * (size_t)classes;
		int label = c->batch.slot_target[i];

		for (best = 0, k = 1; k < classes; k++)
			best = z[k] > z[best] ? k : best;
		truth[label]++;
		calls[best]++;
		hits[label] += best == label;
	}
}

/* Mean of the F1 of the classes that occur, as truth or as call. */
static double
macro_f1(const uint64_t *truth, const uint64_t *calls, const uint64_t *hits, int classes)
{
	double sum = 0;
	int i, n = 0;

	for (i = 0; i < classes; i++) {
		if (truth[i] + calls[i] == 0)
			continue;
		sum += 2.0 * (double)hits[i] / (double)(truth[i] + calls[i]);
		n++;
	}
	return n > 0 ? sum / n : 0;
}

static enum rna_status
validate(struct rna_classify *c, struct rna_classify_epoch *did, struct rna_err *err)
{
	const int classes = rna_config_classes(&c->m->config);
	uint64_t *counts = calloc((size_t)classes * 3, sizeof(*counts));
	struct classify_sums sums = {0};
	enum rna_status s;
	size_t i;

	if (counts == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	s = rna_tape_repack(c->eval.t, err);
	classify_unit_begin(c);
	for (i = 0; i <= c->d->n && s == RNA_OK; i++) {
		const struct rna_example *e = &c->d->list[i];

		if (i < c->d->n && !e->valid)
			continue;
		if (c->batch.nslots > 0 && (i == c->d->n || !classify_unit_fits(c, i))) {
			if ((s = classify_unit_run(c, 0, &sums, err)) == RNA_OK)
				count(c, counts, counts + classes, counts + 2 * classes);
			classify_unit_begin(c);
		}
		if (i < c->d->n && s == RNA_OK)
			s = classify_unit_add(c, i, 1, err);
	}
	did->scored = 1;
	did->valid_loss = sums.loss / fmax(sums.weight, 1);
	did->valid_acc = (double)sums.hits / fmax((double)sums.n, 1);
	did->valid_f1 = macro_f1(counts, counts + classes, counts + 2 * classes, classes);
	free(counts);
	return s;
}

/* 4. An epoch */

static uint64_t
order_key(const void *arg, size_t example)
{
	const struct rna_classify *c = arg;

	return rna_rng_key(c->opts.seed, (uint64_t)c->epoch, c->d->list[example].rid, 0, RNA_RNG_SHUFFLE);
}

enum rna_status
rna_classify_epoch(struct rna_classify *c, struct rna_classify_epoch *did, struct rna_err *err)
{
	struct classify_sums all = {0};
	enum rna_status s;
	size_t i, n;

	memset(did, 0, sizeof(*did));
	did->epoch = ++c->epoch;
	if ((s = rna_epoch_order(c->order, c->d->ntrain, order_key, c, err)) != RNA_OK)
		return s;
	for (i = 0; i < c->d->ntrain; i += n) {
		n = c->d->ntrain - i < c->opts.batch ? c->d->ntrain - i : c->opts.batch;
		if ((s = step(c, c->order + i, n, did, &all, err)) != RNA_OK)
			return s;
	}
	did->step = c->step;
	did->loss = all.loss / (double)all.n;
	did->acc = (double)all.hits / (double)all.n;
	if (c->m->config.class_typer == RNA_TYPER_SHARED && (s = classify_types(c, err)) != RNA_OK)
		return s; /* the types are what the model that has just learnt says */
	if (c->d->nvalid > 0 && (s = validate(c, did, err)) != RNA_OK)
		return s;
	did->best = !did->scored || rna_best_is(&c->best, did->valid_f1, did->valid_loss);
	return did->scored && did->best ? rna_best_keep(&c->best, c->params, err) : RNA_OK;
}

enum rna_status
rna_classify_finish(struct rna_classify *c, struct rna_err *err)
{
	enum rna_status s = rna_best_restore(&c->best, c->params, err);

	return s == RNA_OK && c->opts.frozen ? classify_frozen_store(c, err) : s;
}
