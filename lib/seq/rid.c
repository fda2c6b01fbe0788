/*
 * rid.c: the identity of an RNA.
 */
#include <sys/endian.h>

#include <stdlib.h>
#include <string.h>

#include "seq/rid.h"
#include "stream/rng.h"

void
rna_rid_init(struct rna_rid *r)
{
	memset(r, 0, sizeof *r);
}

void
rna_rid_fini(struct rna_rid *r)
{
	free(r->key);
	free(r->count);
	rna_buf_fini(&r->scratch);
	memset(r, 0, sizeof *r);
}

static size_t
find_slot(const uint64_t *key, size_t cap, uint64_t k)
{
	size_t i = k & (cap - 1);

	while (key[i] != 0 && key[i] != k)
		i = (i + 1) & (cap - 1);
	return i;
}

static enum rna_status
grow(struct rna_rid *r)
{
	size_t cap = r->cap > 0 ? r->cap * 2 : 4096, i, j;
	uint64_t *key = calloc(cap, sizeof *key);
	uint32_t *count = calloc(cap, sizeof *count);

	if (key == NULL || count == NULL) {
		free(key);
		free(count);
		return RNA_EMEM;
	}
	for (i = 0; i < r->cap; i++)
		if (r->key[i] != 0) {
			j = find_slot(key, cap, r->key[i]);
			key[j] = r->key[i];
			count[j] = r->count[i];
		}
	free(r->key);
	free(r->count);
	r->key = key;
	r->count = count;
	r->cap = cap;
	return RNA_OK;
}

enum rna_status
rna_rid_next(struct rna_rid *r, const char *name, size_t n_name, const struct rna_entry *e, uint64_t *rid)
{
	unsigned char occurrence[4];
	enum rna_status st;
	uint64_t h;
	size_t i;

	h = rna_hash(name, n_name, 0);
	if ((st = rna_entry_hash(e->seq.data, e->seq.len, h, &r->scratch, &h)) != RNA_OK)
		return st;
	if (e->has_b) {
		h = rna_hash(e->name_b.data, e->name_b.len, h);
		if ((st = rna_entry_hash(e->seq_b.data, e->seq_b.len, h, &r->scratch, &h)) != RNA_OK)
			return st;
	}
	if (h == 0)
		h = 1;
	if (r->n >= r->cap - r->cap / 4 && (st = grow(r)) != RNA_OK)
		return st;
	i = find_slot(r->key, r->cap, h);
	r->n += r->key[i] == 0;
	r->key[i] = h;
	le32enc(occurrence, r->count[i]++);
	*rid = rna_hash(occurrence, sizeof occurrence, h);
	return RNA_OK;
}
