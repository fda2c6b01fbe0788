/*
 * shuffle_sort.c: the index of a shuffle, sorted in place.
 */
#include "stream/shuffle_private.h"

#define SMALL 24    /* entries that are sorted by insertion */

static int
after(const struct rna_shuffle *s, const struct entry *a, const struct entry *b)
{
	uint64_t ra, rb;

	if (a->key != b->key)
		return a->key > b->key;
	ra = item_load(s->items.data + a->offset + 8);
	rb = item_load(s->items.data + b->offset + 8);
	return ra != rb ? ra > rb : a->offset > b->offset;
}

static void
sift(const struct rna_shuffle *s, struct entry *e, size_t i, size_t n)
{
	struct entry x = e[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && after(s, &e[child + 1], &e[child]))
			child++;
		if (!after(s, &e[child], &x))
			break;
		e[i] = e[child];
		i = child;
	}
	e[i] = x;
}

/* In place, for many entries of one key: the chunks of a long RNA. */
static void
sort_heap(const struct rna_shuffle *s, struct entry *e, size_t n)
{
	struct entry x;
	size_t i;

	for (i = n / 2; i-- > 0;)
		sift(s, e, i, n);
	while (n > 1) {
		x = e[0];
		e[0] = e[--n];
		e[n] = x;
		sift(s, e, 0, n);
	}
}

static void
sort_insertion(const struct rna_shuffle *s, struct entry *e, size_t n)
{
	struct entry x;
	size_t i, j;

	for (i = 1; i < n; i++) {
		x = e[i];
		for (j = i; j > 0 && after(s, &e[j - 1], &x); j--)
			e[j] = e[j - 1];
		e[j] = x;
	}
}

/* Radix sort in place, from the upper byte down: keys are uniform, so three levels do. */
static void
sort_entries(const struct rna_shuffle *s, struct entry *e, size_t n, int shift)
{
	size_t next[256] = {0}, end[256], at = 0, i, count;
	struct entry x, y;
	int b, c;

	if (n <= SMALL) {
		sort_insertion(s, e, n);
		return;
	}
	if (shift < 0) {
		sort_heap(s, e, n);
		return;
	}
	for (i = 0; i < n; i++)
		next[e[i].key >> shift & 255]++;
	for (b = 0; b < 256; b++) {
		count = next[b];
		next[b] = at;
		end[b] = at += count;
	}
	for (b = 0; b < 256; b++) {
		while (next[b] < end[b]) {
			x = e[next[b]];
			while ((c = (int)(x.key >> shift & 255)) != b) {
				y = e[next[c]];
				e[next[c]++] = x;
				x = y;
			}
			e[next[b]++] = x;
		}
	}
	for (b = 0, at = 0; b < 256; at = end[b++])
		sort_entries(s, e + at, end[b] - at, shift - 8);
}

void
rna_shuffle_sort(const struct rna_shuffle *s, struct entry *e, size_t n)
{
	sort_entries(s, e, n, 56);
}
