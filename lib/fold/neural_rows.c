/*
 * neural_rows.c: four cells at once, in C that every machine has, and the choice among the levels.
 */
#include <math.h>
#include <string.h>

#include "fold/neural_rows.h"

/* Four cells, wherever they lie. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t four_int __attribute__((vector_size(16)));

static inline four
larger(four a, four b)
{
	four_int first = a > b;

	return (four)((first & (four_int)a) | (~first & (four_int)b));
}

#define ROWS rna_neural_rows_plain
#define NAME "plain"
#define LANES 4
#define AT_ONCE 4
#define V four
#define LOAD(p) (*(const four *)(p))
#define STORE(p, v) (*(four *)(p) = (v))
#define SET1(x) ((four){x, x, x, x})
#define ADD(a, b) ((a) + (b))
#define MAX(a, b) larger(a, b)
#include "fold/neural_rows_text.h"

const struct neural_rows *
rna_neural_rows(void)
{
#if defined(__x86_64__)
	const struct fold_rows *level = rna_fold_rows();

	if (level == &rna_fold_rows_avx512)
		return &rna_neural_rows_avx512;
	if (level == &rna_fold_rows_avx2)
		return &rna_neural_rows_avx2;
#endif
	return &rna_neural_rows_plain;
}
