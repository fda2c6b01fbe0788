/*
 * fold_rows_avx512.c: 16 cells at once.
 */
#include "fold/fold_rows.h"

#if defined(__AVX512F__)
#include <immintrin.h>

#define ROWS        rna_fold_rows_avx512
#define NAME        "avx512"
#define LANES       16
#define V           __m512i
#define LOAD(p)     _mm512_loadu_si512((const void *)(p))
#define STORE(p, v) _mm512_storeu_si512((void *)(p), v)
#define SET1(x)     _mm512_set1_epi32(x)
#define ADD(a, b)   _mm512_add_epi32(a, b)
#define MIN(a, b)   _mm512_min_epi32(a, b)
#include "fold/fold_rows_text.h"
#endif
