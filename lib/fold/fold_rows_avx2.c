/*
 * fold_rows_avx2.c: 8 cells at once.
 */
#include "fold/fold_rows.h"

#if defined(__AVX2__)
#include <immintrin.h>

#define ROWS        rna_fold_rows_avx2
#define NAME        "avx2"
#define LANES       8
#define V           __m256i
#define LOAD(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), v)
#define SET1(x)     _mm256_set1_epi32(x)
#define ADD(a, b)   _mm256_add_epi32(a, b)
#define MIN(a, b)   _mm256_min_epi32(a, b)
#include "fold/fold_rows_text.h"
#endif
