/*
 * vote_streams.c: rna-vote --by stream: an ensemble; the operands are read in step.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vote_private.h"

/* One operand. */
struct member {
	struct tool t; /* with this one file */
	char *files[2];
	struct tool_in in;
	struct rna_record rec;
	json_t *classes;
};

static void
member_open(struct member *m, struct tool *t, char *file)
{
	m->files[0] = file;
	m->t = *t;
	m->t.files = m->files;
	m->t.nfiles = 1;
	rna_record_init(&m->rec);
	tool_in_open(&m->in, &m->t, NULL);
	m->classes = json_incref(json_object_get(tool_in_header(&m->in)->json, "classes"));
}

/* All name the same classes, or none. */
static void
check_classes(struct tool *t, const struct member *m)
{
	int k;

	for (k = 1; k < t->nfiles; k++)
		if (m[k].classes != m[0].classes &&
		    (m[k].classes == NULL || m[0].classes == NULL || !json_equal(m[k].classes, m[0].classes)))
			tool_die(t, "%s: its classes are not those of %s", t->files[k], t->files[0]);
}

/* The fields that tell the RNA, or its chunk and replicate, are equal or absent in both. */
static int
is_same(const struct rna_record *a, const struct rna_record *b)
{
	static const char *const names[] = {"rid", "chunk", "group"};
	const struct rna_field *f, *g;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		f = rna_record_find(a, names[i]);
		g = rna_record_find(b, names[i]);
		if ((f == NULL) != (g == NULL))
			return 0;
		if (f != NULL &&
		    (f->size != g->size || memcmp(rna_record_data(a, f), rna_record_data(b, g), f->size) != 0))
			return 0;
	}
	return rna_record_find(a, "rid") != NULL;
}

/* The next record of every stream: RNA_OK, RNA_NEXT or RNA_END, of all alike. */
static enum rna_status
read_all(struct tool *t, struct member *m)
{
	enum rna_status s = tool_in_read(&m[0].in, &m[0].rec);
	int k;

	for (k = 1; k < t->nfiles; k++) {
		if (tool_in_read(&m[k].in, &m[k].rec) != s)
			tool_die(t, "%s: has not as many records as %s", t->files[k], t->files[0]);
		if (s == RNA_OK && !is_same(&m[0].rec, &m[k].rec))
			tool_die(t, "%s: record %" PRIu64 ": is not the RNA of that record in %s", t->files[k],
			    m[k].in.records, t->files[0]);
	}
	return s;
}

static void
vote(struct tool *t, struct member *m, struct rna_vote *v)
{
	struct rna_err err = {.record = RNA_NOREC};
	int k;

	for (k = 0; k < t->nfiles; k++) {
		if (rna_vote_add(v, &m[k].rec, 1, &err) != RNA_OK) {
			rna_err_where(&err, t->files[k], m[k].in.records);
			tool_die_err(t, &err);
		}
	}
	if (rna_vote_end(v, m[0].classes, &err) != RNA_OK) {
		rna_err_where(&err, t->files[0], m[0].in.records);
		tool_die_err(t, &err);
	}
}

void
vote_streams(struct tool *t, enum rna_vote_rule rule)
{
	struct member *m = calloc((size_t)t->nfiles, sizeof(*m));
	struct tool_out *out;
	struct rna_vote v;
	enum rna_status s;
	int k;

	if (m == NULL)
		tool_die(t, "out of memory");
	rna_vote_init(&v, rule);
	out = tool_out_open(t);
	for (k = 0; k < t->nfiles; k++)
		member_open(&m[k], t, t->files[k]);
	check_classes(t, m);
	tool_out_header(out, tool_in_header(&m[0].in), NULL, 1);
	while ((s = read_all(t, m)) != RNA_END) {
		if (s == RNA_NEXT) {
			for (k = 0; k < t->nfiles; k++) {
				json_decref(m[k].classes);
				m[k].classes = json_incref(json_object_get(tool_in_header(&m[k].in)->json, "classes"));
			}
			check_classes(t, m);
			tool_out_header(out, tool_in_header(&m[0].in), NULL, 1);
			continue;
		}
		vote(t, m, &v);
		tool_out_write(out, &v.out);
	}
	tool_out_close(out);
	tool_summary(t, "%" PRIu64 " records of %d streams", m[0].in.records, t->nfiles);
	for (k = 0; k < t->nfiles; k++) {
		tool_in_close(&m[k].in);
		rna_record_fini(&m[k].rec);
		json_decref(m[k].classes);
	}
	free(m);
	rna_vote_fini(&v);
}
