/*
 * context.h: the baseline of masked-base prediction: how often each base stands between the bases that flank it.
 *
 * P_k(b | k bases either side) = (n(b, context) + a P_{k-1}(b)) / (n(context) + a), P_-1 = 1/4: counts with back-off to
 * the narrower context.  a is chosen for each width by leave-one-out likelihood on the counted data.  Ends of a
 * sequence and letters other than the four bases are a fifth symbol of the context.
 */
#ifndef RNA_CONTEXT_H
#define RNA_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include "seq/vocab.h"
#include "stream/status.h"

#define RNA_CONTEXT_MAX 5

struct rna_context {
	int side;                             /* bases either side */
	double back_off[RNA_CONTEXT_MAX + 1]; /* a of each width */
	uint64_t *count[RNA_CONTEXT_MAX + 1]; /* [5^(2k)][4] */
	uint8_t symbol[256];                  /* token -> 0..3 for the bases, 4 for all else */
};

/* RNA_EINVAL when side is not 0..RNA_CONTEXT_MAX, RNA_EMEM. */
enum rna_status rna_context_init(struct rna_context *c, int side, const struct rna_vocab *v) RNA_CHECK;
void rna_context_fini(struct rna_context *c);
/* Counts a row of tokens. */
void rna_context_add(struct rna_context *c, const uint8_t *tokens, size_t n);
/* Chooses the back-off weights: after the last add, before the first predict. */
void rna_context_fit(struct rna_context *c);
/* p[4]: probabilities of A, C, G, U at position at, from its true neighbours. */
void rna_context_predict(const struct rna_context *c, const uint8_t *tokens, size_t n, size_t at, double *p);

#endif
