/*
 * interact.c: the interaction head.
 *
 * 1. The input   2. The net   3. Rows in between   4. Starting values
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/interact.h"

#define PREFIX "classifier.interaction."

/* 1. The input */

uint64_t
rna_interact_tokens(const struct rna_config *c, uint64_t n)
{
	if (c->class_axis == RNA_AXIS_CHANNELS)
		return RNA_INTERACT_ROW;
	return n < RNA_INTERACT_LEAST ? RNA_INTERACT_LEAST : n;
}

/* Letters of the first sequence, then those of the second; what is left of the row is as it was. */
static void
make_row(const struct rna_vocab *v, const uint8_t *tokens, const uint8_t *side, uint64_t n, uint8_t *row,
    uint8_t *segment)
{
	const int most[2] = {RNA_INTERACT_ROW - RNA_INTERACT_TARGET, RNA_INTERACT_TARGET};
	int at = 0;

	for (int b = 0; b < 2; b++) {
		for (int have = 0, i = 0; i < (int)n && have < most[b]; i++) {
			if (side[i] != b || (!v->is_base[tokens[i]] && tokens[i] != v->unk))
				continue;
			segment[at] = (uint8_t)b;
			row[at++] = tokens[i];
			have++;
		}
	}
}

enum rna_status
rna_interact_frame(const struct rna_config *c, const struct rna_vocab *v, const struct rna_record *rec,
    struct rna_record *out, struct rna_err *err)
{
	const uint8_t *tokens, *segment;
	uint64_t n = 0, same = 0, dims[1];
	uint8_t *t, *s;

	tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);
	segment = rna_record_get_vec(rec, "segment", RNA_U8, &same);
	if (tokens == NULL || segment == NULL || n == 0 || n != same)
		return rna_fail(err, RNA_EFORMAT, "no pair of sequences");
	dims[0] = rna_interact_tokens(c, n);
	rna_record_reuse(out);
	out->number = rec->number;
	if (rna_record_put(out, "tokens", RNA_U8, 1, dims) == NULL ||
	    (s = rna_record_put(out, "segment", RNA_U8, 1, dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	t = (uint8_t *)(uintptr_t)rna_record_data(out, rna_record_find(out, "tokens"));
	memset(t, v->pad >= 0 ? v->pad : v->unk, dims[0]);
	memset(s, 1, dims[0]);
	if (c->class_axis == RNA_AXIS_CHANNELS) {
		make_row(v, tokens, segment, n, t, s);
		return RNA_OK;
	}
	memcpy(t, tokens, n);
	memcpy(s, segment, n);
	return RNA_OK;
}

/* 2. The net */

static int
param(const struct rna_params *p, const char *name)
{
	char full[96];

	snprintf(full, sizeof(full), PREFIX "%s", name);
	return rna_params_find(p, full);
}

static rna_t
lstm(struct rna_tape *t, const struct rna_params *p, rna_t x)
{
	static const char *const way[] = {"", "_reverse"};
	struct rna_lstm_params l = {.directions = 2};
	char name[64];

	for (int d = 0; d < 2; d++) {
		snprintf(name, sizeof(name), "lstm.weight_ih_l0%s", way[d]);
		l.w_ih[d] = param(p, name);
		snprintf(name, sizeof(name), "lstm.weight_hh_l0%s", way[d]);
		l.w_hh[d] = param(p, name);
		snprintf(name, sizeof(name), "lstm.bias_ih_l0%s", way[d]);
		l.b_ih[d] = param(p, name);
		snprintf(name, sizeof(name), "lstm.bias_hh_l0%s", way[d]);
		l.b_hh[d] = param(p, name);
	}
	return rna_tape_lstm(t, x, &l);
}

rna_t
rna_interact_read(struct rna_tape *t, const struct rna_params *p, const struct rna_config *c, rna_t last)
{
	const int channels = c->class_axis == RNA_AXIS_CHANNELS;
	rna_t x = rna_tape_lookup(t, param(p, "embedding.weight"), -1), h;

	if (c->class_lm) {
		h = rna_tape_linear(t, last, param(p, "project.0.weight"), param(p, "project.0.bias"), RK_RELU);
		h = rna_tape_linear(t, h, param(p, "project.1.weight"), param(p, "project.1.bias"), RK_NONE);
		x = rna_tape_join(t, x, h);
	}
	x = rna_tape_conv1d(t, x, param(p, "conv.weight"), param(p, "conv.bias"), RK_RELU, 1);
	x = rna_tape_max_pool(t, rna_tape_drop(t, x, c->class_dropout));
	x = rna_tape_drop(t, x, c->class_dropout);
	if (channels)
		x = rna_tape_turn(t, x, RNA_INTERACT_TURNED);
	/* over channels the code takes what both directions say at the last channel */
	return rna_tape_ends(t, lstm(t, p, x), channels ? RNA_INTERACT_VECTOR : RNA_INTERACT_LSTM);
}

rna_t
rna_interact_logits(
    struct rna_tape *t, const struct rna_params *p, const struct rna_config *c, rna_t vector, enum rna_tape_index at)
{
	rna_t x = rna_tape_dropout(t, vector, at, c->class_dropout);

	x = rna_tape_linear(t, x, rna_params_find(p, "classifier.dense.weight"),
	    rna_params_find(p, "classifier.dense.bias"), c->class_axis == RNA_AXIS_CHANNELS ? RK_NONE : RK_RELU);
	x = rna_tape_dropout(t, x, at, c->class_dropout);
	return rna_tape_linear(t, x, rna_params_find(p, "classifier.out_proj.weight"),
	    rna_params_find(p, "classifier.out_proj.bias"), RK_NONE);
}

/* 3. Rows in between */

void
rna_interact_capacity(const struct rna_config *c, struct rna_tape_options *o)
{
	o->valid = o->tokens;
	o->pooled = o->tokens / 2 + 1;
	o->steps = c->class_axis == RNA_AXIS_CHANNELS ? o->seqs * RNA_INTERACT_CHANNELS : 0;
}

struct rows {
	int32_t *first[3]; /* of the sequences: after the convolution, after the pooling, turned */
	uint64_t *key[2];
};

/* Counts and keys of the batch. */
static void
lay_out(const struct rna_batch *b, struct rows *r)
{
	for (int i = 0; i < b->nseqs; i++) {
		const int at = b->offsets[i], n = b->offsets[i + 1] - at;
		const int valid = n < RNA_INTERACT_WIDTH ? 0 : n - RNA_INTERACT_WIDTH + 1;

		for (int k = 0; k < valid; k++)
			r->key[0][r->first[0][i] + k] = b->row_key[at + k];
		for (int k = 0; k < valid / 2; k++)
			r->key[1][r->first[1][i] + k] = b->row_key[at + 2 * k];
		r->first[0][i + 1] = r->first[0][i] + valid;
		r->first[1][i + 1] = r->first[1][i] + valid / 2;
		r->first[2][i + 1] = r->first[2][i] + RNA_INTERACT_CHANNELS;
	}
}

static enum rk_status
upload(const struct rna_config *c, const struct rna_batch *b, struct rk *rk, struct rna_tape *t, int train,
    const struct rows *r)
{
	static const enum rk_live kind[] = {RK_LIVE_VALID, RK_LIVE_POOLED, RK_LIVE_STEPS};
	const int kinds = c->class_axis == RNA_AXIS_CHANNELS ? 3 : 2;
	struct rna_tape_inputs *in = rna_tape_inputs(t);
	int32_t live[RK_NLIVE] = {b->ntokens, b->nseqs, b->nrows, b->nslots};
	enum rk_status s = RK_OK;

	for (int k = 0; k < kinds && s == RK_OK; k++) {
		live[kind[k]] = r->first[k][b->nseqs];
		s = rk_upload(rk, in->first[kind[k]], r->first[k], ((size_t)b->nseqs + 1) * sizeof(int32_t));
		if (s == RK_OK && train && k < 2)
			s = rk_upload(
			    rk, in->key[kind[k]], r->key[k], (size_t)live[kind[k]] * sizeof(uint64_t));
	}
	return s == RK_OK ? rk_upload(rk, in->live, live, sizeof(live)) : s;
}

enum rna_status
rna_interact_upload(const struct rna_config *c, const struct rna_batch *b, struct rk *rk, struct rna_tape *t, int train,
    struct rna_err *err)
{
	const size_t seqs = (size_t)b->nseqs + 1, tokens = (size_t)b->ntokens + 1;
	enum rna_status st = RNA_OK;
	struct rows r = {0};
	int bad = 0;

	for (int k = 0; k < 3; k++)
		bad |= (r.first[k] = calloc(seqs, sizeof(**r.first))) == NULL;
	for (int k = 0; k < 2; k++)
		bad |= (r.key[k] = calloc(tokens, sizeof(**r.key))) == NULL;
	if (bad) {
		st = rna_fail(err, RNA_EMEM, "out of memory");
	} else {
		lay_out(b, &r);
		if (upload(c, b, rk, t, train, &r) != RK_OK)
			st = rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	}
	for (int k = 0; k < 3; k++)
		free(r.first[k]);
	for (int k = 0; k < 2; k++)
		free(r.key[k]);
	return st;
}

/* 4. Starting values */

int
rna_interact_is_own(const struct rna_config *c, const struct rna_param *p)
{
	return c->labels != NULL && c->class_from == RNA_CLASS_INTERACTION && strncmp(p->name, "classifier.", 11) == 0;
}

/* Inputs of the linear map or convolution that the parameter is of. */
static int
inputs_of(const struct rna_param *p)
{
	if (strstr(p->name, ".lstm.") != NULL)
		return RNA_INTERACT_LSTM;
	if (p->ndim == 1) /* a bias: of a map whose width is not told by its shape */
		return 0;
	return p->ndim == 3 ? p->dims[1] * p->dims[2] : p->dims[1];
}

void
rna_interact_draw(const struct rna_param *p, struct rna_rng *rng, float *dst)
{
	const int table = strstr(p->name, ".embedding.") != NULL, inputs = inputs_of(p);
	const double bound = inputs > 0 ? 1 / sqrt(inputs) : 0;

	for (size_t i = 0; i < p->n; i++)
		dst[i] = (float)(table ? rna_rng_normal(rng) : (2 * rna_rng_double(rng) - 1) * bound);
}
