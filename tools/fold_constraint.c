/*
 * fold_constraint.c: a file of constraints, one a line: the name of an RNA, blanks, as many letters as it has bases.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"

#define FILE_MAX (1u << 30)

struct entry {
	const char *name, *constraint; /* in text, NUL-terminated */
};

struct fold_constraints {
	struct rna_buf text;
	struct entry *entries; /* by name */
	size_t n;
};

static enum rna_status
read_all(const char *path, struct rna_buf *text, struct rna_err *err)
{
	struct rna_input *in = rna_input_open(path, err);
	enum rna_status s = RNA_OK;
	size_t got = 1;

	if (in == NULL)
		return RNA_EIO;
	while (s == RNA_OK && got > 0) {
		if (text->len > FILE_MAX)
			s = rna_fail(err, RNA_EFORMAT, "too large for a file of constraints");
		else if (rna_buf_reserve(text, 65537) != RNA_OK)
			s = rna_fail(err, RNA_EMEM, "out of memory");
		else if ((s = rna_input_read(in, text->data + text->len, 65536, &got, err)) == RNA_OK)
			text->len += got;
	}
	rna_input_close(in);
	if (s == RNA_OK)
		text->data[text->len] = '\0';
	return s;
}

/* One line, cut up in place. */
static enum rna_status
add_line(struct fold_constraints *c, char *line, size_t number, struct rna_err *err)
{
	char *name, *constraint, *rest = line;
	struct entry *grown;

	line[strcspn(line, "\r")] = '\0';
	while ((name = strsep(&rest, " \t")) != NULL && *name == '\0')
		continue;
	if (name == NULL || *name == '#')
		return RNA_OK;
	while ((constraint = strsep(&rest, " \t")) != NULL && *constraint == '\0')
		continue;
	if (constraint == NULL || (rest != NULL && rest[strspn(rest, " \t")] != '\0'))
		return rna_fail(err, RNA_EFORMAT, "line %zu: not a name and a constraint", number);
	if ((c->n & (c->n - 1)) == 0) {
		if ((grown = reallocarray(c->entries, c->n > 0 ? 2 * c->n : 1, sizeof(*grown))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		c->entries = grown;
	}
	c->entries[c->n++] = (struct entry){name, constraint};
	return RNA_OK;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static enum rna_status
parse(struct fold_constraints *c, struct rna_err *err)
{
	char *rest = (char *)c->text.data, *line;
	enum rna_status s = RNA_OK;
	size_t number = 0, i;

	if (strlen(rest) != c->text.len)
		return rna_fail(err, RNA_EFORMAT, "not a text");
	while (s == RNA_OK && (line = strsep(&rest, "\n")) != NULL)
		s = add_line(c, line, ++number, err);
	if (s != RNA_OK)
		return s;
	if (c->n > 0)
		qsort(c->entries, c->n, sizeof(*c->entries), by_name);
	for (i = 1; i < c->n; i++) {
		if (by_name(&c->entries[i - 1], &c->entries[i]) == 0)
			return rna_fail(err, RNA_EFORMAT, "two constraints for %.60s", c->entries[i].name);
	}
	return RNA_OK;
}

struct fold_constraints *
fold_constraints_load(const char *path, struct rna_err *err)
{
	struct fold_constraints *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if (read_all(path, &c->text, err) != RNA_OK || parse(c, err) != RNA_OK) {
		rna_err_where(err, path, RNA_NOREC);
		fold_constraints_free(c);
		return NULL;
	}
	return c;
}

const char *
fold_constraints_find(const struct fold_constraints *c, const char *name, size_t n)
{
	size_t low = 0, high = c->n, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strncmp(c->entries[mid].name, name, n);
		if (order == 0 && c->entries[mid].name[n] != '\0')
			order = 1;
		if (order == 0)
			return c->entries[mid].constraint;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

void
fold_constraints_free(struct fold_constraints *c)
{
	if (c == NULL)
		return;
	rna_buf_fini(&c->text);
	free(c->entries);
	free(c);
}
