/*
 * sum_rows_avx512.c: eight cells at once.
 */
#include <string.h>

#include "fold/sum_rows.h"

#if defined(__AVX512F__)
#define ROWS rna_sum_rows_avx512
#define NAME "avx512"
#define LANES 8
#include "fold/sum_rows_text.h"
#endif
