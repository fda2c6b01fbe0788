/*
 * nearby.h: discs in the plane, asked which of them a further one touches; for pictures.
 */
#ifndef RNA_NEARBY_H
#define RNA_NEARBY_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

#define RNA_NEARBY_REACH 1.2 /* most that the radii of two discs may add up to */

struct rna_disc {
	double x, y, r;
	int32_t group;
	int32_t next; /* private */
};

/* Zeroed: empty. */
struct rna_nearby {
	struct rna_disc *disc;
	size_t n, cap;
	int32_t *head; /* private: first disc of each bucket */
	size_t nheads;
};

void rna_nearby_reuse(struct rna_nearby *g); /* no discs, memory kept */
void rna_nearby_fini(struct rna_nearby *g);
enum rna_status rna_nearby_add(struct rna_nearby *g, double x, double y, double r, int32_t group) RNA_CHECK;
/* Calls visit for each disc that the one at x, y touches, until it returns something else than 0; returns that. */
int rna_nearby_each(const struct rna_nearby *g, double x, double y, double r,
    int (*visit)(const struct rna_disc *disc, void *arg), void *arg);

#endif
