/*
 * replicate.h: type guidance: which RNA types a model sees in an RNA, and the RNA once for each of them.
 */
#ifndef RNA_REPLICATE_H
#define RNA_REPLICATE_H

#include "seq/vocab.h"
#include "stream/record.h"

/* Puts [MASK] into the type slot, so that the type is predicted.  RNA_EFORMAT: no slot. */
enum rna_status rna_replicate_mask(const struct rna_vocab *v, struct rna_record *rec, struct rna_err *err) RNA_CHECK;
/*
 * The k most probable types (ids, most probable first, of equals the lower id) of n rows of type logits [n, v->ntypes]:
 * the largest logit of each type over the rows, softmax over the types.  k <= v->ntypes.
 */
enum rna_status rna_replicate_rank(const struct rna_vocab *v, const float *logits, size_t n, int k, uint8_t *types,
    float *p, struct rna_err *err) RNA_CHECK;
/*
 * Replicate number i of k of rec into out: the type in its slot and in `type`, `sigma` = p[i] / (p[0] + .. + p[k-1]),
 * `group` = hash of `rid` and chunk index, `types` and `types_p` the k types and their probabilities.
 */
enum rna_status rna_replicate_make(const struct rna_vocab *v, const struct rna_record *rec, const uint8_t *types,
    const float *p, int k, int i, struct rna_record *out, struct rna_err *err) RNA_CHECK;

#endif
