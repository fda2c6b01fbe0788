/*
 * motif.h: lists of motifs (formats/motifs.md) and the automaton that finds all of them in one pass over a sequence.
 * A letter is a code: 0 A, 1 C, 2 G, 3 U (or T); anything else is RNA_MOTIF_BREAK, which no motif crosses.
 */
#ifndef RNA_MOTIF_H
#define RNA_MOTIF_H

#include <stddef.h>
#include <stdint.h>
#include "seq/vocab.h"
#include "stream/buf.h"
#include "stream/status.h"

#define RNA_MOTIF_MIN 2        /* letters */
#define RNA_MOTIF_MAX 255
#define RNA_MOTIF_BREAK 4

struct rna_motif {
	uint32_t offset;       /* of its codes */
	uint8_t len;
	uint8_t u;             /* 1: every line that gave it spells a U */
};

/* Distinct motifs in the order in which they came. */
struct rna_motifs {
	struct rna_buf codes;
	struct rna_motif *motif;
	size_t n, cap;
	uint32_t *slot;        /* hash table: number of a motif + 1, 0 empty */
	size_t nslots;
};

/* What rna_motifs_load saw. */
struct rna_motif_counts {
	uint64_t lines;        /* motif lines */
	uint64_t duplicates;   /* lines whose motif was in the list already */
	uint64_t with_u;       /* lines that spell a U */
	unsigned min, max;     /* lengths; 0 and 0 when there is none */
};

#define RNA_MOTIFS_INIT {RNA_BUF_INIT, NULL, 0, 0, NULL, 0}

void rna_motifs_fini(struct rna_motifs *list);
/* The codes of a motif. */
const uint8_t *rna_motifs_codes(const struct rna_motifs *list, size_t i);
/* A hash of all of them, chained to seed. */
uint64_t rna_motifs_hash(const struct rna_motifs *list, uint64_t seed);
/* Adds a motif unless it is there; *added says which (may be NULL).  len is RNA_MOTIF_MIN to RNA_MOTIF_MAX. */
enum rna_status rna_motifs_add(struct rna_motifs *list, const uint8_t *codes, size_t len, int u, int *added) RNA_CHECK;
/* Adds the motifs of a file; counts may be NULL.  A line that is no motif is refused with its number. */
enum rna_status rna_motifs_load(struct rna_motifs *list, const char *path, struct rna_motif_counts *counts,
    struct rna_err *err) RNA_CHECK;

/* code[id] for every token of v: which base it is, or RNA_MOTIF_BREAK. */
void rna_motif_codes(const struct rna_vocab *v, uint8_t code[RNA_VOCAB_MAX]);

/* An Aho-Corasick automaton over the four codes, as one table of transitions. */
struct rna_automaton {
	uint32_t *next;        /* [state][code]; RNA_AUTOMATON_HIT is set when a motif ends there */
	uint8_t *len;          /* of the motif that ends in a state, 0: none does */
	uint32_t *shorter;     /* the state of the longest shorter motif that ends there too, 0: none */
	size_t nstates;
	unsigned shortest;     /* letters of the shortest motif; 0 when there is none */
};

#define RNA_AUTOMATON_HIT 0x80000000u

struct rna_hit {
	uint32_t start;
	uint32_t len;
};

/* Builds the automaton of a list; skip_u leaves out motifs spelled with U. */
enum rna_status rna_automaton_init(struct rna_automaton *a, const struct rna_motifs *list, int skip_u) RNA_CHECK;
void rna_automaton_fini(struct rna_automaton *a);
/*
 * All occurrences in n codes, overlapping ones too, by their ends, longest first; at most max are stored in hits.
 * Returns how many there are.
 */
size_t rna_automaton_scan(const struct rna_automaton *a, const uint8_t *codes, size_t n, struct rna_hit *hits,
    size_t max);

#endif
