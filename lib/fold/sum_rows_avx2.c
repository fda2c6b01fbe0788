/*
 * sum_rows_avx2.c: four cells at once.
 */
#include <string.h>

#include "fold/sum_rows.h"

#if defined(__AVX2__)
#define ROWS rna_sum_rows_avx2
#define NAME "avx2"
#define LANES 4
#include "fold/sum_rows_text.h"
#endif
