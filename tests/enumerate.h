/*
 * enumerate.h: every nested structure of a short sequence, for tests that compare a dynamic programme with all there
 * is.
 */
#ifndef RNA_ENUMERATE_H
#define RNA_ENUMERATE_H

#include <string.h>

#include "fold/energy.h"

#define ENUMERATE_MAX 32

struct every_structure {
	int n;
	uint8_t code[ENUMERATE_MAX + 2];
	int32_t pair[ENUMERATE_MAX];
	void (*visit)(const int32_t *pair, void *arg);
	void *arg;
};

/* Pairs base i of the interval [i, end), then goes on with the intervals on the stack, which lie behind it. */
static inline void
enumerate_from(struct every_structure *x, int i, int end, const int *stack, int depth)
{
	int j, next[ENUMERATE_MAX + 2];

	while (i == end && depth > 0) {
		end = stack[--depth];
		i++; /* past the closing base */
	}
	if (i == end) {
		x->visit(x->pair, x->arg);
		return;
	}
	x->pair[i] = -1;
	enumerate_from(x, i + 1, end, stack, depth);
	for (j = i + 4; j < end; j++) {
		if (rna_pair_type(x->code[i + 1], x->code[j + 1]) == 0)
			continue;
		memcpy(next, stack, (size_t)depth * sizeof(int));
		next[depth] = end;
		x->pair[i] = j;
		x->pair[j] = i;
		enumerate_from(x, i + 1, j, next, depth + 1);
		x->pair[i] = x->pair[j] = -1;
	}
}

/* Calls visit with every structure of canonical pairs and hairpins of 3 bases or more. */
static inline void
enumerate(const char *seq, void (*visit)(const int32_t *pair, void *arg), void *arg)
{
	struct every_structure x = {.n = (int)strlen(seq), .visit = visit, .arg = arg};
	int stack[ENUMERATE_MAX + 2];

	rna_fold_encode(seq, (size_t)x.n, x.code);
	enumerate_from(&x, 0, x.n, stack, 0);
}

#endif
