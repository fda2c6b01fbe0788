/*
 * below.h: numbers for random cases, the same in every run (Marsaglia's xorshift, 13-7-17).
 */
#ifndef RNA_BELOW_H
#define RNA_BELOW_H

#include <stdint.h>

/* 0 to n - 1; n at least 1. */
static inline unsigned
below(unsigned n)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

#endif
