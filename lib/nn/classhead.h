/*
 * classhead.h: the class head of a model on a tape: what it reads of each input, and what the inputs that are parts of
 * one RNA (chunks, type replicates) say together (formats/model.md).
 */
#ifndef RNA_CLASSHEAD_H
#define RNA_CLASSHEAD_H

#include "nn/model.h"

/* Numbers that the head reads of a sequence: the hidden width, or RNA_INTERACT_VECTOR. */
int rna_classhead_width(const struct rna_config *c);
/* 1: the head learns what to read of all tokens of a sequence; a frozen backbone's states are not summed up for it. */
int rna_classhead_by_tokens(const struct rna_config *c);
/*
 * What the head reads of each sequence, of the last hidden states: [seqs, width].  params: m's, or others that hold
 * the head under the same names.
 */
rna_t rna_classhead_read(
    struct rna_tape *t, const struct rna_params *params, const struct rna_config *c, rna_t last);
/* 1 when that is the last hidden state of [CLS] alone, as rna_encoder_rows makes it. */
int rna_classhead_reads_cls(const struct rna_config *c);
/*
 * Logits [slots, classes] (config.labels) from what rna_classhead_read gave; a slot's sequences (part_first, part_count
 * of the batch) are its parts, weight [seqs, 1] their shares, which add up to 1.  Attention over chunks makes its own.
 */
rna_t rna_classhead_logits(
    struct rna_tape *t, const struct rna_params *params, const struct rna_config *c, rna_t vectors, rna_t weight);

#endif
