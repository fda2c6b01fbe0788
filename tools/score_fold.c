/*
 * score_fold.c: rna-score fold: the table of predicted structures beside the known ones.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"
#include "stat/foldmetrics.h"
#include "stat/foldtruth.h"
#include "stat/resample.h"

/* What is read: counts of each RNA and the number of its family. */
struct folded {
	struct tool *t;
	const struct score_options *opts;
	struct rna_foldtruth truth; /* of --truth */
	struct rna_fold_counts *counts;
	size_t *family, n, cap;
	char **name; /* of families */
	size_t nfamilies;
	struct rna_buf known, called; /* partners of the RNA at hand */
};

static void *
grown(struct tool *t, void *p, size_t n, size_t size)
{
	if ((p = reallocarray(p, n, size)) == NULL)
		tool_die(t, "out of memory");
	return p;
}

/* The known structures of --truth. */
static void
read_truth(struct folded *f)
{
	struct rna_err err = {.record = RNA_NOREC};
	char *files[] = {(char *)f->opts->truth, NULL};
	struct tool from = *f->t;
	struct rna_record rec;
	struct tool_in in;
	enum rna_status s;

	from.files = files;
	from.nfiles = 1;
	rna_record_init(&rec);
	tool_in_open(&in, &from, NULL);
	in.raw = 1;
	while ((s = tool_in_read(&in, &rec)) != RNA_END) {
		if (s == RNA_OK && rna_foldtruth_add(&f->truth, &rec, &err) != RNA_OK) {
			rna_err_where(&err, f->opts->truth, in.records);
			tool_die_err(f->t, &err);
		}
	}
	if (rna_foldtruth_sort(&f->truth) != RNA_OK)
		tool_die(f->t, "out of memory");
	tool_in_close(&in);
	rna_record_fini(&rec);
}

/* The family's name: a field of the record, or its name up to the Nth _ (--by name:N). */
static const char *
family_of(const struct score_options *opts, const struct rna_record *rec, size_t *n)
{
	int parts = opts->by_parts;
	const char *s;
	size_t i;

	if (parts == 0)
		return rna_record_get_str(rec, opts->by, n);
	if ((s = rna_record_get_str(rec, "name", n)) == NULL)
		return NULL;
	for (i = 0; i < *n; i++) {
		if (s[i] == '_' && --parts == 0) {
			*n = i;
			break;
		}
	}
	return s;
}

static enum rna_status
set_family(struct folded *f, const struct rna_record *rec, struct rna_err *err)
{
	const char *s;
	size_t n, i;

	f->family[f->n] = 0;
	if (f->opts->by == NULL)
		return RNA_OK;
	if ((s = family_of(f->opts, rec, &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no %s (str) to group by", f->opts->by);
	for (i = 0; i < f->nfamilies; i++)
		if (strncmp(f->name[i], s, n) == 0 && f->name[i][n] == '\0')
			break;
	if (i == f->nfamilies) {
		f->name = grown(f->t, f->name, i + 1, sizeof(*f->name));
		if ((f->name[i] = strndup(s, n)) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		f->nfamilies++;
	}
	f->family[f->n] = i;
	return RNA_OK;
}

/* The known partners of the record into f->known. */
static enum rna_status
find_known(struct folded *f, const struct rna_record *rec, struct rna_err *err)
{
	const int32_t *pair;
	size_t n;

	if (f->opts->truth == NULL) {
		if (rna_record_find(rec, "pair") == NULL)
			return rna_fail(err, RNA_EFORMAT, "no pair, the known structure; give it with --truth");
		return rna_foldtruth_pairs(rec, "pair", &f->known, err);
	}
	if ((pair = rna_foldtruth_find(&f->truth, rec, &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "its RNA is not in %s", f->opts->truth);
	if (rna_buf_add(&f->known, pair, n * sizeof(*pair)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

static enum rna_status
add_record(struct folded *f, const struct rna_record *rec, struct rna_err *err)
{
	int32_t *known;
	const char *seq;
	enum rna_status s;
	size_t n, length;

	rna_buf_reuse(&f->known);
	rna_buf_reuse(&f->called);
	if (f->opts->truth == NULL && rna_record_find(rec, "structure") == NULL)
		return rna_fail(err, RNA_EFORMAT, "no structure; fold with rna-fold");
	if ((s = rna_foldtruth_pairs(rec, "structure", &f->called, err)) != RNA_OK ||
	    (s = find_known(f, rec, err)) != RNA_OK)
		return s;
	n = f->known.len / sizeof(*known);
	if (f->called.len != f->known.len)
		return rna_fail(err, RNA_EFORMAT, "its structure has %zu bases, the known one %zu",
		    f->called.len / sizeof(*known), n);
	known = (int32_t *)(void *)f->known.data;
	if (f->opts->canonical) {
		if ((seq = rna_record_get_str(rec, "seq", &length)) == NULL)
			return rna_fail(err, RNA_EFORMAT, "no seq, and --canonical asks for it");
		rna_foldmetrics_canonical(known, seq, n);
	}
	if (f->opts->nested && (s = rna_foldmetrics_nested(known, n, err)) != RNA_OK)
		return s;
	if (f->n == f->cap) {
		f->cap = f->cap > 0 ? 2 * f->cap : 1024;
		f->counts = grown(f->t, f->counts, f->cap, sizeof(*f->counts));
		f->family = grown(f->t, f->family, f->cap, sizeof(*f->family));
	}
	f->counts[f->n] = rna_foldmetrics_count(known, (int32_t *)(void *)f->called.data, n);
	if ((s = set_family(f, rec, err)) == RNA_OK)
		f->n++;
	return s;
}

static void
read_records(struct folded *f)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;
	struct tool_in in;
	enum rna_status s;

	rna_record_init(&rec);
	tool_in_open(&in, f->t, NULL);
	in.raw = 1;
	if (f->opts->truth == NULL && !rna_source_is_stream(in.source))
		tool_die(f->t, "%s: is text with one structure each; give the known ones with --truth",
		    rna_source_name(in.source));
	while ((s = tool_in_read(&in, &rec)) != RNA_END) {
		if (s == RNA_OK && add_record(f, &rec, &err) != RNA_OK) {
			rna_err_where(&err, rna_source_name(in.source), in.records);
			tool_die_err(f->t, &err);
		}
	}
	if (f->n == 0)
		tool_die(f->t, "%s: no records", f->t->files[f->t->nfiles - 1]);
	tool_in_close(&in);
	rna_record_fini(&rec);
}

/* The rows of some RNAs; suffix: ".family" or "". */
static void
print_rows(struct score_table *to, const struct rna_foldset *set, const char *suffix)
{
	int draws = to->opts->bootstrap;
	double value[RNA_FOLD_NMETRICS], *sample, *w;
	struct rna_interval iv;
	char name[160];
	size_t i;

	sample = calloc((size_t)draws + 1, sizeof(value));
	w = calloc(set->n, sizeof(*w));
	if (sample == NULL || w == NULL)
		tool_die(to->t, "out of memory");
	for (i = 0; i < set->n; i++)
		w[i] = 1;
	rna_foldmetrics_measure(w, (void *)set, value);
	if (rna_resample(set->n, draws, to->t->seed, RNA_FOLD_NMETRICS, rna_foldmetrics_measure, (void *)set, sample) !=
	    RNA_OK)
		tool_die(to->t, "out of memory");
	for (i = 0; i < RNA_FOLD_NMETRICS; i++) {
		if (rna_resample_interval(sample, draws, RNA_FOLD_NMETRICS, i, value[i], &iv) != RNA_OK)
			tool_die(to->t, "out of memory");
		snprintf(name, sizeof(name), "%s%.128s", rna_fold_metric_name[i], suffix);
		score_table_row(to, name, iv, set->n);
		score_table_end_row(to);
	}
	free(sample);
	free(w);
}

static void
print_table(struct score_table *to, const struct folded *f)
{
	size_t *at = calloc(f->n, sizeof(*at)), i, k;
	struct rna_foldset set = {f->counts, at, f->n};
	char suffix[132];

	if (at == NULL)
		tool_die(f->t, "out of memory");
	for (i = 0; i < f->n; i++)
		at[i] = i;
	print_rows(to, &set, "");
	for (k = 0; k < f->nfamilies; k++) {
		for (set.n = 0, i = 0; i < f->n; i++)
			if (f->family[i] == k)
				at[set.n++] = i;
		snprintf(suffix, sizeof(suffix), ".%.120s", f->name[k]);
		print_rows(to, &set, suffix);
	}
	free(at);
}

/* Known structures that were never replaced score 1 and say nothing. */
static void
warn_if_equal(const struct folded *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->counts[i].hits != f->counts[i].known || f->counts[i].hits != f->counts[i].called)
			return;
	if (f->opts->truth == NULL)
		tool_warn(f->t, "every structure is the known one: were they folded?");
}

void
score_fold(struct tool *t, const struct score_options *opts)
{
	struct folded f = {.t = t, .opts = opts};
	struct score_table to;
	size_t i;

	rna_foldtruth_init(&f.truth);
	if (opts->truth != NULL)
		read_truth(&f);
	read_records(&f);
	warn_if_equal(&f);
	score_table_open(&to, t, opts, "");
	print_table(&to, &f);
	score_table_close(&to);
	tool_summary(t, "%zu records", f.n);
	rna_foldtruth_fini(&f.truth);
	rna_buf_fini(&f.known);
	rna_buf_fini(&f.called);
	for (i = 0; i < f.nfamilies; i++)
		free(f.name[i]);
	free(f.name);
	free(f.counts);
	free(f.family);
}
