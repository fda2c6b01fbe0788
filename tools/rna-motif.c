/*
 * rna-motif: token records in, a list of motifs out (formats/motifs.md): the most frequent words of 4 to 8 letters, and
 * the motifs of other lists, each once.
 *
 *	rna-motif --merge ATtRACT.txt --merge SpliceAid.txt corpus.rill > motifs.txt
 */
#include <string.h>

#include "motif_report.h"
#include "tool.h"

#define DEFAULT_TOP 100

enum { OPT_MAX = CHAR_MAX + 1, OPT_MERGE, OPT_MIN, OPT_TOP };

static const struct tool_option options[] = {
	{OPT_MIN, "min", "N", "letters of the shortest words counted (default 4)"},
	{OPT_MAX, "max", "N", "letters of the longest (default 8)"},
	{OPT_TOP, "top", "N", "keep the N most frequent of each length (default 100; 0: read no records)"},
	{OPT_MERGE, "merge", "FILE", "add the motifs of a list; may be given again"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-motif",
	.usage = "[options] [FILE...]",
	.summary = "Counts the words of token records, prints the most frequent and those of other lists as motifs.",
	.example = "rna-motif --top 200 --merge ATtRACT.txt corpus.rill -o motifs.txt",
	.options = options,
	.common = "o@qvfm",
	.operands = 1,
};

static void
load_source(struct motif_job *job, const char *path)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct motif_source *s = &job->source[job->nsources];

	if (job->nsources == MAX_LISTS)
		tool_usage(&tool, "--merge %s: more than %d lists", path, MAX_LISTS);
	if (rna_motifs_load(&s->motifs, path, &s->counts, &err) != RNA_OK)
		tool_die_err(&tool, &err);
	s->path = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
	job->nsources++;
}

static int
own(int code, const char *value, void *arg)
{
	struct motif_job *job = arg;

	switch (code) {
	case OPT_MAX:
		job->max = (int)tool_int(&tool, "--max", value, RNA_MOTIF_MIN, RNA_KMER_MAX);
		break;
	case OPT_MERGE:
		load_source(job, value);
		break;
	case OPT_MIN:
		job->min = (int)tool_int(&tool, "--min", value, RNA_MOTIF_MIN, RNA_KMER_MAX);
		break;
	case OPT_TOP:
		job->top = (size_t)tool_int(&tool, "--top", value, 0, 1 << 2 * RNA_KMER_MAX);
		tool.operands = job->top > 0;
		break;
	}
	return 0;
}

static enum rna_status
count_record(struct motif_job *job, const struct rna_record *rec, const uint8_t code[RNA_VOCAB_MAX],
    struct rna_buf *codes, struct rna_err *err)
{
	uint64_t n, i;
	const uint8_t *tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n);

	if (tokens == NULL)
		return rna_fail(err, RNA_EFORMAT, "no tokens; make them with rna-tokenize");
	if (rna_record_find(rec, "masked") != NULL)
		return rna_fail(err, RNA_EFORMAT, "masked; count before rna-mask");
	rna_buf_reuse(codes);
	if (rna_buf_reserve(codes, n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < n; i++)
		codes->data[i] = code[tokens[i]];
	rna_kmers_add(&job->kmers, codes->data, n);
	for (i = 0; i < job->nsources && tool.verbose > 0; i++)
		job->source[i].hits += rna_automaton_scan(&job->source[i].automaton, codes->data, n, NULL, 0);
	job->records++;
	return RNA_OK;
}

/* Counts the words of all records. */
static void
count(struct motif_job *job)
{
	struct rna_err err = {.record = RNA_NOREC};
	uint8_t code[RNA_VOCAB_MAX];
	struct rna_buf codes = RNA_BUF_INIT;
	struct rna_vocab v;
	struct rna_record rec;
	struct tool_in in;
	enum rna_status s;

	rna_record_init(&rec);
	tool_in_open(&in, &tool, NULL);
	do {
		tool_vocab(&tool, tool_in_header(&in), &v);
		rna_motif_codes(&v, code);
		while ((s = tool_in_read(&in, &rec)) == RNA_OK) {
			if (count_record(job, &rec, code, &codes, &err) == RNA_OK)
				continue;
			rna_err_where(&err, rna_source_name(in.source), rec.number);
			tool_die_err(&tool, &err);
		}
		rna_vocab_fini(&v);
	} while (s == RNA_NEXT);
	tool_in_close(&in);
	rna_record_fini(&rec);
	rna_buf_fini(&codes);
}

static void
merge(struct motif_job *job)
{
	struct motif_source *s;
	size_t i;
	int added;

	if (job->top > 0 && rna_kmers_top(&job->kmers, job->top, &job->list, &job->mined_hits) != RNA_OK)
		tool_die(&tool, "out of memory");
	job->mined = job->list.n;
	for (s = job->source; s < job->source + job->nsources; s++) {
		for (i = 0; i < s->motifs.n; i++) {
			if (rna_motifs_add(&job->list, rna_motifs_codes(&s->motifs, i), s->motifs.motif[i].len, 0,
			    &added) != RNA_OK)
				tool_die(&tool, "out of memory");
			s->added += (uint64_t)added;
		}
	}
}

int
main(int argc, char **argv)
{
	static struct motif_job job = {.min = 4, .max = 8, .top = DEFAULT_TOP};
	struct rna_err err = {.record = RNA_NOREC};
	size_t i;

	tool_parse(&tool, argc, argv, own, &job);
	if (job.min > job.max)
		tool_usage(&tool, "--min %d is more than --max %d", job.min, job.max);
	if (job.top > 0 && rna_kmers_init(&job.kmers, job.min, job.max, &err) != RNA_OK)
		tool_die_err(&tool, &err);
	for (i = 0; i < job.nsources && tool.verbose > 0; i++) {
		if (rna_automaton_init(&job.source[i].automaton, &job.source[i].motifs, 0) != RNA_OK)
			tool_die(&tool, "out of memory");
	}
	if (job.top > 0)
		count(&job);
	merge(&job);
	motif_print(&job, tool_text_open(&tool));
	tool_text_close(&tool);
	motif_report(&job, &tool);
	for (i = 0; i < job.nsources; i++) {
		rna_motifs_fini(&job.source[i].motifs);
		rna_automaton_fini(&job.source[i].automaton);
	}
	rna_motifs_fini(&job.list);
	rna_kmers_fini(&job.kmers);
	return TOOL_DONE;
}
