/*
 * cpu_gemm.h: matrix products.  C += A B in micro-tiles of MR rows and up to NV vectors, k running innermost in
 * four-byte words (one float, two bf16, two int16 or four bytes), so that every element of C is one chain of
 * multiply-adds over k in ascending order.  How rows, columns and k are cut up never changes a bit of the result.
 */
#ifndef CPU_GEMM_H
#define CPU_GEMM_H

#include "simd.h"

/* What the words of an operand hold. */
enum kind {
	F32,        /* a float */
	ROUNDED,    /* a float rounded to bf16: bf16 on machines without its dot product */
	BF16,       /* two bf16 */
	INT8        /* VNNI: four bytes; else two int16 */
};

enum { WIDE = NV * VL };        /* columns of a panel */

#ifdef SIMD_VNNI
enum { INT8_GROUP = 4, INT8_OFFSET = 128 };
#else
enum { INT8_GROUP = 2, INT8_OFFSET = 0 };
#endif

static inline enum kind
kind_of(enum rk_precision p)
{
#ifdef SIMD_BF16
	return p == RK_FP32 ? F32 : p == RK_BF16 ? BF16 : INT8;
#else
	return p == RK_FP32 ? F32 : p == RK_BF16 ? ROUNDED : INT8;
#endif
}

/* Elements in a word, and words that hold k elements. */
static inline int group_of(enum kind kind) { return kind == INT8 ? INT8_GROUP : kind == BF16 ? 2 : 1; }
static inline int words_of(enum kind kind, int k) { return blocks(k, group_of(kind)); }

/* Vectors of the panel that begins at column c of n, and where it begins in a packed matrix of kg words a column. */
static inline int panel_vectors(int n, int c) { return least(NV, blocks(n - c, VL)); }
static inline size_t panel_at(int kg, int c) { return (size_t)kg * c; }

/* 1. Micro-kernels */

/* row + ld, behind the compiler's back: it would work out the address of every row at the start and spill them. */
INLINE float *
next_row(float *row, long ld)
{
	row += ld;
	__asm__("" : "+r"(row));
	return row;
}

/*
 * c[MR][nv * VL] = (add ? c : 0) + a b over kg words.  a: word (i, w) at a[i * si + w * sw]; b: a panel [kg][nv * VL].
 * Never inlined and fully unrolled: otherwise gcc 12 keeps the accumulators in memory.
 */
typedef void micro_fn(long kg, const float *a, long si, long sw, const float *b, float *c, long ldc, int add);

#define MICRO(name, dot, nv) \
static __attribute__((noinline)) void \
name(long kg, const float *a, long si, long sw, const float *b, float *c, long ldc, int add) \
{ \
	vf r[MR][nv]; \
	float *row = c; \
 \
	_Pragma("GCC unroll 8") for (int i = 0; i < MR; i++, row = next_row(row, ldc)) \
		_Pragma("GCC unroll 4") for (int j = 0; j < nv; j++) \
			r[i][j] = add ? vf_load(row + j * VL) : vf_zero(); \
	for (; kg > 0; kg--, a += sw, b += nv * VL) { \
		vf w[nv]; \
 \
		_Pragma("GCC unroll 4") for (int j = 0; j < nv; j++) \
			w[j] = vf_load(b + j * VL); \
		_Pragma("GCC unroll 8") for (int i = 0; i < MR; i++) { \
			vf x = vf_set1(a[i * si]); \
 \
			_Pragma("GCC unroll 4") for (int j = 0; j < nv; j++) \
				r[i][j] = dot(r[i][j], x, w[j]); \
		} \
	} \
	row = c; \
	_Pragma("GCC unroll 8") for (int i = 0; i < MR; i++, row = next_row(row, ldc)) \
		_Pragma("GCC unroll 4") for (int j = 0; j < nv; j++) \
			vf_store(row + j * VL, r[i][j]); \
}

MICRO(micro_f32_1, dot_f32, 1)
MICRO(micro_f32_2, dot_f32, 2)
MICRO(micro_int8_1, dot_int8, 1)
MICRO(micro_int8_2, dot_int8, 2)
#if defined(__AVX512F__)
MICRO(micro_f32_3, dot_f32, 3)
MICRO(micro_f32_4, dot_f32, 4)
MICRO(micro_int8_3, dot_int8, 3)
MICRO(micro_int8_4, dot_int8, 4)
#endif
#ifdef SIMD_BF16
MICRO(micro_bf16_1, dot_bf16, 1)
MICRO(micro_bf16_2, dot_bf16, 2)
MICRO(micro_bf16_3, dot_bf16, 3)
MICRO(micro_bf16_4, dot_bf16, 4)
#endif

static inline micro_fn *
micro_of(enum kind kind, int nv)
{
#if defined(__AVX512F__)
	static micro_fn *const f32[] = { micro_f32_1, micro_f32_2, micro_f32_3, micro_f32_4 };
	static micro_fn *const int8[] = { micro_int8_1, micro_int8_2, micro_int8_3, micro_int8_4 };
#else
	static micro_fn *const f32[] = { micro_f32_1, micro_f32_2 };
	static micro_fn *const int8[] = { micro_int8_1, micro_int8_2 };
#endif
#ifdef SIMD_BF16
	static micro_fn *const bf16[] = { micro_bf16_1, micro_bf16_2, micro_bf16_3, micro_bf16_4 };

	if (kind == BF16)
		return bf16[nv - 1];
#endif
	return kind == INT8 ? int8[nv - 1] : f32[nv - 1];
}

/* 2. Packing (float sources; int8 has its own in cpu_int8.h) */

/* VL words from the first `left` elements at p; zeros after them. */
INLINE vf
load_words(enum kind kind, const float *p, int left)
{
#ifdef SIMD_BF16
	if (kind == BF16) {
		vf lo = left > 0 ? vf_load_tail(p, left) : vf_zero();

		return bf16_words(lo, left > VL ? vf_load_tail(p + VL, left - VL) : vf_zero());
	}
#endif
	if (left <= 0)
		return vf_zero();
	return kind == F32 ? vf_load_tail(p, left) : vf_to_bf16(vf_load_tail(p, left));
}

/* VL words from `left` columns of two rows side by side; F32 and ROUNDED take the first row alone. */
INLINE vf
pair_words(enum kind kind, const float *p, const float *q, int left)
{
#ifdef SIMD_BF16
	if (kind == BF16)
		return bf16_pairs(vf_load_tail(p, left), q != NULL ? vf_load_tail(q, left) : vf_zero());
#else
	(void)q;
#endif
	return kind == F32 ? vf_load_tail(p, left) : vf_to_bf16(vf_load_tail(p, left));
}

INLINE void
rows_as(enum kind kind, float *dst, const float *src, size_t ld, int rows, int k)
{
	const int g = group_of(kind), kg = words_of(kind, k);

	for (int r = 0; r < rows; r++)
		for (int w = 0; w < kg; w += VL)
			vf_store_tail(
			    dst + (size_t)r * kg + w, load_words(kind, src + r * ld + w * g, k - w * g), kg - w);
}

/* dst [rows up to a multiple of MR][words]: rows of src as the A operand; rows added are zero. */
static void
pack_rows(enum kind kind, float *dst, const float *src, size_t ld, int rows, int k)
{
	const int kg = words_of(kind, k);

	if (kind == F32)
		rows_as(F32, dst, src, ld, rows, k);
	else if (kind == ROUNDED)
		rows_as(ROUNDED, dst, src, ld, rows, k);
#ifdef SIMD_BF16
	else
		rows_as(BF16, dst, src, ld, rows, k);
#endif
	memset(dst + (size_t)rows * kg, 0, sizeof(float) * kg * (padded(rows, MR) - rows));
}

INLINE void
turned_as(enum kind kind, float *dst, const float *src, size_t ld, int n, int k)
{
	const int g = group_of(kind), kg = words_of(kind, k), wide = padded(n, VL);

	for (int c = 0; c < wide; c += VL)
		for (int w = 0; w < kg; w += VL) {
			vf v[VL];

#pragma GCC unroll 16
			for (int i = 0; i < VL; i++)
				v[i] =
				    load_words(kind, src + least(c + i, n - 1) * ld + w * g, c + i < n ? k - w * g : 0);
			vf_transpose(v);
#pragma GCC unroll 16
			for (int i = 0; i < VL; i++)
				if (w + i < kg)
					vf_store(dst + (size_t)(w + i) * wide + c, v[i]);
		}
}

/* One panel of B from n <= WIDE rows of src, k along the row: dst [words][n up to a multiple of VL]. */
static void
pack_turned(enum kind kind, float *dst, const float *src, size_t ld, int n, int k)
{
	if (kind == F32)
		turned_as(F32, dst, src, ld, n, k);
	else if (kind == ROUNDED)
		turned_as(ROUNDED, dst, src, ld, n, k);
#ifdef SIMD_BF16
	else
		turned_as(BF16, dst, src, ld, n, k);
#endif
}

/* Asks for n floats of each of `rows` rows ahead: those of a column of panels lie far apart in memory. */
enum { AHEAD = 8 };

INLINE void
fetch_rows(const float *p, size_t ld, int rows, int n)
{
#pragma GCC unroll 2
	for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
		for (int c = 0; c < n; c += 64 / (int)sizeof(float))
			__builtin_prefetch(p + r * ld + c, 0, 3);
}

INLINE void
straight_as(enum kind kind, float *dst, const float *src, size_t ld, int n, int k)
{
	const int g = group_of(kind), kg = words_of(kind, k), wide = padded(n, VL);

	for (int w = 0; w < kg; w++) {
		const float *p = src + (size_t)w * g * ld, *q = g == 2 && w * g + 1 < k ? p + ld : NULL;

		fetch_rows(p + AHEAD * ld, ld, g, WIDE);
		for (int c = 0; c < wide; c += VL)
			vf_store(dst + (size_t)w * wide + c, pair_words(kind, p + c, q != NULL ? q + c : NULL, n - c));
	}
}

/* One panel of B from n <= WIDE columns of k rows of src. */
static void
pack_straight(enum kind kind, float *dst, const float *src, size_t ld, int n, int k)
{
	if (kind == F32)
		straight_as(F32, dst, src, ld, n, k);
	else if (kind == ROUNDED)
		straight_as(ROUNDED, dst, src, ld, n, k);
#ifdef SIMD_BF16
	else
		straight_as(BF16, dst, src, ld, n, k);
#endif
}

/* 3. Products of packed operands */

/* c[rows up to MR][n up to VL] (+)= a b: one panel of b, rows of a at si, words at sw. */
static inline void
product(enum kind kind, int rows, int n, int kg, const float *a, long si, long sw, const float *b, float *c, long ldc,
    int add)
{
	micro_fn *micro = micro_of(kind, blocks(n, VL));

	for (int r = 0; r < rows; r += MR)
		micro(kg, a + r * si, si, sw, b, c + r * ldc, ldc, add);
}

#endif
