/*
 * score_table.c: the table that rna-score prints, as TSV or JSON.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "score.h"

void
score_table_open(struct score_table *to, struct tool *t, const struct score_options *opts, const char *more)
{
	*to = (struct score_table){t, opts, tool_text_open(t), NULL};
	if (opts->json && (to->json = json_object()) == NULL)
		tool_die(t, "out of memory");
	if (!opts->json)
		fprintf(to->fp, "metric\tvalue\tlow\thigh\tn%s\n", more);
}

void
score_table_put(struct score_table *to, json_t *o, const char *name, double x)
{
	if (!to->opts->json)
		fprintf(to->fp, "\t%.9g", isnan(x) ? (double)NAN : x); /* one spelling for either sign */
	else if (json_object_set_new(o, name, isfinite(x) ? json_real(x) : json_null()) != 0)
		tool_die(to->t, "out of memory");
}

void
score_table_name(FILE *fp, const char *name)
{
	for (; *name != '\0'; name++)
		putc((unsigned char)*name < ' ' || *name == 127 ? '?' : *name, fp);
}

json_t *
score_table_row(struct score_table *to, const char *name, struct rna_interval iv, size_t n)
{
	json_t *o = NULL;

	if (to->opts->json) {
		if ((o = json_object()) == NULL || json_object_set_new(to->json, name, o) != 0)
			tool_die(to->t, "out of memory");
	} else
		score_table_name(to->fp, name);
	score_table_put(to, o, "value", iv.value);
	score_table_put(to, o, "low", iv.low);
	score_table_put(to, o, "high", iv.high);
	if (!to->opts->json)
		fprintf(to->fp, "\t%zu", n);
	else if (json_object_set_new(o, "n", json_integer((json_int_t)n)) != 0)
		tool_die(to->t, "out of memory");
	return o;
}

void
score_table_end_row(struct score_table *to)
{
	if (!to->opts->json)
		putc('\n', to->fp);
}

void
score_table_close(struct score_table *to)
{
	if (to->opts->json &&
	    (json_dumpf(to->json, to->fp, JSON_REAL_PRECISION(12) | JSON_COMPACT) != 0 || putc('\n', to->fp) == EOF))
		tool_die(to->t, "can't write the table: %s", strerror(errno));
	json_decref(to->json);
	tool_text_close(to->t);
}
