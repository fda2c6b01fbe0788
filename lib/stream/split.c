/*
 * split.c: units, and the two sides of a split.
 */
#include <string.h>

#include "stream/rng.h"
#include "stream/shuffle.h"
#include "stream/split.h"

void
rna_split_init(struct rna_split *sp, uint64_t seed, double fraction, const char *group)
{
	memset(sp, 0, sizeof(*sp));
	sp->seed = seed;
	sp->fraction = fraction;
	sp->group = group;
}

void
rna_split_reuse(struct rna_split *sp)
{
	sp->rid = sp->units = sp->value = 0;
}

void
rna_split_fini(struct rna_split *sp)
{
	rna_buf_fini(&sp->scratch);
}

enum rna_status
rna_split_unit(struct rna_split *sp, const struct rna_record *rec, uint64_t *unit)
{
	enum rna_status s;
	uint64_t rid;

	if ((s = rna_shuffle_rid(rec, &sp->scratch, &rid)) != RNA_OK)
		return s;
	if (sp->units == 0 || rid != sp->rid)
		sp->units++;
	sp->rid = rid;
	*unit = sp->units - 1;
	return RNA_OK;
}

enum rna_status
rna_split_side(struct rna_split *sp, const struct rna_record *rec, int *side, struct rna_err *err)
{
	const struct rna_field *f = NULL;
	uint64_t before = sp->units, value, unit;
	enum rna_status s;

	if ((s = rna_split_unit(sp, rec, &unit)) != RNA_OK)
		return rna_fail(err, s, "out of memory");
	value = sp->rid;
	if (sp->group != NULL) {
		if ((f = rna_record_find(rec, sp->group)) == NULL)
			return rna_fail(err, RNA_EFORMAT, "no field %s to group by", sp->group);
		value = rna_hash(rna_record_data(rec, f), f->size, f->dtype);
		if (sp->units == before && value != sp->value)
			return rna_fail(err, RNA_EFORMAT, "field %s differs from the last one of the same RNA",
			    sp->group);
	}
	sp->value = value;
	/* the upper 53 bits as a number in [0, 1) */
	value = rna_rng_key(sp->seed, 0, value, 0, RNA_RNG_SPLIT) >> 11;
	*side = (double)value * 0x1p-53 >= sp->fraction;
	return RNA_OK;
}
