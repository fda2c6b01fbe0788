/*
 * split.h: which records belong together when a stream is divided: units (neighbours of one rid), shards, and the two
 * sides of a split.
 */
#ifndef RNA_SPLIT_H
#define RNA_SPLIT_H

#include <stdint.h>
#include "stream/record.h"
#include "stream/status.h"

struct rna_split {
	uint64_t seed;
	double fraction;      /* share of the units (or groups) that falls on side 0 */
	const char *group;    /* field whose equal values fall on one side; NULL: each rid by itself */
	/* state: the unit at hand */
	uint64_t rid, units;
	uint64_t value;       /* hash of its group */
	struct rna_buf scratch;
};

void rna_split_init(struct rna_split *sp, uint64_t seed, double fraction, const char *group);
/* Forgets the unit at hand; for another pass over records. */
void rna_split_reuse(struct rna_split *sp);
void rna_split_fini(struct rna_split *sp);
/*
 * Takes the next record and gives the 0-based number of its unit: neighbours of one rid share it.
 */
enum rna_status rna_split_unit(struct rna_split *sp, const struct rna_record *rec, uint64_t *unit) RNA_CHECK;
/*
 * Takes the next record and gives its side, 0 or 1: a hash of seed and rid (or group), whatever the order.
 * RNA_EFORMAT when the field of the group is missing, or differs within a unit.
 */
enum rna_status rna_split_side(struct rna_split *sp, const struct rna_record *rec, int *side,
    struct rna_err *err) RNA_CHECK;

#endif
