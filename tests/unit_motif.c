/*
 * unit_motif.c: motif lists, the automaton against a naive search, and counts of words against naive counting.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/kmer.h"
#include "seq/motif.h"
#include "stream/rng.h"
#include "tap.h"

static const char letters[] = "ACGU";

static size_t
to_codes(const char *s, uint8_t *codes)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		codes[i] = strchr(letters, s[i]) != NULL ? (uint8_t)(strchr(letters, s[i]) - letters) : RNA_MOTIF_BREAK;
	return i;
}

static int
add(struct rna_motifs *list, const char *s)
{
	uint8_t codes[64];
	size_t n = to_codes(s, codes);
	int added = -1;

	return rna_motifs_add(list, codes, n, strchr(s, 'U') != NULL, &added) == RNA_OK ? added : -1;
}

static void
test_lists(void)
{
	struct rna_motifs list = RNA_MOTIFS_INIT;
	uint8_t codes[8], long_one[RNA_MOTIF_MAX + 1] = {0};
	struct rna_rng rng;
	size_t i, j, once = 0;

	ok(add(&list, "ACGU") == 1 && add(&list, "ACGU") == 0 && list.n == 1, "a motif is kept once");
	ok(rna_motifs_add(&list, long_one, 1, 0, NULL) == RNA_EINVAL &&
	    rna_motifs_add(&list, long_one, RNA_MOTIF_MAX + 1, 0, NULL) == RNA_EINVAL, "too short, too long: refused");
	rna_rng_init(&rng, 7);
	for (i = 0; i < 200000; i++) {
		for (j = 0; j < 7; j++)
			codes[j] = (uint8_t)rna_rng_below(&rng, 4);
		if (rna_motifs_add(&list, codes, 7, 0, NULL) != RNA_OK)
			break;
	}
	for (i = 0; i < list.n; i++)
		once += list.motif[i].len == 7;
	ok(i > 0 && once == 16384, "all 16384 words of 7 letters come in once (%zu)", once);
	rna_motifs_fini(&list);
}

/* Hits of the automaton, checked one by one against the list: each real, none missing. */
static void
test_automaton(unsigned alphabet, size_t nmotifs, size_t n, uint64_t seed)
{
	struct rna_motifs list = RNA_MOTIFS_INIT;
	struct rna_automaton a;
	struct rna_hit *hits;
	uint8_t *codes = malloc(n), motif[12];
	size_t i, j, k, found, naive = 0, real = 0;
	struct rna_rng rng;

	rna_rng_init(&rng, seed);
	for (i = 0; i < nmotifs; i++) {
		k = 2 + rna_rng_below(&rng, 9);
		for (j = 0; j < k; j++)
			motif[j] = (uint8_t)rna_rng_below(&rng, alphabet);
		if (rna_motifs_add(&list, motif, k, 0, NULL) != RNA_OK)
			abort();
	}
	for (i = 0; i < n; i++)
		codes[i] = rna_rng_below(&rng, 50) == 0 ? RNA_MOTIF_BREAK : (uint8_t)rna_rng_below(&rng, alphabet);
	for (i = 0; i < n; i++) {
		for (j = 0; j < list.n; j++) {
			k = list.motif[j].len;
			naive += i + k <= n && memcmp(codes + i, rna_motifs_codes(&list, j), k) == 0;
		}
	}
	if (rna_automaton_init(&a, &list, 0) != RNA_OK)
		abort();
	found = rna_automaton_scan(&a, codes, n, NULL, 0);
	hits = calloc(found + 1, sizeof(*hits));
	ok(found == naive && rna_automaton_scan(&a, codes, n, hits, found) == found,
	    "%zu motifs over %u letters: %zu hits, naive search %zu", list.n, alphabet, found, naive);
	for (i = 0; i < found; i++) {
		for (j = 0; j < list.n; j++) {
			if (list.motif[j].len == hits[i].len &&
			    memcmp(codes + hits[i].start, rna_motifs_codes(&list, j), hits[i].len) == 0)
				break;
		}
		real += j < list.n;
	}
	ok(real == found, "each of them is where it says");
	rna_automaton_fini(&a);
	rna_motifs_fini(&list);
	free(hits);
	free(codes);
}

static void
test_skip_u(void)
{
	struct rna_motifs list = RNA_MOTIFS_INIT;
	struct rna_automaton a;
	uint8_t codes[64];
	size_t n = to_codes("ACGUACGACCC", codes);

	add(&list, "ACGU");
	add(&list, "ACGA");
	if (rna_automaton_init(&a, &list, 1) != RNA_OK)
		abort();
	ok(rna_automaton_scan(&a, codes, n, NULL, 0) == 1, "motifs spelled with U can be left out");
	rna_automaton_fini(&a);
	rna_motifs_fini(&list);
	if (rna_automaton_init(&a, &list, 0) != RNA_OK)
		abort();
	ok(rna_automaton_scan(&a, codes, n, NULL, 0) == 0 && a.shortest == 0, "an empty list finds nothing");
	rna_automaton_fini(&a);
}

/* All counts of words of 2 to 5 letters, and the ranking of the top ones. */
static void
test_kmers(void)
{
	enum { N = 3000 };
	struct rna_motifs list = RNA_MOTIFS_INIT;
	struct rna_kmers km;
	uint8_t codes[N];
	uint64_t naive[6][1024] = {{0}}, hits, sum = 0, last;
	int k, bad = 0, order = 1;
	size_t i, j, w;
	struct rna_rng rng;

	rna_rng_init(&rng, 3);
	for (i = 0; i < N; i++) {
		codes[i] = (uint8_t)(rna_rng_below(&rng, 3) ? 1 : rna_rng_below(&rng, 4));
		if (rna_rng_below(&rng, 40) == 0)
			codes[i] = RNA_MOTIF_BREAK;
	}
	for (k = 2; k <= 5; k++) {
		for (i = 0; i + (size_t)k <= N; i++) {
			for (w = j = 0; j < (size_t)k && codes[i + j] < 4; j++)
				w = w * 4 + codes[i + j];
			naive[k][w] += j == (size_t)k;
		}
	}
	if (rna_kmers_init(&km, 2, 5, NULL) != RNA_OK)
		abort();
	rna_kmers_add(&km, codes, 1200);
	rna_kmers_add(&km, codes + 1200, 0);
	rna_kmers_fini(&km);
	if (rna_kmers_init(&km, 2, 5, NULL) != RNA_OK)
		abort();
	rna_kmers_add(&km, codes, N);
	for (k = 2; k <= 5; k++)
		bad += memcmp(naive[k], km.count[k], sizeof(uint64_t) << 2 * k) != 0;
	ok(bad == 0, "counts of all words of 2 to 5 letters");
	if (rna_kmers_top(&km, 10, &list, &hits) != RNA_OK)
		abort();
	ok(list.n == 40, "the top 10 of each of four lengths (%zu)", list.n);
	for (i = 0, last = UINT64_MAX; i < list.n; i++) {
		k = list.motif[i].len;
		for (w = j = 0; j < (size_t)k; j++)
			w = w * 4 + rna_motifs_codes(&list, i)[j];
		order &= i % 10 == 0 || naive[k][w] <= last;
		last = naive[k][w];
		sum += last;
		if (i % 10 != 9)
			continue;
		for (j = 0, bad = 0; j < (size_t)1 << 2 * k; j++)
			bad += naive[k][j] > last;
		ok(bad < 10, "%d letters: fewer than 10 words are more frequent than the tenth", k);
	}
	ok(order && sum == hits, "most frequent first, %llu hits", (unsigned long long)hits);
	rna_motifs_fini(&list);
	rna_kmers_fini(&km);
	ok(rna_kmers_init(&km, 4, 13, NULL) == RNA_EINVAL && rna_kmers_init(&km, 5, 4, NULL) == RNA_EINVAL,
	    "lengths out of range are refused");
}

int
main(void)
{
	test_lists();
	test_automaton(4, 300, 20000, 1);
	test_automaton(2, 60, 5000, 2);
	test_automaton(1, 8, 300, 3);
	test_skip_u();
	test_kmers();
	return done();
}
