/*
 * foldnet_run.c: the forward pass of a folding network, one RNA at a time.
 *
 * Row 0 stands for the beginning of the RNA ([CLS] of the language model), row i for base i; so the map has n + 1 rows
 * and columns, and the scores are those from 1 on.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/foldnet_private.h"

#define EPS 1e-5f
enum { LENGTH_ROWS = 31 }; /* of the longest table of lengths */

struct rna_foldrun {
	struct rna_foldnet *f;
	int train;
	size_t cap, n; /* letters: room for, and of the last forward */
	struct rna_tape *tape;
	rna_t features, map, ones[FOLDNET_LENGTHS], lengths[FOLDNET_LENGTHS];
	float *cells, *table; /* read from the tape, or written to its gradients */
	uint8_t *token;
	int32_t *position;
	uint64_t *key;
};

/* 1. The network */

static int
find(const struct rna_foldnet *f, const char *name)
{
	char full[128];

	snprintf(full, sizeof(full), "fold.%s", name);
	return rna_params_find(&f->params, full);
}

/* Parameter NAME.I PART, as conv.3.weight. */
static int
find_nth(const struct rna_foldnet *f, const char *name, int i, const char *part)
{
	char full[96];

	snprintf(full, sizeof(full), "%s%d%s", name, i, part);
	return find(f, full);
}

/* x, or x plus it, whichever the columns allow: norm, CELU and dropout of a convolution. */
static rna_t
block(struct rna_tape *t, const struct rna_foldnet *f, const char *name, int i, rna_t y, rna_t x)
{
	if (x >= 0 && y >= 0 && rna_tape_columns(t, x) != rna_tape_columns(t, y))
		x = -1;
	return rna_tape_group_norm(t, y, x, find_nth(f, name, i, ".norm.weight"), find_nth(f, name, i, ".norm.bias"),
	    EPS, RK_CELU, f->config.dropout, 0);
}

static rna_t
lstm(struct rna_tape *t, const struct rna_foldnet *f, rna_t x)
{
	struct rna_lstm_params p = {.directions = 2};
	rna_t y = x;

	for (int i = 0; i < f->config.lstm_layers; i++) {
		for (int d = 0; d < 2; d++) {
			const char *way = d ? "_reverse" : "";

			p.w_ih[d] = find_nth(f, "lstm.weight_ih_l", i, way);
			p.w_hh[d] = find_nth(f, "lstm.weight_hh_l", i, way);
			p.b_ih[d] = find_nth(f, "lstm.bias_ih_l", i, way);
			p.b_hh[d] = find_nth(f, "lstm.bias_hh_l", i, way);
		}
		if (i > 0)
			y = rna_tape_drop(t, y, f->config.dropout);
		y = rna_tape_lstm(t, y, &p);
	}
	return rna_tape_group_norm(
	    t, y, x, find(f, "lstm_norm.weight"), find(f, "lstm_norm.bias"), EPS, RK_CELU, f->config.dropout, 1);
}

/* What each base is in its RNA: [tokens, 2 lstm_units]. */
static rna_t
encoder(struct rna_foldrun *r)
{
	struct rna_tape *t = r->tape;
	const struct rna_foldnet *f = r->f;
	rna_t x = rna_tape_lookup(t, find(f, "embedding.weight"), 0), y;

	if (f->config.features) {
		y = r->features = rna_tape_input_rows(t, RK_LIVE_TOKENS, f->config.features);
		y = rna_tape_linear(t, y, find(f, "features.0.weight"), find(f, "features.0.bias"), RK_RELU);
		y = rna_tape_linear(t, y, find(f, "features.1.weight"), find(f, "features.1.bias"), RK_NONE);
		x = rna_tape_join(t, x, y);
	}
	for (int i = 0; i < f->config.convs; i++) {
		y = rna_tape_conv1d(
		    t, x, find_nth(f, "conv.", i, ".weight"), find_nth(f, "conv.", i, ".bias"), RK_NONE, 0);
		x = block(t, f, "conv.", i, y, x);
	}
	x = lstm(t, f, x);
	y = rna_tape_linear(t, x, find(f, "attention.in_proj_weight"), find(f, "attention.in_proj_bias"), RK_NONE);
	y = rna_tape_attention(t, y, f->config.heads, f->config.dropout);
	y = rna_tape_linear(t, y, find(f, "attention.out_proj.weight"), find(f, "attention.out_proj.bias"), RK_NONE);
	return rna_tape_sum(t, x, y);
}

static int
images(const struct rna_foldnet *f)
{
	return f->config.lower_constant ? 1 : 2;
}

/* Three scores of every pair of bases: [pairs, 3]. */
static rna_t
pairs(struct rna_foldrun *r, rna_t x)
{
	struct rna_tape *t = r->tape;
	const struct rna_foldnet *f = r->f;
	const int diagonal = !f->config.exclude_diagonal;
	rna_t y;

	x = rna_tape_pair_map(t, x, images(f), diagonal);
	for (int i = 0; i < f->config.pair_convs; i++) {
		y = rna_tape_conv2d(
		    t, x, find_nth(f, "pair.", i, ".weight"), find_nth(f, "pair.", i, ".bias"), RK_NONE);
		x = block(t, f, "pair.", i, y, x);
	}
	x = rna_tape_pair_merge(t, x, images(f), diagonal);
	x = rna_tape_linear(t, x, find(f, "head.0.weight"), find(f, "head.0.bias"), RK_NONE);
	x = rna_tape_group_norm(
	    t, x, -1, find(f, "head.norm.weight"), find(f, "head.norm.bias"), EPS, RK_CELU, f->config.head_dropout, 1);
	return rna_tape_linear(t, x, find(f, "head.1.weight"), find(f, "head.1.bias"), RK_NONE);
}

/* A table of lengths: entry l is the bias and the weights up to l; a linear map of a triangle of ones. */
static void
length(struct rna_foldrun *r, int i)
{
	char weight[64], bias[64];

	snprintf(weight, sizeof(weight), "length.%s.weight", foldnet_lengths[i].name);
	snprintf(bias, sizeof(bias), "length.%s.bias", foldnet_lengths[i].name);
	r->ones[i] = rna_tape_input(r->tape, RNA_AT_SLOT, foldnet_lengths[i].entries);
	r->lengths[i] = rna_tape_linear(r->tape, r->ones[i], find(r->f, weight), find(r->f, bias), RK_NONE);
}

/* Records the network for up to cap letters. */
static void
record(struct rna_foldrun *r, size_t cap)
{
	const int side = (int)cap + 1, cells = side * side;
	const struct rna_tape_options o = {.tokens = side,
	    .seqs = 1,
	    .slots = LENGTH_ROWS,
	    .max_len = side,
	    .train = r->train,
	    .maps = images(r->f),
	    .cells = images(r->f) * cells,
	    .pairs = cells,
	    .max_side = side};

	if (!(r->tape = rna_tape_create(r->f->rk, &r->f->params, &o)))
		return;
	r->map = pairs(r, encoder(r));
	for (int i = 0; i < FOLDNET_LENGTHS; i++) {
		length(r, i);
		rna_tape_output(r->tape, r->lengths[i]);
	}
	rna_tape_output(r->tape, r->map);
	if (r->train && r->f->config.features)
		rna_tape_keep_grad(r->tape, r->features);
}

/* 2. Making and freeing */

struct rna_foldrun *
rna_foldrun_create(struct rna_foldnet *f, int train)
{
	struct rna_foldrun *r = calloc(1, sizeof(*r));

	if (r) {
		r->f = f;
		r->train = train;
	}
	return r;
}

static void
drop_tape(struct rna_foldrun *r)
{
	rna_tape_destroy(r->tape);
	free(r->cells);
	free(r->table);
	free(r->token);
	free(r->position);
	free(r->key);
	r->tape = NULL;
	r->cells = r->table = NULL;
	r->token = NULL;
	r->position = NULL;
	r->key = NULL;
	r->cap = 0;
}

void
rna_foldrun_destroy(struct rna_foldrun *r)
{
	if (!r)
		return;
	drop_tape(r);
	free(r);
}

size_t
rna_foldrun_bytes(struct rna_foldnet *f, int train, size_t n)
{
	struct rna_foldrun r = {.f = f, .train = train};
	size_t bytes;

	record(&r, n);
	bytes = r.tape ? rna_tape_bytes(r.tape) : 0;
	drop_tape(&r);
	return bytes;
}

/* Row l of a table's input: ones up to l; of the explicit one, where both sides are not above those of l. */
static enum rna_status
write_ones(struct rna_foldrun *r, int i, struct rna_err *err)
{
	const int n = foldnet_lengths[i].entries, square = foldnet_lengths[i].first == RNA_LENGTH_EXPLICIT;
	float ones[LENGTH_ROWS * LENGTH_ROWS];

	for (int l = 0; l < LENGTH_ROWS; l++)
		for (int k = 0; k < n; k++)
			ones[l * n + k] = square ? l < n && k / 5 <= l / 5 && k % 5 <= l % 5 : k <= l;
	return rna_tape_write(r->tape, r->ones[i], LENGTH_ROWS, ones, err);
}

/* A tape for n letters or more. */
static enum rna_status
build(struct rna_foldrun *r, size_t n, struct rna_err *err)
{
	const size_t cap = (n + 31) / 32 * 32, side = cap + 1;
	enum rna_status st;

	drop_tape(r);
	if (n > 20000)
		return rna_fail(err, RNA_EINVAL, "%zu nt: a map of pairs of that size is not made", n);
	record(r, cap);
	r->cells = reallocarray(NULL, side * side, 3 * sizeof(*r->cells));
	r->table = calloc(LENGTH_ROWS, sizeof(*r->table));
	r->token = calloc(side, 1);
	r->position = calloc(side, sizeof(*r->position));
	r->key = calloc(side, sizeof(*r->key));
	if (!r->tape || !r->cells || !r->table || !r->token || !r->position || !r->key)
		return rna_fail(err, RNA_EMEM, "no memory for the scores of %zu nt", n);
	if ((st = rna_tape_finish(r->tape, err)))
		return st;
	for (int i = 0; i < FOLDNET_LENGTHS && !st; i++)
		st = write_ones(r, i, err);
	r->cap = cap;
	return st;
}

/* 3. A run */

/* Ids of MXfold2's embedding; 0 is the row before the first base. */
static uint8_t
id_of(char letter)
{
	switch (tolower((unsigned char)letter)) {
	case 'a':
		return 1;
	case 'c':
		return 2;
	case 'g':
		return 3;
	case 't':
	case 'u':
		return 4;
	default:
		return 5;
	}
}

/* Every bit of the record's key and the position in every bit of the row's. */
static uint64_t
row_key(uint64_t key, uint64_t position)
{
	uint64_t x = key + (position + 1) * UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

static enum rna_status
upload(struct rna_foldrun *r, const char *letters, size_t n, uint64_t key, struct rna_err *err)
{
	const struct rna_tape_inputs *in = rna_tape_inputs(r->tape);
	const int side = (int)n + 1, cells = side * side, k = images(r->f);
	const int32_t live[RK_NLIVE] = {[RK_LIVE_TOKENS] = side,
	    [RK_LIVE_SEQS] = 1,
	    [RK_LIVE_SLOTS] = LENGTH_ROWS,
	    [RK_LIVE_MAPS] = k,
	    [RK_LIVE_CELLS] = k * cells,
	    [RK_LIVE_PAIRS] = cells};
	const int32_t offsets[2] = {0, side}, maps[3] = {0, cells, 2 * cells}, sides[2] = {side, side};
	struct rk *rk = r->f->rk;

	r->token[0] = 0;
	for (size_t i = 0; i < n; i++)
		r->token[i + 1] = id_of(letters[i]);
	for (int i = 0; i < side; i++) {
		r->position[i] = i;
		r->key[i] = row_key(key, (uint64_t)i);
	}
	if (rk_upload(rk, in->live, live, sizeof(live)) || rk_upload(rk, in->token, r->token, (size_t)side) ||
	    rk_upload(rk, in->position, r->position, (size_t)side * 4) ||
	    rk_upload(rk, in->row_key, r->key, (size_t)side * 8) ||
	    rk_upload(rk, in->offsets, offsets, sizeof(offsets)) ||
	    rk_upload(rk, in->first[RK_LIVE_CELLS], maps, (size_t)(k + 1) * 4) ||
	    rk_upload(rk, in->first[RK_LIVE_PAIRS], maps, 2 * 4) || rk_upload(rk, in->side, sides, (size_t)k * 4))
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(rk));
	return RNA_OK;
}

/* Scores [3,n,n] from the cells [n + 1, n + 1, 3], whose first row and column stand for the beginning. */
static void
from_cells(float *scores, const float *cells, size_t n)
{
	for (size_t c = 0; c < 3; c++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				scores[(c * n + i) * n + j] = cells[((i + 1) * (n + 1) + j + 1) * 3 + c];
}

static void
to_cells(float *cells, const float *scores, size_t n)
{
	for (size_t c = 0; c < 3; c++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				cells[((i + 1) * (n + 1) + j + 1) * 3 + c] = scores[(c * n + i) * n + j];
}

enum rna_status
rna_foldrun_forward(struct rna_foldrun *r, const char *letters, size_t n, const float *features, uint64_t key,
    float *scores, float *lengths, struct rna_err *err)
{
	enum rna_status st;

	if (n < 1 || (r->f->config.features > 0) != (features != NULL))
		return rna_fail(
		    err, RNA_EINVAL, "a folding network %s", n < 1 ? "needs letters" : "lacks its features");
	if ((n > r->cap || !r->tape) && (st = build(r, n, err)))
		return st;
	r->n = n;
	if ((st = upload(r, letters, n, key, err)) ||
	    (features && (st = rna_tape_write(r->tape, r->features, n + 1, features, err))) ||
	    (st = rna_tape_forward(r->tape, err)) ||
	    (st = rna_tape_read(r->tape, r->map, (n + 1) * (n + 1), r->cells, err)))
		return st;
	from_cells(scores, r->cells, n);
	for (int i = 0; i < FOLDNET_LENGTHS && !st; i++) {
		st = rna_tape_read(r->tape, r->lengths[i], LENGTH_ROWS, r->table, err);
		memcpy(lengths + foldnet_lengths[i].first, r->table,
		    (size_t)foldnet_lengths[i].entries * sizeof(*lengths));
	}
	return st;
}

enum rna_status
rna_foldrun_backward(
    struct rna_foldrun *r, const float *dscores, const float *dlengths, float *dfeatures, struct rna_err *err)
{
	const size_t n = r->n, side = n + 1;
	enum rna_status st;

	memset(r->cells, 0, side * side * 3 * sizeof(*r->cells));
	to_cells(r->cells, dscores, n);
	if ((st = rna_tape_write_grad(r->tape, r->map, side * side, r->cells, err)))
		return st;
	for (int i = 0; i < FOLDNET_LENGTHS && !st; i++) {
		memset(r->table, 0, LENGTH_ROWS * sizeof(*r->table));
		memcpy(r->table, dlengths + foldnet_lengths[i].first,
		    (size_t)foldnet_lengths[i].entries * sizeof(*r->table));
		st = rna_tape_write_grad(r->tape, r->lengths[i], LENGTH_ROWS, r->table, err);
	}
	if (!st)
		st = rna_tape_backward(r->tape, err);
	if (!st && dfeatures)
		st = rna_tape_read_grad(r->tape, r->features, side, dfeatures, err);
	return st;
}

enum rna_status
rna_foldrun_repack(struct rna_foldrun *r, struct rna_err *err)
{
	return r->tape ? rna_tape_repack(r->tape, err) : RNA_OK;
}
