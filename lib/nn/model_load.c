/*
 * model_load.c: the tensors of a model directory, whatever their names, into the parameters.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/model_private.h"

#define DECODER "cls.predictions.decoder.weight"
#define DECODER_BIAS "cls.predictions.decoder.bias"
#define HEAD_BIAS "cls.predictions.bias"
#define PIECE 16384 /* elements that are copied at once */
#define WORDS "bert.embeddings.word_embeddings.weight"

/* A file's tensors, each with its stock name. */
struct model_source {
	struct rna_safetensors file;
	enum rna_naming naming;
	struct model_entry **to;                     /* per tensor: where it goes; NULL: nowhere */
	int decoder, decoder_bias, head_bias, words; /* index of the tensor, or -1 */
	int bias;                                    /* which of the two biases is used */
	int classes;                                 /* 1: there is a class head */
	int tune;                                    /* 1: opened for new classes: other heads are left out */
	int fresh;                                   /* 1: and its class head is not the one wanted */
	int fix_square;
	struct model_table table;
	struct rna_model *m;
};

static void
shape_text(const struct rna_tensor *t, char *dst, size_t size)
{
	size_t at = (size_t)snprintf(dst, size, "[");

	for (int i = 0; i < t->ndim && at < size; i++)
		at += (size_t)snprintf(dst + at, size - at, "%s%llu", i ? ", " : "", (unsigned long long)t->dims[i]);
	if (at < size)
		snprintf(dst + at, size - at, "]");
}

static int
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Which parts the file has. */
static void
look(struct model_source *s, struct rna_config *c)
{
	char buf[RNA_NAMES_SIZE];
	const char *name;

	s->decoder = s->decoder_bias = s->head_bias = s->words = -1;
	c->pooler = c->mlm = 0;
	for (size_t i = 0; i < s->file.n; i++) {
		name = rna_names_stock(s->naming, s->file.list[i].name, buf);
		if (!name)
			continue;
		if (strncmp(name, "bert.pooler.", 12) == 0)
			c->pooler = 1;
		if (strncmp(name, "cls.predictions.transform.", 26) == 0)
			c->mlm = 1;
		if (strcmp(name, "rill.type_head.weight") == 0)
			c->type_head = 1;
		if (begins(name, "classifier."))
			s->classes = 1;
		if (strcmp(name, DECODER) == 0)
			s->decoder = (int)i;
		else if (strcmp(name, DECODER_BIAS) == 0)
			s->decoder_bias = (int)i;
		else if (strcmp(name, HEAD_BIAS) == 0)
			s->head_bias = (int)i;
		else if (strcmp(name, WORDS) == 0)
			s->words = (int)i;
	}
}

/* The class head: the file's, or the one that is asked for. */
static void
choose_classes(struct model_source *s, struct rna_config *c, const struct rna_model_options *o)
{
	if (!s->classes) {
		json_decref(c->labels);
		c->labels = NULL;
	}
	if (!o->labels)
		return;
	s->tune = 1;
	s->fresh = !c->labels || !json_equal(c->labels, o->labels) || c->class_from != o->class_from ||
	           c->class_mlp != o->class_mlp || c->pairs != o->pairs || c->class_chunks != o->class_chunks ||
	           c->class_axis != o->class_axis || c->class_lm != o->class_lm;
	c->class_axis = o->class_axis;
	c->class_lm = o->class_lm;
	c->class_dropout = o->class_dropout;
	json_decref(c->labels);
	c->labels = json_incref(o->labels);
	c->class_from = o->class_from;
	c->class_mlp = o->class_mlp;
	c->class_chunks = o->class_chunks;
	c->class_typer = o->class_typer;
	c->pairs = o->pairs;
	c->mlm = c->mlm && o->class_typer == RNA_TYPER_SHARED;
	c->type_head = 0;
	c->pooler = o->class_from == RNA_CLASS_POOLED;
}

/* 1 when stock tensor `name` is of a head that the model is opened without, or of another task's. */
static int
left_out(const struct model_source *s, const struct model_table *t, const char *name)
{
	if (begins(name, "classifier."))
		return s->fresh || !rna_model_table_find(t, name);
	return s->tune && !rna_model_table_find(t, name) &&
	       (begins(name, "cls.predictions.") || begins(name, "rill.type_head.") || begins(name, "bert.pooler."));
}

/* 1 when stock tensor `name` may be missing: a part that is trained anew. */
static int
may_lack(const struct model_source *s, const char *name)
{
	return s->tune && (begins(name, "bert.pooler.") || (s->fresh && begins(name, "classifier.")));
}

/* 1 when two tensors hold the same values. */
static int
equal(const struct rna_tensor *a, const struct rna_tensor *b)
{
	float x[256], y[256];
	uint64_t n;

	if (a->count != b->count)
		return 0;
	for (uint64_t at = 0; at < a->count; at += n) {
		n = a->count - at < 256 ? a->count - at : 256;
		if (rna_safetensors_read(a, at, n, x) != RNA_OK || rna_safetensors_read(b, at, n, y) != RNA_OK ||
		    memcmp(x, y, n * sizeof(*x)) != 0)
			return 0;
	}
	return 1;
}

/* Whether the decoder is the word embeddings, and which bias is the head's. */
static enum rna_status
look_at_decoder(struct model_source *s, struct rna_config *c, struct rna_err *err)
{
	const struct rna_tensor *list = s->file.list;
	int both = s->decoder_bias >= 0 && s->head_bias >= 0;

	if (s->decoder >= 0)
		c->untied = c->mlm && s->words >= 0 && !equal(&list[s->decoder], &list[s->words]);
	else
		c->untied = c->mlm && json_is_false(json_object_get(c->json, "tie_word_embeddings"));
	if (both && !c->untied && !equal(&list[s->decoder_bias], &list[s->head_bias]))
		return rna_fail(err, RNA_EFORMAT, "%s and %s differ, one bias is expected", list[s->head_bias].name,
		    list[s->decoder_bias].name);
	s->bias = s->head_bias < 0 || (both && c->untied) ? s->decoder_bias : s->head_bias;
	return RNA_OK;
}

static enum rna_status
check_tensor(const struct rna_tensor *t, const struct model_entry *e, struct rna_err *err)
{
	char shape[96];
	int same = t->ndim == e->ndim;

	for (int i = 0; same && i < e->ndim; i++)
		same = t->dims[i] == (uint64_t)e->dims[i];
	if (!same) {
		shape_text(t, shape, sizeof(shape));
		if (e->ndim == 3)
			return rna_fail(err, RNA_EFORMAT, "tensor %s is %s, config.json asks for [%d, %d, %d]", t->name,
			    shape, e->dims[0], e->dims[1], e->dims[2]);
		if (e->ndim == 2)
			return rna_fail(err, RNA_EFORMAT, "tensor %s is %s, config.json asks for [%d, %d]", t->name,
			    shape, e->dims[0], e->dims[1]);
		return rna_fail(
		    err, RNA_EFORMAT, "tensor %s is %s, config.json asks for [%d]", t->name, shape, e->dims[0]);
	}
	if (strcmp(t->dtype, "F32") != 0 && strcmp(t->dtype, "F16") != 0 && strcmp(t->dtype, "BF16") != 0 &&
	    strcmp(t->dtype, "F64") != 0)
		return rna_fail(
		    err, RNA_EFORMAT, "tensor %s is %s, weights are read as F32, F16, BF16 or F64", t->name, t->dtype);
	return RNA_OK;
}

/* The entry that tensor i of the file fills; NULL: none, which is an error unless *skip. */
static struct model_entry *
destination(const struct model_source *s, const struct model_table *t, size_t i, int *skip)
{
	char buf[RNA_NAMES_SIZE];
	const char *name = rna_names_stock(s->naming, s->file.list[i].name, buf);

	*skip = !name || left_out(s, t, name);
	if (*skip)
		return NULL;
	if ((int)i == s->decoder_bias || (int)i == s->head_bias) {
		*skip = (int)i != s->bias;
		return *skip ? NULL : rna_model_table_find(t, HEAD_BIAS);
	}
	if ((int)i == s->decoder && !rna_model_table_find(t, DECODER)) {
		*skip = 1; /* tied: the word embeddings once more */
		return NULL;
	}
	return rna_model_table_find(t, name);
}

/* Every tensor has its place and every place its tensor, before memory is taken. */
static enum rna_status
match(struct model_source *s, struct model_table *t, struct rna_err *err)
{
	char name[RNA_NAMES_SIZE];
	enum rna_status st;
	int skip;

	for (size_t i = 0; i < s->file.n; i++) {
		s->to[i] = destination(s, t, i, &skip);
		if (skip)
			continue;
		if (!s->to[i])
			return rna_fail(err, RNA_EFORMAT, "tensor %.200s has no place in the model of config.json",
			    s->file.list[i].name);
		if (s->to[i]->found)
			return rna_fail(err, RNA_EFORMAT, "tensor %.200s is there twice", s->file.list[i].name);
		s->to[i]->found = 1;
		if ((st = check_tensor(&s->file.list[i], s->to[i], err)))
			return st;
	}
	for (size_t i = 0; i < t->n; i++)
		if (!t->list[i].found && !t->list[i].optional && !may_lack(s, t->list[i].name))
			return rna_fail(
			    err, RNA_EFORMAT, "tensor %s is missing", rna_names_file(s->naming, t->list[i].name, name));
	return RNA_OK;
}

/* Transposes an n x n matrix in place. */
static void
transpose(float *x, size_t n)
{
	float tmp;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			tmp = x[i * n + j];
			x[i * n + j] = x[j * n + i];
			x[j * n + i] = tmp;
		}
	}
}

/* 1 when one of n numbers is none: one vector pass. */
static int
has_nan(const float *x, size_t n)
{
	int found = 0;

#pragma omp simd reduction(| : found)
	for (size_t i = 0; i < n; i++)
		found |= x[i] != x[i];
	return found;
}

/* Elements first .. first + n - 1 of tensor t, through buf, to dst; side not 0: a whole matrix, to be transposed. */
static enum rna_status
copy_piece(struct rk *rk, const struct rna_tensor *t, size_t first, size_t n, size_t side, float *buf, char *dst,
    struct rna_err *err)
{
	size_t i = 0;

	if (rna_safetensors_read(t, first, n, buf) != RNA_OK)
		return rna_fail(err, RNA_EFORMAT, "tensor %s can't be read as numbers", t->name);
	if (has_nan(buf, n)) {
		while (!isnan(buf[i]))
			i++;
		return rna_fail(err, RNA_EFORMAT, "tensor %s: element %zu is not a number", t->name, first + i);
	}
	if (side > 0)
		transpose(buf, side);
	if (rk_upload_f32(rk, dst + first * rk_real_size(rk), buf, n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	return RNA_OK;
}

/* Tensor i of the file to its place, in pieces that stay in a cache; its pages are given back. */
static enum rna_status
copy(const struct model_source *s, size_t i, struct rna_err *err)
{
	const struct rna_tensor *t = &s->file.list[i];
	const struct model_entry *e = s->to[i];
	struct rk *rk = s->m->rk;
	char *dst = (char *)rna_params_value(&s->m->params, e->param) + e->first * rk_real_size(rk);
	size_t side = s->fix_square && e->square ? (size_t)e->dims[0] : 0, piece, at, n;
	enum rna_status st = RNA_OK;
	float *buf;

	piece = side > 0 || e->n < PIECE ? e->n : PIECE;
	buf = reallocarray(NULL, piece, sizeof(*buf));
	if (!buf)
		return rna_fail(err, RNA_EMEM, "no memory for tensor %s", t->name);
	for (at = 0; !st && at < e->n; at += n) {
		n = e->n - at < piece ? e->n - at : piece;
		st = copy_piece(rk, t, at, n, side, buf, dst, err);
	}
	rna_safetensors_release(t);
	free(buf);
	return st;
}

/* bring of struct rna_params. */
static enum rna_status
bring(void *ctx, int param, struct rna_err *err)
{
	const struct model_source *s = ctx;
	enum rna_status st = RNA_OK;

	for (size_t i = 0; !st && i < s->file.n; i++)
		if (s->to[i] && s->to[i]->param == param)
			st = copy(s, i, err);
	return st;
}

/* The matrices of the layers are for linear layers alone, which read what is packed of them. */
static void
choose_later(struct model_source *s)
{
	struct rna_params *p = &s->m->params;

	if (!rk_discard(p->rk, NULL, 0))
		return;
	for (size_t i = 0; i < s->file.n; i++)
		if (s->to[i] && begins(p->list[s->to[i]->param].name, "layer.") && p->list[s->to[i]->param].ndim == 2)
			p->list[s->to[i]->param].later = 1;
	p->bring = bring;
	p->ctx = s;
}

/*
 * Exports of the published checkpoint by multimolecule before 2026-05-28 have untransposed square matrices and a GELU
 * in the head of a ReLU model.  What dates a file: the prefix of 2025, the alphabet of 26, the GELU.
 */
static int
suspect(const struct rna_model *m, enum rna_naming naming)
{
	const struct rna_config *c = &m->config;

	if (c->act != RK_RELU || (naming != RNA_NAMES_MULTIMOLECULE && naming != RNA_NAMES_RNAERNIE))
		return 0;
	return naming == RNA_NAMES_RNAERNIE || c->vocab_size == 26 || c->mlm_act != c->act;
}

static enum rna_status
check_parts(const struct rna_config *c, const struct rna_model_options *opts, struct rna_err *err)
{
	if (opts->need_mlm && !c->mlm)
		return rna_fail(
		    err, RNA_EFORMAT, "the model has no masked-language head (cls.predictions.* or lm_head.*)");
	if (opts->need_class && !c->labels)
		return rna_fail(
		    err, RNA_EFORMAT, "the model has no class head; make one with: rna-train class -m THIS -o OTHER");
	if (opts->need_pooler && !c->pooler)
		return rna_fail(err, RNA_EFORMAT, "the model has no pooler (bert.pooler.* or model.pooler.*)");
	return RNA_OK;
}

/* The weights that are held, as the file has them or drawn anew. */
static enum rna_status
fill(const struct model_source *s, const struct rna_model_options *opts, struct rna_err *err)
{
	const struct model_table *t = &s->table;
	enum rna_status st = RNA_OK;

	for (size_t i = 0; !st && i < s->file.n; i++)
		if (s->to[i] && !s->m->params.list[s->to[i]->param].later)
			st = copy(s, i, err);
	for (size_t i = 0; !st && i < t->n; i++)
		if (!t->list[i].found)
			st = rna_model_draw(s->m, t->list[i].param, opts->seed, err);
	return st;
}

void
rna_model_source_close(struct model_source *s)
{
	if (!s)
		return;
	rna_model_table_fini(&s->table);
	free(s->to);
	rna_safetensors_close(&s->file);
	free(s);
}

/* What the file has against what config.json says; memory for the parameters. */
static enum rna_status
prepare(struct model_source *s, const struct rna_model_options *opts, struct rna_err *err)
{
	struct rna_model *m = s->m;
	enum rna_status st;

	if ((st = rna_configfile_compare(m->config.json, s->file.metadata, err)))
		return st;
	s->to = calloc(s->file.n + 1, sizeof(struct model_entry *));
	if (!s->to)
		return rna_fail(err, RNA_EMEM, "no memory");
	if ((st = rna_names_detect(&s->file, &s->naming, err)))
		return st;
	look(s, &m->config);
	m->config.type_head |= opts->type_head;
	choose_classes(s, &m->config, opts);
	if ((st = look_at_decoder(s, &m->config, err)) || (st = check_parts(&m->config, opts, err)) ||
	    (st = rna_model_table(&s->table, &m->config, m->vocab.ntypes, &m->params, err)) ||
	    (st = match(s, &s->table, err)))
		return st;
	return rna_params_alloc(&m->params, err);
}

enum rna_status
rna_model_load(struct rna_model *m, const char *dir, const struct rna_model_options *opts, struct rna_err *err)
{
	struct model_source *s = calloc(1, sizeof(*s));
	enum rna_status st;

	if (!s)
		return rna_fail(err, RNA_EMEM, "no memory");
	s->m = m;
	s->fix_square = opts->fix_square;
	if ((st = rna_safetensors_open_dir(&s->file, dir, err))) {
		rna_model_source_close(s);
		return st;
	}
	if ((st = prepare(s, opts, err)))
		goto out;
	if (opts->once)
		choose_later(s);
		/* the digest takes longer than the loading, and needs nothing of it */
#pragma omp parallel sections num_threads(2) if (opts->digest && opts->threads > 1)
	{
#pragma omp section
		st = fill(s, opts, err);
#pragma omp section
		if (opts->digest)
			rna_safetensors_digest(&s->file, m->digest);
	}
	m->square_suspect = suspect(m, s->naming) && !opts->fix_square;
	if (opts->fix_square)
		m->config.mlm_act = m->config.act;
out:
	if (st)
		rna_err_where(err, dir, RNA_NOREC);
	if (!st && m->params.bring)
		m->source = s;
	else
		rna_model_source_close(s);
	return st;
}
