/*
 * csv.c: tables of sequences or pairs of sequences (RFC 4180: quoted fields, "" for a quote, line ends inside quotes).
 */
#define _GNU_SOURCE /* strcasestr */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seq/csv.h"

#define ROW_MAX (1u << 30) /* bytes in a row */

enum column { SEQ_A, SEQ_B, NAME_A, NAME_B, LABEL, NCOLUMNS };

struct rna_csv {
	struct rna_lines *l;
	struct rna_csv_options opts;
	char separator;
	struct rna_buf text;  /* fields of the row, one after the other, without quotes */
	struct rna_buf ends;  /* size_t a field: where it ends in text */
	size_t nfields;       /* of the header line */
	int column[NCOLUMNS]; /* index or -1 */
	int reverse;          /* index of the column to reverse, or -1 */
	int *kept;            /* indexes of the columns kept */
};

static size_t
count_fields(const struct rna_csv *c)
{
	return c->ends.len / sizeof(size_t);
}

static const char *
get_field(const struct rna_csv *c, size_t i, size_t *n)
{
	const size_t *ends = (const size_t *)(const void *)c->ends.data;
	size_t first = i > 0 ? ends[i - 1] : 0;

	*n = ends[i] - first;
	return c->text.data != NULL ? (const char *)c->text.data + first : "";
}

static enum rna_status
end_field(struct rna_csv *c)
{
	return rna_buf_add(&c->ends, &c->text.len, sizeof c->text.len);
}

/* Reads the rest of a quoted field from *p on; it may run over several lines. */
static enum rna_status
read_quoted(struct rna_csv *c, size_t *p, struct rna_err *err)
{
	uint64_t first = c->l->number;
	enum rna_status st;

	for (;;) {
		const char *quote = memchr(c->l->line + *p, '"', c->l->n - *p);
		size_t n = quote != NULL ? (size_t)(quote - c->l->line) - *p : c->l->n - *p;

		if (c->text.len + n > ROW_MAX)
			return rna_fail(err, RNA_EFORMAT, "line %llu: a row of more than %u bytes",
			    (unsigned long long)first, ROW_MAX);
		if (rna_buf_add(&c->text, c->l->line + *p, n) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		*p += n;
		if (quote != NULL && ++*p < c->l->n && c->l->line[*p] == '"') {
			++*p;
			if (rna_buf_add(&c->text, "\"", 1) != RNA_OK)
				return rna_fail(err, RNA_EMEM, "out of memory");
			continue;
		}
		if (quote != NULL)
			return RNA_OK;
		if ((st = rna_lines_next(c->l, err)) != RNA_OK)
			return st == RNA_END ? rna_fail(err, RNA_ETRUNC, "line %llu: a quote is never closed",
						   (unsigned long long)first)
			                     : st;
		*p = 0;
		if (rna_buf_add(&c->text, "\n", 1) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
}

/* Takes the line in c->l apart into fields. */
static enum rna_status
read_fields(struct rna_csv *c, struct rna_err *err)
{
	enum rna_status st;
	const char *stop;
	size_t p = 0, n;

	rna_buf_reuse(&c->text);
	rna_buf_reuse(&c->ends);
	for (;;) {
		if (p < c->l->n && c->l->line[p] == '"') {
			p++;
			if ((st = read_quoted(c, &p, err)) != RNA_OK)
				return st;
			if (p < c->l->n && c->l->line[p] != c->separator)
				return rna_fail(err, RNA_EFORMAT,
				    "line %llu: a letter follows the closing quote of field %zu",
				    (unsigned long long)c->l->number, count_fields(c) + 1);
		} else {
			stop = p < c->l->n ? memchr(c->l->line + p, c->separator, c->l->n - p) : NULL;
			n = stop != NULL ? (size_t)(stop - c->l->line) - p : c->l->n - p;
			if (rna_buf_add(&c->text, c->l->line + p, n) != RNA_OK)
				return rna_fail(err, RNA_EMEM, "out of memory");
			p += n;
		}
		if (end_field(c) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if (p >= c->l->n)
			return RNA_OK;
		p++; /* the separator */
	}
}

static int
find_column(const struct rna_csv *c, const char *name)
{
	size_t i, n, len = strlen(name);

	for (i = 0; i < count_fields(c); i++) {
		const char *s = get_field(c, i, &n);

		if (n == len && strncasecmp(s, name, n) == 0)
			return (int)i;
	}
	return -1;
}

static int
need_column(const struct rna_csv *c, const char *name, struct rna_err *err)
{
	char list[256] = "";
	size_t i, n, at = 0;
	int k = find_column(c, name), wrote;

	if (k >= 0)
		return k;
	for (i = 0; i < count_fields(c) && at < sizeof list; i++) {
		const char *s = get_field(c, i, &n);

		wrote = snprintf(list + at, sizeof list - at, "%s%.*s", i > 0 ? ", " : "", n < 40 ? (int)n : 40, s);
		at += wrote > 0 ? (size_t)wrote : 0;
	}
	rna_fail(err, RNA_EINVAL, "no column %s; there are: %s", name, list);
	return -1;
}

/* The column of names that belongs to a column of sequences: "a_seq" has "a_name" or "a_id". */
static int
find_name(const struct rna_csv *c, const char *seq)
{
	static const char *const words[] = {"sequence", "seq"}, *const names[] = {"name", "id"};
	char want[128];
	size_t i, k;
	int col;

	for (i = 0; i < 2; i++) {
		const char *at = strcasestr(seq, words[i]);

		for (k = 0; at != NULL && k < 2; k++) {
			if ((size_t)snprintf(want, sizeof want, "%.*s%s%s", (int)(at - seq), seq, names[k],
				at + strlen(words[i])) < sizeof want &&
			    (col = find_column(c, want)) >= 0)
				return col;
		}
	}
	return -1;
}

static enum rna_status
find_kept(struct rna_csv *c, struct rna_err *err)
{
	size_t i;

	if ((c->kept = calloc(c->opts.nkeep + 1, sizeof *c->kept)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	for (i = 0; i < c->opts.nkeep; i++)
		if ((c->kept[i] = need_column(c, c->opts.keep[i], err)) < 0)
			return RNA_EINVAL;
	return RNA_OK;
}

static enum rna_status
find_columns(struct rna_csv *c, struct rna_err *err)
{
	const char *a = c->opts.a;
	int k;

	for (k = 0; k < NCOLUMNS; k++)
		c->column[k] = -1;
	c->reverse = -1;
	if (a == NULL)
		a = find_column(c, "sequence") >= 0 ? "sequence" : "seq";
	if ((c->column[SEQ_A] = need_column(c, a, err)) < 0)
		return RNA_EINVAL;
	c->column[NAME_A] = find_name(c, a);
	if (c->opts.b != NULL) {
		if ((c->column[SEQ_B] = need_column(c, c->opts.b, err)) < 0)
			return RNA_EINVAL;
		c->column[NAME_B] = find_name(c, c->opts.b);
	}
	c->column[LABEL] = c->opts.label != NULL ? need_column(c, c->opts.label, err) : find_column(c, "label");
	if (c->opts.label != NULL && c->column[LABEL] < 0)
		return RNA_EINVAL;
	if (c->opts.reverse != NULL) {
		if ((c->reverse = need_column(c, c->opts.reverse, err)) < 0)
			return RNA_EINVAL;
		if (c->reverse != c->column[SEQ_A] && c->reverse != c->column[SEQ_B])
			return rna_fail(err, RNA_EINVAL,
			    "column %s is to be reversed, but no sequences are taken from it", c->opts.reverse);
	}
	c->nfields = count_fields(c);
	return find_kept(c, err);
}

struct rna_csv *
rna_csv_open(struct rna_lines *l, const struct rna_csv_options *opts, struct rna_err *err)
{
	struct rna_csv *c = calloc(1, sizeof *c);
	enum rna_status st;

	if (c == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	c->l = l;
	c->opts = *opts;
	while ((st = rna_lines_next(l, err)) == RNA_OK && rna_lines_blank(l))
		;
	if (st == RNA_END)
		st = rna_fail(err, RNA_EFORMAT, "no header line");
	if (st == RNA_OK) {
		c->separator = memchr(l->line, '\t', l->n) != NULL ? '\t' : ',';
		st = read_fields(c, err);
	}
	if (st == RNA_OK)
		st = find_columns(c, err);
	if (st != RNA_OK) {
		rna_csv_close(c);
		return NULL;
	}
	return c;
}

void
rna_csv_close(struct rna_csv *c)
{
	if (c == NULL)
		return;
	rna_buf_fini(&c->text);
	rna_buf_fini(&c->ends);
	free(c->kept);
	free(c);
}

const char *
rna_csv_kept(const struct rna_csv *c, size_t i, size_t *n)
{
	return get_field(c, (size_t)c->kept[i], n);
}

static enum rna_status
copy_letters(const struct rna_csv *c, int column, struct rna_buf *dst, struct rna_err *err)
{
	const char *s;
	enum rna_status st;
	size_t n, i;

	s = get_field(c, (size_t)column, &n);
	if ((st = rna_entry_letters(dst, s, n, c->opts.max, c->l->number, err)) != RNA_OK)
		return st;
	for (i = 0; column == c->reverse && i < dst->len / 2; i++) {
		unsigned char t = dst->data[i];

		dst->data[i] = dst->data[dst->len - 1 - i];
		dst->data[dst->len - 1 - i] = t;
	}
	return RNA_OK;
}

static enum rna_status
copy_text(const struct rna_csv *c, int column, struct rna_buf *dst, struct rna_err *err)
{
	const char *s;
	size_t n;

	if (column < 0)
		return RNA_OK;
	s = get_field(c, (size_t)column, &n);
	return rna_buf_add(dst, s, n) == RNA_OK ? RNA_OK : rna_fail(err, RNA_EMEM, "out of memory");
}

enum rna_status
rna_csv_read(struct rna_csv *c, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;

	rna_entry_reuse(e);
	do {
		if ((st = rna_lines_next(c->l, err)) != RNA_OK)
			return st;
	} while (rna_lines_blank(c->l));
	if ((st = read_fields(c, err)) != RNA_OK)
		return st;
	if (count_fields(c) != c->nfields)
		return rna_fail(err, RNA_EFORMAT, "line %llu: %zu fields, the header line has %zu",
		    (unsigned long long)c->l->number, count_fields(c), c->nfields);
	e->has_b = c->column[SEQ_B] >= 0;
	if ((st = copy_letters(c, c->column[SEQ_A], &e->seq, err)) != RNA_OK ||
	    (st = copy_text(c, c->column[NAME_A], &e->head, err)) != RNA_OK ||
	    (st = copy_text(c, c->column[LABEL], &e->label, err)) != RNA_OK)
		return st;
	e->has_label = e->label.len > 0;
	if (c->opts.label != NULL && !e->has_label)
		return rna_fail(err, RNA_EFORMAT, "line %llu: no label: the column %s is empty",
		    (unsigned long long)c->l->number, c->opts.label);
	if (e->has_b && ((st = copy_letters(c, c->column[SEQ_B], &e->seq_b, err)) != RNA_OK ||
			    (st = copy_text(c, c->column[NAME_B], &e->name_b, err)) != RNA_OK))
		return st;
	return RNA_OK;
}
