/*
 * context.c: counts of bases between their neighbours, as a baseline (context.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/context.h"

static size_t
contexts(int k)
{
	size_t n = 1;
	int i;

	for (i = 0; i < 2 * k; i++)
		n *= 5;
	return n;
}

enum rna_status
rna_context_init(struct rna_context *c, int side, const struct rna_vocab *v)
{
	int k, b;

	memset(c, 0, sizeof(*c));
	if (side < 0 || side > RNA_CONTEXT_MAX)
		return RNA_EINVAL;
	c->side = side;
	memset(c->symbol, 4, sizeof(c->symbol));
	for (b = 0; b < 4; b++)
		c->symbol[v->base[b]] = (uint8_t)b;
	for (k = 0; k <= side; k++) {
		c->back_off[k] = 1;
		if ((c->count[k] = calloc(contexts(k), 4 * sizeof(uint64_t))) == NULL) {
			rna_context_fini(c);
			return RNA_EMEM;
		}
	}
	return RNA_OK;
}

void
rna_context_fini(struct rna_context *c)
{
	int k;

	for (k = 0; k <= RNA_CONTEXT_MAX; k++)
		free(c->count[k]);
	memset(c, 0, sizeof(*c));
}

/* Number of the context k wide around at.  The innermost pair is the lowest digit: a narrower context is the remainder.
 */
static size_t
context_at(const struct rna_context *c, const uint8_t *tokens, size_t n, size_t at, int k)
{
	size_t id = 0;
	int i, left, right;

	for (i = k; i >= 1; i--) {
		left = at >= (size_t)i ? c->symbol[tokens[at - (size_t)i]] : 4;
		right = at + (size_t)i < n ? c->symbol[tokens[at + (size_t)i]] : 4;
		id = id * 25 + (size_t)(left * 5 + right);
	}
	return id;
}

void
rna_context_add(struct rna_context *c, const uint8_t *tokens, size_t n)
{
	size_t at, id;
	int k, b;

	for (at = 0; at < n; at++) {
		if ((b = c->symbol[tokens[at]]) == 4)
			continue;
		id = context_at(c, tokens, n, at, c->side);
		for (k = c->side; k >= 0; k--) {
			id %= contexts(k);
			c->count[k][4 * id + (size_t)b]++;
		}
	}
}

static void
probabilities(const struct rna_context *c, size_t id, int side, double *p)
{
	const uint64_t *n;
	double total;
	int k, b;

	for (b = 0; b < 4; b++)
		p[b] = 0.25;
	for (k = 0; k <= side; k++) {
		n = c->count[k] + 4 * (id % contexts(k));
		total = c->back_off[k];
		for (b = 0; b < 4; b++)
			total += (double)n[b];
		for (b = 0; b < 4; b++)
			p[b] = ((double)n[b] + c->back_off[k] * p[b]) / total;
	}
}

/* Log likelihood of what was counted at width k, each base predicted without itself. */
static double
leave_one_out(const struct rna_context *c, int k, double a)
{
	double p[4] = {0.25, 0.25, 0.25, 0.25}, total, sum = 0;
	const uint64_t *n;
	size_t id;
	int b;

	for (id = 0; id < contexts(k); id++) {
		n = c->count[k] + 4 * id;
		total = (double)n[0] + (double)n[1] + (double)n[2] + (double)n[3];
		if (total == 0)
			continue;
		if (k > 0)
			probabilities(c, id, k - 1, p);
		for (b = 0; b < 4; b++) {
			if (n[b] > 0)
				sum += (double)n[b] * log(((double)n[b] - 1 + a * p[b]) / (total - 1 + a));
		}
	}
	return sum;
}

void
rna_context_fit(struct rna_context *c)
{
	double a, best, ll;
	int k;

	for (k = 0; k <= c->side; k++) {
		best = -INFINITY;
		for (a = 0.5; a <= 4096; a *= 2) {
			ll = leave_one_out(c, k, a);
			if (ll > best) {
				best = ll;
				c->back_off[k] = a;
			}
		}
	}
}

void
rna_context_predict(const struct rna_context *c, const uint8_t *tokens, size_t n, size_t at, double *p)
{
	probabilities(c, context_at(c, tokens, n, at, c->side), c->side, p);
}
