/*
 * folddata.c: records with structures into memory.
 */
#include <stdlib.h>
#include <string.h>

#include "fold/neural.h"
#include "nn/folddata.h"

/* Room for one more; NULL: no memory. */
static struct rna_foldexample *
grow(struct rna_folddata *d)
{
	size_t cap = d->cap ? d->cap * 2 : 64;
	struct rna_foldexample *list;

	if (d->n == d->cap) {
		if (!(list = reallocarray(d->list, cap, sizeof(*list))))
			return NULL;
		d->list = list;
		d->cap = cap;
	}
	return memset(&d->list[d->n], 0, sizeof(*d->list));
}

static void
free_example(struct rna_foldexample *e)
{
	free(e->letters);
	free(e->truth);
	free(e->reference);
}

static size_t
count(const int32_t *pair, size_t n)
{
	size_t pairs = 0;

	for (size_t i = 0; i < n; i++)
		pairs += pair[i] >= 0 && (size_t)pair[i] > i;
	return pairs;
}

enum rna_status
rna_folddata_add(struct rna_folddata *d, const struct rna_record *rec, int valid, struct rna_err *err)
{
	struct rna_foldexample *e;
	const int32_t *pair;
	enum rna_status st;
	uint64_t n = 0, npair = 0;
	const char *seq = rna_record_get_str(rec, "seq", &n);

	pair = rna_record_get_vec(rec, "pair", RNA_I32, &npair);
	if (!seq || n < 1)
		return rna_fail(
		    err, RNA_EFORMAT, seq ? "an RNA without letters can't be folded" : "no field seq to fold");
	if (!pair || npair != n)
		return rna_fail(err, RNA_EFORMAT,
		    "no structure (field pair); make the stream with rna-tokenize from dot-bracket, bpseq, ct or st");
	if (d->longest && n > d->longest) {
		d->left_out++;
		return RNA_OK;
	}
	if (!(e = grow(d)))
		return rna_fail(err, RNA_EMEM, "out of memory");
	e->n = n;
	e->valid = valid;
	e->rid = 0;
	(void)rna_record_get_u64(rec, "rid", &e->rid);
	e->letters = malloc(n);
	e->truth = calloc(n, sizeof(*e->truth));
	e->reference = calloc(n, sizeof(*e->reference));
	if (!e->letters || !e->truth || !e->reference) {
		st = rna_fail(err, RNA_EMEM, "out of memory");
		goto fail;
	}
	memcpy(e->letters, seq, n);
	memcpy(e->truth, pair, n * sizeof(*pair));
	if ((st = rna_neural_reference(seq, n, pair, e->reference, NULL, err)))
		goto fail;
	d->pairs += count(e->truth, n);
	d->dropped += count(e->truth, n) - count(e->reference, n);
	d->n++;
	if (valid)
		d->nvalid++;
	else
		d->ntrain++;
	return RNA_OK;
fail:
	free_example(e);
	return st;
}

void
rna_folddata_fini(struct rna_folddata *d)
{
	for (size_t i = 0; i < d->n; i++)
		free_example(&d->list[i]);
	free(d->list);
	memset(d, 0, sizeof(*d));
}
