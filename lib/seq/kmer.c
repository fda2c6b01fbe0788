/*
 * kmer.c: counts of words.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/kmer.h"

enum rna_status
rna_kmers_init(struct rna_kmers *km, int min, int max, struct rna_err *err)
{
	int k;

	memset(km, 0, sizeof(*km));
	if (min < RNA_MOTIF_MIN || max < min || max > RNA_KMER_MAX)
		return rna_fail(err, RNA_EINVAL, "words of %d to %d letters; %d to %d can be counted", min, max,
		    RNA_MOTIF_MIN, RNA_KMER_MAX);
	km->min = min;
	km->max = max;
	for (k = min; k <= max; k++) {
		if ((km->count[k] = calloc((size_t)1 << 2 * k, sizeof(uint64_t))) == NULL) {
			rna_kmers_fini(km);
			return rna_fail(err, RNA_EMEM, "no memory for the counts of words of %d letters", k);
		}
	}
	return RNA_OK;
}

void
rna_kmers_fini(struct rna_kmers *km)
{
	int k;

	for (k = 0; k <= RNA_KMER_MAX; k++)
		free(km->count[k]);
	memset(km, 0, sizeof(*km));
}

void
rna_kmers_add(struct rna_kmers *km, const uint8_t *codes, size_t n)
{
	uint32_t word = 0;
	int run = 0, k;
	size_t i;

	for (i = 0; i < n; i++) {
		if (codes[i] >= RNA_MOTIF_BREAK) {
			run = 0;
			continue;
		}
		word = word << 2 | codes[i];
		run += run < km->max;
		km->bases++;
		for (k = km->min; k <= run; k++)
			km->count[k][word & ((1u << 2 * k) - 1)]++;
	}
}

/* Is word a of a higher rank than word b? */
static int
above(const uint64_t *count, uint32_t a, uint32_t b)
{
	return count[a] != count[b] ? count[a] > count[b] : a < b;
}

/* heap[0] is the lowest of the n kept. */
static void
sift(const uint64_t *count, uint32_t *heap, size_t i, size_t n)
{
	uint32_t x = heap[i];
	size_t child;

	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && above(count, heap[child], heap[child + 1]))
			child++;
		if (!above(count, x, heap[child]))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = x;
}

/* The most frequent words of one length into heap, the most frequent first; returns their number. */
static size_t
select_top(const uint64_t *count, int k, uint32_t *heap, size_t top)
{
	uint32_t words = 1u << 2 * k, w, x;
	size_t n = 0, i;

	for (w = 0; w < words; w++) {
		if (count[w] == 0)
			continue;
		if (n < top) {
			heap[n++] = w;
			for (i = n == top ? n / 2 : 0; i-- > 0;)
				sift(count, heap, i, n);
		} else if (above(count, w, heap[0])) {
			heap[0] = w;
			sift(count, heap, 0, n);
		}
	}
	for (i = n < top ? n / 2 : 0; i-- > 0;)
		sift(count, heap, i, n);
	for (i = n; i > 1;) {
		x = heap[0];
		heap[0] = heap[--i];
		heap[i] = x;
		sift(count, heap, 0, i);
	}
	return n;
}

enum rna_status
rna_kmers_top(const struct rna_kmers *km, size_t top, struct rna_motifs *list, uint64_t *hits)
{
	uint8_t codes[RNA_KMER_MAX];
	enum rna_status s = RNA_OK;
	size_t n, i, room;
	uint32_t *heap;
	int k, j, added;

	*hits = 0;
	for (k = km->min; k <= km->max && s == RNA_OK && top > 0; k++) {
		room = (size_t)1 << 2 * k;
		room = top < room ? top : room;
		if ((heap = calloc(room, sizeof(*heap))) == NULL)
			return RNA_EMEM;
		n = select_top(km->count[k], k, heap, room);
		for (i = 0; i < n && s == RNA_OK; i++) {
			for (j = 0; j < k; j++)
				codes[j] = (uint8_t)(heap[i] >> 2 * (k - 1 - j) & 3);
			s = rna_motifs_add(list, codes, (size_t)k, 0, &added);
			*hits += added ? km->count[k][heap[i]] : 0;
		}
		free(heap);
	}
	return s;
}
