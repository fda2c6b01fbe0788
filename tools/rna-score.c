/*
 * rna-score: predictions with truth in, a table of scores out.
 *
 *	rna-embed -m model/ --what logits masked.rill | rna-score mlm --context 4 --train train.rill
 *
 * mlm: masked records with logits; loss and accuracy on masked bases beside chance and context counts, recall on types.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stat/mlmscore.h"
#include "tool.h"

enum { OPT_BOOTSTRAP = CHAR_MAX + 1, OPT_CONTEXT, OPT_TRAIN };

static const struct tool_option options[] = {
	{OPT_CONTEXT, "context", "N", "compare with counts of N bases either side, 0 to 5 (needs --train)"},
	{OPT_TRAIN, "train", "FILE", "stream or FASTA that the context counts are made from"},
	{OPT_BOOTSTRAP, "bootstrap", "N", "resamples of records for the 95 % intervals (default 1000, 0: none)"},
	{'O', "format", "tsv|json", "form of the table (default tsv)"},
	{0, NULL, NULL, NULL},
};

static struct tool tool = {
	.name = "rna-score",
	.usage = "mlm [options] [FILE...]",
	.summary = "Scores predictions against the truth they carry and prints a table.",
	.example = "rna-embed -m model/ --what logits masked.rill | rna-score mlm",
	.options = options,
	.common = "ms",
	.operands = 1,
};

static const char *const objectives[] = {"mlm", NULL};

static struct opts {
	int context;            /* bases either side, -1: no baseline */
	const char *train;
	int bootstrap;
	int json;
} opts = {-1, NULL, 1000, 0};

static int
option(int code, const char *value, void *arg)
{
	static const char *const formats[] = {"tsv", "json", NULL};

	(void)arg;
	switch (code) {
	case 'O':
		opts.json = tool_choice(&tool, "-O", value, formats);
		break;
	case OPT_BOOTSTRAP:
		opts.bootstrap = (int)tool_int(&tool, "--bootstrap", value, 0, 1000000);
		break;
	case OPT_CONTEXT:
		opts.context = (int)tool_int(&tool, "--context", value, 0, RNA_CONTEXT_MAX);
		break;
	case OPT_TRAIN:
		opts.train = value;
		break;
	}
	return 0;
}

/* The context counts of --train, restored where it is masked. */
static void
count_contexts(struct rna_context *c, const struct rna_vocab *v)
{
	struct tool from = tool;
	char *files[] = {(char *)opts.train, NULL};
	struct rna_record rec;
	struct tool_in in;
	const uint8_t *tokens;
	uint64_t n;

	from.files = files;
	from.nfiles = 1;
	if (rna_context_init(c, opts.context, v) != RNA_OK)
		tool_die(&tool, "out of memory");
	rna_record_init(&rec);
	tool_in_open(&in, &from, NULL);
	in.vocab = v;
	while (tool_in_read(&in, &rec) != RNA_END) {
		if (rna_record_find(&rec, "masked") != NULL)
			tool_die(&tool, "%s: is masked; count contexts in the stream before rna-mask", opts.train);
		if ((tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n)) != NULL)
			rna_context_add(c, tokens, n);
		rna_record_reuse(&rec);
	}
	rna_context_fit(c);
	tool_in_close(&in);
	rna_record_fini(&rec);
}

/* One row of the table: name, value, 95 % interval, number of things it is over. */
static void
row(FILE *fp, json_t *json, const char *name, struct rna_interval iv, double n)
{
	json_t *o;

	if (!opts.json) {
		fprintf(fp, "%s\t%.6g\t%.6g\t%.6g\t%.0f\n", name, iv.value, iv.low, iv.high, n);
		return;
	}
	o = json_pack("{s:f, s:f, s:f, s:f}", "value", isfinite(iv.value) ? iv.value : 0.0, "low", isfinite(iv.low) ? iv.low : 0.0,
	    "high", isfinite(iv.high) ? iv.high : 0.0, "n", n);
	if (o == NULL || (!isfinite(iv.value) && json_object_set_new(o, "value", json_null()) != 0) ||
	    (!isfinite(iv.low) && json_object_set_new(o, "low", json_null()) != 0) ||
	    (!isfinite(iv.high) && json_object_set_new(o, "high", json_null()) != 0) || json_object_set_new(json, name, o) != 0)
		tool_die(&tool, "out of memory");
}

static struct rna_interval
difference(const struct rna_mlmscore *s, enum rna_mlm_sum a, enum rna_mlm_sum b)
{
	struct rna_interval iv;

	if (rna_mlmscore_difference(s, a, b, RNA_MLM_BASES, opts.bootstrap, tool.seed, &iv) != RNA_OK)
		tool_die(&tool, "out of memory");
	return iv;
}

static void
print_types(FILE *fp, const struct rna_mlmscore *s, json_t *json)
{
	double n = rna_mlmscore_total(s, RNA_MLM_TYPES);
	struct rna_interval iv = {NAN, NAN, NAN};
	char name[64];
	int t, ntypes;

	if (n == 0)
		return;
	row(fp, json, "type_accuracy", rna_mlmscore_ratio(s, RNA_MLM_TYPE_HITS, RNA_MLM_TYPES, opts.bootstrap, tool.seed), n);
	iv.value = rna_mlmscore_macro_recall(s, &ntypes);
	row(fp, json, "type_macro_recall", iv, n);
	iv.value = 1.0 / ntypes;
	row(fp, json, "type_chance", iv, ntypes);
	for (t = 0; t < s->vocab->n; t++) {
		if (s->type_targets[t] == 0)
			continue;
		snprintf(name, sizeof(name), "type_recall.%s", s->vocab->token[t]);
		iv.value = (double)s->type_hits[t] / (double)s->type_targets[t];
		row(fp, json, name, iv, (double)s->type_targets[t]);
	}
}

static void
print_table(FILE *fp, const struct rna_mlmscore *s)
{
	double n = rna_mlmscore_total(s, RNA_MLM_BASES);
	json_t *json = json_object();

	if (json == NULL)
		tool_die(&tool, "out of memory");
	if (!opts.json)
		fprintf(fp, "metric\tvalue\tlow\thigh\tn\n");
	row(fp, json, "loss", rna_mlmscore_ratio(s, RNA_MLM_LOSS, RNA_MLM_BASES, opts.bootstrap, tool.seed), n);
	row(fp, json, "accuracy", rna_mlmscore_ratio(s, RNA_MLM_HITS, RNA_MLM_BASES, opts.bootstrap, tool.seed), n);
	if (s->context != NULL) {
		row(fp, json, "context_loss", rna_mlmscore_ratio(s, RNA_MLM_CONTEXT_LOSS, RNA_MLM_BASES, opts.bootstrap, tool.seed), n);
		row(fp, json, "context_accuracy", rna_mlmscore_ratio(s, RNA_MLM_CONTEXT_HITS, RNA_MLM_BASES, opts.bootstrap, tool.seed), n);
		row(fp, json, "loss_minus_context", difference(s, RNA_MLM_LOSS, RNA_MLM_CONTEXT_LOSS), n);
		row(fp, json, "accuracy_minus_context", difference(s, RNA_MLM_HITS, RNA_MLM_CONTEXT_HITS), n);
	}
	print_types(fp, s, json);
	if (opts.json && (json_dumpf(json, fp, JSON_REAL_PRECISION(9)) != 0 || putc('\n', fp) == EOF))
		tool_die(&tool, "standard output: %s", strerror(errno));
	json_decref(json);
}

static void
score(struct tool_in *in, struct rna_mlmscore *s)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;

	rna_record_init(&rec);
	while (tool_in_read(in, &rec) != RNA_END) {
		if (rna_mlmscore_add(s, &rec, &err) != RNA_OK) {
			rna_err_where(&err, rna_source_name(in->source), in->records);
			tool_die_err(&tool, &err);
		}
	}
	rna_record_fini(&rec);
}

int
main(int argc, char **argv)
{
	struct rna_mlmscore s;
	struct rna_context context;
	struct rna_vocab vocab;
	struct tool_in in;
	FILE *out;

	tool_parse(&tool, argc, argv, option, NULL);
	tool_objective(&tool, objectives);
	if ((opts.context >= 0) != (opts.train != NULL))
		tool_usage(&tool, "--context and --train go together");
	tool_in_open(&in, &tool, NULL);
	tool_vocab(&tool, tool_in_header(&in), &vocab);
	if (opts.context >= 0)
		count_contexts(&context, &vocab);
	rna_mlmscore_init(&s, &vocab, opts.context >= 0 ? &context : NULL);
	score(&in, &s);
	out = tool_text_open(&tool);
	print_table(out, &s);
	tool_text_close(&tool);
	tool_in_close(&in);
	tool_summary(&tool, "%zu records", s.n);
	rna_mlmscore_fini(&s);
	if (opts.context >= 0)
		rna_context_fini(&context);
	rna_vocab_fini(&vocab);
	return TOOL_DONE;
}
