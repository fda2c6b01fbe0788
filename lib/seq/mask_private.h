/*
 * mask_private.h: between mask.c and mask_paddle.c.
 */
#ifndef RNA_MASK_PRIVATE_H
#define RNA_MASK_PRIVATE_H

#include "seq/mask.h"
#include "stream/rng.h"

/* Memory of one thread for one record at a time; it grows and is used again. */
struct rna_mask_work {
	uint8_t *tokens;        /* [cap] the row, to be changed */
	uint8_t *code;          /* [cap] base codes, RNA_MOTIF_BREAK elsewhere */
	uint8_t *mark;          /* [cap] 1: masked */
	uint8_t *spans;         /* [cap] scratch of the subsequence strategy */
	uint32_t *cand;         /* [cap] positions that may be masked, ascending */
	uint32_t *pick;         /* [cap] scratch: positions to draw from */
	size_t cap;
	struct rna_hit *hits;
	size_t nhits, hits_cap;
	uint32_t ntokens, ncand;
};

/* Finds all motifs of the row in work->code; hits are appended at work->nhits. */
enum rna_status rna_mask_hits(struct rna_mask_work *w, const struct rna_automaton *a) RNA_CHECK;
/* Masks a hit unless a base of it is masked. */
int rna_mask_hit(struct rna_mask_work *w, const struct rna_hit *hit);

/* The released code's ways: marks bases of the row.  a: databases, b: statistics. */
uint32_t rna_mask_paddle_quota(double rate, uint32_t ncand, enum rna_mask_strategy strategy);
void rna_mask_paddle_spans(struct rna_mask_work *w, struct rna_rng *rng, double rate);
enum rna_status rna_mask_paddle_motifs(struct rna_mask_work *w, struct rna_rng *rng, double rate,
    const struct rna_automaton *a, const struct rna_automaton *b) RNA_CHECK;

#endif
