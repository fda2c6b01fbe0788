/*
 * emu_warp.h: the wrappers of kernels/cuda_warp.h for the emulator.  Addresses of shared memory are offsets in it.
 */
#ifndef EMU_WARP_H
#define EMU_WARP_H

#include <stdint.h>
#include <string.h>

/* emu_run.cpp: the lane's part of a collective; every lane of the warp must come to the same one. */
void emu_matrix(const uint32_t row[4], int transposed, uint32_t r[4]);
void emu_mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1);
void emu_check_shared(uint32_t at, size_t n, size_t align);
/* 16 bytes to shared memory, or zeros (from NULL); the groups of copies of this thread, as PTX has them. */
void emu_copy(uint32_t to, const void *from);
void emu_copy_commit(void);
void emu_copy_wait(int n);

static inline uint32_t
shared_address(const void *p)
{
	return (uint32_t)((const unsigned char *)p - emu_shared());
}

static inline void
load_matrix(uint32_t (&r)[4], uint32_t at)
{
	uint32_t row[4];

	emu_check_shared(at, 16, 16);
	memcpy(row, emu_shared() + at, 16);
	emu_matrix(row, 0, r);
}

static inline void
load_matrix_transposed(uint32_t (&r)[4], uint32_t at)
{
	uint32_t row[4];

	emu_check_shared(at, 16, 16);
	memcpy(row, emu_shared() + at, 16);
	emu_matrix(row, 1, r);
}

static inline void
multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1)
{
	emu_mma(c, a, b0, b1);
}

static inline void
copy_async(uint32_t to, const void *from, bool there)
{
	emu_check_shared(to, 16, 16);
	if ((uintptr_t)from % 16 != 0)
		emu_check_shared(~0u, 16, 16);
	emu_copy(to, there ? from : NULL);
}

static inline void
copy_commit(void)
{
	emu_copy_commit();
}
template <int N>
static inline void
copy_wait(void)
{
	emu_copy_wait(N);
}

/* e4m3 of v: to nearest, ties to even, 448 at most. */
static inline uint32_t
emu_e4m3(float v)
{
	uint32_t bits, sign, rest, shift, kept;
	int e;

	memcpy(&bits, &v, 4);
	sign = bits >> 24 & 0x80;
	if ((bits & 0x7fffffff) > 0x7f800000)
		return sign | 0x7f;
	e = (int)(bits >> 23 & 0xff) - 127;
	if (e >= 9)
		return sign | 0x7e;
	rest = (bits & 0x7fffff) | 0x800000; /* 24 bits of mantissa */
	shift = e >= -6 ? 20 : 20 + (uint32_t)(-6 - e);
	if (shift > 25)
		return sign;
	kept = rest >> shift;
	rest &= ((uint32_t)1 << shift) - 1;
	kept += rest > (uint32_t)1 << (shift - 1) || (rest == (uint32_t)1 << (shift - 1) && kept & 1);
	/* kept has its first bit at 8 where it is normal; a carry raises the exponent */
	kept += e >= -6 ? (uint32_t)(e + 6) << 3 : 0;
	return sign | (kept > 0x7e ? 0x7e : kept);
}

static inline uint32_t
four_e4m3(float a, float b, float c, float d)
{
	return emu_e4m3(a) | emu_e4m3(b) << 8 | emu_e4m3(c) << 16 | emu_e4m3(d) << 24;
}

static inline void
store_shared(uint32_t at, uint32_t v)
{
	emu_check_shared(at, 4, 4);
	memcpy(emu_shared() + at, &v, 4);
}

#endif
