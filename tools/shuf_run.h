/*
 * shuf_run.h: the work of rna-shuf: one pass in, one pass out.
 */
#ifndef RNA_SHUF_RUN_H
#define RNA_SHUF_RUN_H

#include "stream/shuffle.h"
#include "stream/split.h"
#include "tool.h"

struct shuf_opts {
	uint64_t sample;          /* RNAs; 0: all */
	double split;             /* 0: none */
	const char *rest, *group;
	uint64_t shard, shards;   /* 0-based; shards 0: none */
	uint64_t mem;
};

struct shuf_totals {
	uint64_t records, tokens;
};

/* What all parts of a run share. */
struct shuf_run {
	struct tool *tool;
	const struct shuf_opts *opts;
	struct tool_in in;
	struct tool_out *out[2];  /* -o and --rest */
	struct shuf_totals totals[2];
	struct rna_header header; /* the first one of the input */
	struct rna_shuffle *shuffle;
	struct rna_split split;
	struct rna_record rec;
};

/* Writes all records shuffled, or the sample or split that opts ask for. */
void shuf_shuffle(struct shuf_run *r);
/* Writes every shards-th RNA, in the order of the input. */
void shuf_shard(struct shuf_run *r);

#endif
