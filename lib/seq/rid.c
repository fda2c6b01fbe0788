/*
 * rid.c: the identity of an RNA.
 */
#include <sys/endian.h>
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "seq/entry.h"
#include "seq/rid.h"
#include "stream/rng.h"

#define LARGE_PAGE (2u << 20)

void
rna_rid_init(struct rna_rid *r)
{
	memset(r, 0, sizeof *r);
}

void
rna_rid_fini(struct rna_rid *r)
{
	free(r->slot);
	memset(r, 0, sizeof *r);
}

static struct rna_rid_slot *
find_slot(struct rna_rid_slot *slot, size_t cap, uint64_t k)
{
	size_t i = k & (cap - 1);

	while (slot[i].key != 0 && slot[i].key != k)
		i = (i + 1) & (cap - 1);
	return &slot[i];
}

/* Memory for a table, zeroed.  A large one is looked into at random: in large pages that takes half the time. */
static struct rna_rid_slot *
make_table(size_t cap)
{
	size_t bytes = cap * sizeof(struct rna_rid_slot);
	void *p = NULL;

	if (bytes < LARGE_PAGE)
		return calloc(cap, sizeof(struct rna_rid_slot));
	if (posix_memalign(&p, LARGE_PAGE, bytes) != 0)
		return NULL;
#ifdef MADV_HUGEPAGE
	(void)madvise(p, bytes, MADV_HUGEPAGE);
#endif
	return memset(p, 0, bytes);
}

static enum rna_status
grow(struct rna_rid *r)
{
	size_t cap = r->cap > 0 ? r->cap * 2 : 4096, i;
	struct rna_rid_slot *slot = make_table(cap);

	if (slot == NULL)
		return RNA_EMEM;
	for (i = 0; i < r->cap; i++)
		if (r->slot[i].key != 0)
			*find_slot(slot, cap, r->slot[i].key) = r->slot[i];
	free(r->slot);
	r->slot = slot;
	r->cap = cap;
	return RNA_OK;
}

enum rna_status
rna_rid_hash(struct rna_buf *scratch, const char *name, size_t n_name, const void *seq, size_t n_seq, uint64_t before,
    uint64_t *hash)
{
	return rna_entry_hash(seq, n_seq, rna_hash(name, n_name, before), scratch, hash);
}

enum rna_status
rna_rid_expect(struct rna_rid *r, uint64_t hash)
{
	enum rna_status st;

	if (r->n >= r->cap - r->cap / 4 && (st = grow(r)) != RNA_OK)
		return st;
	__builtin_prefetch(&r->slot[hash & (r->cap - 1)], 1);
	return RNA_OK;
}

uint64_t
rna_rid_count(struct rna_rid *r, uint64_t hash)
{
	struct rna_rid_slot *slot;
	unsigned char occurrence[4];

	hash = hash == 0 ? 1 : hash;    /* 0: a free slot */
	slot = find_slot(r->slot, r->cap, hash);
	r->n += slot->key == 0;
	slot->key = hash;
	le32enc(occurrence, slot->count++);
	return rna_hash(occurrence, sizeof occurrence, hash);
}
