/*
 * batch.h: records packed into one model input, host side, and its upload.
 */
#ifndef RNA_BATCH_H
#define RNA_BATCH_H

#include "nn/model.h"
#include "stream/record.h"

struct rna_batch {
	int ntokens, nseqs, nrows, nslots;
	int cap_tokens, cap_seqs, cap_rows, cap_slots;
	int longest;
	uint8_t *token, *segment;
	int32_t *position, *offsets, *cls, *base_first, *base_count;
	uint64_t *row_key, *cls_key, *masked_key;
	int32_t *masked, *target, *slot, *slot_target, *part_first, *part_count;
	float *weight, *slot_weight;
};

enum rna_status rna_batch_init(struct rna_batch *b, int tokens, int seqs, int rows, int slots) RNA_CHECK;
void rna_batch_fini(struct rna_batch *b);
void rna_batch_reuse(struct rna_batch *b);
/* 1 when a record of that many tokens and targets still fits. */
int rna_batch_fits(const struct rna_batch *b, uint64_t ntokens, uint64_t nrows);
/*
 * Adds a record's `tokens` (and `segment`, `masked`, `target` when there).  key: rna_rng_key(seed, epoch, rid, chunk,
 * RNA_RNG_DROPOUT) of the record; 0 in inference.  RNA_EFORMAT when tokens are not the vocabulary's, masked positions
 * are out of range, or the record is longer than the model takes.  Each row's weight is 1; slots are the caller's to
 * fill.
 */
enum rna_status rna_batch_add(struct rna_batch *b, const struct rna_model *m, const struct rna_record *rec,
    uint64_t key, struct rna_err *err) RNA_CHECK;
/* Into the inputs of the lists that run from now on, which computes nothing itself; a device is not waited for. */
enum rna_status
rna_batch_upload(const struct rna_batch *b, struct rk *rk, struct rna_tape_inputs *in, struct rna_err *err) RNA_CHECK;

#endif
