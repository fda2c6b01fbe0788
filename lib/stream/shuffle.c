/*
 * shuffle.c: an out-of-core sort of records by a random key (shuffle_private.h says how they are kept).
 *
 * 1. Adding   2. Reading
 */
#include <stdio.h>
#include <stdlib.h>

#include "stream/rng.h"
#include "stream/shuffle_private.h"

#define AHEAD       4             /* items */
#define AHEAD_BYTES 1024          /* of each */
#define PAGE        4096          /* bytes */
#define FILE_BUFFER (256u << 10)  /* most that is gathered for one file before it is written */

static enum rna_status
add_entry(struct rna_shuffle *s, uint64_t key, uint64_t offset)
{
	struct entry *grown;
	size_t cap;

	if (s->nentries == s->cap) {
		cap = s->cap == 0 ? 1024 : s->cap + s->cap / 2;
		if ((grown = reallocarray(s->entries, cap, sizeof(*grown))) == NULL)
			return RNA_EMEM;
		s->entries = grown;
		s->cap = cap;
	}
	s->entries[s->nentries].key = key;
	s->entries[s->nentries++].offset = offset;
	return RNA_OK;
}

/* 1. Adding */

/* Moves all that is in memory to files. */
static enum rna_status
spill(struct rna_shuffle *s, struct rna_err *err)
{
	const unsigned char *item;
	enum rna_status st;
	size_t at, n;

	if ((st = rna_part_open(s, 64 - FAN_BITS, &s->parts, err)) != RNA_OK)
		return st;
	for (at = 0; at < s->items.len; at += n) {
		item = s->items.data + at;
		n = (size_t)item_size(item_load(item + 16));
		if ((st = rna_part_add(s, 64 - FAN_BITS, item, n, err)) != RNA_OK)
			return st;
	}
	rna_buf_fini(&s->items);
	free(s->entries);
	s->entries = NULL;
	s->nentries = s->cap = 0;
	return RNA_OK;
}

struct rna_shuffle *
rna_shuffle_create(const struct rna_shuffle_options *opts, struct rna_err *err)
{
	const char *dir = opts->tmpdir != NULL ? opts->tmpdir : getenv("TMPDIR");
	struct rna_shuffle *s;

	if (opts->mem < RNA_SHUFFLE_MEM_MIN) {
		(void)rna_fail(err, RNA_EINVAL, "less than %u bytes of memory to shuffle in", RNA_SHUFFLE_MEM_MIN);
		return NULL;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL) {
		(void)rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	s->opts = *opts;
	snprintf(s->tmpdir, sizeof(s->tmpdir), "%s", dir != NULL && *dir != '\0' ? dir : "/tmp");
	s->chunk = (size_t)(opts->mem / 8 / FAN);
	if (s->chunk > FILE_BUFFER)
		s->chunk = FILE_BUFFER;
	if (s->chunk > PAGE)
		s->chunk -= s->chunk % PAGE; /* writes of whole pages are the fastest */
	s->limit = (size_t)opts->mem - FAN * s->chunk;
	return s;
}

enum rna_status
rna_shuffle_rid(const struct rna_record *rec, struct rna_buf *scratch, uint64_t *rid)
{
	enum rna_status st;

	if (rna_record_get_u64(rec, "rid", rid))
		return RNA_OK;
	rna_buf_reuse(scratch);
	if ((st = rna_record_encode(rec, scratch)) == RNA_OK)
		*rid = rna_hash(scratch->data, scratch->len, 0);
	return st;
}

/* Appends the item of rec to `to`. */
static enum rna_status
make_item(struct rna_shuffle *s, const struct rna_record *rec, struct rna_buf *to)
{
	static const unsigned char zeros[ITEM_HEAD];
	size_t start = to->len, size;
	uint64_t head[3];
	enum rna_status st;

	if ((st = rna_shuffle_rid(rec, &s->record, &head[1])) != RNA_OK ||
	    (st = rna_buf_add(to, zeros, ITEM_HEAD)) != RNA_OK || (st = rna_record_encode(rec, to)) != RNA_OK)
		return st;
	size = to->len - start - ITEM_HEAD;
	head[0] = rna_rng_key(s->opts.seed, 0, head[1], 0, RNA_RNG_SHUFFLE);
	head[2] = size;
	memcpy(to->data + start, head, ITEM_HEAD);
	return rna_buf_add(to, zeros, (size_t)item_size(size) - ITEM_HEAD - size);
}

enum rna_status
rna_shuffle_add(struct rna_shuffle *s, const struct rna_record *rec, struct rna_err *err)
{
	size_t start = s->items.len;

	if (s->parts != NULL) {
		rna_buf_reuse(&s->items);
		if (make_item(s, rec, &s->items) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		return rna_part_add(s, 64 - FAN_BITS, s->items.data, s->items.len, err);
	}
	if (make_item(s, rec, &s->items) != RNA_OK ||
	    add_entry(s, item_load(s->items.data + start), start) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (s->items.len + s->nentries * sizeof(*s->entries) > s->limit)
		return spill(s, err);
	return RNA_OK;
}

/* 2. Reading */

/* Reads a part that fits and sorts it. */
static enum rna_status
load(struct rna_shuffle *s, const struct part *p, struct rna_err *err)
{
	enum rna_status st;
	uint64_t at, n;

	s->nentries = 0;
	if ((st = rna_part_load(s, p, err)) != RNA_OK)
		return st;
	for (at = 0; at < p->bytes; at += n) {
		n = p->bytes - at > ITEM_HEAD ? item_size(item_load(s->items.data + at + 16)) : UINT64_MAX;
		if (n > p->bytes - at)
			return rna_fail(err, RNA_EFORMAT, "temporary file in %s: changed by another process",
			    s->tmpdir);
		if (add_entry(s, item_load(s->items.data + at), at) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	rna_shuffle_sort(s, s->entries, s->nentries);
	return RNA_OK;
}

static enum rna_status
begin(struct rna_shuffle *s, struct rna_err *err)
{
	s->reading = 1;
	if (s->parts != NULL) {
		s->part = s->parts;
		return rna_part_flush(s, err);
	}
	rna_shuffle_sort(s, s->entries, s->nentries);
	s->loaded = 1;
	return RNA_OK;
}

static struct part **
link_to(struct rna_shuffle *s, const struct part *p)
{
	struct part **link = &s->parts;

	while (*link != p)
		link = &(*link)->next;
	return link;
}

/* The part whose turn is over. */
static void
leave(struct rna_shuffle *s)
{
	struct part *p = s->part;

	s->part = p->next;
	s->loaded = 0;
	s->at = 0;
	s->offset = 0;
	if (!s->opts.rewindable) {
		*link_to(s, p) = p->next;
		rna_part_destroy(p);
	}
}

/* Items are taken in an order that no cache foresees: the one that is due next but some is asked for now. */
static void
fetch(const struct rna_shuffle *s, size_t i)
{
	size_t at;

	if (i >= s->nentries)
		return;
	for (at = 0; at < AHEAD_BYTES && at < s->items.len - s->entries[i].offset; at += 64)
		__builtin_prefetch(s->items.data + s->entries[i].offset + at);
}

/* The next item; NULL with RNA_END at the end. */
static enum rna_status
next_item(struct rna_shuffle *s, const unsigned char **item, struct rna_err *err)
{
	enum rna_status st;
	struct part **link;
	size_t n;

	for (;;) {
		if (s->loaded && s->at < s->nentries) {
			fetch(s, s->at + AHEAD);
			*item = s->items.data + s->entries[s->at++].offset;
			return RNA_OK;
		}
		if (s->part == NULL)
			return RNA_END;
		if (s->loaded) {
			leave(s);
		} else if (s->part->bytes + s->part->records * sizeof(struct entry) <= s->limit) {
			if ((st = load(s, s->part, err)) != RNA_OK)
				return st;
			s->loaded = 1;
		} else if (s->part->mixed) {
			link = link_to(s, s->part);
			st = rna_part_divide(s, link, err);
			s->part = *link;
			if (st != RNA_OK)
				return st;
		} else if (s->offset < s->part->bytes) {
			if ((st = rna_part_item(s, s->part, s->offset, item, &n, err)) != RNA_OK)
				return st;
			s->offset += n;
			return RNA_OK;
		} else
			leave(s);
	}
}

enum rna_status
rna_shuffle_read_encoded(struct rna_shuffle *s, const void **data, size_t *n, int *first, struct rna_err *err)
{
	const unsigned char *item = NULL;
	enum rna_status st;
	uint64_t rid;

	if (!s->reading && (st = begin(s, err)) != RNA_OK)
		return st;
	if ((st = next_item(s, &item, err)) != RNA_OK)
		return st;
	rid = item_load(item + 8);
	*first = !s->started || rid != s->rid;
	s->rid = rid;
	s->started = 1;
	*data = item + ITEM_HEAD;
	*n = (size_t)item_load(item + 16);
	return RNA_OK;
}

enum rna_status
rna_shuffle_read(struct rna_shuffle *s, struct rna_record *rec, int *first, struct rna_err *err)
{
	const void *data;
	enum rna_status st;
	size_t n;

	if ((st = rna_shuffle_read_encoded(s, &data, &n, first, err)) != RNA_OK)
		return st;
	st = rna_record_decode(rec, data, n, err);
	rec->number = 0;
	return st;
}

void
rna_shuffle_rewind(struct rna_shuffle *s)
{
	s->part = s->parts;
	s->loaded = s->reading && s->parts == NULL;
	s->started = 0;
	s->at = 0;
	s->offset = 0;
}

uint64_t
rna_shuffle_spilled(const struct rna_shuffle *s)
{
	return s->spilled;
}

void
rna_shuffle_destroy(struct rna_shuffle *s)
{
	struct part *p;

	if (s == NULL)
		return;
	while ((p = s->parts) != NULL) {
		s->parts = p->next;
		rna_part_destroy(p);
	}
	rna_buf_fini(&s->items);
	rna_buf_fini(&s->record);
	free(s->entries);
	free(s->gather);
	free(s);
}
