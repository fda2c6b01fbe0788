/*
 * tape.h: records the ops of a forward pass, lays out their memory, and walks back.  Model code is written once,
 * forward only; the tape makes the backward calls.  Built once per shape class (capacities), run with live counts.
 */
#ifndef RNA_TAPE_H
#define RNA_TAPE_H

#include <stddef.h>
#include <stdint.h>
#include "nn/params.h"
#include "rk_feed.h"
#include "stream/status.h"

struct rna_tape;
typedef int rna_t; /* a tensor of the tape; -1: recording failed (kept until rna_tape_finish, which reports it) */

struct rna_tape_options {
	int tokens, seqs, rows, slots; /* capacities of the live counts */
	int max_len;                   /* longest sequence, tokens */
	int train;                     /* 1: keep activations, make a backward pass, dropout on */
	enum rk_precision precision;
	float smoothing;        /* of the labels of cross-entropies */
	int maps, cells, pairs; /* further capacities, 0 where the model has no such rows (enum rk_live) */
	int valid, pooled, steps;
	int max_side; /* of a map */
};

/* Inputs of a batch, device side.  rna_batch_upload sends all but side, and first and key from RK_LIVE_CELLS on. */
struct rna_tape_inputs {
	struct rk_feed *feed;             /* of what it sends: the memory from live on */
	int32_t *live;                    /* [RK_NLIVE] */
	uint8_t *token, *segment;         /* [tokens] */
	int32_t *position;                /* [tokens] */
	int32_t *offsets;                 /* [seqs + 1] */
	uint64_t *row_key;                /* [tokens] */
	int32_t *cls;                     /* [seqs]: row of [CLS] */
	int32_t *base_first, *base_count; /* [seqs] */
	int32_t *masked, *target;         /* [rows]: rows of the batch that are targets, and the tokens there */
	float *weight;                    /* [rows] */
	int32_t *slot, *slot_target;      /* [slots] a second set of target rows (type loss) */
	float *slot_weight;               /* [slots] */
	int32_t *part_first, *part_count; /* [slots]: the sequences that a slot puts together */
	/*
	 * By kind of rows, NULL where a kind has no capacity: where the rows of each sequence (or map) begin, and their
	 * dropout keys.  Tokens: offsets and row_key.  Sequences and rows: the keys of their tokens, in training.  The
	 * keys of cells and pairs are made by the tape.
	 */
	int32_t *first[RK_NLIVE];
	uint64_t *key[RK_NLIVE];
	int32_t *side; /* [maps] */
};

struct rna_tape *rna_tape_create(struct rk *rk, struct rna_params *params, const struct rna_tape_options *opts);
void rna_tape_destroy(struct rna_tape *t);
struct rna_tape_inputs *rna_tape_inputs(struct rna_tape *t);

/* Ops.  Parameters by index in params (rna_params_find); dropout sites are counted by the tape in recording order. */
rna_t rna_tape_embed(struct rna_tape *t, int word, int pos, int seg, int gamma, int beta, float eps, float p);
rna_t rna_tape_linear(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act); /* bias -1: none */
rna_t rna_tape_norm(struct rna_tape *t, rna_t x, int bias, rna_t residual, int gamma, int beta, float eps,
    float p); /* residual -1: none */
rna_t rna_tape_attention(struct rna_tape *t, rna_t qkv, int heads, float p);
enum rna_tape_index { RNA_AT_CLS, RNA_AT_MASKED, RNA_AT_SLOT };
rna_t rna_tape_gather(struct rna_tape *t, rna_t x, enum rna_tape_index at);
/* Dropout of rows that stand for gathered tokens; x has the rows of `at`.  Without train, or with p 0: x itself. */
rna_t rna_tape_dropout(struct rna_tape *t, rna_t x, enum rna_tape_index at, float p);
/* Rows of `at` x columns that the caller writes before each run (rna_tape_write), as another model's vectors. */
rna_t rna_tape_input(struct rna_tape *t, enum rna_tape_index at, int columns);
rna_t rna_tape_input_rows(struct rna_tape *t, enum rk_live rows, int columns); /* the same of any kind of rows */
/*
 * Ends in values that the caller reads (rna_tape_read), and whose gradient he writes (rna_tape_write_grad) between
 * forward and backward.
 */
void rna_tape_output(struct rna_tape *t, rna_t x);
/* Segments: the bases of each sequence (rows of tokens give rows of sequences), or the sequences that are the parts of
 * each slot (rows of sequences give rows of slots). */
enum rna_tape_segments { RNA_OVER_BASES, RNA_OVER_PARTS };
/* The sum of weight [rows of x, 1] times x over each segment; weight -1: the mean. */
rna_t rna_tape_segment_sum(struct rna_tape *t, rna_t x, rna_t weight, enum rna_tape_segments over);
/* Of x [.., 1], within each segment. */
rna_t rna_tape_segment_softmax(struct rna_tape *t, rna_t x, enum rna_tape_segments over);
/* Ends in a loss: rows' losses and hits can be read afterwards. at: RNA_AT_MASKED (target, weight) or RNA_AT_SLOT. */
void rna_tape_cross_entropy(struct rna_tape *t, rna_t logits, enum rna_tape_index at);
/* Marks a tensor whose values are read by the caller after a run (its memory is not reused). */
void rna_tape_keep(struct rna_tape *t, rna_t x);

/*
 * Ops over channels, steps and maps (tape_maps.c); see rk.h for what they compute.  Rows of sequences are of any kind
 * that has `first`.
 */
/* table [entries, columns] by token id; pad: the entry without gradient, -1: none. */
rna_t rna_tape_lookup(struct rna_tape *t, int table, int pad);
rna_t rna_tape_join(struct rna_tape *t, rna_t a, rna_t b); /* columns side by side */
rna_t rna_tape_sum(struct rna_tape *t, rna_t a, rna_t b);
rna_t rna_tape_drop(struct rna_tape *t, rna_t x, float p); /* dropout keyed by row; without train: x itself */
/* weight [n, k, width], zero padding that keeps the length (width odd), or none: rows of kind RK_LIVE_VALID. */
rna_t rna_tape_conv1d(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act, int valid);
rna_t rna_tape_conv2d(struct rna_tape *t, rna_t x, int weight, int bias, enum rk_act act); /* cells; [n, k, w, w] */
/* Norm over each sequence or map (rows 0), or over each row (1); then act, dropout, and residual (-1: none). */
rna_t rna_tape_group_norm(
    struct rna_tape *t, rna_t x, rna_t residual, int gamma, int beta, float eps, enum rk_act act, float p, int rows);
/* weight_ih, weight_hh, bias_ih, bias_hh of each direction. */
struct rna_lstm_params {
	int w_ih[2], w_hh[2], b_ih[2], b_hh[2], directions;
};
rna_t rna_tape_lstm(struct rna_tape *t, rna_t x, const struct rna_lstm_params *p);
rna_t rna_tape_max_pool(struct rna_tape *t, rna_t x); /* rows of kind RK_LIVE_POOLED */
/*
 * Rows of sequences: relu of the last row's first `last` columns and of the first row's others: what an LSTM says at
 * its ends.  Every sequence has rows.
 */
rna_t rna_tape_ends(struct rna_tape *t, rna_t x, int last);
/* Every sequence has `rows` rows of x; their columns become rows of kind RK_LIVE_STEPS. */
rna_t rna_tape_turn(struct rna_tape *t, rna_t x, int rows);
/* Maps of pairs of tokens: 1 or 2 images; diagonal 1: image 0 has it. */
rna_t rna_tape_pair_map(struct rna_tape *t, rna_t x, int images, int diagonal);
rna_t rna_tape_pair_merge(struct rna_tape *t, rna_t x, int images, int diagonal); /* rows of kind RK_LIVE_PAIRS */

/* Ends the recording: backward calls (train), memory, packed weights.  Reports what recording met. */
enum rna_status rna_tape_finish(struct rna_tape *t, struct rna_err *err) RNA_CHECK;
size_t rna_tape_bytes(struct rna_tape *t); /* device memory it takes; before finish too: then no op may follow */

enum rna_status rna_tape_forward(struct rna_tape *t, struct rna_err *err) RNA_CHECK;
enum rna_status rna_tape_backward(struct rna_tape *t, struct rna_err *err) RNA_CHECK; /* gradients += */
/* Packs the weights anew: after they changed. */
enum rna_status rna_tape_repack(struct rna_tape *t, struct rna_err *err) RNA_CHECK;
int rna_tape_columns(const struct rna_tape *t, rna_t x);
/* nrows * columns values of x, as float. */
enum rna_status rna_tape_read(struct rna_tape *t, rna_t x, size_t nrows, float *dst, struct rna_err *err) RNA_CHECK;
/* nrows * columns values into an input. */
enum rna_status
rna_tape_write(struct rna_tape *t, rna_t x, size_t nrows, const float *src, struct rna_err *err) RNA_CHECK;
/* nrows * columns values into the gradient of an output. */
enum rna_status
rna_tape_write_grad(struct rna_tape *t, rna_t x, size_t nrows, const float *src, struct rna_err *err) RNA_CHECK;
/* The gradient of an input, after the backward pass of a tape that was told to keep it before its end. */
void rna_tape_keep_grad(struct rna_tape *t, rna_t x);
enum rna_status
rna_tape_read_grad(struct rna_tape *t, rna_t x, size_t nrows, float *dst, struct rna_err *err) RNA_CHECK;
/* Device memory of a kept tensor: [rows, columns] of what rk_store_size says, live rows written. */
const void *rna_tape_data(const struct rna_tape *t, rna_t x);
enum rna_status rna_tape_read_loss(
    struct rna_tape *t, enum rna_tape_index at, size_t nrows, float *loss, uint8_t *hit, struct rna_err *err) RNA_CHECK;
/* The same without waiting: asks for them, losses (real) and hits (u8), at those bytes of a reply. */
enum rna_status rna_tape_ask_loss(struct rna_tape *t, enum rna_tape_index at, size_t nrows, struct rk_reply *reply,
    size_t loss_at, size_t hit_at, struct rna_err *err) RNA_CHECK;

#endif
