/*
 * mask_paddle.c: which bases the released Paddle code masks: its distribution, with its limits and faults (rna-mask(1)
 * lists them), not its stream of random numbers.
 */
#include <math.h>

#include "seq/mask_private.h"

#define MAX_TOKENS 512         /* the quota has a ceiling of rate * MAX_TOKENS ... */
#define SPAN_MIN 5
#define SPANS 4                /* ... span lengths 5, 6, 7, 8 */
#define TAIL 9                 /* bases at the end that no span covers */

/* The ceiling is no whole number: single bases are added while fewer than it, spans only while they fit. */
uint32_t
rna_mask_paddle_quota(double rate, uint32_t ncand, enum rna_mask_strategy strategy)
{
	double n = nearbyint(rate * ncand), ceiling = rate * MAX_TOKENS;

	if (n < 1)
		n = 1;
	if (n > ceiling)
		n = strategy == RNA_MASK_BASE ? ceil(ceiling) : floor(ceiling);
	return (uint32_t)n;
}

/* Lengths weigh 1, 1/2, 1/3, 1/4. */
static int
draw_length(struct rna_rng *rng)
{
	uint32_t x = rna_rng_below(rng, 25);   /* 12, 6, 4 and 3 of 25 */

	return x < 12 ? 0 : x < 18 ? 1 : x < 22 ? 2 : 3;
}

/* Length of the i-th span from a start, cut where the last bases begin. */
static uint32_t
span_length(uint32_t start, uint32_t end, int i)
{
	uint32_t len = SPAN_MIN + (uint32_t)i;

	return len < end - start ? len : end - start;
}

void
rna_mask_paddle_spans(struct rna_mask_work *w, struct rna_rng *rng, double rate)
{
	uint32_t n = rna_mask_paddle_quota(rate, w->ncand, RNA_MASK_SUBSEQUENCE);
	uint32_t end = w->ncand > TAIL ? w->ncand - TAIL : 0, i, j, start;
	struct rna_hit span;
	int k;

	for (i = 0; i < end; i++)
		w->pick[i] = i;
	for (i = 0; i < end && n > 0; i++) {
		j = i + rna_rng_below(rng, end - i);
		start = w->pick[j];
		w->pick[j] = w->pick[i];
		k = draw_length(rng);
		while (k >= 0 && span_length(start, end, k) > n)
			k--;
		if (k < 0)
			continue;
		span.start = w->cand[start];     /* the bases of a single RNA are neighbours */
		span.len = span_length(start, end, k);
		if (rna_mask_hit(w, &span))
			n -= span.len;
	}
}

enum rna_status
rna_mask_paddle_motifs(struct rna_mask_work *w, struct rna_rng *rng, double rate, const struct rna_automaton *a,
    const struct rna_automaton *b)
{
	uint32_t n = rna_mask_paddle_quota(rate, w->ncand, RNA_MASK_MOTIF);
	struct rna_hit hit;
	enum rna_status s;
	size_t shuffled, i, j;

	w->nhits = 0;
	if ((s = rna_mask_hits(w, a)) != RNA_OK)
		return s;
	shuffled = w->nhits;
	if ((s = rna_mask_hits(w, b)) != RNA_OK)
		return s;
	for (i = 0; i < w->nhits && n > 0; i++) {
		j = i < shuffled ? i + rna_rng_below(rng, (uint32_t)(shuffled - i)) : i;
		hit = w->hits[j];
		w->hits[j] = w->hits[i];
		if (hit.len <= n && rna_mask_hit(w, &hit))
			n -= hit.len;
	}
	return RNA_OK;
}
