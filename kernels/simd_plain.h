/*
 * simd_plain.h: vectors of 4 floats in the compiler's own vector types, for any processor.  See simd_avx512.h for what
 * the names mean.
 */
#ifndef SIMD_H
#define SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { VL = 4, MR = 4, NV = 2, LOG_VL = 2 };

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef uint32_t vu __attribute__((vector_size(16)));
#define INLINE static inline __attribute__((always_inline))

INLINE vf vf_set1(float x) { return (vf){ x, x, x, x }; }
INLINE vf vf_load(const void *p) { vf x; memcpy(&x, p, sizeof(x)); return x; }
INLINE void vf_store(void *p, vf x) { memcpy(p, &x, sizeof(x)); }
INLINE void vf_stream(void *p, vf x) { vf_store(p, x); }
INLINE void simd_fence(void) { }

INLINE vf
vf_load_some(const void *p, int n)
{
	vf x = { 0 };

	memcpy(&x, p, n * sizeof(float));
	return x;
}

INLINE void vf_store_some(void *p, vf x, int n) { memcpy(p, &x, n * sizeof(float)); }
INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vf_pick(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
INLINE vf vf_max(vf a, vf b) { return vf_pick(a > b, a, b); }
INLINE vf vf_min(vf a, vf b) { return vf_pick(a < b, a, b); }
INLINE vf vf_sqrt(vf a) { return (vf){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) }; }

/* Values below 2^22 in magnitude: to nearest, ties to even. */
INLINE vf
vf_round(vf a)
{
	return a + 12582912.0f - 12582912.0f;   /* 1.5 * 2^23 */
}

INLINE vi vi_round(vf a) { return __builtin_convertvector(vf_round(a), vi); }
INLINE vf vf_scale(vf a, vf n) { return (vf)((vi)a + (vi_round(n) << 23)); }
INLINE vf vf_from_int(vi a) { return __builtin_convertvector(a, vf); }
INLINE float vf_sum(vf a) { return (a[0] + a[2]) + (a[1] + a[3]); }
INLINE float vf_highest(vf a) { return fmaxf(fmaxf(a[0], a[2]), fmaxf(a[1], a[3])); }
INLINE vf vf_mix_low(vf a, vf b) { return (vf){ a[0], b[0], a[1], b[1] }; }
INLINE vf vf_mix_high(vf a, vf b) { return (vf){ a[2], b[2], a[3], b[3] }; }

typedef double vd __attribute__((vector_size(16)));
enum { VDL = 2 };
INLINE vd vd_load_float(const float *p) { return (vd){ p[0], p[1] }; }

INLINE vf dot_f32(vf acc, vf a, vf b) { return a * b + acc; }

INLINE vf
dot_int8(vf acc, vf a, vf b)    /* 2 int16 each */
{
#if defined(__SSE2__)
	return (vf)((vi)acc + (vi)_mm_madd_epi16((__m128i)a, (__m128i)b));
#else
	vi x = (vi)a, y = (vi)b;

	return (vf)((vi)acc + (x >> 16) * (y >> 16) + ((vi)((vu)x << 16) >> 16) * ((vi)((vu)y << 16) >> 16));
#endif
}

#endif
