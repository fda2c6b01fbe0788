/*
 * shuffle_private.h: between the files of shuffle*.c.
 *
 * A record is kept as an item: key, rid and size (8 bytes each), then its encoded bytes, padded to 8.  As long as all
 * items fit they lie in `items` with an index beside them.  Otherwise they go to one of FAN files by the top bits of
 * the key; when its turn comes a file is loaded and sorted, or, when it is too large, divided by the next bits.
 * Within a file items keep the order in which they were added, which settles ties.
 */
#ifndef RNA_SHUFFLE_PRIVATE_H
#define RNA_SHUFFLE_PRIVATE_H

#include <string.h>
#include "stream/shuffle.h"

#define FAN_BITS 5
#define FAN (1 << FAN_BITS)
#define ITEM_HEAD 24              /* bytes before an item's record: key, rid, size */

struct entry {
	uint64_t key;
	uint64_t offset;          /* of the item in `items` */
};

/* Items whose keys share their upper bits, in a file; a list in the order of keys. */
struct part {
	struct part *next;
	int fd;                   /* -1: nothing was written */
	int shift;                /* its items are divided by key >> shift */
	int mixed;                /* more than one key */
	uint64_t key;             /* the first one */
	uint64_t bytes, records;  /* all that were added */
	uint64_t flushed;         /* bytes in the file */
	unsigned char *buf;       /* FAN-th part of s->gather; NULL when no longer added to */
	size_t buffered;
};

struct rna_shuffle {
	struct rna_shuffle_options opts;
	char tmpdir[4096];
	size_t limit;             /* bytes of items and entries */
	size_t chunk;             /* bytes of one file's buffer */
	struct rna_buf items, record;
	struct entry *entries;
	size_t nentries, cap;
	unsigned char *gather;    /* FAN buffers of chunk bytes */
	struct part *parts;       /* NULL: all in memory */
	struct part *fan[FAN];    /* being added to */
	uint64_t spilled;
	/* reading */
	int reading;
	struct part *part;        /* whose turn it is */
	int loaded;               /* its items (or all there are) are in memory, sorted */
	size_t at;                /* next entry */
	uint64_t offset;          /* next item of a part that is read as a file */
	uint64_t window;          /* offset in the part's file of what `items` holds then */
	uint64_t rid;
	int started;
};

static inline uint64_t
item_load(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Bytes of an item whose record has n. */
static inline uint64_t
item_size(uint64_t n)
{
	return ITEM_HEAD + ((n + 7) & ~(uint64_t)7);
}

/* shuffle_sort.c: the index in the order of key, rid, and time. */
void rna_shuffle_sort(const struct rna_shuffle *s, struct entry *e, size_t n);

/* shuffle_part.c: FAN new parts at *link, divided by shift; each takes its items; then all are written out. */
enum rna_status rna_part_open(struct rna_shuffle *s, int shift, struct part **link, struct rna_err *err) RNA_CHECK;
enum rna_status rna_part_add(struct rna_shuffle *s, int shift, const unsigned char *item, size_t n,
    struct rna_err *err) RNA_CHECK;
enum rna_status rna_part_flush(struct rna_shuffle *s, struct rna_err *err) RNA_CHECK;
/* The whole part into `items`. */
enum rna_status rna_part_load(struct rna_shuffle *s, const struct part *p, struct rna_err *err) RNA_CHECK;
/* The item at offset of the part's file, read through a window; *n is its size.  The first one has offset 0. */
enum rna_status rna_part_item(struct rna_shuffle *s, const struct part *p, uint64_t offset, const unsigned char **item,
    size_t *n, struct rna_err *err) RNA_CHECK;
/* Puts FAN smaller parts in the place of the one at *link. */
enum rna_status rna_part_divide(struct rna_shuffle *s, struct part **link, struct rna_err *err) RNA_CHECK;
void rna_part_destroy(struct part *p);

#endif
