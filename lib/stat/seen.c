/*
 * seen.c: a set of ids (seen.h): open addressing, at most half full.
 */
#include <stdlib.h>
#include <string.h>

#include "stat/seen.h"
#include "stream/rng.h"

static size_t
slot_of(const uint64_t *ids, size_t cap, uint64_t id)
{
	size_t at = rna_hash(&id, sizeof(id), 0) & (cap - 1);

	while (ids[at] != 0 && ids[at] != id)
		at = (at + 1) & (cap - 1);
	return at;
}

static enum rna_status
grow(struct rna_seen *s)
{
	size_t cap = s->cap > 0 ? 2 * s->cap : 1024, i;
	uint64_t *ids = calloc(cap, sizeof(*ids));

	if (ids == NULL)
		return RNA_EMEM;
	for (i = 0; i < s->cap; i++)
		if (s->id[i] != 0)
			ids[slot_of(ids, cap, s->id[i])] = s->id[i];
	free(s->id);
	s->id = ids;
	s->cap = cap;
	return RNA_OK;
}

enum rna_status
rna_seen_add(struct rna_seen *s, uint64_t id, int *was)
{
	size_t at;

	if (id == 0) {
		*was = s->zero;
		s->zero = 1;
		return RNA_OK;
	}
	if (s->n >= s->cap / 2 && grow(s) != RNA_OK)
		return RNA_EMEM;
	at = slot_of(s->id, s->cap, id);
	*was = s->id[at] == id;
	s->n += !*was;
	s->id[at] = id;
	return RNA_OK;
}

void
rna_seen_fini(struct rna_seen *s)
{
	free(s->id);
	memset(s, 0, sizeof(*s));
}
