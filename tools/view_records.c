/*
 * view_records.c: the record loop of rna-view and what each way of writing does at its start, per record and at its
 * end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seq/npy.h"
#include "seq/picture.h"
#include "seq/tensors.h"
#include "view_private.h"

struct printer {
	struct view *v;
	struct tool_in in;
	FILE *fp; /* NULL: nothing is written */
	struct rna_vocab vocab;
	int have_vocab;
	char **columns; /* TSV: of the first record, when none were chosen */
	struct rna_buf buf;
	struct rna_npy *npy;
	struct rna_tensors tensors;
	struct rna_pictures pictures;
	char *seen; /* for each field of --fields: a record had it */
};

static void
fail(struct printer *p, struct rna_err *err)
{
	rna_err_where(err, p->in.source != NULL ? rna_source_name(p->in.source) : "", p->in.records);
	tool_die_err(p->v->t, err);
}

/* Names of types, where the vocabulary is the default one or the one of -m; without it ids are printed as numbers. */
static void
new_header(struct printer *p)
{
	const struct rna_header *h = tool_in_header(&p->in);

	if (p->have_vocab)
		rna_vocab_fini(&p->vocab);
	p->have_vocab = 0;
	p->v->text.vocab = NULL;
	if (rna_header_vocab_digest(h)[0] == '\0')
		return;
	if (p->v->t->model != NULL) {
		tool_vocab(p->v->t, h, &p->vocab);
		p->have_vocab = 1;
	} else if (rna_vocab_init(&p->vocab) != RNA_OK) {
		tool_die(p->v->t, "out of memory");
	} else if (!(p->have_vocab = strcmp(p->vocab.digest, rna_header_vocab_digest(h)) == 0)) {
		rna_vocab_fini(&p->vocab);
	}
	if (p->have_vocab)
		p->v->text.vocab = &p->vocab;
}

/* The columns of a table are those of its first record, for all records. */
static void
begin_table(struct printer *p, const struct rna_record *rec)
{
	struct rna_text_options *o = &p->v->text;
	size_t i;

	if (o->fields == NULL) {
		if ((p->columns = calloc(rec->nfields + 1, sizeof(*p->columns))) == NULL)
			tool_die(p->v->t, "out of memory");
		for (i = 0; i < rec->nfields; i++)
			if ((p->columns[i] = strdup(rec->fields[i].name)) == NULL)
				tool_die(p->v->t, "out of memory");
		o->fields = p->columns;
		o->nfields = rec->nfields;
	}
	if (rna_text_tsv_head(o, rec, &p->buf) != RNA_OK)
		tool_die(p->v->t, "out of memory");
}

/* What is in p->buf. */
static void
print(const struct printer *p)
{
	if (p->buf.len > 0 && fwrite(p->buf.data, 1, p->buf.len, p->fp) != p->buf.len)
		tool_die(p->v->t, "%s: %s", p->v->t->output ? p->v->t->output : "standard output", strerror(errno));
}

static void
look_for_fields(struct printer *p, const struct rna_record *rec)
{
	size_t i;

	if (p->seen == NULL && (p->seen = calloc(p->v->text.nfields + 1, 1)) == NULL)
		tool_die(p->v->t, "out of memory");
	for (i = 0; i < p->v->text.nfields; i++)
		p->seen[i] |= (char)(rna_record_find(rec, p->v->fields[i]) != NULL);
}

/* A field may be rare, so that none here has it; but what is asked for and not there at all is a slip of the pen. */
static void
check_fields(struct printer *p)
{
	size_t i, n = p->v->text.nfields;

	if (p->seen == NULL)
		return;
	if (memchr(p->seen, 1, n) == NULL)
		tool_die(p->v->t, "--fields: no record has a field %s%s", p->v->fields[0],
		    n > 1 ? " or another of these" : "");
	for (i = 0; i < n; i++)
		if (!p->seen[i])
			tool_warn(p->v->t, "--fields: no record has a field %s", p->v->fields[i]);
	free(p->seen);
}

static void
put(struct printer *p, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	switch (p->v->mode) {
	case VIEW_TEXT:
		rna_buf_reuse(&p->buf);
		if (p->v->fields != NULL)
			look_for_fields(p, rec);
		if (p->v->text.format == RNA_TEXT_TSV && p->in.records == 1)
			begin_table(p, rec);
		st = rna_text_record(&p->v->text, rec, &p->buf, err);
		if (st == RNA_OK)
			print(p);
		break;
	case VIEW_SVG:
	case VIEW_DOTPLOT:
		st = rna_pictures_add(&p->pictures,
		    p->v->mode == VIEW_SVG ? RNA_PICTURE_STRUCTURE : RNA_PICTURE_DOTPLOT, rec, err);
		break;
	case VIEW_SAFETENSORS:
		st = rna_tensors_add(&p->tensors, rec, err);
		break;
	case VIEW_NPY:
		st = rna_npy_add(p->npy, rec, err);
		break;
	case VIEW_CHECK:
	case VIEW_COUNT:
	case VIEW_HEADER:
	case VIEW_SELFTEST:
		break;
	}
	if (st != RNA_OK)
		fail(p, err);
}

void
view_refuse_terminal(const struct view *v)
{
	if ((v->t->output == NULL || strcmp(v->t->output, "-") == 0) && isatty(STDOUT_FILENO) && !v->t->force)
		tool_usage(v->t, "standard output is a terminal and %s is binary; -o FILE, or -f to insist",
		    v->mode == VIEW_NPY ? "--npy" : "-O safetensors");
}

static void
begin(struct printer *p)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (p->v->mode == VIEW_NPY || p->v->mode == VIEW_SAFETENSORS)
		view_refuse_terminal(p->v);
	if (p->v->mode != VIEW_CHECK)
		p->fp = tool_text_open(p->v->t);
	if (p->v->mode == VIEW_NPY && (p->npy = rna_npy_open(p->fp, p->v->field, &err)) == NULL)
		tool_die_err(p->v->t, &err);
	rna_tensors_init(&p->tensors, p->v->text.fields, p->v->text.nfields);
}

static void
end(struct printer *p)
{
	struct rna_err err = {.record = RNA_NOREC};
	enum rna_status st = RNA_OK;
	size_t i;

	if (p->v->mode == VIEW_NPY)
		st = rna_npy_close(p->npy, &err);
	else if (p->v->mode == VIEW_SAFETENSORS)
		st = rna_tensors_write(&p->tensors, p->fp, &err);
	else if (p->v->mode == VIEW_SVG || p->v->mode == VIEW_DOTPLOT) {
		rna_buf_reuse(&p->buf);
		if ((st = rna_pictures_write(&p->pictures, &p->buf, &err)) == RNA_OK)
			print(p);
	} else if (p->v->mode == VIEW_COUNT)
		fprintf(p->fp, "%llu\n", (unsigned long long)p->in.records);
	if (st != RNA_OK)
		tool_die_err(p->v->t, &err);
	check_fields(p);
	if (p->fp != NULL)
		tool_text_close(p->v->t);
	rna_tensors_fini(&p->tensors);
	rna_pictures_fini(&p->pictures);
	rna_buf_fini(&p->buf);
	for (i = 0; p->columns != NULL && i < p->v->text.nfields; i++)
		free(p->columns[i]);
	if (p->columns != NULL)
		p->v->text.fields = NULL;
	free(p->columns);
	if (p->have_vocab)
		rna_vocab_fini(&p->vocab);
}

int
view_records(struct view *v)
{
	struct printer p = {.v = v, .buf = RNA_BUF_INIT};
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;
	enum rna_status st;

	rna_record_init(&rec);
	begin(&p); /* first, so that a second writer ends before it reads */
	tool_in_open(&p.in, v->t, NULL);
	p.in.raw = 1; /* text is shown as it was read */
	do {
		new_header(&p);
		while ((st = tool_in_read(&p.in, &rec)) == RNA_OK)
			put(&p, &rec, &err);
	} while (st == RNA_NEXT);
	end(&p);
	tool_summary(
	    v->t, v->mode == VIEW_CHECK ? "%llu records, all whole" : "%llu records", (unsigned long long)p.in.records);
	tool_in_close(&p.in);
	rna_record_fini(&rec);
	return TOOL_DONE;
}
