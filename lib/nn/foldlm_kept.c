/*
 * foldlm_kept.c: a table of RNAs, found by their letters, with the features that a frozen model gives them.
 */
#include <stdlib.h>
#include <string.h>

#include "nn/foldlm_private.h"
#include "stream/rng.h"

/* Where an RNA of the table lies, or would. */
static size_t
place(const struct foldlm_shelf *s, const char *letters, size_t n)
{
	size_t i = (size_t)rna_hash(letters, n, 0) & (s->nslots - 1);

	while (s->slot[i] && (s->slot[i]->n != n || memcmp(s->slot[i]->letters, letters, n) != 0))
		i = (i + 1) & (s->nslots - 1);
	return i;
}

struct foldlm_kept *
foldlm_kept_find(const struct foldlm_shelf *s, const char *letters, size_t n)
{
	return s->nslots ? s->slot[place(s, letters, n)] : NULL;
}

/* At most half of the slots are taken. */
static int
widen(struct foldlm_shelf *s)
{
	struct foldlm_shelf wide = *s;

	if (2 * (s->n + 1) <= s->nslots)
		return 0;
	wide.nslots = s->nslots ? 2 * s->nslots : 64;
	if (!(wide.slot = calloc(wide.nslots, sizeof(*wide.slot))))
		return -1;
	for (size_t i = 0; i < s->nslots; i++)
		if (s->slot[i])
			wide.slot[place(&wide, s->slot[i]->letters, s->slot[i]->n)] = s->slot[i];
	free(s->slot);
	*s = wide;
	return 0;
}

struct foldlm_kept *
foldlm_kept_add(struct foldlm_shelf *s, const char *letters, size_t n, int views, size_t columns)
{
	const size_t floats = (size_t)views * ((n + 1) * columns + 1);
	const size_t bytes = sizeof(struct foldlm_kept) + floats * sizeof(float) + n;
	struct foldlm_kept *k;

	if (bytes > s->most - s->bytes || widen(s) != 0 || !(k = malloc(bytes)))
		return NULL;
	k->n = n;
	k->done = 0;
	k->sigma = (float *)(k + 1);
	k->features = k->sigma + views;
	k->letters = (char *)(k->sigma + floats);
	memcpy(k->letters, letters, n);
	s->slot[place(s, letters, n)] = k;
	s->n++;
	s->bytes += bytes;
	return k;
}

void
foldlm_kept_clear(struct foldlm_shelf *s)
{
	for (size_t i = 0; i < s->nslots; i++)
		free(s->slot[i]);
	free(s->slot);
	*s = (struct foldlm_shelf){.most = s->most};
}
