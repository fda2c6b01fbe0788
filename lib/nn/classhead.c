/*
 * classhead.c: the class head of a model on a tape.
 */
#include <stdio.h>

#include "nn/classhead.h"
#include "nn/interact.h"

static rna_t
map(struct rna_tape *t, const struct rna_params *p, const char *name, rna_t x, enum rk_act act)
{
	char weight[64], bias[64];

	snprintf(weight, sizeof(weight), "%s.weight", name);
	snprintf(bias, sizeof(bias), "%s.bias", name);
	return rna_tape_linear(t, x, rna_params_find(p, weight), rna_params_find(p, bias), act);
}

/* The mean of the rows of each segment, weighted by softmax of a linear map of them. */
static rna_t
attend(struct rna_tape *t, const struct rna_params *p, const char *score, rna_t x, enum rna_tape_segments over)
{
	rna_t s = rna_tape_linear(t, x, rna_params_find(p, score), -1, RK_NONE);

	return rna_tape_segment_sum(t, x, rna_tape_segment_softmax(t, s, over), over);
}

int
rna_classhead_reads_cls(const struct rna_config *c)
{
	return c->class_from == RNA_CLASS_POOLED || c->class_from == RNA_CLASS_CLS;
}

int
rna_classhead_by_tokens(const struct rna_config *c)
{
	return c->class_from == RNA_CLASS_INTERACTION;
}

int
rna_classhead_width(const struct rna_config *c)
{
	return rna_classhead_by_tokens(c) ? RNA_INTERACT_VECTOR : c->hidden;
}

rna_t
rna_classhead_read(struct rna_tape *t, const struct rna_params *params, const struct rna_config *c, rna_t last)
{
	if (c->class_from == RNA_CLASS_INTERACTION)
		return rna_interact_read(t, params, c, last);
	if (c->class_from == RNA_CLASS_MEAN)
		return rna_tape_segment_sum(t, last, -1, RNA_OVER_BASES);
	if (c->class_from == RNA_CLASS_ATTENTION)
		return attend(t, params, "classifier.score.weight", last, RNA_OVER_BASES);
	return rna_tape_gather(t, last, RNA_AT_CLS);
}

static rna_t
head(struct rna_tape *t, const struct rna_params *p, const struct rna_config *c, rna_t x, enum rna_tape_index at)
{
	if (c->class_from == RNA_CLASS_INTERACTION)
		return rna_interact_logits(t, p, c, x, at);
	if (c->class_from == RNA_CLASS_POOLED)
		x = map(t, p, "pooler", x, RK_TANH);
	x = rna_tape_dropout(t, x, at, c->hidden_dropout);
	if (c->class_mlp) {
		x = map(t, p, "classifier.dense", x, RK_RELU);
		x = rna_tape_dropout(t, x, at, c->hidden_dropout);
	}
	return map(t, p, c->class_mlp ? "classifier.out_proj" : "classifier", x, RK_NONE);
}

rna_t
rna_classhead_logits(
    struct rna_tape *t, const struct rna_params *params, const struct rna_config *c, rna_t vectors, rna_t weight)
{
	rna_t x;

	if (c->class_chunks == RNA_CHUNKS_ATTENTION) {
		x = attend(t, params, "classifier.chunk_score.weight", vectors, RNA_OVER_PARTS);
		return head(t, params, c, x, RNA_AT_SLOT);
	}
	x = rna_tape_segment_sum(t, head(t, params, c, vectors, RNA_AT_CLS), weight, RNA_OVER_PARTS);
	if (c->class_chunks == RNA_CHUNKS_MLP) {
		x = map(t, params, "classifier.chunks.dense", x, RK_RELU);
		x = map(t, params, "classifier.chunks.out_proj", x, RK_NONE);
	}
	return x;
}
