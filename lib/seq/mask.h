/*
 * mask.h: masks bases of token rows for pretraining, by base, subsequence and motif; the type slot too.
 * What is masked depends on options, seed, epoch, rid and chunk only, never on threads or on the order of records.
 */
#ifndef RNA_MASK_H
#define RNA_MASK_H

#include <stdint.h>
#include "seq/motif.h"
#include "seq/vocab.h"
#include "stream/record.h"
#include "stream/status.h"

enum rna_mask_strategy { RNA_MASK_BASE, RNA_MASK_SUBSEQUENCE, RNA_MASK_MOTIF, RNA_MASK_STRATEGIES };

#define RNA_MASK_RATE     0.15 /* share of the bases, unless another is asked for */
#define RNA_MASK_SPAN_MIN 4    /* nt of a subsequence */
#define RNA_MASK_SPAN_MAX 8

struct rna_mask_options {
	double rate;                      /* share of the bases that is masked; 0 < rate <= 1 */
	double mix[RNA_MASK_STRATEGIES];  /* weights of the strategies, not all 0 */
	double type;                      /* probability that the type slot is masked */
	uint64_t seed, epoch;
	int paddle;                       /* the distribution of the released Paddle code (spec in rna-mask(1)) */
};

/* Sums over the records masked so far, by the strategy that each of them got. */
struct rna_mask_counts {
	uint64_t records[RNA_MASK_STRATEGIES];
	uint64_t bases[RNA_MASK_STRATEGIES];    /* bases of these records */
	uint64_t masked[RNA_MASK_STRATEGIES];   /* bases masked */
	uint64_t filled;                        /* of the motif records' masked bases, those in no motif hit */
	uint64_t types, types_masked;           /* known types in a type slot; masked ones */
};

struct rna_mask;

/*
 * lists: the motif lists, all searched at once; paddle keeps those spelled with U apart from those spelled with T.
 * NULL and err on failure.
 */
struct rna_mask *rna_mask_create(const struct rna_mask_options *opts, const struct rna_motifs *lists, size_t nlists,
    struct rna_err *err);
/*
 * The vocabulary of the records that follow, kept by reference.  RNA_EINVAL when it has no mask token.  Not to be
 * called while another thread masks.
 */
enum rna_status rna_mask_vocab(struct rna_mask *m, const struct rna_vocab *v, struct rna_err *err) RNA_CHECK;
/*
 * Replaces `tokens` by what the model sees and adds `masked` and `target`.  Several threads may call it at once.
 * RNA_EFORMAT: no tokens, no rid, or masked already.
 */
enum rna_status rna_mask_record(struct rna_mask *m, struct rna_record *rec, struct rna_err *err) RNA_CHECK;
void rna_mask_counts(const struct rna_mask *m, struct rna_mask_counts *counts);
void rna_mask_destroy(struct rna_mask *m);   /* NULL is fine */

#endif
