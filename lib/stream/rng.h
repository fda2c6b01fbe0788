/*
 * rng.h: counter-based randomness.  A draw is a pure function of (seed, epoch, rid, chunk, purpose, counter), so that
 * masks, dropout and shuffles do not depend on the number of threads, on order, on sharding or on batching.
 */
#ifndef RNA_RNG_H
#define RNA_RNG_H

#include <stddef.h>
#include <stdint.h>

enum rna_purpose {
	RNA_RNG_MASK = 1,    /* which bases are masked, and with what */
	RNA_RNG_MIX,         /* which masking strategy a record gets */
	RNA_RNG_TYPE,        /* whether the type slot is masked */
	RNA_RNG_SHUFFLE,
	RNA_RNG_SAMPLE,
	RNA_RNG_SPLIT,
	RNA_RNG_INIT,        /* initial weights: rid = hash of the tensor's name */
	RNA_RNG_DROPOUT,
	RNA_RNG_BOOTSTRAP,
	RNA_RNG_FOLD,        /* sampled structures */
	RNA_RNG_MUTATE       /* copies with other bases; the epoch is the number of the copy */
};

struct rna_rng {
	uint64_t key;
	uint64_t counter;
};

/* The 64-bit key of one draw sequence.  chunk is 0 where there is none. */
uint64_t rna_rng_key(uint64_t seed, uint64_t epoch, uint64_t rid, uint64_t chunk, enum rna_purpose purpose);

void rna_rng_init(struct rna_rng *rng, uint64_t key);
uint64_t rna_rng_u64(struct rna_rng *rng);
uint32_t rna_rng_below(struct rna_rng *rng, uint32_t n);  /* uniform in 0..n-1, unbiased; n > 0 */
double rna_rng_double(struct rna_rng *rng);               /* uniform in [0, 1) */
double rna_rng_normal(struct rna_rng *rng);               /* mean 0, variance 1 */

/* 64-bit hash of n bytes, seeded (chain by passing the former hash).  Stable for ever: rid depends on it. */
uint64_t rna_hash(const void *data, size_t n, uint64_t seed);

#endif
