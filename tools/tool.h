/*
 * tool.h: what the programs share: options, messages, inputs, the record loop, output, progress.
 * tool.c is the only place that prints an error or ends the process on behalf of several programs.
 */
#ifndef RNA_TOOL_H
#define RNA_TOOL_H

#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include "seq/source.h"
#include "seq/text.h"
#include "seq/vocab.h"
#include "stream/stream.h"

#define TOOL_DONE   0
#define TOOL_FAILED 1
#define TOOL_USAGE  2

#ifndef RILL_VERSION
#define RILL_VERSION "0.0.0"
#endif

/* One option of a tool.  The table is also what shell completions are generated from (--help-options). */
struct tool_option {
	int code;         /* the short letter, or a value past CHAR_MAX from the tool's enum */
	const char *name; /* long name */
	const char *arg;  /* NULL: takes none; else the word in the help: "N", "FILE", "plain|type" */
	const char *help; /* one line */
};

struct tool_out;

/* What every tool needs to know about itself. */
struct tool {
	const char *name;                  /* "rna-mask" */
	const char *usage;                 /* "[options] [FILE...]" */
	const char *summary;               /* one line: what comes in, what goes out */
	const char *example;               /* printed first in --help */
	const struct tool_option *options; /* own options; ended by a zeroed entry */
	const char *common;                /* which common options apply, by letter: "o@qvfl" always, plus of "sdm" */
	int operands; /* 1: takes input files, 0: takes none, 2: may go without (no look at the terminal) */
	enum rna_text text; /* what a terminal shows of a record (default RNA_TEXT_PLAIN) */
	int grain;          /* records that a thread of tool_filter takes at once (default 8); 1: long ones */
	/*
	 * has a batch of tool_filter's records before its threads have them, n up to 1024; done[i] (0 at first): leave
	 * record i as it is now (NULL: the threads have them all)
	 */
	void (*batch)(struct rna_record *rec, size_t n, unsigned char *done, void *arg);
	/* writes a record of tool_filter, which comes in order, as one or more (NULL: tool_out_write) */
	void (*put)(struct tool_out *out, struct rna_record *rec, void *arg);
	/* state, filled by tool_parse */
	const char *output;        /* -o, NULL: standard output */
	int threads;               /* -@, resolved (0 -> all CPUs) */
	int quiet, verbose, force; /* -q, -v (counted), -f */
	int level;                 /* -l, default 1 */
	uint64_t seed;             /* -s, default 1 */
	const char *device;        /* -d, default "cpu" */
	const char *model;         /* -m, NULL: none */
	char **files;              /* operands; {"-"} when none were given and operands are taken */
	int nfiles;
	char **args;               /* provenance: options that can change a record; no operands: file and pipe alike */
	int nargs;
	const char *const *hidden; /* tool_hide */
	double start;              /* monotonic seconds at the start */
};

/*
 * Parses the command line.  Calls own(code, optarg, arg) for each of the tool's options; own returns 0, or -1 when the
 * value is bad and it has said so with tool_usage.  -h and -V print and exit 0; mistakes end with 2 (did you mean ...).
 * Standard input a terminal and no operand: help on stderr, exit 2.
 */
void tool_parse(struct tool *t, int argc, char **argv, int (*own)(int code, const char *value, void *arg), void *arg);

/*
 * The first operand is one of names (NULL-ended), as in `rna-score mlm FILE...`: its index; it is taken off t->files
 * and put first in the provenance.  Call after tool_parse.
 */
int tool_objective(struct tool *t, const char *const *names);

/* Options that do not change records and are left out of the provenance, beside the common ones: names, NULL-ended.
   Call before tool_parse. */
void tool_hide(struct tool *t, const char *const *names);

/* One line on stderr: "rna-x: ..."; tool_usage adds how to get help and exits 2; tool_die exits 1. */
void tool_usage(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
void tool_die(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
void tool_die_err(const struct tool *t, const struct rna_err *err)
    __attribute__((noreturn)); /* "rna-x: file: record 3: ..." */
void tool_warn(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* silent under -q */
void
tool_note(const struct tool *t, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4))); /* under -v */

/* Values of options; a mistake ends with 2 and names the option. */
long long tool_int(const struct tool *t, const char *option, const char *s, long long min, long long max);
double tool_float(const struct tool *t, const char *option, const char *s, double min, double max);
uint64_t tool_size(const struct tool *t, const char *option, const char *s); /* 512M, 2G, 65536 */
int tool_choice(
    const struct tool *t, const char *option, const char *s, const char *const *choices); /* NULL-ended; index */
/* Splits a comma-separated list in place of a copy; *n words, NULL-ended; free(list[0]) and free(list). */
char **tool_list(const struct tool *t, const char *option, const char *s, size_t *n);

/* Opens t->files one after the other as one sequence of streams; ends with 1 on failure.  opts NULL: defaults. */
struct tool_in {
	struct tool *t;
	struct rna_source_options opts;
	int raw;                           /* 1: text records are handed out as read, without tokens (rna-tokenize) */
	const struct rna_framing *framing; /* how text records are framed; NULL: plain, no limit */
	const struct rna_vocab *vocab;     /* with which vocabulary; NULL: the default one */
	int type;                          /* type token id for typed frames, -1: unknown */
	int next;                          /* next file to open */
	struct rna_source *source;         /* open now, NULL at the end */
	uint64_t records;                  /* read so far, all files; the chunks of a text record are one */
	struct rna_frame_counts counts;    /* of text records */
	int soft; /* 1: a failed read is returned with err filled instead of ending the process */
	struct rna_err err;
	/* private */
	struct rna_vocab *own_vocab;
	struct rna_header text_header;
	struct rna_record text; /* text record whose chunks are being handed out */
	uint32_t chunk, nchunks;
};
/*
 * Text (FASTA, FASTQ ...) is framed on the way in, as rna-tokenize with its defaults would: `rna-x seqs.fa` is
 * `rna-tokenize seqs.fa | rna-x`.  Set raw, framing, vocab and type between init and the first read.
 */
void tool_in_open(struct tool_in *in, struct tool *t, const struct rna_source_options *opts);
/*
 * RNA_OK, RNA_NEXT (a further header is in force: also at a further file) or RNA_END; failures end the process with 1
 * after the output in flight (see tool_out_open) was aborted.
 */
enum rna_status tool_in_read(struct tool_in *in, struct rna_record *rec);
/* The next RNAs of a FASTA file at once, where in->raw is set: see rna_source_bulk.  RNA_OK or RNA_NEXT. */
enum rna_status tool_in_bulk(struct tool_in *in, struct rna_bulk *b);
const struct rna_header *tool_in_header(const struct tool_in *in);
void tool_in_close(struct tool_in *in);

/*
 * The output: a stream to -o or standard output, or text when that is a terminal.  It is registered for
 * removal on failure.  A signal ends the process as it would any other and leaves .part, whole frames, for --resume.
 */
struct tool_out *tool_out_open(struct tool *t);
struct tool_out *tool_out_open_path(struct tool *t, const char *path); /* a second output, as --rest */
/*
 * Ends with 1 when path, or path.part, is an operand or the file also (NULL: none): it would be read while it is
 * replaced.  Outputs that are opened here, and tool_text_open's, are refused so; for others and earlier refusal.
 */
void tool_refuse_input(const struct tool *t, const char *path, const char *also);
/*
 * Begins a stream: in's header plus one provenance entry of this tool (t->args, the seed when 's' is in t->common,
 * extra). totals: 1 keeps the input's totals (one record out per record in), 0 drops them.
 */
void tool_out_header(struct tool_out *out, const struct rna_header *in, const json_t *extra, int totals);
void tool_out_write(struct tool_out *out, const struct rna_record *rec);
/* A record as rna_record_encode makes it, n bytes. */
void tool_out_write_encoded(struct tool_out *out, const void *data, size_t n);
void tool_out_close(struct tool_out *out); /* end record, flush, sync, rename; ends with 1 on failure */

/*
 * Text output to -o FILE or standard output, for the programs that print: FILE appears whole, by rename, or not at all.
 * tool_text_close ends with 1 when something could not be written.
 */
FILE *tool_text_open(struct tool *t);
void tool_text_close(struct tool *t);

/*
 * Continues t->output of a killed run (see rna_writer_resume); exits 0 when it is whole already.  kept: the header of
 * the stream being continued when *nrecords or *nstreams is not 0.  With *nrecords 0 and *nstreams 0, begin with
 * tool_out_header as usual; otherwise the stream goes on with tool_out_write.
 */
struct tool_out *tool_out_resume(struct tool *t, struct rna_header *kept, uint64_t *nstreams, uint64_t *nrecords);
/* Goes on with the kept stream; ends with 1 unless its header is what tool_out_header would write now. */
void tool_out_continue(
    struct tool_out *out, const struct rna_header *in, const json_t *extra, int totals, const struct rna_header *kept);

/* Ends the output here and leaves its .part, somebody's work, whatever happens next. */
void tool_out_keep(struct tool_out *out);

/*
 * The loop of a per-record filter, on t->threads threads with order kept: for each record process(rec, arg) changes rec
 * in place and returns RNA_OK, RNA_END to drop it, or an error with err filled.  header(h, arg) may change the output
 * header of each stream (NULL: nothing).  process must be a pure function of rec and arg (arg read only, or atomics).
 */
void tool_filter(struct tool *t, enum rna_status (*process)(struct rna_record *rec, void *arg, struct rna_err *err),
    void (*header)(struct rna_header *h, void *arg), void *arg, int totals);

/* Vocabulary of a stream: the default one when digests agree, the model's (-m) when those do, else ends with 1. */
void tool_vocab(struct tool *t, const struct rna_header *h, struct rna_vocab *v);

/*
 * -m: a folder, or org/name in the Hugging Face cache on disk ($HF_HUB_CACHE, else $HF_HOME/hub, else
 * ~/.cache/huggingface/hub; refs/main).  NULL: the model that comes with rill
 * (share/rill/models/tiny beside the programs' bin, or the tree's pipelines/models/tiny).  Returns a malloc'ed path of
 * a folder; missing: exit 1 with the line to run.
 */
char *tool_model_path(const struct tool *t, const char *name);

/* A bar with rate and time left on stderr when that is a terminal (after 2 s, at most 10 a second); else a line a
 * minute under -v. */
struct tool_progress {
	const struct tool *t;
	const char *unit;
	double total, last, begun;
	int shown;
};
void tool_progress_start(
    struct tool_progress *p, const struct tool *t, const char *unit, double total); /* total 0: unknown */
void tool_progress_at(struct tool_progress *p, double done, const char *detail);
void tool_progress_end(struct tool_progress *p);

/* Seconds of the monotonic clock. */
double tool_now(void);

/* Under -v: "rna-x 1.0.0: N records in, M out, ...; 1.2 s wall, 2.3 s CPU, 45 MiB peak". */
void tool_summary(const struct tool *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
