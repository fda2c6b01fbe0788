/*
 * rng.c: counter-based draws and the stable hash.  Nothing here may ever change: record identities (rid), masks,
 * splits and initial weights are functions of it.  tests/unit_stream.c pins the values.
 */
#include <sys/endian.h>
#include <math.h>
#include "stream/rng.h"

#define P1 UINT64_C(0x9E3779B185EBCA87)
#define P2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define P3 UINT64_C(0x165667B19E3779F9)
#define P4 UINT64_C(0x85EBCA77C2B2AE63)
#define P5 UINT64_C(0x27D4EB2F165667C5)

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

/* A bijection of 64 bits in which every input bit reaches every output bit (the finaliser of splitmix64). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

uint64_t
rna_rng_key(uint64_t seed, uint64_t epoch, uint64_t rid, uint64_t chunk, enum rna_purpose purpose)
{
	uint64_t k;

	k = mix(seed + P1);
	k = mix((k ^ epoch) + P2);
	k = mix((k ^ rid) + P3);
	k = mix((k ^ chunk) + P4);
	return mix((k ^ (uint64_t)purpose) + P5);
}

void
rna_rng_init(struct rna_rng *rng, uint64_t key)
{
	rng->key = key;
	rng->counter = 0;
}

/* Two rounds, so that the sequences of two keys are never one another's continuation. */
uint64_t
rna_rng_u64(struct rna_rng *rng)
{
	return mix(rng->key ^ mix(++rng->counter * P1));
}

uint32_t
rna_rng_below(struct rna_rng *rng, uint32_t n)
{
	uint64_t m;
	uint32_t least;

	/* the high word of x * n is uniform once the low words that occur once too often are drawn again */
	m = (rna_rng_u64(rng) >> 32) * n;
	if ((uint32_t)m < n) {
		least = (uint32_t)-n % n;
		while ((uint32_t)m < least)
			m = (rna_rng_u64(rng) >> 32) * n;
	}
	return (uint32_t)(m >> 32);
}

double
rna_rng_double(struct rna_rng *rng)
{
	return (double)(rna_rng_u64(rng) >> 11) * 0x1p-53;
}

double
rna_rng_normal(struct rna_rng *rng)
{
	double r, a;

	r = sqrt(-2.0 * log(1.0 - rna_rng_double(rng))); /* 1 - u is in (0, 1] */
	a = 2.0 * 3.14159265358979323846 * rna_rng_double(rng);
	return r * cos(a);
}

static uint64_t
xxround(uint64_t a, uint64_t x)
{
	return rotl(a + x * P2, 31) * P1;
}

static uint64_t
xxmerge(uint64_t h, uint64_t v)
{
	return (h ^ xxround(0, v)) * P1 + P4;
}

/* XXH64: a published function, so that any program in any language can make the same rid. */
uint64_t
rna_hash(const void *data, size_t n, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t v0, v1, v2, v3, h;
	size_t left = n;

	if (n >= 32) {
		v0 = seed + P1 + P2;
		v1 = seed + P2;
		v2 = seed;
		v3 = seed - P1;
		for (; left >= 32; p += 32, left -= 32) {
			v0 = xxround(v0, le64dec(p));
			v1 = xxround(v1, le64dec(p + 8));
			v2 = xxround(v2, le64dec(p + 16));
			v3 = xxround(v3, le64dec(p + 24));
		}
		h = rotl(v0, 1) + rotl(v1, 7) + rotl(v2, 12) + rotl(v3, 18);
		h = xxmerge(xxmerge(xxmerge(xxmerge(h, v0), v1), v2), v3);
	} else {
		h = seed + P5;
	}
	h += n;
	for (; left >= 8; p += 8, left -= 8)
		h = rotl(h ^ xxround(0, le64dec(p)), 27) * P1 + P4;
	if (left >= 4) {
		h = rotl(h ^ le32dec(p) * P1, 23) * P2 + P3;
		p += 4;
		left -= 4;
	}
	for (; left > 0; p++, left--)
		h = rotl(h ^ *p * P5, 11) * P1;
	h = (h ^ h >> 33) * P2;
	h = (h ^ h >> 29) * P3;
	return h ^ h >> 32;
}
