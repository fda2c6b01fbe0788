/*
 * tokenize.h: the parts of rna-tokenize.
 */
#ifndef RNA_TOKENIZE_H
#define RNA_TOKENIZE_H

#include "seq/annotate.h"
#include "seq/frame.h"
#include "seq/mutate.h"
#include "tool.h"

/* The options, and what follows from them. */
struct tokenize {
	struct tool *t;
	struct rna_source_options source;
	struct rna_framing framing;
	int frame_given, max_given;
	const char *type, *types_from, *label, *vocab_file;
	char **pair;                         /* --pairs, npair 0 or 2 */
	size_t npair;
	char **keep;                         /* --keep */
	uint32_t mutate;                     /* copies of each RNA with other bases */
	double mutate_rate;
	struct rna_vocab vocab, standard;    /* standard: RNAErnie's, to read type ids of a stream */
	struct rna_types types;
	struct rna_annotate annotate;
	struct rna_frame_counts counts;      /* of one stream */
	struct rna_bulk *bulk;               /* FASTA of which nothing is asked that takes a record; else NULL */
};

/* Vocabulary, frame, limit and types of the options; mistakes end the process. */
void tokenize_prepare(struct tokenize *o);
/* At each header: counts from 0, and which vocabulary the types of its records are of. */
void tokenize_stream(struct tokenize *o, const struct rna_header *h);
/* Warnings and the closing line, from the counts of all streams. */
void tokenize_report(const struct tokenize *o, const struct rna_frame_counts *n);
void tokenize_fini(struct tokenize *o);

/* How many records rec gives, and whether it fits whole; what can't be tokenised as it stands ends the process. */
uint32_t tokenize_look(const struct tokenize *o, const struct tool_in *in, const struct rna_record *rec, int *fits);
/* Its label, from where --label says. */
void tokenize_label(const struct tokenize *o, const struct tool_in *in, struct rna_record *rec);

/*
 * An output whose header tells what was dropped, cut and split.  That is known at the end only, so the first HOLD bytes
 * of records are held back; when more come, the header goes out without the counts and records flow.
 */
struct tokenize_out {
	struct tool *t;
	struct tool_out *out;
	const struct rna_framing *framing;
	const struct rna_frame_counts *counts;   /* of the current stream */
	struct rna_header header;
	struct rna_buf bytes, sizes;             /* encoded records held back, size_t each */
	uint64_t records, tokens;
	int flowing;                             /* the header is out */
};

void tokenize_out_begin(struct tokenize_out *o, const struct rna_header *in, const struct rna_vocab *v);
void tokenize_out_write(struct tokenize_out *o, const struct rna_record *rec);
/* The same of many, already encoded. */
void tokenize_out_bulk(struct tokenize_out *o, const struct rna_bulk *b);
void tokenize_out_end(struct tokenize_out *o);     /* of a stream; tokenize_out_begin may follow */
void tokenize_out_fini(struct tokenize_out *o);

/* All records of in, to the end. */
void tokenize_run(struct tokenize *o, struct tool_in *in, struct tokenize_out *out);

#endif
