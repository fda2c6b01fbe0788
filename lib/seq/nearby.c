/*
 * nearby.c: discs hashed by the square of the plane that their centre is in.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/nearby.h"

static int64_t
square(double x)
{
	return (int64_t)floor(x / RNA_NEARBY_REACH);
}

static size_t
bucket(const struct rna_nearby *g, int64_t a, int64_t b)
{
	uint64_t h = (uint64_t)a * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)b * UINT64_C(0xc2b2ae3d27d4eb4f);

	return (size_t)((h ^ h >> 32) & (g->nheads - 1));
}

void
rna_nearby_reuse(struct rna_nearby *g)
{
	g->n = 0;
	if (g->head != NULL)
		memset(g->head, 0xff, g->nheads * sizeof(*g->head));
}

void
rna_nearby_fini(struct rna_nearby *g)
{
	free(g->disc);
	free(g->head);
	memset(g, 0, sizeof(*g));
}

static void
link_disc(struct rna_nearby *g, size_t i)
{
	size_t b = bucket(g, square(g->disc[i].x), square(g->disc[i].y));

	g->disc[i].next = g->head[b];
	g->head[b] = (int32_t)i;
}

static enum rna_status
grow(struct rna_nearby *g)
{
	size_t cap = g->cap > 0 ? 2 * g->cap : 256, i;
	struct rna_disc *disc;
	int32_t *head;

	if (cap > INT32_MAX / 2 || (disc = reallocarray(g->disc, cap, sizeof(*disc))) == NULL)
		return RNA_EMEM;
	g->disc = disc;
	if ((head = reallocarray(g->head, 2 * cap, sizeof(*head))) == NULL)
		return RNA_EMEM;
	g->head = head;
	g->cap = cap;
	g->nheads = 2 * cap;
	memset(g->head, 0xff, g->nheads * sizeof(*g->head));
	for (i = 0; i < g->n; i++)
		link_disc(g, i);
	return RNA_OK;
}

enum rna_status
rna_nearby_add(struct rna_nearby *g, double x, double y, double r, int32_t group)
{
	if (g->n == g->cap && grow(g) != RNA_OK)
		return RNA_EMEM;
	g->disc[g->n] = (struct rna_disc){x, y, r, group, -1};
	link_disc(g, g->n++);
	return RNA_OK;
}

int
rna_nearby_each(const struct rna_nearby *g, double x, double y, double r,
    int (*visit)(const struct rna_disc *disc, void *arg), void *arg)
{
	int64_t a = square(x), b = square(y), i, j;
	const struct rna_disc *d;
	int32_t k;
	int stop;

	if (g->n == 0)
		return 0;
	for (i = a - 1; i <= a + 1; i++) {
		for (j = b - 1; j <= b + 1; j++) {
			for (k = g->head[bucket(g, i, j)]; k >= 0; k = d->next) {
				d = &g->disc[k];
				if (square(d->x) != i || square(d->y) != j)
					continue; /* another square in the same bucket */
				if (hypot(d->x - x, d->y - y) < d->r + r && (stop = visit(d, arg)) != 0)
					return stop;
			}
		}
	}
	return 0;
}
