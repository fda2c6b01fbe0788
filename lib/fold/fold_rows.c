/*
 * fold_rows.c: one cell at a time, for any machine, and the choice among the levels.
 */
#include <stdlib.h>
#include <string.h>

#include "fold/fold_rows.h"

#define ROWS        rna_fold_rows_plain
#define NAME        "plain"
#define LANES       1
#define V           int32_t
#define LOAD(p)     (*(p))
#define STORE(p, v) (*(p) = (v))
#define SET1(x)     (x)
#define ADD(a, b)   ((a) + (b))
#define MIN(a, b)   ((a) < (b) ? (a) : (b))
#include "fold/fold_rows_text.h"

const struct fold_rows *
rna_fold_rows(void)
{
#if defined(__x86_64__)
	const char *level = getenv("RILL_CPU");
	int lanes = 16;

	if (level != NULL && strncmp(level, "avx512", 6) != 0)
		lanes = strcmp(level, "avx2") == 0 ? 8 : 1;
	if (lanes >= 16 && __builtin_cpu_supports("avx512f"))
		return &rna_fold_rows_avx512;
	if (lanes >= 8 && __builtin_cpu_supports("avx2"))
		return &rna_fold_rows_avx2;
#endif
	return &rna_fold_rows_plain;
}
