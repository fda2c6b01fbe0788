/*
 * neural_rows_avx512.c: 16 cells at once.
 */
#include "fold/neural_rows.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#include <math.h>

#define ROWS rna_neural_rows_avx512
#define NAME "avx512"
#define LANES 16
#define AT_ONCE 8
#define V __m512
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define SET1(x) _mm512_set1_ps(x)
#define ADD(a, b) _mm512_add_ps(a, b)
#define MAX(a, b) _mm512_max_ps(a, b)
#include "fold/neural_rows_text.h"
#endif
