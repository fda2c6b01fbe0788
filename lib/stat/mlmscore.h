/*
 * mlmscore.h: how well masked tokens were predicted: loss and accuracy on bases beside the context counts, recall on
 * types.
 */
#ifndef RNA_MLMSCORE_H
#define RNA_MLMSCORE_H

#include <stddef.h>
#include <stdint.h>
#include "seq/vocab.h"
#include "stat/bootstrap.h"
#include "stat/context.h"
#include "stream/record.h"

/* One number a record; sums over records are what is reported. */
enum rna_mlm_sum {
	RNA_MLM_BASES,        /* masked bases */
	RNA_MLM_LOSS,         /* sum of their losses, nats: softmax over the whole vocabulary */
	RNA_MLM_HITS,         /* the largest of the four bases' logits is the true one */
	RNA_MLM_CONTEXT_LOSS, /* the same for the context counts, which see the true neighbours */
	RNA_MLM_CONTEXT_HITS,
	RNA_MLM_TYPES,     /* 1 when the type slot was a target */
	RNA_MLM_TYPE_HITS, /* the largest of the type tokens' logits is the true one */
	RNA_MLM_NSUMS
};

struct rna_mlmscore {
	const struct rna_vocab *vocab;
	const struct rna_context *context; /* NULL: no baseline */
	double *sum[RNA_MLM_NSUMS];        /* [n] each */
	size_t n, cap;
	uint64_t type_targets[RNA_VOCAB_MAX], type_hits[RNA_VOCAB_MAX]; /* by token */
	uint8_t *tokens;                                                /* the record at hand, restored */
	size_t tokens_cap;
};

void rna_mlmscore_init(struct rna_mlmscore *s, const struct rna_vocab *v, const struct rna_context *c);
void rna_mlmscore_fini(struct rna_mlmscore *s);
/* Adds a masked record with `tokens`, `masked`, `target` and `logits` [tokens, vocabulary]. */
enum rna_status rna_mlmscore_add(struct rna_mlmscore *s, const struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/* sum(above) / sum(below) with its interval. */
enum rna_status rna_mlmscore_ratio(const struct rna_mlmscore *s, enum rna_mlm_sum above, enum rna_mlm_sum below,
    int draws, uint64_t seed, struct rna_interval *iv) RNA_CHECK;
/* (sum(above) - sum(minus)) / sum(below), paired by record. */
enum rna_status rna_mlmscore_difference(const struct rna_mlmscore *s, enum rna_mlm_sum above, enum rna_mlm_sum minus,
    enum rna_mlm_sum below, int draws, uint64_t seed, struct rna_interval *iv) RNA_CHECK;
double rna_mlmscore_total(const struct rna_mlmscore *s, enum rna_mlm_sum which);
/* Mean recall over the types that were targets; *ntypes is their number (chance is 1 / ntypes).  NaN when none was. */
double rna_mlmscore_macro_recall(const struct rna_mlmscore *s, int *ntypes);

#endif
