/*
 * interact.h: the interaction head: what the two sequences of a pair say together (equations in formats/model.md).
 * Token embedding beside projected hidden vectors of the language model, a convolution, max-pooling, a bidirectional
 * LSTM, and two linear layers.  It reads every token of a pair, where other class heads read one vector.
 */
#ifndef RNA_INTERACT_H
#define RNA_INTERACT_H

#include "nn/batch.h"
#include "nn/model.h"
#include "stream/rng.h"

/*
 * Widths: the token embedding, and the projection beside it; channels and width of the convolution; the LSTM in each
 * direction; the hidden layer behind it.
 */
enum {
	RNA_INTERACT_EMBED = 64,
	RNA_INTERACT_CHANNELS = 320,
	RNA_INTERACT_WIDTH = 12,
	RNA_INTERACT_LSTM = 32,
	RNA_INTERACT_VECTOR = 2 * RNA_INTERACT_LSTM, /* what is read of a pair */
	RNA_INTERACT_DENSE = 16
};

/*
 * The input.  RNA_AXIS_POSITIONS: the record's own tokens, [CLS] a [SEP] b [SEP], with [PAD] behind them up to
 * RNA_INTERACT_LEAST where they are fewer (the language model sees those too).  RNA_AXIS_CHANNELS, as the released
 * code: RNA_INTERACT_ROW tokens: the letters of a (no more than leave room for b), those of b up to
 * RNA_INTERACT_TARGET, [PAD] up to the end.
 */
enum {
	RNA_INTERACT_LEAST = RNA_INTERACT_WIDTH + 1, /* leaves one row after the convolution and the pooling */
	RNA_INTERACT_ROW = 66,
	RNA_INTERACT_TARGET = 40,
	RNA_INTERACT_TURNED = (RNA_INTERACT_ROW - RNA_INTERACT_WIDTH + 1) / 2 /* rows that become columns */
};

/* Tokens of the input that is made of a record of n tokens. */
uint64_t rna_interact_tokens(const struct rna_config *c, uint64_t n);
/* Makes out that input (`tokens`, `segment`) of rec's.  RNA_EFORMAT when rec is no pair. */
enum rna_status rna_interact_frame(const struct rna_config *c, const struct rna_vocab *v, const struct rna_record *rec,
    struct rna_record *out, struct rna_err *err) RNA_CHECK;

/* Capacities of the rows in between, for o->tokens tokens in o->seqs pairs. */
void rna_interact_capacity(const struct rna_config *c, struct rna_tape_options *o);
/* The vector of each pair [seqs, RNA_INTERACT_VECTOR]; last: hidden vectors of the tokens (not read without class_lm).
 */
rna_t rna_interact_read(struct rna_tape *t, const struct rna_params *p, const struct rna_config *c, rna_t last);
/* Logits of vectors that stand at `at`. */
rna_t rna_interact_logits(
    struct rna_tape *t, const struct rna_params *p, const struct rna_config *c, rna_t vector, enum rna_tape_index at);
/* After rna_batch_upload: where the rows in between begin, how many there are, and (train) their dropout keys. */
enum rna_status rna_interact_upload(const struct rna_config *c, const struct rna_batch *b, struct rk *rk,
    struct rna_tape *t, int train, struct rna_err *err) RNA_CHECK;

/* 1 for a parameter whose start is drawn by rna_interact_draw, as PyTorch draws it; else 0. */
int rna_interact_is_own(const struct rna_config *c, const struct rna_param *p);
void rna_interact_draw(const struct rna_param *p, struct rna_rng *rng, float *dst);

#endif
