/*
 * sum_rows.c: the loops for any machine, and the choice among the levels.
 */
#include <stdlib.h>
#include <string.h>

#include "fold/sum_rows.h"

#define ROWS rna_sum_rows_plain
#define NAME "plain"
#define LANES 2
#include "fold/sum_rows_text.h"

const struct sum_rows *
rna_sum_rows(void)
{
#if defined(__x86_64__)
	const char *level = rna_fold_rows()->name;

	if (strcmp(level, "avx512") == 0)
		return &rna_sum_rows_avx512;
	if (strcmp(level, "avx2") == 0)
		return &rna_sum_rows_avx2;
#endif
	return &rna_sum_rows_plain;
}
