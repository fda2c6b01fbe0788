/*
 * folded.c: the structure of a record, whichever field holds it.
 */
#include <string.h>

#include "seq/folded.h"
#include "seq/structure.h"
#include "seq/text_value.h"

/* A record may come from anywhere: partners are checked before anything indexes by them. */
static enum rna_status
check_partners(const int32_t *pair, size_t n, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t j = pair[i];

		if (j < -1 || j >= (int64_t)n || j == (int64_t)i || (j >= 0 && pair[j] != (int64_t)i))
			return rna_fail(err, RNA_EFORMAT,
			    "pair: base %zu is paired with %lld, which is not paired with it", i, (long long)j);
	}
	return RNA_OK;
}

enum rna_status
rna_folded_get(struct rna_folded *r, const struct rna_record *rec, int structure, struct rna_err *err)
{
	const int32_t *pair;
	enum rna_status st;
	size_t length = 0;
	uint64_t n = 0;

	memset(r, 0, sizeof(*r));
	if ((r->seq = rna_record_get_str(rec, "seq", &r->n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq");
	if ((r->name = rna_record_get_str(rec, "name", &r->name_length)) == NULL) {
		r->name = "";
		r->name_length = 0;
	}
	if (!structure)
		return RNA_OK;
	r->structure = rna_record_get_str(rec, "structure", &length);
	pair = r->structure != NULL ? NULL : rna_record_get_vec(rec, "pair", RNA_I32, &n);
	if (r->structure == NULL && pair == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field structure and no field pair");
	if ((r->structure != NULL ? length : n) != r->n)
		return rna_fail(err, RNA_EFORMAT, "%zu bases in seq, but %zu in %s", r->n,
		    r->structure != NULL ? length : (size_t)n, r->structure != NULL ? "structure" : "pair");
	if (r->n > INT32_MAX)
		return rna_fail(err, RNA_EFORMAT, "seq is too long");
	r->has_energy = rna_text_energy(rec, &r->energy);
	if (pair != NULL) {
		r->partner = pair;
		return check_partners(pair, r->n, err);
	}
	st = rna_structure_parse(r->structure, r->n, &r->parsed, err);
	r->partner = (const int32_t *)(const void *)r->parsed.data;
	return st;
}

void
rna_folded_fini(struct rna_folded *r)
{
	rna_buf_fini(&r->parsed);
}
