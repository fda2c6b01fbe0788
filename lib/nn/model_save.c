/*
 * model_save.c: a model directory that transformers reads: stock BERT names, fp32.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>
#include <sys/stat.h>

#include "nn/model_private.h"
#include "nn/replace.h"

static enum rna_status
fetch(const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err)
{
	const struct rna_model *m = ctx;
	const struct model_entry *e = t->arg;
	unsigned char *bytes = dst;
	const char *src;
	uint32_t bits;

	if (m->extra && rna_params_find(m->extra, t->name) >= 0)
		return rna_params_fetch(m->extra, t->arg, dst, size, err);
	src = (const char *)rna_params_value(&m->params, e->param) + e->first * rk_real_size(m->rk);
	if (rk_download_f32(m->rk, dst, src, e->n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(m->rk));
	for (size_t i = 0; i + 4 <= size; i += 4) {
		memcpy(&bits, bytes + i, 4);
		le32enc(bytes + i, bits);
	}
	return RNA_OK;
}

/* The entries as tensors to write; an untied decoder has its bias under both names. */
static size_t
list_tensors(const struct model_table *t, struct rna_tensor_out *out)
{
	struct model_entry *e;
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		e = &t->list[i];
		out[n].name = e->name;
		out[n].dtype = "F32";
		out[n].ndim = e->ndim;
		out[n].dims[0] = (uint64_t)e->dims[0];
		out[n].dims[1] = (uint64_t)e->dims[1];
		out[n].dims[2] = (uint64_t)e->dims[2];
		out[n++].arg = e;
		if (strcmp(e->name, "cls.predictions.bias") == 0 &&
		    rna_model_table_find(t, "cls.predictions.decoder.weight")) {
			out[n] = out[n - 1];
			out[n++].name = "cls.predictions.decoder.bias";
		}
	}
	return n;
}

static enum rna_status
save_weights(const struct rna_model *m, const char *id, const char *path, struct rna_err *err)
{
	struct rna_tensor_out *out = NULL;
	struct rna_params shapes;
	struct model_table t;
	enum rna_status st;
	json_t *meta;
	size_t n;

	rna_params_init(&shapes, NULL); /* the same declarations give the same indices */
	if ((st = rna_model_table(&t, &m->config, m->vocab.ntypes, &shapes, err)))
		return st;
	meta = json_pack("{s:s, s:s}", "format", "pt", "rill.id", id);
	out = calloc(t.n + 1 + (m->extra ? (size_t)m->extra->n : 0), sizeof(*out));
	if (!meta || !out)
		st = rna_fail(err, RNA_EMEM, "no memory");
	else {
		n = list_tensors(&t, out);
		n += m->extra ? rna_params_list(m->extra, out + n) : 0;
		st = rna_safetensors_write(path, out, n, meta, fetch, (void *)(uintptr_t)m, err);
	}
	json_decref(meta);
	free(out);
	rna_model_table_fini(&t);
	rna_params_fini(&shapes);
	return st;
}

static enum rna_status
save_vocab(const struct rna_vocab *v, const char *path, struct rna_err *err)
{
	struct rna_replace out;
	enum rna_status st;

	if ((st = rna_replace_open(&out, path, err)))
		return st;
	for (int i = 0; i < v->n; i++) {
		if (fprintf(out.fp, "%s\n", v->token[i]) < 0) {
			st = rna_fail_errno(err, "can't write");
			rna_err_where(err, path, RNA_NOREC);
			rna_replace_abort(&out);
			return st;
		}
	}
	return rna_replace_commit(&out, err);
}

/* The model's configuration with what the vocabulary says, and the id of it all. */
static enum rna_status
configure(struct rna_config *c, char id[RNA_CONFIG_ID], const struct rna_model *m, struct rna_err *err)
{
	enum rna_status st;
	json_t *rill;
	int bad = 0;

	if (rna_config_copy(c, &m->config) != RNA_OK || (!c->json && !(c->json = json_object())))
		return rna_fail(err, RNA_EMEM, "no memory");
	rill = json_object_get(c->json, "rill");
	if (!json_is_object(rill)) {
		rill = json_object();
		bad |= json_object_set_new(c->json, "rill", rill);
	}
	bad |= json_object_set_new(rill, "vocab", json_string(m->vocab.name));
	bad |= json_object_set_new(rill, "vocab_digest", json_string(m->vocab.digest));
	bad |= json_object_set_new(c->json, "tie_word_embeddings", json_boolean(!c->untied));
	bad |= json_object_set_new(
	    c->json, "pad_token_id", m->vocab.pad >= 0 ? json_integer(m->vocab.pad) : json_null());
	if (bad)
		return rna_fail(err, RNA_EMEM, "no memory");
	if ((st = rna_config_id(c, id, err)))
		return st;
	return json_object_set_new(rill, "id", json_string(id)) < 0 ? rna_fail(err, RNA_EMEM, "no memory") : RNA_OK;
}

enum rna_status
rna_model_save(const struct rna_model *m, const char *dir, struct rna_err *err)
{
	static const char *const names[] = {"/vocab.txt", "/config.json", "/model.safetensors"};
	struct rna_config c = {0};
	char id[RNA_CONFIG_ID], *path;
	enum rna_status st;

	if (m->params.bring)
		return rna_fail(err, RNA_EINVAL, "the model was opened to be run, not to be saved");
	if (mkdir(dir, 0777) < 0 && errno != EEXIST) {
		st = rna_fail_errno(err, "can't make the folder");
		rna_err_where(err, dir, RNA_NOREC);
		return st;
	}
	st = configure(&c, id, m, err);
	for (int i = 0; i < 3 && !st; i++) {
		path = rna_replace_join(dir, names[i]);
		if (!path)
			st = rna_fail(err, RNA_EMEM, "no memory");
		else
			st = i == 0   ? save_vocab(&m->vocab, path, err)
			     : i == 1 ? rna_config_save(&c, path, err)
			              : save_weights(m, id, path, err);
		free(path);
	}
	rna_config_fini(&c);
	return st;
}
