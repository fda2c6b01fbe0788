/*
 * embed_private.h: between the files of rna-embed, and rna-predict, which reads records and runs a model as that does.
 */
#ifndef RNA_EMBED_PRIVATE_H
#define RNA_EMBED_PRIVATE_H

#include "nn/embed.h"
#include "nn/replicate.h"
#include "tool.h"

/* Records that can grow in number; those made once are reused. */
struct pool {
	struct rna_record *rec;
	size_t n, cap;
};

/* What becomes one record of the output (K with --types): a record, or an RNA and the chunks made of it. */
struct unit {
	size_t first, n; /* its records in the window's pool */
	int merged;      /* 1: the chunks were made here; `whole` takes what they get */
	struct rna_record whole;
};

struct embed {
	struct tool *t;
	struct rna_embed_options opts;
	int types, kmer; /* --types K, --kmer N; 0: not asked for */
	double floor;    /* --types-floor */
	int fix_square, resume, plan;
	struct rk *rk;
	struct rna_model model;
	struct rna_model own_typer; /* of rna-predict, when types/ is another model; else of no model */
	int stack;                  /* 1: rna-predict makes the replicates of a model trained with --adapt stack */
	struct rna_embed *embed;    /* NULL: --types without --what */
	struct rna_embed *typer;    /* predicts types; NULL: no --types */
	struct rna_framing framing; /* of text, and of records that are framed anew */
	struct rna_vocab plain;     /* the default vocabulary: names of types in streams that have it */
	struct tool_in in;
	struct tool_out *out;
	int is_text, same_vocab, plain_vocab; /* of the stream being read */
	struct rna_record next;               /* read, not yet in a unit; next_status says whether there is one */
	enum rna_status next_status;
	struct pool window, replicas;
	struct unit *unit;
	size_t nunits, unit_cap;
	uint64_t tokens; /* in the window */
	float *logits;   /* of the window's types */
	uint64_t skip;   /* records of the output that an earlier run wrote */
	uint64_t read, written, all_tokens;
	struct tool_progress progress;
};

/* embed_open.c */
void embed_open(struct embed *e); /* the model of -m */
/* The output's header: of the model's vocabulary; kept: of a run that is continued, to compare with, or NULL. */
void embed_write_header(struct embed *e, const struct rna_header *kept);
void embed_close(struct embed *e);

/* embed_read.c: records in, framed as the model wants them. */
void embed_stream_begin(struct embed *e); /* a header is in force: looks at the vocabulary, reads ahead */
int embed_read_unit(struct embed *e);     /* 1: one more unit in the window; 0: the stream has ended */
int embed_is_full(const struct embed *e); /* 1: the window holds enough to be sorted by length and run */
void embed_clear(struct embed *e);        /* an empty window */
struct rna_record *embed_pool_add(struct embed *e, struct pool *p);
uint64_t embed_outputs(const struct embed *e, const struct unit *u); /* records that a unit gives */

/* embed_write.c: the window through the model, results in the order of the input. */
void embed_flush(struct embed *e);
void embed_predict_types(struct embed *e); /* e->logits of the window's records, whose type slots become [MASK] */
void embed_put(struct embed *e, const struct rna_record *rec);
void embed_fail(struct embed *e, struct rna_err *err) __attribute__((noreturn));

/* embed_plan.c: what a run would take; returns the exit status. */
int embed_plan(struct embed *e);

#endif
