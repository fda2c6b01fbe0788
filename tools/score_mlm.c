/*
 * score_mlm.c: rna-score mlm: the table of masked-token prediction.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "score.h"
#include "stat/mlmscore.h"

/* Where the rows go. */
struct table {
	struct tool *t;
	const struct score_options *opts;
	FILE *fp;
	json_t *json;
};

/* The context counts of --train. */
static void
count_contexts(struct tool *t, const struct score_options *opts, struct rna_context *c, const struct rna_vocab *v)
{
	char *files[] = {(char *)opts->train, NULL};
	struct tool from = *t;
	struct rna_record rec;
	struct tool_in in;
	const uint8_t *tokens;
	uint64_t n;

	from.files = files;
	from.nfiles = 1;
	if (rna_context_init(c, opts->context, v) != RNA_OK)
		tool_die(t, "out of memory");
	rna_record_init(&rec);
	tool_in_open(&in, &from, NULL);
	in.vocab = v;
	while (tool_in_read(&in, &rec) != RNA_END) {
		if (rna_record_find(&rec, "masked") != NULL)
			tool_die(t, "%s: is masked; count contexts in the stream before rna-mask", opts->train);
		if ((tokens = rna_record_get_vec(&rec, "tokens", RNA_U8, &n)) != NULL)
			rna_context_add(c, tokens, n);
		rna_record_reuse(&rec);
	}
	rna_context_fit(c);
	tool_in_close(&in);
	rna_record_fini(&rec);
}

static json_t *
number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

/* One row: name, value, 95 % interval, number of things that it is over. */
static void
row(const struct table *to, const char *name, struct rna_interval iv, double n)
{
	json_t *o;

	if (!to->opts->json) {
		fprintf(to->fp, "%s\t%.6g\t%.6g\t%.6g\t%.0f\n", name, iv.value, iv.low, iv.high, n);
		return;
	}
	o = json_pack("{s:o, s:o, s:o, s:I}", "value", number(iv.value), "low", number(iv.low), "high", number(iv.high),
	    "n", (json_int_t)n);
	if (o == NULL || json_object_set_new(to->json, name, o) != 0)
		tool_die(to->t, "out of memory");
}

static void
ratio(const struct table *to, const char *name, const struct rna_mlmscore *s, enum rna_mlm_sum above,
    enum rna_mlm_sum below)
{
	struct rna_interval iv;

	if (rna_mlmscore_ratio(s, above, below, to->opts->bootstrap, to->t->seed, &iv) != RNA_OK)
		tool_die(to->t, "out of memory");
	row(to, name, iv, rna_mlmscore_total(s, below));
}

static void
difference(
    const struct table *to, const char *name, const struct rna_mlmscore *s, enum rna_mlm_sum a, enum rna_mlm_sum b)
{
	struct rna_interval iv;

	if (rna_mlmscore_difference(s, a, b, RNA_MLM_BASES, to->opts->bootstrap, to->t->seed, &iv) != RNA_OK)
		tool_die(to->t, "out of memory");
	row(to, name, iv, rna_mlmscore_total(s, RNA_MLM_BASES));
}

static void
print_types(const struct table *to, const struct rna_mlmscore *s)
{
	double n = rna_mlmscore_total(s, RNA_MLM_TYPES);
	struct rna_interval iv = {NAN, NAN, NAN};
	char name[80];
	int t, ntypes;

	if (n == 0)
		return;
	ratio(to, "type_accuracy", s, RNA_MLM_TYPE_HITS, RNA_MLM_TYPES);
	iv.value = rna_mlmscore_macro_recall(s, &ntypes);
	row(to, "type_macro_recall", iv, n);
	iv.value = 1.0 / ntypes;
	row(to, "type_chance", iv, ntypes);
	for (t = 0; t < s->vocab->n; t++) {
		if (s->type_targets[t] == 0)
			continue;
		snprintf(name, sizeof(name), "type_recall.%.64s", s->vocab->token[t]);
		iv.value = (double)s->type_hits[t] / (double)s->type_targets[t];
		row(to, name, iv, (double)s->type_targets[t]);
	}
}

static void
print_table(struct table *to, const struct rna_mlmscore *s)
{
	if (to->opts->json && (to->json = json_object()) == NULL)
		tool_die(to->t, "out of memory");
	if (!to->opts->json)
		fputs("metric\tvalue\tlow\thigh\tn\n", to->fp);
	ratio(to, "loss", s, RNA_MLM_LOSS, RNA_MLM_BASES);
	ratio(to, "accuracy", s, RNA_MLM_HITS, RNA_MLM_BASES);
	if (s->context != NULL) {
		ratio(to, "context_loss", s, RNA_MLM_CONTEXT_LOSS, RNA_MLM_BASES);
		ratio(to, "context_accuracy", s, RNA_MLM_CONTEXT_HITS, RNA_MLM_BASES);
		difference(to, "loss_minus_context", s, RNA_MLM_LOSS, RNA_MLM_CONTEXT_LOSS);
		difference(to, "accuracy_minus_context", s, RNA_MLM_HITS, RNA_MLM_CONTEXT_HITS);
	}
	print_types(to, s);
	if (to->opts->json &&
	    (json_dumpf(to->json, to->fp, JSON_REAL_PRECISION(9) | JSON_COMPACT) != 0 || putc('\n', to->fp) == EOF))
		tool_die(to->t, "can't write the table: %s", strerror(errno));
	json_decref(to->json);
}

static void
read_records(struct tool_in *in, struct rna_mlmscore *s)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;

	rna_record_init(&rec);
	while (tool_in_read(in, &rec) != RNA_END) {
		if (rec.nfields > 0 && rna_mlmscore_add(s, &rec, &err) != RNA_OK) {
			rna_err_where(&err, rna_source_name(in->source), in->records);
			tool_die_err(in->t, &err);
		}
		rna_record_reuse(&rec);
	}
	rna_record_fini(&rec);
}

void
score_mlm(struct tool *t, const struct score_options *opts)
{
	struct table to = {t, opts, NULL, NULL};
	struct rna_mlmscore s;
	struct rna_context context;
	struct rna_vocab vocab;
	struct tool_in in;

	tool_in_open(&in, t, NULL);
	tool_vocab(t, tool_in_header(&in), &vocab);
	if (opts->context >= 0)
		count_contexts(t, opts, &context, &vocab);
	rna_mlmscore_init(&s, &vocab, opts->context >= 0 ? &context : NULL);
	read_records(&in, &s);
	to.fp = tool_text_open(t);
	print_table(&to, &s);
	tool_text_close(t);
	tool_in_close(&in);
	tool_summary(t, "%zu records", s.n);
	rna_mlmscore_fini(&s);
	if (opts->context >= 0)
		rna_context_fini(&context);
	rna_vocab_fini(&vocab);
}
