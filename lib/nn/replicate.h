/*
 * replicate.h: type guidance: which RNA types a model sees in an RNA, and the RNA once for each of them.
 */
#ifndef RNA_REPLICATE_H
#define RNA_REPLICATE_H

#include "seq/vocab.h"
#include "stream/record.h"

/* Writes a token into the type slot; v->mask: so that the type is predicted.  RNA_EFORMAT: no slot. */
enum rna_status
rna_replicate_fill(const struct rna_vocab *v, struct rna_record *rec, uint8_t token, struct rna_err *err) RNA_CHECK;
/*
 * The k most probable types (ids, most probable first, of equals the lower id) of n rows of type logits [n, v->ntypes]:
 * the largest logit of each type over the rows, softmax over the types.  k <= v->ntypes.
 */
enum rna_status rna_replicate_rank(const struct rna_vocab *v, const float *logits, size_t n, int k, uint8_t *types,
    float *p, struct rna_err *err) RNA_CHECK;
/*
 * The weights of k types: sigma[i] = p[i] / sum, over the first and those with p >= floor; the others' are 0.
 */
void rna_replicate_weigh(const float *p, int k, double floor, float *sigma);
/*
 * Replicate number i of k of rec into out: the type in its slot and in `type`, `sigma` = sigma[i], `group` = hash of
 * `rid` and chunk index, `types` and `types_p` the k types and their probabilities.
 */
enum rna_status rna_replicate_make(const struct rna_vocab *v, const struct rna_record *rec, const uint8_t *types,
    const float *p, const float *sigma, int k, int i, struct rna_record *out, struct rna_err *err) RNA_CHECK;

#endif
