/*
 * kmer.h: counts of all words of several lengths in one pass over sequences, and the most frequent of them.
 */
#ifndef RNA_KMER_H
#define RNA_KMER_H

#include <stddef.h>
#include <stdint.h>
#include "seq/motif.h"
#include "stream/status.h"

#define RNA_KMER_MAX 12    /* 4^12 counts are 128 MiB */

struct rna_kmers {
	int min, max;                        /* lengths; RNA_MOTIF_MIN <= min <= max <= RNA_KMER_MAX */
	uint64_t *count[RNA_KMER_MAX + 1];   /* [k][4^k]: a word's letters are digits of base 4, highest first */
	uint64_t bases;                      /* A, C, G, U seen */
};

enum rna_status rna_kmers_init(struct rna_kmers *km, int min, int max, struct rna_err *err) RNA_CHECK;
void rna_kmers_fini(struct rna_kmers *km);
/* Counts the words of n codes (seq/motif.h); none crosses a break. */
void rna_kmers_add(struct rna_kmers *km, const uint8_t *codes, size_t n);
/*
 * Adds to the list, for each length in turn, its `top` most frequent words, most frequent first; equal counts in the
 * order A, C, G, U.  Words that never occur are left out.  *hits: occurrences of the words added.
 */
enum rna_status rna_kmers_top(const struct rna_kmers *km, size_t top, struct rna_motifs *list,
    uint64_t *hits) RNA_CHECK;

#endif
