/*
 * rna-embed.c: records in, the same records out with what a model makes of them: vectors, hidden states, logits, or
 * replicates with the types that the model sees in them.
 *
 *	rna-embed seqs.fa | rna-view --npy cls > cls.npy
 */
#include <stdlib.h>
#include <string.h>

#include "embed_private.h"
#include "seq/kmervec.h"

enum { OPT_DTYPE = CHAR_MAX + 1, OPT_FIX_SQUARE, OPT_KMER, OPT_LAYER, OPT_PLAN, OPT_RESUME, OPT_TYPES,
	OPT_TYPES_FLOOR, OPT_WHAT };

/* What --resume found: whole streams, then records of one more; header: of the last of them. */
struct kept {
	struct rna_header header;
	uint64_t streams, records;
};

static const struct tool_option options[] = {
    {OPT_WHAT, "what", "cls,mean,pooled,hidden,logits", "fields to add (default cls)"},
    {OPT_LAYER, "layer", "N", "of cls, mean, hidden: 0 embeddings .. last (default last)"},
    {OPT_DTYPE, "dtype", "fp32|bf16|int8|fp8", "arithmetic of matrix products (default fp32)"},
    {OPT_TYPES, "types", "K", "write K replicates of each record, with its K most probable types"},
    {OPT_TYPES_FLOOR, "types-floor", "P", "give types less probable the weight 0, but the first (default 0)"},
    {OPT_KMER, "kmer", "N", "frequencies of N-mers, 1 to 8; needs no model"},
    {OPT_FIX_SQUARE, "fix-square", NULL, "transpose the square matrices of early multimolecule exports"},
    {OPT_RESUME, "resume", NULL, "continue the -o FILE of a run that was killed"},
    {OPT_PLAN, "plan", NULL, "say what the run would take, and stop"},
    {0, NULL, NULL, NULL},
};

static struct tool tool = {
    .name = "rna-embed",
    .usage = "-m MODEL [options] [FILE...]",
    .summary = "RNAs in (a stream, FASTA, FASTQ); the same records out with their embeddings.",
    .example = "rna-embed seqs.fa | rna-view --npy cls > cls.npy",
    .options = options,
    .common = "o@qvfldm",
    .operands = 1,
};

static const char *const dtypes[] = {"fp32", "bf16", "int8", "fp8", NULL}; /* as enum rk_precision */
static const char *const hidden[] = {"resume", "plan", NULL};       /* can't change a record */

static int
own(int code, const char *value, void *arg)
{
	static const char *const names[] = {"cls", "mean", "pooled", "hidden", "logits", NULL};
	struct embed *e = arg;
	char **list;
	size_t i, n;

	switch (code) {
	case OPT_DTYPE:
		e->opts.precision = (enum rk_precision)tool_choice(&tool, "--dtype", value, dtypes);
		break;
	case OPT_FIX_SQUARE:
		e->fix_square = 1;
		break;
	case OPT_KMER:
		e->kmer = (int)tool_int(&tool, "--kmer", value, 1, RNA_KMERVEC_MAX);
		break;
	case OPT_LAYER:
		e->opts.layer = (int)tool_int(&tool, "--layer", value, 0, INT_MAX);
		break;
	case OPT_PLAN:
		e->plan = 1;
		break;
	case OPT_RESUME:
		e->resume = 1;
		break;
	case OPT_TYPES:
		e->types = (int)tool_int(&tool, "--types", value, 1, RNA_VOCAB_MAX);
		break;
	case OPT_TYPES_FLOOR:
		e->floor = tool_float(&tool, "--types-floor", value, 0, 1);
		break;
	case OPT_WHAT:
		list = tool_list(&tool, "--what", value, &n);
		for (i = 0; i < n; i++)
			e->opts.what |= 1u << tool_choice(&tool, "--what", list[i], names);
		free(list[0]);
		free(list);
		break;
	}
	return 0;
}

static enum rna_status
add_kmer(struct rna_record *rec, void *arg, struct rna_err *err)
{
	return rna_kmervec_add(rec, *(const int *)arg, err);
}

static void
validate(struct embed *e)
{
	if (e->kmer > 0 &&
	    (tool.model != NULL || e->opts.what || e->types || e->opts.layer >= 0 || e->resume || e->plan))
		tool_usage(&tool,
		    "--kmer needs no model: -m, --what, --layer, --types, --resume and --plan do not go with it");
	if (e->floor > 0 && e->types == 0)
		tool_usage(&tool, "--types-floor goes with --types");
	if (e->resume && (tool.output == NULL || strcmp(tool.output, "-") == 0))
		tool_usage(&tool, "--resume goes with -o FILE");
	if (e->opts.what == 0 && e->types == 0)
		e->opts.what = RNA_EMBED_CLS;
}

/* One stream of the input, window by window; write: 0 when an earlier run has written all of it. */
static void
run_stream(struct embed *e, int write)
{
	uint64_t outputs;

	while (embed_read_unit(e)) {
		outputs = embed_outputs(e, &e->unit[e->nunits - 1]);
		if (!write || (e->nunits == 1 && outputs <= e->skip)) {
			e->skip -= write ? outputs : 0;
			embed_clear(e);
		} else if (embed_is_full(e)) {
			embed_flush(e);
		}
	}
	embed_flush(e);
}

/* Stream number `stream` begins: its header is written, or compared with that of the run that is continued. */
static void
begin_stream(struct embed *e, uint64_t stream, const struct kept *k)
{
	uint64_t total = rna_header_records(tool_in_header(&e->in));

	embed_stream_begin(e);
	if (stream == 0)
		tool_progress_start(
		    &e->progress, &tool, "records", e->is_text || total == RNA_TOTAL_UNKNOWN ? 0 : (double)total);
	if (k->header.json != NULL && stream + (k->records == 0) == k->streams)
		embed_write_header(e, &k->header);
	else if (stream >= k->streams)
		embed_write_header(e, NULL);
	e->skip = stream == k->streams ? k->records : 0;
}

static void
run(struct embed *e, const struct kept *k)
{
	uint64_t stream = 0;

	do {
		begin_stream(e, stream, k);
		run_stream(e, stream >= k->streams);
		stream++;
	} while (e->next_status == RNA_NEXT && e->skip == 0);
	if (e->skip > 0 || stream < k->streams + (k->records > 0)) {
		tool_out_keep(e->out);
		tool_die(&tool, "%s.part: holds more than this input gives", tool.output);
	}
	tool_progress_end(&e->progress);
	tool_out_close(e->out);
}

int
main(int argc, char **argv)
{
	struct embed e = {.t = &tool, .opts = {.layer = -1}};
	struct kept k = {{NULL}, 0, 0};

	tool_hide(&tool, hidden);
	tool_parse(&tool, argc, argv, own, &e);
	validate(&e);
	if (e.kmer > 0) {
		tool_filter(&tool, add_kmer, NULL, &e.kmer, 1);
		return TOOL_DONE;
	}
	/* first, so that a second writer ends before it reads */
	if (!e.plan)
		e.out = e.resume ? tool_out_resume(&tool, &k.header, &k.streams, &k.records) : tool_out_open(&tool);
	embed_open(&e);
	tool_in_open(&e.in, &tool, NULL);
	e.in.raw = 1; /* text is framed here, so that its chunks can be merged */
	if (e.plan)
		return embed_plan(&e);
	run(&e, &k);
	rna_header_fini(&k.header);
	tool_summary(&tool, "%llu records in, %llu out, %llu tokens", (unsigned long long)e.read,
	    (unsigned long long)e.written, (unsigned long long)e.all_tokens);
	embed_close(&e);
	return TOOL_DONE;
}
