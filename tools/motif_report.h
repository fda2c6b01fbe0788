/*
 * motif_report.h: what rna-motif has found, and how it says so.
 */
#ifndef RNA_MOTIF_REPORT_H
#define RNA_MOTIF_REPORT_H

#include "seq/kmer.h"
#include "seq/motif.h"
#include "tool.h"

#define MAX_LISTS 64

/* A list to merge. */
struct motif_source {
	const char *path;
	struct rna_motifs motifs;
	struct rna_motif_counts counts;
	struct rna_automaton automaton;  /* -v only: counts the hits */
	uint64_t hits, added;
};

struct motif_job {
	int min, max;
	size_t top;
	struct motif_source source[MAX_LISTS];
	size_t nsources;
	struct rna_kmers kmers;
	uint64_t records;
	struct rna_motifs list;
	size_t mined;
	uint64_t mined_hits;
};

/* The list with its provenance as comments (formats/motifs.md). */
void motif_print(const struct motif_job *job, FILE *fp);
/* Under -v: a line for each list and the closing line. */
void motif_report(const struct motif_job *job, const struct tool *tool);

#endif
