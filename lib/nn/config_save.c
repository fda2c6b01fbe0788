/*
 * config_save.c: config.json as transformers' BertForMaskedLM reads it, with rill's own keys under "rill" and all keys
 * that this version does not know as they were read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/config.h"

/* Sets key to v (taken over); 1 on failure. */
static int
put(json_t *o, const char *key, json_t *v)
{
	return json_object_set_new(o, key, v) < 0;
}

/* Sets key only when it is absent. */
static int
put_default(json_t *o, const char *key, json_t *v)
{
	if (!json_object_get(o, key))
		return put(o, key, v);
	json_decref(v);
	return 0;
}

static json_t *
act_name(enum rk_act act)
{
	return json_string(act == RK_GELU ? "gelu" : "relu");
}

static int
put_rill(json_t *o, const struct rna_config *c)
{
	json_t *rill = json_object_get(o, "rill");
	int bad = 0;

	if (!json_is_object(rill)) {
		rill = json_object();
		bad |= put(o, "rill", rill);
	}
	bad |= put(rill, "frame", json_string(c->frame == RNA_FRAME_TYPE ? "type" : "plain"));
	bad |= put(rill, "max", json_integer(c->max));
	json_object_del(rill, "type_head");
	json_object_del(rill, "mlm_act");
	json_object_del(rill, "mlm_eps");
	if (c->type_head)
		bad |= put(rill, "type_head", json_true());
	if (c->mlm_act != c->act)
		bad |= put(rill, "mlm_act", act_name(c->mlm_act));
	if (c->mlm_eps != c->eps)
		bad |= put(rill, "mlm_eps", rna_configfile_real(c->mlm_eps));
	return bad;
}

/* The class of transformers that computes what the model does. */
static const char *
architecture(const struct rna_config *c)
{
	if (c->labels && c->class_from == RNA_CLASS_POOLED && !c->class_mlp && c->class_chunks == RNA_CHUNKS_MEAN)
		return "BertForSequenceClassification";
	return c->mlm ? "BertForMaskedLM" : "BertModel";
}

static int
put_all(json_t *o, const struct rna_config *c)
{
	static const char *const gone[] = {
	    "auto_map", "hidden_dropout", "attention_dropout", "lm_head", "dtype", "architectures", "model_type"};
	int bad = 0;

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		json_object_del(o, gone[i]);
	bad |= put(o, "architectures", json_pack("[s]", architecture(c)));
	bad |= put(o, "model_type", json_string("bert"));
	bad |= put(o, "vocab_size", json_integer(c->vocab_size));
	bad |= put(o, "hidden_size", json_integer(c->hidden));
	bad |= put(o, "num_hidden_layers", json_integer(c->layers));
	bad |= put(o, "num_attention_heads", json_integer(c->heads));
	bad |= put(o, "intermediate_size", json_integer(c->ffn));
	bad |= put(o, "hidden_act", act_name(c->act));
	bad |= put(o, "layer_norm_eps", rna_configfile_real(c->eps));
	bad |= put(o, "hidden_dropout_prob", rna_configfile_real(c->hidden_dropout));
	bad |= put(o, "attention_probs_dropout_prob", rna_configfile_real(c->attention_dropout));
	bad |= put(o, "max_position_embeddings", json_integer(c->positions));
	bad |= put(o, "type_vocab_size", json_integer(c->segments));
	bad |= put(o, "initializer_range", rna_configfile_real(c->init_range));
	bad |= put(o, "position_embedding_type", json_string("absolute"));
	bad |= put(o, "torch_dtype", json_string("float32"));
	bad |= put_default(o, "pad_token_id", json_integer(0));
	bad |= put_default(o, "tie_word_embeddings", json_true());
	return bad | put_rill(o, c) | rna_config_put_labels(o, c);
}

/* All of config.json; NULL: no memory. */
static json_t *
whole(const struct rna_config *c)
{
	json_t *o = c->json ? json_deep_copy(c->json) : json_object();

	if (o && !put_all(o, c))
		return o;
	json_decref(o);
	return NULL;
}

enum rna_status
rna_config_id(const struct rna_config *c, char id[RNA_CONFIG_ID], struct rna_err *err)
{
	json_t *o = whole(c);
	enum rna_status st = o ? rna_configfile_mark(o, id, err) : rna_fail(err, RNA_EMEM, "no memory");

	json_decref(o);
	return st;
}

enum rna_status
rna_config_save(const struct rna_config *c, const char *path, struct rna_err *err)
{
	json_t *o = whole(c);
	enum rna_status st = o ? rna_configfile_save(o, path, err) : rna_fail(err, RNA_EMEM, "no memory");

	json_decref(o);
	return st;
}
