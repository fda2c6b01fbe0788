/*
 * motif.c: lists of motifs.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/motif.h"
#include "stream/input.h"
#include "stream/rng.h"

void
rna_motifs_fini(struct rna_motifs *list)
{
	static const struct rna_motifs empty = RNA_MOTIFS_INIT;

	rna_buf_fini(&list->codes);
	free(list->motif);
	free(list->slot);
	*list = empty;
}

const uint8_t *
rna_motifs_codes(const struct rna_motifs *list, size_t i)
{
	return list->codes.data + list->motif[i].offset;
}

uint64_t
rna_motifs_hash(const struct rna_motifs *list, uint64_t seed)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		seed = rna_hash(rna_motifs_codes(list, i), list->motif[i].len, seed);
	return seed;
}

/* The slot of a motif: where it is, or the empty one where it belongs. */
static uint32_t *
find_slot(const struct rna_motifs *list, const uint8_t *codes, size_t len)
{
	size_t i = (size_t)rna_hash(codes, len, 0) & (list->nslots - 1);
	const struct rna_motif *m;

	for (; list->slot[i] != 0; i = (i + 1) & (list->nslots - 1)) {
		m = &list->motif[list->slot[i] - 1];
		if (m->len == len && memcmp(list->codes.data + m->offset, codes, len) == 0)
			break;
	}
	return &list->slot[i];
}

/* Makes room for one motif more: table at most half full. */
static enum rna_status
grow(struct rna_motifs *list)
{
	size_t cap = list->cap == 0 ? 256 : 2 * list->cap, i;
	struct rna_motif *motif;
	uint32_t *slot;

	if (list->n < list->cap)
		return RNA_OK;
	if (cap > UINT32_MAX / 4 || (motif = reallocarray(list->motif, cap, sizeof(*motif))) == NULL)
		return RNA_EMEM;
	list->motif = motif;
	if ((slot = calloc(2 * cap, sizeof(*slot))) == NULL)
		return RNA_EMEM;
	free(list->slot);
	list->slot = slot;
	list->nslots = 2 * cap;
	list->cap = cap;
	for (i = 0; i < list->n; i++)
		*find_slot(list, rna_motifs_codes(list, i), list->motif[i].len) = (uint32_t)i + 1;
	return RNA_OK;
}

enum rna_status
rna_motifs_add(struct rna_motifs *list, const uint8_t *codes, size_t len, int u, int *added)
{
	struct rna_motif *m;
	enum rna_status s;
	uint32_t *slot;

	if (len < RNA_MOTIF_MIN || len > RNA_MOTIF_MAX || list->codes.len > UINT32_MAX - len)
		return RNA_EINVAL;
	if ((s = grow(list)) != RNA_OK)
		return s;
	slot = find_slot(list, codes, len);
	if (added != NULL)
		*added = *slot == 0;
	if (*slot != 0) {
		list->motif[*slot - 1].u &= u != 0;
		return RNA_OK;
	}
	m = &list->motif[list->n];
	m->offset = (uint32_t)list->codes.len;
	m->len = (uint8_t)len;
	m->u = u != 0;
	if ((s = rna_buf_add(&list->codes, codes, len)) != RNA_OK)
		return s;
	*slot = (uint32_t)++list->n;
	return RNA_OK;
}

static int
letter_code(char c)
{
	switch (c) {
	case 'A': case 'a': return 0;
	case 'C': case 'c': return 1;
	case 'G': case 'g': return 2;
	case 'U': case 'u': case 'T': case 't': return 3;
	}
	return RNA_MOTIF_BREAK;
}

/* One line of a list; white space at both ends is forgiven. */
static enum rna_status
load_line(struct rna_motifs *list, const char *line, size_t n, struct rna_motif_counts *counts, struct rna_err *err)
{
	uint8_t codes[RNA_MOTIF_MAX];
	int c, u = 0, added;
	enum rna_status s;
	size_t i;

	while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
		n--;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	if (n == 0 || *line == '#')
		return RNA_OK;
	for (i = 0; i < n; i++) {
		if ((c = letter_code(line[i])) == RNA_MOTIF_BREAK) {
			c = (unsigned char)line[i];
			return rna_fail(err, RNA_EFORMAT, c > ' ' && c < 127 ?
			    "'%c' in a motif: only A, C, G, U and T are letters of one" : "byte %d in a motif", c);
		}
		if (i < RNA_MOTIF_MAX)
			codes[i] = (uint8_t)c;
		u |= line[i] == 'U' || line[i] == 'u';
	}
	if (n < RNA_MOTIF_MIN || n > RNA_MOTIF_MAX)
		return rna_fail(err, RNA_EFORMAT, "a motif of %zu letters; they have %d to %d", n, RNA_MOTIF_MIN,
		    RNA_MOTIF_MAX);
	if ((s = rna_motifs_add(list, codes, n, u, &added)) != RNA_OK)
		return rna_fail(err, s, s == RNA_EMEM ? "out of memory" : "too many motifs");
	counts->lines++;
	counts->duplicates += !added;
	counts->with_u += (uint64_t)u;
	if (counts->min == 0 || n < counts->min)
		counts->min = (unsigned)n;
	if (n > counts->max)
		counts->max = (unsigned)n;
	return RNA_OK;
}

enum rna_status
rna_motifs_load(struct rna_motifs *list, const char *path, struct rna_motif_counts *counts, struct rna_err *err)
{
	struct rna_motif_counts own;
	struct rna_err why = {.record = RNA_NOREC};
	struct rna_input *in;
	enum rna_status s;
	const char *line;
	size_t n;

	if (counts == NULL)
		counts = &own;
	memset(counts, 0, sizeof(*counts));
	if ((in = rna_input_open(path, err)) == NULL)
		return err != NULL ? err->status : RNA_EIO;
	if (rna_input_kind(in) != RNA_INPUT_TEXT)
		s = rna_fail(err, RNA_EFORMAT, "a record stream, not a list of motifs");
	else {
		while ((s = rna_input_line(in, &line, &n, err)) == RNA_OK) {
			if ((s = load_line(list, line, n, counts, &why)) != RNA_OK) {
				s = rna_fail(err, s, "line %llu: %s", (unsigned long long)rna_input_line_number(in),
				    why.text);
				break;
			}
		}
	}
	rna_err_where(err, rna_input_name(in), RNA_NOREC);
	rna_input_close(in);
	return s == RNA_END ? RNA_OK : s;
}

void
rna_motif_codes(const struct rna_vocab *v, uint8_t code[RNA_VOCAB_MAX])
{
	int i;

	memset(code, RNA_MOTIF_BREAK, RNA_VOCAB_MAX);
	for (i = 0; i < 4; i++)
		code[v->base[i]] = (uint8_t)i;
}
