/*
 * mea.c: structures from the probabilities of pairs: maximum expected accuracy, and the centroid (partition.h).
 *
 *	M(i,j) = max{ u(i) + M(i+1,j);  2 gamma p(i,k) + M(i+1,k-1) + M(k+1,j) },  u(i) = 1 - sum_k p(i,k)
 */
#include <stdlib.h>

#include "fold/partition.h"

struct mea {
	const struct rna_pair_prob *pairs;
	size_t *first; /* [n + 1] pairs of base i begin at first[i] */
	double *u;     /* [n] probability to be unpaired */
	double *m;     /* rows i = 0..n of columns i-1..n-1, M(i,i-1) = 0 */
	size_t n;
	double gamma;
};

/* M of bases i..j; j may be i - 1. */
static double *
cell(const struct mea *a, size_t i, size_t j)
{
	return a->m + i * (a->n + 1) - i * (i - 1) / 2 + (j + 1 - i);
}

static void
fill(struct mea *a)
{
	const struct rna_pair_prob *p;
	size_t i, j, k, at;
	double c, *row, *after;

	*cell(a, a->n, a->n - 1) = 0;
	for (i = a->n; i-- > 0;) {
		row = cell(a, i, i - 1);
		after = cell(a, i + 1, i);
		row[0] = 0;
		for (j = i; j < a->n; j++)
			row[j - i + 1] = a->u[i] + after[j - i];
		for (at = a->first[i]; at < a->first[i + 1]; at++) {
			p = &a->pairs[at];
			k = (size_t)p->j;
			c = 2 * a->gamma * p->p + *cell(a, i + 1, k - 1);
			after = cell(a, k + 1, k);
			for (j = k; j < a->n; j++) {
				if (c + after[j - k] > row[j - i + 1])
					row[j - i + 1] = c + after[j - k];
			}
		}
	}
}

/* The structure of bases i..j; stack[n] holds intervals [i, j). */
static void
trace(const struct mea *a, size_t *stack, int32_t *pair)
{
	size_t depth = 0, i, j, k = 0, at;
	double x;

	stack[depth++] = 0;
	stack[depth++] = a->n;
	while (depth > 0) {
		j = stack[--depth];
		i = stack[--depth];
		if (i >= j)
			continue;
		x = *cell(a, i, j - 1);
		for (at = a->first[i]; at < a->first[i + 1]; at++) {
			k = (size_t)a->pairs[at].j;
			if (x > a->u[i] + *cell(a, i + 1, j - 1) && k < j &&
			    2 * a->gamma * a->pairs[at].p + *cell(a, i + 1, k - 1) + *cell(a, k + 1, j - 1) >= x)
				break;
		}
		if (at == a->first[i + 1]) {
			stack[depth++] = i + 1;
			stack[depth++] = j;
			continue;
		}
		pair[i] = (int32_t)k;
		pair[k] = (int32_t)i;
		stack[depth++] = i + 1;
		stack[depth++] = k;
		stack[depth++] = k + 1;
		stack[depth++] = j;
	}
}

static void
index_pairs(struct mea *a, size_t npairs)
{
	size_t i, at = 0;

	for (i = 0; i < a->n; i++)
		a->u[i] = 1;
	for (i = 0; i <= a->n; i++) {
		a->first[i] = at;
		for (; at < npairs && (size_t)a->pairs[at].i == i; at++) {
			a->u[i] -= a->pairs[at].p;
			a->u[a->pairs[at].j] -= a->pairs[at].p;
		}
	}
}

enum rna_status
rna_fold_mea(const struct rna_pair_prob *pairs, size_t npairs, size_t n, double gamma, int32_t *pair, double *accuracy,
    struct rna_err *err)
{
	struct mea a = {pairs, NULL, NULL, NULL, n, gamma};
	size_t i, *stack;

	*accuracy = 0;
	if (n > INT32_MAX / 64)
		return rna_fail(err, RNA_EINVAL, "%zu nt are too many to fold", n);
	for (i = 0; i < n; i++)
		pair[i] = -1;
	if (n == 0)
		return RNA_OK;
	a.first = calloc(n + 2, sizeof(*a.first));
	a.u = calloc(n + 1, sizeof(*a.u));
	a.m = malloc((n + 2) * (n + 3) / 2 * sizeof(*a.m));
	stack = calloc(2 * n + 8, sizeof(*stack));
	if (a.first != NULL && a.u != NULL && a.m != NULL && stack != NULL) {
		index_pairs(&a, npairs);
		fill(&a);
		trace(&a, stack, pair);
		*accuracy = *cell(&a, 0, n - 1);
	}
	i = a.first != NULL && a.u != NULL && a.m != NULL && stack != NULL;
	free(a.first);
	free(a.u);
	free(a.m);
	free(stack);
	return i ? RNA_OK : rna_fail(err, RNA_EMEM, "out of memory");
}

void
rna_fold_centroid(const struct rna_pair_prob *pairs, size_t npairs, size_t n, int32_t *pair, double *distance)
{
	size_t i;

	*distance = 0;
	for (i = 0; i < n; i++)
		pair[i] = -1;
	for (i = 0; i < npairs; i++) {
		*distance += pairs[i].p > 0.5 ? 1 - pairs[i].p : pairs[i].p;
		if (pairs[i].p > 0.5) {
			pair[pairs[i].i] = pairs[i].j;
			pair[pairs[i].j] = pairs[i].i;
		}
	}
}
