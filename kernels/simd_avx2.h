/*
 * simd_avx2.h: vectors of 8 floats with fused multiply-add.  See simd_avx512.h for what the names mean.
 */
#ifndef SIMD_H
#define SIMD_H

#include <immintrin.h>
#include <stdint.h>

enum { VL = 8, MR = 6, NV = 2, LOG_VL = 3 };    /* 12 accumulators of 16 registers */

typedef float vf __attribute__((vector_size(32)));
typedef int32_t vi __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(32)));
#define INLINE static inline __attribute__((always_inline))

INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
INLINE vf vf_load(const void *p) { return _mm256_loadu_ps(p); }
INLINE void vf_store(void *p, vf x) { _mm256_storeu_ps(p, x); }
INLINE void vf_stream(void *p, vf x) { _mm256_stream_ps(p, x); }
INLINE void simd_fence(void) { _mm_sfence(); }

INLINE __m256i
first(int n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vf vf_load_some(const void *p, int n) { return _mm256_maskload_ps(p, first(n)); }
INLINE void vf_store_some(void *p, vf x, int n) { _mm256_maskstore_ps(p, first(n), x); }
INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
INLINE vi vi_round(vf a) { return (vi)_mm256_cvtps_epi32(a); }
INLINE vf vf_scale(vf a, vf n) { return (vf)((vi)a + (vi_round(n) << 23)); }
INLINE vf vf_from_int(vi a) { return _mm256_cvtepi32_ps((__m256i)a); }

INLINE float
vf_sum(vf a)
{
	__m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

	s = _mm_add_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

INLINE float
vf_highest(vf a)
{
	__m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

	s = _mm_max_ps(s, _mm_movehl_ps(s, s));
	return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

INLINE vf
vf_mix_low(vf a, vf b)
{
	return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x20);
}

INLINE vf
vf_mix_high(vf a, vf b)
{
	return _mm256_permute2f128_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b), 0x31);
}

typedef double vd __attribute__((vector_size(32)));
enum { VDL = 4 };
INLINE vd vd_load_float(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }

INLINE vf
dot_f32(vf acc, vf a, vf b)
{
	__asm__("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(a), "x"(b));
	return acc;
}

INLINE vf
dot_int8(vf acc, vf a, vf b)    /* 2 int16 each */
{
	__m256i t;

	__asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(acc), "=&x"(t) : "x"(a), "x"(b));
	return acc;
}

#endif
