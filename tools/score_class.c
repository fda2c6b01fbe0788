/*
 * score_class.c: rna-score class and pair: the table of classifications.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"
#include "stat/classmetrics.h"
#include "stat/resample.h"
#include "stream/outfile.h"

/* One stream of predictions and its scores. */
struct scored {
	struct rna_classset set;
	struct rna_classmetrics m;
	double *value;  /* [count] */
	double *sample; /* [bootstrap][count] */
	size_t count;
};

/* The names in the header's "classes", NULL when it has none; ends with 1 when it is no list. */
static char **
header_classes(struct tool *t, const struct rna_header *h, size_t *n)
{
	const json_t *a = json_object_get(h->json, "classes");
	char **names;
	size_t i;

	*n = json_array_size(a);
	if (a == NULL)
		return NULL;
	if ((names = calloc(*n + 1, sizeof(*names))) == NULL)
		tool_die(t, "out of memory");
	for (i = 0; i < *n; i++) {
		if (!json_is_string(json_array_get(a, i)))
			tool_die(t, "the header's classes are no list of names");
		if ((names[i] = strdup(json_string_value(json_array_get(a, i)))) == NULL)
			tool_die(t, "out of memory");
	}
	return names;
}

/* Frees tool_list's names, which are one piece of memory, or names of their own. */
static void
free_list(char **names, size_t n, int own)
{
	size_t i;

	for (i = 0; names != NULL && i < (own ? n : 1); i++)
		free(names[i]);
	free(names);
}

/* A further stream must have the classes of the first. */
static void
check_classes(struct tool *t, const struct rna_header *h, const json_t *first)
{
	const json_t *a = json_object_get(h->json, "classes");

	if (a != first && (a == NULL || first == NULL || !json_equal(a, first)))
		tool_die(t, "streams of different classes");
}

/* All records of the input; the classes are those of --classes, the header or the given set, in this order. */
static void
read_set(struct tool *t, const struct score_options *opts, const struct rna_classset *like, struct rna_classset *set)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;
	enum rna_status st;
	struct tool_in in;
	json_t *first;
	char **names = NULL;
	size_t n = 0;

	rna_classset_init(set);
	rna_record_init(&rec);
	tool_in_open(&in, t, NULL);
	first = json_incref(json_object_get(tool_in_header(&in)->json, "classes"));
	names = opts->classes != NULL ? tool_list(t, "--classes", opts->classes, &n)
	                              : header_classes(t, tool_in_header(&in), &n);
	while ((st = tool_in_read(&in, &rec)) != RNA_END) {
		if (st == RNA_NEXT)
			check_classes(t, tool_in_header(&in), first);
		else if (rna_classset_add(set, &rec, &err) != RNA_OK) {
			rna_err_where(&err, rna_source_name(in.source), in.records);
			tool_die_err(t, &err);
		}
	}
	if (rna_classset_finish(set, n > 0 || like == NULL ? names : like->name,
		n > 0 || like == NULL ? n : like->nclasses, &err) != RNA_OK) {
		rna_err_where(&err, t->files[t->nfiles - 1], RNA_NOREC);
		tool_die_err(t, &err);
	}
	free_list(names, n, opts->classes == NULL);
	json_decref(first);
	rna_record_fini(&rec);
	tool_in_close(&in);
}

static void
measure(struct tool *t, const struct score_options *opts, struct scored *s)
{
	double *w;
	size_t i;

	if (rna_classmetrics_init(&s->m, &s->set, opts->bins) != RNA_OK)
		tool_die(t, "out of memory");
	s->count = rna_classmetrics_count(&s->m);
	s->sample = calloc((size_t)opts->bootstrap + 1, s->count * sizeof(*s->sample));
	s->value = calloc(s->count, sizeof(*s->value));
	w = calloc(s->set.n, sizeof(*w));
	if (s->sample == NULL || s->value == NULL || w == NULL)
		tool_die(t, "out of memory");
	if (rna_resample(s->set.n, opts->bootstrap, t->seed, s->count, rna_classmetrics_measure, &s->m, s->sample) !=
	    RNA_OK)
		tool_die(t, "out of memory");
	for (i = 0; i < s->set.n; i++)
		w[i] = 1;
	rna_classmetrics_measure(w, &s->m, s->value); /* last, so that the confusion matrix is that of all records */
	free(w);
}

static void
row(struct score_table *to, const char *name, const struct scored *s, const struct scored *other, size_t at, size_t n)
{
	int draws = to->opts->bootstrap;
	struct rna_interval iv;
	json_t *o;
	double p;

	if (isnan(s->value[at]))
		return;
	if (rna_resample_interval(s->sample, draws, s->count, at, s->value[at], &iv) != RNA_OK)
		tool_die(to->t, "out of memory");
	o = score_table_row(to, name, iv, n);
	if (other != NULL) {
		if (rna_resample_difference(s->sample, other->sample, draws, s->count, at,
			s->value[at] - other->value[at], &iv, &p) != RNA_OK)
			tool_die(to->t, "out of memory");
		score_table_put(to, o, "against", other->value[at]);
		score_table_put(to, o, "difference", iv.value);
		score_table_put(to, o, "difference_low", iv.low);
		score_table_put(to, o, "difference_high", iv.high);
		score_table_put(to, o, "p", p);
	}
	score_table_end_row(to);
}

static void
print_rows(struct score_table *to, const struct scored *s, const struct scored *other)
{
	size_t c, i, k, n, nc = s->set.nclasses;
	char name[160];

	for (i = 0; i < RNA_CLASS_NMETRICS; i++)
		row(to, rna_class_metric_name[i], s, other, i, s->set.n);
	for (c = 0; c < nc; c++) {
		for (n = 0, i = 0; i < s->set.n; i++)
			n += s->set.truth[i] == (int32_t)c;
		for (k = 0; k < RNA_CLASS_NPARTS; k++) {
			snprintf(name, sizeof(name), "%s.%.128s", rna_class_part_name[k], s->set.name[c]);
			row(to, name, s, other, RNA_CLASS_NMETRICS + c * RNA_CLASS_NPARTS + k, n);
		}
	}
}

/* A table with a row for each true class and a column for each call. */
static void
write_confusion(struct tool *t, const char *path, const struct scored *s)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_outfile *out = rna_outfile_open(path, &err);
	size_t c, d, nc = s->set.nclasses;
	FILE *fp;

	if (out == NULL)
		tool_die_err(t, &err);
	fp = rna_outfile_fp(out);
	fputs("truth", fp);
	for (c = 0; c < nc; c++) {
		putc('\t', fp);
		score_table_name(fp, s->set.name[c]);
	}
	for (c = 0; c < nc; c++) {
		putc('\n', fp);
		score_table_name(fp, s->set.name[c]);
		for (d = 0; d < nc; d++)
			fprintf(fp, "\t%.0f", s->m.confusion[c * nc + d]);
	}
	putc('\n', fp);
	if (rna_outfile_close(out, &err) != RNA_OK)
		tool_die_err(t, &err);
}

static void
scored_fini(struct scored *s)
{
	rna_classmetrics_fini(&s->m);
	rna_classset_fini(&s->set);
	free(s->value);
	free(s->sample);
}

void
score_class(struct tool *t, const struct score_options *opts)
{
	struct scored mine = {0}, other = {0};
	struct rna_err err = {.record = RNA_NOREC};
	struct score_table to;
	struct tool from = *t;

	if (opts->confusion != NULL)
		tool_refuse_input(t, opts->confusion, opts->against);
	read_set(t, opts, NULL, &mine.set);
	measure(t, opts, &mine);
	if (opts->against != NULL) {
		from.files = (char *[]){(char *)opts->against, NULL};
		from.nfiles = 1;
		read_set(&from, opts, &mine.set, &other.set);
		if (rna_classset_align(&other.set, &mine.set, &err) != RNA_OK)
			tool_die(t, "%s: %s", opts->against, err.text);
		measure(t, opts, &other);
	}
	if (opts->confusion != NULL)
		write_confusion(t, opts->confusion, &mine);
	score_table_open(
	    &to, t, opts, opts->against != NULL ? "\tagainst\tdifference\tdifference_low\tdifference_high\tp" : "");
	print_rows(&to, &mine, opts->against != NULL ? &other : NULL);
	score_table_close(&to);
	tool_summary(t, "%zu records", mine.set.n);
	scored_fini(&mine);
	scored_fini(&other);
}
