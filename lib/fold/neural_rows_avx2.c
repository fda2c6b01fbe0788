/*
 * neural_rows_avx2.c: 8 cells at once.
 */
#include "fold/neural_rows.h"

#if defined(__AVX2__)
#include <immintrin.h>
#include <math.h>

#define ROWS rna_neural_rows_avx2
#define NAME "avx2"
#define LANES 8
#define AT_ONCE 4
#define V __m256
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define SET1(x) _mm256_set1_ps(x)
#define ADD(a, b) _mm256_add_ps(a, b)
#define MAX(a, b) _mm256_max_ps(a, b)
#include "fold/neural_rows_text.h"
#endif
