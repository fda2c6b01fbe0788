/*
 * encoder.c: the forward pass of the model, in the ops of a tape.  The equations stand in formats/model.md.
 */
#include <stdio.h>

#include "nn/model.h"

enum { ALL = -1 };

/* Parameter "layer.I.NAME". */
static int
layer_param(const struct rna_model *m, int i, const char *name)
{
	char full[128];

	snprintf(full, sizeof(full), "layer.%d.%s", i, name);
	return rna_params_find(&m->params, full);
}

/* at: the rows that are made (an enum rna_tape_index), ALL for all. */
static rna_t
layer(struct rna_tape *t, const struct rna_model *m, int i, rna_t h, int at)
{
	const struct rna_config *c = &m->config;
	rna_t x;

	x = rna_tape_linear(t, h, layer_param(m, i, "qkv.weight"), layer_param(m, i, "qkv.bias"), RK_NONE);
	x = rna_tape_attention(t, x, c->heads, c->attention_dropout);
	if (at != ALL) {
		x = rna_tape_gather(t, x, (enum rna_tape_index)at);
		h = rna_tape_gather(t, h, (enum rna_tape_index)at);
	}
	x = rna_tape_linear(t, x, layer_param(m, i, "attention.weight"), -1, RK_NONE);
	h = rna_tape_norm(t, x, layer_param(m, i, "attention.bias"), h, layer_param(m, i, "attention.norm.gamma"),
	    layer_param(m, i, "attention.norm.beta"), c->eps, c->hidden_dropout);
	x = rna_tape_linear(t, h, layer_param(m, i, "ffn1.weight"), layer_param(m, i, "ffn1.bias"), c->act);
	x = rna_tape_linear(t, x, layer_param(m, i, "ffn2.weight"), -1, RK_NONE);
	return rna_tape_norm(t, x, layer_param(m, i, "ffn2.bias"), h, layer_param(m, i, "norm.gamma"),
	    layer_param(m, i, "norm.beta"), c->eps, c->hidden_dropout);
}

static rna_t
forward(struct rna_tape *t, const struct rna_model *m, int layers, int at, rna_t *hidden)
{
	const struct rna_params *p = &m->params;
	rna_t h;

	if (layers < 0 || layers > m->config.layers)
		layers = m->config.layers;
	h = rna_tape_embed(t, rna_params_find(p, "embeddings.word"), rna_params_find(p, "embeddings.position"),
	    rna_params_find(p, "embeddings.segment"), rna_params_find(p, "embeddings.norm.gamma"),
	    rna_params_find(p, "embeddings.norm.beta"), m->config.eps, m->config.hidden_dropout);
	if (hidden)
		hidden[0] = h;
	for (int i = 0; i < layers; i++) {
		h = layer(t, m, i, h, i == layers - 1 ? at : ALL);
		if (hidden)
			hidden[i + 1] = h;
	}
	return h;
}

rna_t
rna_encoder_forward(struct rna_tape *t, const struct rna_model *m, int layers, rna_t *hidden)
{
	return forward(t, m, layers, ALL, hidden);
}

rna_t
rna_encoder_rows(struct rna_tape *t, const struct rna_model *m, enum rna_tape_index at)
{
	return forward(t, m, -1, (int)at, NULL);
}

rna_t
rna_encoder_pooled(struct rna_tape *t, const struct rna_model *m, rna_t cls)
{
	return rna_tape_linear(
	    t, cls, rna_params_find(&m->params, "pooler.weight"), rna_params_find(&m->params, "pooler.bias"), RK_TANH);
}

rna_t
rna_encoder_logits(struct rna_tape *t, const struct rna_model *m, rna_t rows)
{
	const struct rna_params *p = &m->params;
	int decoder = rna_params_find(p, m->config.untied ? "mlm.decoder.weight" : "embeddings.word");
	rna_t x;

	x = rna_tape_linear(
	    t, rows, rna_params_find(p, "mlm.weight"), rna_params_find(p, "mlm.bias"), m->config.mlm_act);
	x = rna_tape_norm(t, x, -1, -1, rna_params_find(p, "mlm.norm.gamma"), rna_params_find(p, "mlm.norm.beta"),
	    m->config.mlm_eps, 0);
	return rna_tape_linear(t, x, decoder, rna_params_find(p, "mlm.decoder.bias"), RK_NONE);
}
