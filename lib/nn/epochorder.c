/*
 * epochorder.c: examples sorted by their keys (epochorder.h).
 */
#include <stdlib.h>

#include "nn/epochorder.h"

struct keyed {
	uint64_t key;
	size_t index;
};

static int
by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->index > y->index) - (x->index < y->index);
}

enum rna_status
rna_epoch_order(size_t *order, size_t n, uint64_t (*key)(const void *arg, size_t index), const void *arg,
    struct rna_err *err)
{
	struct keyed *list = calloc(n + 1, sizeof(*list));
	size_t i;

	if (list == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < n; i++)
		list[i] = (struct keyed){key(arg, order[i]), order[i]};
	qsort(list, n, sizeof(*list), by_key);
	for (i = 0; i < n; i++)
		order[i] = list[i].index;
	free(list);
	return RNA_OK;
}
