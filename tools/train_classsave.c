/*
 * train_classsave.c: checkpoints of rna-train class and pair: the weights that learn, those of the best epoch, Adam's
 * moments, and what is known of this seed and of those before.
 */
#include <string.h>

#include "stream/rng.h"
#include "train_class.h"

/* A number that tells the examples and the names of their classes from others. */
static uint64_t
fingerprint(const struct rna_classdata *d)
{
	uint64_t hash = rna_hash(d->bytes.data, d->bytes.len, 0);
	size_t i;

	for (i = 0; i < json_array_size(d->names); i++)
		hash = rna_hash(rna_classdata_name(d, (int)i), strlen(rna_classdata_name(d, (int)i)) + 1, hash);
	for (i = 0; i < d->n; i++) {
		const struct rna_example *e = &d->list[i];
		const uint64_t told[] = {e->rid, (uint64_t)e->label, e->valid, e->npieces};

		hash = rna_hash(told, sizeof(told), hash);
	}
	for (i = 0; i < d->npieces; i++) {
		const uint32_t told[] = {d->piece[i].chunk, d->piece[i].ntokens, d->piece[i].segment};

		hash = rna_hash(told, sizeof(told), hash);
	}
	return hash;
}

/* What the result depends on. */
static json_t *
options(const struct class_run *c)
{
	const struct train_opts *o = c->r.o;
	json_t *json = train_state_options(&c->r, fingerprint(&c->data));

	if (json != NULL &&
	    json_object_update_new(
		json, json_pack("{s:I s:I s:I s:I s:I s:b s:b s:b s:I s:f s:f}", "seed",
			  (json_int_t)(c->r.t->seed - (uint64_t)c->nth), "seeds", (json_int_t)o->seeds, "from",
			  (json_int_t)o->from, "head", (json_int_t)o->head, "chunks", (json_int_t)o->chunks, "compat",
			  o->channels, "shared", o->shared, "class_weights", o->weighted, "max_chunks",
			  (json_int_t)o->max_chunks, "types_floor", o->floor, "label_smoothing", o->smoothing)) == 0 &&
	    json_object_update_new(json, json_pack("{s:I s:I s:I s:I s:I s:b s:f s:I}", "layers", (json_int_t)o->layers,
					     "hidden", (json_int_t)o->hidden, "heads", (json_int_t)o->heads, "ffn",
					     (json_int_t)o->ffn, "act", (json_int_t)o->act, "init_local", o->init_local,
					     "init_range", o->init_range, "max_tokens", (json_int_t)o->max_tokens)) ==
		0)
		return json;
	json_decref(json);
	return NULL;
}

static json_t *
tell_epoch(const struct rna_classify_epoch *e)
{
	return json_pack("{s:I s:b s:f s:f s:f}", "epoch", (json_int_t)e->epoch, "scored", e->scored, "valid_loss",
	    e->valid_loss, "valid_acc", e->valid_acc, "valid_f1", e->valid_f1);
}

/* 0: as told. */
static int
read_epoch(json_t *o, struct rna_classify_epoch *e)
{
	json_int_t epoch;

	if (json_unpack(o, "{s:I s:b s:F s:F s:F}", "epoch", &epoch, "scored", &e->scored, "valid_loss", &e->valid_loss,
		"valid_acc", &e->valid_acc, "valid_f1", &e->valid_f1) != 0)
		return -1;
	e->epoch = epoch;
	return 0;
}

/* 1. Writing */

static json_t *
state_of(const struct class_run *c)
{
	const struct rna_classify_state s = rna_classify_state(c->training);
	json_t *seeds = json_array();
	int64_t i;

	for (i = 0; i < c->nth; i++)
		if (json_array_append_new(seeds, tell_epoch(&c->done[i])) != 0) {
			json_decref(seeds);
			return NULL;
		}
	return json_pack("{s:I s:I s:f s:f s:o s:o}", "epoch", (json_int_t)s.epoch, "step", (json_int_t)s.step,
	    "best_f1", s.best_f1, "best_loss", s.best_loss, "best", tell_epoch(&c->best), "seeds", seeds);
}

static enum rna_status
fill(const char *folder, void *arg, struct rna_err *err)
{
	const struct class_run *c = arg;

	return rna_classify_save(c->training, folder, err);
}

void
train_class_checkpoint(struct class_run *c)
{
	const int64_t all = c->r.o->epochs * rna_classify_steps(&c->data, (size_t)c->r.o->batch);

	train_state_save(&c->r, c->nth * all + rna_classify_state(c->training).step, fill, c, state_of(c), options(c));
}

/* 2. Going on */

void
train_class_find(struct class_run *c, int64_t step)
{
	json_t *seeds;
	size_t i;

	train_state_find(&c->r, step, options(c));
	seeds = json_object_get(c->r.state, "seeds");
	if (!json_is_array(seeds) || json_array_size(seeds) >= (size_t)c->r.o->seeds)
		train_state_bad(&c->r);
	for (i = 0; i < json_array_size(seeds); i++)
		if (read_epoch(json_array_get(seeds, i), &c->done[i]) != 0)
			train_state_bad(&c->r);
	c->nth = (int64_t)i;
}

void
train_class_resume(struct class_run *c)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_classify_state s;
	json_int_t epoch, step;

	if (json_unpack(c->r.state, "{s:I s:I s:F s:F}", "epoch", &epoch, "step", &step, "best_f1", &s.best_f1,
		"best_loss", &s.best_loss) != 0 ||
	    read_epoch(json_object_get(c->r.state, "best"), &c->best) != 0)
		train_state_bad(&c->r);
	s.epoch = epoch;
	s.step = step;
	train_state_warn(&c->r);
	if (rna_classify_resume(c->training, &s, c->r.from, &err) != RNA_OK)
		train_fail(&c->r, &err);
	json_decref(c->r.state);
	c->r.state = NULL;
}
