/*
 * cpu_int8.h: linear layers in bytes, for inference.  Each row of x and each row of w is scaled so that its largest
 * magnitude is 127 and rounded; sums are exact 32-bit integers, so every level gives the same integers.
 * VNNI multiplies unsigned by signed bytes: x is stored with 128 added, and 128 times the sum of w's row is taken off.
 *
 * Packed: panels as in cpu_gemm.h, then the scale of every column [n up to VL], then what to take off [the same].
 */
#ifndef CPU_INT8_H
#define CPU_INT8_H

#include "cpu_gemm.h"

static inline size_t int8_tables(int n, int k) { return (size_t)words_of(INT8, k) * padded(n, VL); }

static size_t
int8_pack_size(int n, int k)
{
	return sizeof(float) * (int8_tables(n, k) + 2 * (size_t)padded(n, VL));
}

static float
highest_magnitude(const float *x, int n)
{
	vf top = vf_zero(), bad = top;

	for (int i = 0; i < n; i += VL) {
		vf v = vf_load_tail(x + i, n - i);

		top = vf_max(top, (vf)((vi)v & 0x7fffffff));
		bad += v * 0.0f;        /* NaN from NaN and infinity, which the maximum may lose */
	}
	return vf_highest(top) + vf_sum(bad);
}

/* Element k of a column to its place in the words of a panel. */
INLINE void
int8_put(float *words, size_t word, int k, int value)
{
	void *at = words + word;
#ifdef SIMD_VNNI
	int8_t *bytes = at;

	bytes[k % 4] = (int8_t)value;
#else
	int16_t *halves = at;

	halves[k % 2] = (int16_t)value;
#endif
}

static void
int8_pack_column(const struct rk_weight *w, int i)
{
	const int k = w->k, kg = words_of(INT8, k), c = i / WIDE * WIDE, wide = VL * panel_vectors(w->n, c);
	const float *row = (const float *)w->w + (size_t)i * k;
	float *panel = (float *)w->fwd + panel_at(kg, c), *scale = (float *)w->fwd + int8_tables(w->n, k);
	void *after = scale + padded(w->n, VL);
	int32_t *sum = after;
	const float top = highest_magnitude(row, k), inverse = top != 0 ? 127 / top : 0;
	int total = 0;

	for (int j = 0; j < kg * INT8_GROUP; j++) {
		int q = j < k ? (int)lrintf(row[j] * inverse) : 0;

		int8_put(panel, (size_t)(j / INT8_GROUP) * wide + (i - c), j, q);
		total += q;
	}
	scale[i] = top / 127;
	sum[i] = INT8_OFFSET * total;
}

static void
int8_pack(const struct rk_weight *w)
{
#pragma omp single
	memset(w->fwd, 0, int8_pack_size(w->n, w->k));
#pragma omp for schedule(dynamic, 16)
	for (int i = 0; i < w->n; i++)
		int8_pack_column(w, i);
}

/* words [rows up to MR][words]: rows of x as bytes with 128 added, or int16; and what a unit of each row is worth. */
static void
int8_rows(float *words, float *scales, const float *x, int rows, int k)
{
	const int kg = words_of(INT8, k);

	memset(words, 0, sizeof(float) * kg * padded(rows, MR));
	for (int r = 0; r < rows; r++, x += k) {
		const float top = highest_magnitude(x, k), inverse = top != 0 ? 127 / top : 0;
		float *to = words + (size_t)r * kg;

		scales[r] = top / 127;
		for (int j = 0; j < k; j += VL) {
			vi q = vi_round(vf_load_tail(x + j, k - j) * inverse) + INT8_OFFSET;

#ifdef SIMD_VNNI
			if (k - j >= VL)
				_mm_storeu_si128((__m128i *)(to + j / 4), _mm512_cvtepi32_epi8((__m512i)q));
			else
				_mm_mask_storeu_epi8((int8_t *)to + j, first(k - j), _mm512_cvtepi32_epi8((__m512i)q));
#else
			for (int i = 0; i < least(VL, k - j); i++)
				int8_put(to, (j + i) / 2, j + i, q[i]);
#endif
		}
	}
}

/* What VL columns from c on need to turn sums into values. */
struct int8_column { vf scale; vi off; };

INLINE struct int8_column
int8_column(const float *packed, int n, int k, int c)
{
	const float *at = packed + int8_tables(n, k) + c;

	return (struct int8_column){ vf_load(at), (vi)vf_load(at + padded(n, VL)) };
}

INLINE vf
int8_value(vf sum, float scale, struct int8_column column)
{
	return vf_from_int((vi)sum - column.off) * (column.scale * scale);
}

#endif
