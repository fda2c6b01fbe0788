/*
 * model.c: a model directory opened, a new model made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/init_local.h"
#include "nn/interact.h"
#include "nn/model_private.h"
#include "nn/replace.h"
#include "stream/rng.h"

/* What config.json and vocab.txt say of each other. */
static enum rna_status
check_vocab(const struct rna_model *m, struct rna_err *err)
{
	const json_t *rill = json_object_get(m->config.json, "rill");
	const char *digest = json_string_value(json_object_get(rill, "vocab_digest"));

	if (m->config.vocab_size != m->vocab.n)
		return rna_fail(err, RNA_EFORMAT, "vocab_size is %d, the vocabulary has %d tokens",
		    m->config.vocab_size, m->vocab.n);
	if (digest && strcmp(digest, m->vocab.digest) != 0)
		return rna_fail(err, RNA_EFORMAT, "vocab.txt is not the vocabulary that the model was made with");
	if (m->config.frame == RNA_FRAME_TYPE && (m->vocab.ind < 0 || !m->vocab.ntypes))
		return rna_fail(err, RNA_EFORMAT, "rill.frame is type, the vocabulary has no [IND] and type tokens");
	return RNA_OK;
}

/* config.json and vocab.txt of dir. */
static enum rna_status
open_texts(struct rna_model *m, const char *dir, struct rna_err *err)
{
	char *config = rna_replace_join(dir, "/config.json"), *vocab = rna_replace_join(dir, "/vocab.txt");
	enum rna_status st;

	if (!config || !vocab)
		st = rna_fail(err, RNA_EMEM, "no memory");
	else
		st = rna_config_load(&m->config, config, err);
	if (!st) {
		st = rna_vocab_load(&m->vocab, vocab, err);
		if (st)
			rna_err_where(err, vocab, RNA_NOREC);
		else if ((st = check_vocab(m, err)))
			rna_err_where(err, config, RNA_NOREC);
	}
	free(config);
	free(vocab);
	return st;
}

enum rna_status
rna_model_open(
    struct rna_model *m, const char *dir, struct rk *rk, const struct rna_model_options *opts, struct rna_err *err)
{
	static const struct rna_model_options none;
	enum rna_status st;

	memset(m, 0, sizeof(*m));
	m->rk = rk;
	rna_params_init(&m->params, rk);
	st = open_texts(m, dir, err);
	if (!st)
		st = rna_model_load(m, dir, opts ? opts : &none, err);
	if (st)
		rna_model_fini(m);
	return st;
}

static void
start_local(const struct rna_param *p, const struct rna_config *c, float *dst)
{
	int layer;

	if (strcmp(p->name, "embeddings.position") == 0)
		rna_init_local_positions(c, dst);
	else if (sscanf(p->name, "layer.%d.", &layer) == 1 && strstr(p->name, ".qkv.weight") != NULL)
		rna_init_local_attention(c, layer, dst);
}

/* Values of a new parameter: normal for matrices, 1 for the scale of a norm, else 0. */
static void
draw(const struct rna_param *p, const struct rna_config *c, uint64_t seed, float *dst)
{
	struct rna_rng rng;
	size_t n = p->n;

	memset(dst, 0, p->n * sizeof(*dst));
	if (strcmp(p->name, "embeddings.segment") == 0)
		n = (size_t)c->segments * (size_t)c->hidden;
	if (rna_interact_is_own(c, p)) {
		rna_rng_init(&rng, rna_rng_key(seed, 0, rna_hash(p->name, strlen(p->name), 0), 0, RNA_RNG_INIT));
		rna_interact_draw(p, &rng, dst);
	} else if (p->ndim == 2) {
		rna_rng_init(&rng, rna_rng_key(seed, 0, rna_hash(p->name, strlen(p->name), 0), 0, RNA_RNG_INIT));
		for (size_t i = 0; i < n; i++)
			dst[i] = (float)(rna_rng_normal(&rng) * (double)c->init_range);
		if (c->init_local)
			start_local(p, c, dst);
	} else if (strlen(p->name) > 6 && strcmp(p->name + strlen(p->name) - 6, ".gamma") == 0) {
		for (size_t i = 0; i < n; i++)
			dst[i] = 1.0f;
	}
}

enum rna_status
rna_model_draw(struct rna_model *m, int i, uint64_t seed, struct rna_err *err)
{
	const struct rna_param *p = &m->params.list[i];
	enum rna_status st = RNA_OK;
	float *buf;

	buf = reallocarray(NULL, p->n, sizeof(*buf));
	if (!buf)
		return rna_fail(err, RNA_EMEM, "no memory for %s", p->name);
	draw(p, &m->config, seed, buf);
	if (rk_upload_f32(m->rk, rna_params_value(&m->params, i), buf, p->n) != RK_OK)
		st = rna_fail(err, RNA_EDEVICE, "%s", rk_error(m->rk));
	free(buf);
	return st;
}

enum rna_status
rna_model_create(struct rna_model *m, const struct rna_config *c, const struct rna_vocab *v, struct rk *rk,
    uint64_t seed, struct rna_err *err)
{
	struct model_table t;
	enum rna_status st;

	memset(m, 0, sizeof(*m));
	m->rk = rk;
	rna_params_init(&m->params, rk);
	if (rna_config_copy(&m->config, c) != RNA_OK || rna_vocab_copy(&m->vocab, v) != RNA_OK) {
		rna_model_fini(m);
		return rna_fail(err, RNA_EMEM, "no memory");
	}
	if (!(st = rna_config_check(&m->config, err)) && !(st = check_vocab(m, err)) &&
	    !(st = rna_model_table(&t, &m->config, m->vocab.ntypes, &m->params, err))) {
		rna_model_table_fini(&t);
		st = rna_params_alloc(&m->params, err);
		for (int i = 0; !st && i < m->params.n; i++)
			st = rna_model_draw(m, i, seed, err);
	}
	if (st)
		rna_model_fini(m);
	return st;
}

void
rna_model_fini(struct rna_model *m)
{
	rna_params_fini(&m->params);
	rna_model_source_close(m->source);
	rna_vocab_fini(&m->vocab);
	rna_config_fini(&m->config);
	memset(m, 0, sizeof(*m));
}
