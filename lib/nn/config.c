/*
 * config.c: config.json, read as the work of a stranger.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/config.h"

enum rna_status
rna_config_preset(struct rna_config *c, const char *name, struct rna_err *err)
{
	static const struct {
		const char *name;
		int layers, hidden, heads, ffn;
	} presets[] = {
	    {"tiny", 4, 128, 2, 512},
	    {"small", 6, 320, 5, 1280},
	    {"base", 12, 768, 12, 3072},
	};

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (strcmp(presets[i].name, name) != 0)
			continue;
		c->vocab_size = 39;
		c->layers = presets[i].layers;
		c->hidden = presets[i].hidden;
		c->heads = presets[i].heads;
		c->ffn = presets[i].ffn;
		c->positions = 513;
		c->segments = 2;
		c->act = c->mlm_act = RK_RELU;
		c->eps = c->mlm_eps = 1e-12f;
		c->hidden_dropout = c->attention_dropout = 0.1f;
		c->init_range = 0.02f;
		c->mlm = 1;
		c->frame = RNA_FRAME_PLAIN;
		c->max = 512;
		return RNA_OK;
	}
	return rna_fail(err, RNA_EINVAL, "no preset is called %.32s: tiny, small or base", name);
}

/* Whole number of key, or *dst as it is when the key is absent and not required. */
static enum rna_status
get_int(const json_t *o, const char *key, int required, int min, int max, int *dst, struct rna_err *err)
{
	const json_t *v = json_object_get(o, key);
	json_int_t n;

	if (!v && !required)
		return RNA_OK;
	if (!v)
		return rna_fail(err, RNA_EFORMAT, "%s is missing", key);
	if (!json_is_integer(v))
		return rna_fail(err, RNA_EFORMAT, "%s is not a whole number", key);
	n = json_integer_value(v);
	if (n < min || n > max)
		return rna_fail(err, RNA_EFORMAT, "%s is %lld, it must be %d to %d", key, (long long)n, min, max);
	*dst = (int)n;
	return RNA_OK;
}

static enum rna_status
get_float(const json_t *o, const char *key, double min, double max, float *dst, struct rna_err *err)
{
	const json_t *v = json_object_get(o, key);
	double x;

	if (!v)
		return RNA_OK;
	if (!json_is_number(v))
		return rna_fail(err, RNA_EFORMAT, "%s is not a number", key);
	x = json_number_value(v);
	if (!(x >= min && x <= max))
		return rna_fail(err, RNA_EFORMAT, "%s is %g, it must be %g to %g", key, x, min, max);
	*dst = (float)x;
	return RNA_OK;
}

static enum rna_status
get_act(const json_t *o, const char *key, enum rk_act *dst, struct rna_err *err)
{
	const json_t *v = json_object_get(o, key);
	const char *s = json_string_value(v);

	if (!v)
		return RNA_OK;
	if (s && strcmp(s, "relu") == 0)
		*dst = RK_RELU;
	else if (s && strcmp(s, "gelu") == 0)
		*dst = RK_GELU;
	else
		return rna_fail(
		    err, RNA_EFORMAT, "%s is %.32s, only relu and gelu are known", key, s ? s : "not a string");
	return RNA_OK;
}

/* The head's own settings, as multimolecule has them under lm_head. */
static enum rna_status
read_head(struct rna_config *c, const json_t *head, struct rna_err *err)
{
	const char *transform = json_string_value(json_object_get(head, "transform"));
	const json_t *bias = json_object_get(head, "bias");
	enum rna_status st;

	if (!head || json_is_null(head))
		return RNA_OK;
	if (!json_is_object(head))
		return rna_fail(err, RNA_EFORMAT, "lm_head is not an object");
	if ((st = get_act(head, "transform_act", &c->mlm_act, err)) ||
	    (st = get_float(head, "layer_norm_eps", 0, 1, &c->mlm_eps, err)))
		return st;
	if (transform && strcmp(transform, "nonlinear") != 0)
		return rna_fail(err, RNA_EFORMAT, "lm_head.transform is %.32s, only nonlinear is known", transform);
	if (json_is_false(bias))
		return rna_fail(err, RNA_EFORMAT, "lm_head.bias is false, a head without bias is not known");
	if (json_is_string(json_object_get(head, "act")))
		return rna_fail(err, RNA_EFORMAT, "lm_head.act is set, only a head without it is known");
	return RNA_OK;
}

/* rill's own keys. */
static enum rna_status
read_rill(struct rna_config *c, const json_t *rill, struct rna_err *err)
{
	const char *frame = json_string_value(json_object_get(rill, "frame"));
	enum rna_status st;

	c->frame = RNA_FRAME_PLAIN;
	c->max = c->positions == 513 ? 512 : c->positions; /* 513 rows for 512 tokens is RNAErnie's habit */
	if (!rill)
		return RNA_OK;
	if (!json_is_object(rill))
		return rna_fail(err, RNA_EFORMAT, "rill is not an object");
	if (json_object_get(rill, "frame")) {
		if (!frame || (strcmp(frame, "plain") != 0 && strcmp(frame, "type") != 0))
			return rna_fail(err, RNA_EFORMAT, "rill.frame is neither plain nor type");
		c->frame = frame[0] == 't' ? RNA_FRAME_TYPE : RNA_FRAME_PLAIN;
	}
	c->type_head = json_is_true(json_object_get(rill, "type_head"));
	if ((st = get_int(rill, "max", 0, 5, c->positions, &c->max, err)) ||
	    (st = get_act(rill, "mlm_act", &c->mlm_act, err)) ||
	    (st = get_float(rill, "mlm_eps", 0, 1, &c->mlm_eps, err)))
		return st;
	return RNA_OK;
}

/* Kinds of models that look alike and are not. */
static enum rna_status
read_kind(const json_t *o, struct rna_err *err)
{
	const char *position = json_string_value(json_object_get(o, "position_embedding_type"));

	if (position && strcmp(position, "absolute") != 0)
		return rna_fail(err, RNA_EFORMAT, "position_embedding_type is %.32s, only absolute is known", position);
	if (json_is_true(json_object_get(o, "is_decoder")))
		return rna_fail(err, RNA_EFORMAT, "is_decoder is true, only encoders are known");
	return RNA_OK;
}

static enum rna_status
read_object(struct rna_config *c, struct rna_err *err)
{
	const json_t *o = c->json;
	const char *kind = json_string_value(json_object_get(o, "model_type"));
	enum rna_status st;

	c->segments = 2;
	c->act = kind && strcmp(kind, "bert") == 0 ? RK_GELU : RK_RELU;
	c->eps = 1e-12f;
	c->hidden_dropout = c->attention_dropout = 0.1f;
	c->init_range = 0.02f;
	if ((st = read_kind(o, err)) || (st = get_int(o, "vocab_size", 1, 1, 256, &c->vocab_size, err)) ||
	    (st = get_int(o, "hidden_size", 1, 1, 65536, &c->hidden, err)) ||
	    (st = get_int(o, "num_hidden_layers", 1, 1, 1024, &c->layers, err)) ||
	    (st = get_int(o, "num_attention_heads", 1, 1, 65536, &c->heads, err)) ||
	    (st = get_int(o, "intermediate_size", 1, 1, 1 << 20, &c->ffn, err)) ||
	    (st = get_int(o, "max_position_embeddings", 1, 5, 1 << 24, &c->positions, err)) ||
	    (st = get_int(o, "type_vocab_size", 0, 1, 2, &c->segments, err)) ||
	    (st = get_act(o, "hidden_act", &c->act, err)) ||
	    (st = get_float(o, "layer_norm_eps", 0, 1, &c->eps, err)) ||
	    (st = get_float(o, "initializer_range", 0, 100, &c->init_range, err)) ||
	    (st = get_float(o, "hidden_dropout", 0, 0.99, &c->hidden_dropout, err)) ||
	    (st = get_float(o, "hidden_dropout_prob", 0, 0.99, &c->hidden_dropout, err)) ||
	    (st = get_float(o, "attention_dropout", 0, 0.99, &c->attention_dropout, err)) ||
	    (st = get_float(o, "attention_probs_dropout_prob", 0, 0.99, &c->attention_dropout, err)))
		return st;
	c->mlm_act = c->act;
	c->mlm_eps = c->eps;
	if ((st = read_head(c, json_object_get(o, "lm_head"), err)) ||
	    (st = read_rill(c, json_object_get(o, "rill"), err)) || (st = rna_config_read_labels(c, err)))
		return st;
	return rna_config_check(c, err);
}

enum rna_status
rna_config_load(struct rna_config *c, const char *path, struct rna_err *err)
{
	enum rna_status st;

	memset(c, 0, sizeof(*c));
	if (!(c->json = rna_configfile_load(path, err)))
		return err->status;
	if ((st = read_object(c, err))) {
		rna_err_where(err, path, RNA_NOREC);
		rna_config_fini(c);
	}
	return st;
}

/* A value that must lie within min and max. */
static enum rna_status
check_range(const char *what, double x, double min, double max, struct rna_err *err)
{
	if (x >= min && x <= max)
		return RNA_OK;
	return rna_fail(err, RNA_EFORMAT, "%s is %g, it must be %g to %g", what, x, min, max);
}

enum rna_status
rna_config_check(const struct rna_config *c, struct rna_err *err)
{
	enum rna_status st;

	if ((st = check_range("vocab_size", c->vocab_size, 1, 256, err)) ||
	    (st = check_range("hidden_size", c->hidden, 1, 65536, err)) ||
	    (st = check_range("num_hidden_layers", c->layers, 1, 1024, err)) ||
	    (st = check_range("num_attention_heads", c->heads, 1, 65536, err)) ||
	    (st = check_range("intermediate_size", c->ffn, 1, 1 << 20, err)) ||
	    (st = check_range("max_position_embeddings", c->positions, 5, 1 << 24, err)) ||
	    (st = check_range("type_vocab_size", c->segments, 1, 2, err)) ||
	    (st = check_range("layer_norm_eps", c->eps, 0, 1, err)) ||
	    (st = check_range("layer_norm_eps of the head", c->mlm_eps, 0, 1, err)) ||
	    (st = check_range("hidden_dropout_prob", c->hidden_dropout, 0, 0.99, err)) ||
	    (st = check_range("attention_probs_dropout_prob", c->attention_dropout, 0, 0.99, err)) ||
	    (st = check_range("initializer_range", c->init_range, 0, 100, err)))
		return st;
	if (c->hidden % c->heads)
		return rna_fail(err, RNA_EFORMAT, "hidden_size %d is not a multiple of num_attention_heads %d",
		    c->hidden, c->heads);
	if (c->max < 5 || c->max > c->positions)
		return rna_fail(err, RNA_EFORMAT, "%d tokens do not go into %d positions", c->max, c->positions);
	return RNA_OK;
}

enum rna_status
rna_config_copy(struct rna_config *dst, const struct rna_config *src)
{
	*dst = *src;
	dst->json = src->json ? json_deep_copy(src->json) : NULL;
	dst->labels = json_incref(src->labels); /* never changed once made */
	return src->json && !dst->json ? RNA_EMEM : RNA_OK;
}

void
rna_config_fini(struct rna_config *c)
{
	json_decref(c->json);
	json_decref(c->labels);
	memset(c, 0, sizeof(*c));
}
