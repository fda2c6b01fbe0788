/*
 * model_table.c: which parameters a model has, and which tensors of a file hold them (formats/model.md, "Tensors").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/interact.h"
#include "nn/model_private.h"

/* Declares a parameter of one or two dimensions (b 0: one). */
static int
declare(struct model_table *t, const char *name, int a, int b, int decay)
{
	int dims[2] = {a, b};
	int i = rna_params_add(t->params, name, b ? 2 : 1, dims, decay);

	t->failed |= i < 0;
	return i;
}

/* A tensor [a, b] (or [a]) of the file that is the parameter from element `first` on. */
static struct model_entry *
entry(struct model_table *t, const char *name, int param, size_t first, int a, int b)
{
	struct model_entry *list, *e;

	if (t->failed || strlen(name) >= sizeof(e->name))
		goto fail;
	if (t->n == t->cap) {
		list = reallocarray(t->list, t->cap ? t->cap * 2 : 64, sizeof(*list));
		if (!list)
			goto fail;
		t->list = list;
		t->cap = t->cap ? t->cap * 2 : 64;
	}
	e = &t->list[t->n++];
	memset(e, 0, sizeof(*e));
	strlcpy(e->name, name, sizeof(e->name));
	e->param = param;
	e->first = first;
	e->n = (size_t)a * (size_t)(b ? b : 1);
	e->ndim = b ? 2 : 1;
	e->dims[0] = a;
	e->dims[1] = b;
	return e;
fail:
	t->failed = 1;
	return &t->none;
}

/* A parameter that is one tensor of the file. */
static struct model_entry *
whole(struct model_table *t, const char *own, const char *name, int a, int b, int decay)
{
	return entry(t, name, declare(t, own, a, b, decay), 0, a, b);
}

/* weight [n, k, width] and bias [n] of a convolution. */
static void
kernel(struct model_table *t, const char *name, int n, int k, int width)
{
	int dims[3] = {n, k, width}, param;
	char full[RNA_NAMES_SIZE];
	struct model_entry *e;

	snprintf(full, sizeof(full), "%s.weight", name);
	param = rna_params_add(t->params, full, 3, dims, 1);
	t->failed |= param < 0;
	e = entry(t, full, param, 0, n, k * width);
	e->ndim = 3;
	memcpy(e->dims, dims, sizeof(dims));
	snprintf(full, sizeof(full), "%s.bias", name);
	whole(t, full, full, n, 0, 0);
}

/* weight [n, k] and bias [n] of a linear map, own and stock names by prefix. */
static void
linear(struct model_table *t, const char *own, const char *stock, int n, int k, int square)
{
	char a[RNA_NAMES_SIZE], b[RNA_NAMES_SIZE];

	snprintf(a, sizeof(a), "%s.weight", own);
	snprintf(b, sizeof(b), "%s.weight", stock);
	whole(t, a, b, n, k, 1)->square = square;
	snprintf(a, sizeof(a), "%s.bias", own);
	snprintf(b, sizeof(b), "%s.bias", stock);
	whole(t, a, b, n, 0, 0);
}

static void
norm(struct model_table *t, const char *own, const char *stock, int n)
{
	char a[RNA_NAMES_SIZE], b[RNA_NAMES_SIZE];

	snprintf(a, sizeof(a), "%s.gamma", own);
	snprintf(b, sizeof(b), "%s.weight", stock);
	whole(t, a, b, n, 0, 0);
	snprintf(a, sizeof(a), "%s.beta", own);
	snprintf(b, sizeof(b), "%s.bias", stock);
	whole(t, a, b, n, 0, 0);
}

/* Query, key and value: three tensors of the file, one parameter. */
static void
fused(struct model_table *t, const char *own, const char *stock, int h)
{
	static const char *const parts[] = {"query", "key", "value"};
	char name[RNA_NAMES_SIZE];
	int weight, bias;

	snprintf(name, sizeof(name), "%s.weight", own);
	weight = declare(t, name, 3 * h, h, 1);
	snprintf(name, sizeof(name), "%s.bias", own);
	bias = declare(t, name, 3 * h, 0, 0);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s.%s.weight", stock, parts[i]);
		entry(t, name, weight, (size_t)i * (size_t)h * (size_t)h, h, h)->square = 1;
		snprintf(name, sizeof(name), "%s.%s.bias", stock, parts[i]);
		entry(t, name, bias, (size_t)i * (size_t)h, h, 0);
	}
}

static void
layer(struct model_table *t, const struct rna_config *c, int i)
{
	char own[64], stock[96];
	int h = c->hidden;

	snprintf(own, sizeof(own), "layer.%d.qkv", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.attention.self", i);
	fused(t, own, stock, h);
	snprintf(own, sizeof(own), "layer.%d.attention", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.attention.output.dense", i);
	linear(t, own, stock, h, h, 0);
	snprintf(own, sizeof(own), "layer.%d.attention.norm", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.attention.output.LayerNorm", i);
	norm(t, own, stock, h);
	snprintf(own, sizeof(own), "layer.%d.ffn1", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.intermediate.dense", i);
	linear(t, own, stock, c->ffn, h, 0);
	snprintf(own, sizeof(own), "layer.%d.ffn2", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.output.dense", i);
	linear(t, own, stock, h, c->ffn, 0);
	snprintf(own, sizeof(own), "layer.%d.norm", i);
	snprintf(stock, sizeof(stock), "bert.encoder.layer.%d.output.LayerNorm", i);
	norm(t, own, stock, h);
}

static void
embeddings(struct model_table *t, const struct rna_config *c)
{
	int h = c->hidden, segment;

	whole(t, "embeddings.word", "bert.embeddings.word_embeddings.weight", c->vocab_size, h, 1);
	whole(t, "embeddings.position", "bert.embeddings.position_embeddings.weight", c->positions, h, 1);
	segment = declare(t, "embeddings.segment", 2, h, 1); /* the kernels' table has two rows */
	entry(t, "bert.embeddings.token_type_embeddings.weight", segment, 0, c->segments, h);
	norm(t, "embeddings.norm", "bert.embeddings.LayerNorm", h);
}

/* The LSTM of k columns, in the names of PyTorch. */
static void
recurrence(struct model_table *t, const char *name, int k, int hidden)
{
	static const char *const parts[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
	char full[RNA_NAMES_SIZE];

	for (int i = 0; i < 8; i++) {
		snprintf(full, sizeof(full), "%s.%s_l0%s", name, parts[i % 4], i < 4 ? "" : "_reverse");
		whole(t, full, full, 4 * hidden, i % 4 == 0 ? k : i % 4 == 1 ? hidden : 0, i % 4 < 2);
	}
}

static void
interaction(struct model_table *t, const struct rna_config *c)
{
	const int e = RNA_INTERACT_EMBED, n = RNA_INTERACT_CHANNELS;

	whole(t, "classifier.interaction.embedding.weight", "classifier.interaction.embedding.weight", c->vocab_size, e,
	    1);
	if (c->class_lm) {
		linear(t, "classifier.interaction.project.0", "classifier.interaction.project.0", e, c->hidden, 0);
		linear(t, "classifier.interaction.project.1", "classifier.interaction.project.1", e, e, 0);
	}
	kernel(t, "classifier.interaction.conv", n, c->class_lm ? 2 * e : e, RNA_INTERACT_WIDTH);
	recurrence(t, "classifier.interaction.lstm", c->class_axis == RNA_AXIS_CHANNELS ? RNA_INTERACT_TURNED : n,
	    RNA_INTERACT_LSTM);
	linear(t, "classifier.dense", "classifier.dense", RNA_INTERACT_DENSE, RNA_INTERACT_VECTOR, 0);
	linear(t, "classifier.out_proj", "classifier.out_proj", rna_config_classes(c), RNA_INTERACT_DENSE, 0);
}

/* The class head; the pooler, where it reads that, is the model's. */
static void
classifier(struct model_table *t, const struct rna_config *c)
{
	int n = rna_config_classes(c);

	if (c->class_from == RNA_CLASS_ATTENTION)
		whole(t, "classifier.score.weight", "classifier.score.weight", 1, c->hidden, 1);
	if (c->class_chunks == RNA_CHUNKS_ATTENTION)
		whole(t, "classifier.chunk_score.weight", "classifier.chunk_score.weight", 1, c->hidden, 1);
	if (c->class_chunks == RNA_CHUNKS_MLP) {
		linear(t, "classifier.chunks.dense", "classifier.chunks.dense", c->hidden, n, 0);
		linear(t, "classifier.chunks.out_proj", "classifier.chunks.out_proj", n, c->hidden, 0);
	}
	if (c->class_from == RNA_CLASS_INTERACTION) {
		interaction(t, c);
	} else if (c->class_mlp) {
		linear(t, "classifier.dense", "classifier.dense", c->hidden, c->hidden, 0);
		linear(t, "classifier.out_proj", "classifier.out_proj", n, c->hidden, 0);
	} else {
		linear(t, "classifier", "classifier", n, c->hidden, 0);
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct model_entry *)a)->name, ((const struct model_entry *)b)->name);
}

enum rna_status
rna_model_table(
    struct model_table *t, const struct rna_config *c, int ntypes, struct rna_params *params, struct rna_err *err)
{
	int h = c->hidden;

	memset(t, 0, sizeof(*t));
	t->params = params;
	embeddings(t, c);
	for (int i = 0; i < c->layers && !t->failed; i++)
		layer(t, c, i);
	if (c->pooler)
		linear(t, "pooler", "bert.pooler.dense", h, h, 1);
	if (c->mlm) {
		linear(t, "mlm", "cls.predictions.transform.dense", h, h, 1);
		norm(t, "mlm.norm", "cls.predictions.transform.LayerNorm", h);
		whole(t, "mlm.decoder.bias", "cls.predictions.bias", c->vocab_size, 0, 0);
	}
	if (c->mlm && c->untied)
		whole(t, "mlm.decoder.weight", "cls.predictions.decoder.weight", c->vocab_size, h, 1);
	if (c->type_head && !ntypes) {
		rna_model_table_fini(t);
		return rna_fail(err, RNA_EFORMAT, "a type head needs a vocabulary with type tokens");
	}
	if (c->type_head) {
		whole(t, "type_head.weight", "rill.type_head.weight", ntypes, h, 1)->optional = 1;
		whole(t, "type_head.bias", "rill.type_head.bias", ntypes, 0, 0)->optional = 1;
	}
	if (c->labels)
		classifier(t, c);
	if (t->failed) {
		rna_model_table_fini(t);
		return rna_fail(err, RNA_EMEM, "no memory for a model of that shape");
	}
	qsort(t->list, t->n, sizeof(*t->list), by_name);
	return RNA_OK;
}

void
rna_model_table_fini(struct model_table *t)
{
	free(t->list);
	memset(t, 0, sizeof(*t));
}

struct model_entry *
rna_model_table_find(const struct model_table *t, const char *name)
{
	size_t lo = 0, hi = t->n, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = strcmp(name, t->list[mid].name);
		if (!c)
			return &t->list[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}
