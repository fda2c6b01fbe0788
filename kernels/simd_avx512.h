/*
 * simd_avx512.h: vectors of 16 floats.  With bf16 and VNNI: dot products of bf16 pairs and byte quads.
 * The three simd_*.h files define the same names; simd.h adds what follows from them.
 */
#ifndef SIMD_H
#define SIMD_H

#include <immintrin.h>
#include <stdint.h>

/* Lanes; rows and vectors of a micro-tile: 24 accumulators of 32 registers. */
enum { VL = 16, MR = 6, NV = 4, LOG_VL = 4 };

typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
#define INLINE static inline __attribute__((always_inline))

#ifdef __AVX512BF16__
#define SIMD_BF16 1
#endif
#ifdef __AVX512VNNI__
#define SIMD_VNNI 1
#endif

INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
INLINE vf vf_load(const void *p) { return _mm512_loadu_ps(p); }
INLINE void vf_store(void *p, vf x) { _mm512_storeu_ps(p, x); }
/* To memory past the caches, p aligned to 64; other threads see it after simd_fence. */
INLINE void vf_stream(void *p, vf x) { _mm512_stream_ps(p, x); }
INLINE void simd_fence(void) { _mm_sfence(); }
INLINE __mmask16 first(int n) { return (__mmask16)((1u << n) - 1); }
/* The first n lanes, 0 <= n < VL; the others are zero, and their memory is not touched. */
INLINE vf vf_load_some(const void *p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
INLINE void vf_store_some(void *p, vf x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/* The second operand when either is NaN. */
INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vi vi_round(vf a) { return (vi)_mm512_cvtps_epi32(a); }
INLINE vf vf_scale(vf a, vf n) { return _mm512_scalef_ps(a, n); }       /* a 2^n, n whole */
INLINE vf vf_from_int(vi a) { return _mm512_cvtepi32_ps((__m512i)a); }
INLINE float vf_sum(vf a) { return _mm512_reduce_add_ps(a); }
INLINE float vf_highest(vf a) { return _mm512_reduce_max_ps(a); }

/* The lanes of a and b taken in turn, lower and upper half. */
INLINE vf
vf_mix_low(vf a, vf b)
{
	return _mm512_permutex2var_ps(a, _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), b);
}

INLINE vf
vf_mix_high(vf a, vf b)
{
	return _mm512_permutex2var_ps(
	    a, _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), b);
}

/* Sum of squares in double: 8 partial sums. */
typedef double vd __attribute__((vector_size(64)));
enum { VDL = 8 };
INLINE vd vd_load_float(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }

/* Four-byte words of a and b multiplied and added to acc.  In asm, because gcc 12 spills around the intrinsics. */
INLINE vf
dot_f32(vf acc, vf a, vf b)
{
	__asm__("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
	return acc;
}

#ifdef SIMD_BF16
INLINE vf
dot_bf16(vf acc, vf a, vf b)
{
	__asm__("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
	return acc;
}

/* 2 VL floats, lo first, as VL words of two bf16. */
INLINE vf
bf16_words(vf lo, vf hi)
{
	return (vf)_mm512_cvtne2ps_pbh(hi, lo);
}

/* Words (a[i], b[i]): two rows side by side. */
INLINE vf
bf16_pairs(vf a, vf b)
{
	__m512i lo = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(a));
	__m512i hi = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(b));

	return (vf)_mm512_or_si512(lo, _mm512_slli_epi32(hi, 16));
}
#endif

#ifdef SIMD_VNNI
INLINE vf
dot_int8(vf acc, vf a, vf b)    /* a: 4 unsigned bytes, b: 4 signed */
{
	__asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
	return acc;
}
#else
INLINE vf
dot_int8(vf acc, vf a, vf b)    /* 2 int16 each */
{
	__m512i t;

	__asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+v"(acc), "=&v"(t) : "v"(a), "v"(b));
	return acc;
}
#endif

#endif
