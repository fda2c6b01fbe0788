/*
 * structure_file.c: readers of dot-bracket and bpRNA .st files.  (bpseq and ct: structure_table.c)
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/structure.h"


static enum rna_status
no_memory(struct rna_err *err)
{
	return rna_fail(err, RNA_EMEM, "out of memory");
}

static int
starts_with(const struct rna_lines *l, const char *word)
{
	size_t n = strlen(word);

	return l->n >= n && strncasecmp(l->line, word, n) == 0;
}

/* What follows the first skip bytes of the line, blanks at both ends left out. */
static enum rna_status
set_head(struct rna_entry *e, const struct rna_lines *l, size_t skip, struct rna_err *err)
{
	const char *p = l->line + skip, *end = l->line + l->n;

	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	rna_buf_reuse(&e->head);
	return rna_buf_add(&e->head, p, (size_t)(end - p)) == RNA_OK ? RNA_OK : no_memory(err);
}

/* "(-3.40)", "( -3.40)", "[ -3.40]" after the structure; other words are left alone. */
static void
read_energy(struct rna_entry *e, const char *p, const char *end)
{
	char number[32], *stop;
	size_t n = 0;
	double x;
	int open;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || (*p != '(' && *p != '['))
		return;
	open = *p++;
	while (p < end && *p == ' ')
		p++;
	while (p < end && n < sizeof number - 1 && strchr("+-.0123456789eE", *p) != NULL && *p != '\0')
		number[n++] = *p++;
	number[n] = '\0';
	x = strtod(number, &stop);
	if (stop == number || *stop != '\0' || !isfinite(x))
		return;
	if (open == '(') {
		e->energy = (float)x;
		e->has_energy = 1;
	} else {
		e->ensemble = (float)x;
		e->has_ensemble = 1;
	}
}

/* Appends a structure line to the structure of e. */
static enum rna_status
add_structure(struct rna_entry *e, const struct rna_lines *l, struct rna_err *err)
{
	size_t n = 0;

	while (n < l->n && l->line[n] != ' ' && l->line[n] != '\t')
		n++;
	read_energy(e, l->line + n, l->line + l->n);
	return rna_buf_add(&e->structure, l->line, n) == RNA_OK ? RNA_OK : no_memory(err);
}

static enum rna_status
finish(struct rna_entry *e, struct rna_err *err)
{
	const char *amp = e->seq.len > 0 ? memchr(e->seq.data, '&', e->seq.len) : NULL;
	enum rna_status st;

	if (amp != NULL)
		return rna_fail(err, RNA_EFORMAT, "'&' at position %zu joins two strands; only single strands are read",
		    (size_t)(amp - (const char *)e->seq.data) + 1);
	if (e->seq.len != e->structure.len)
		return rna_fail(err, RNA_EFORMAT, "the structure has %zu characters, the sequence %zu letters",
		    e->structure.len, e->seq.len);
	st = rna_structure_parse((const char *)e->structure.data, e->structure.len, &e->pair, err);
	e->has_pair = st == RNA_OK;
	return st;
}

/* Sequence lines, then structure lines as long as the sequence. */
static enum rna_status
read_dbn_body(struct rna_lines *l, int raw, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	int lines = 0;

	while ((st = rna_lines_next(l, err)) == RNA_OK) {
		if (rna_lines_blank(l))
			break;
		if (l->line[0] == '>' || l->line[0] == '#') {
			l->again = 1;
			break;
		}
		if (lines > 0 && rna_structure_is_line(l->line, l->n)) {
			if (e->structure.len >= e->seq.len && e->structure.len > 0)
				return rna_fail(err, RNA_EFORMAT,
				    "line %llu: a second structure; one a sequence is read",
				    (unsigned long long)l->number);
			st = add_structure(e, l, err);
		} else if (e->structure.len > 0 || (raw && lines > 0)) {
			l->again = 1;
			break;
		} else
			st = rna_entry_letters(&e->seq, l->line, l->n, rna_lines_max(l), l->number, err);
		if (st != RNA_OK)
			return st;
		lines++;
	}
	return st == RNA_END ? RNA_OK : st;
}

enum rna_status
rna_structure_file_dbn(struct rna_lines *l, int raw, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	int named = 0;

	rna_entry_reuse(e);
	for (;;) {
		if ((st = rna_lines_next(l, err)) != RNA_OK)
			return st == RNA_END && named ? rna_fail(err, RNA_EFORMAT, "a name without a sequence") : st;
		if (rna_lines_blank(l))
			continue;
		if (l->line[0] == '>' || starts_with(l, "#Name:")) {
			if (named++)
				return rna_fail(err, RNA_EFORMAT, "line %llu: a name without a sequence",
				    (unsigned long long)l->number - 1);
			st = set_head(e, l, l->line[0] == '>' ? 1 : 6, err);
		} else if (l->line[0] != '#' && l->line[0] != ';')
			break;
		if (st != RNA_OK)
			return st;
	}
	l->again = 1;
	if ((st = read_dbn_body(l, raw, e, err)) != RNA_OK)
		return st;
	if (e->structure.len == 0 && raw)
		return RNA_OK;
	return finish(e, err);
}

enum rna_status
rna_structure_file_st(struct rna_lines *l, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	int named = 0, lines = 0;

	rna_entry_reuse(e);
	while ((st = rna_lines_next(l, err)) == RNA_OK) {
		if (rna_lines_blank(l))
			continue;
		if (starts_with(l, "#Name:")) {
			if (named++) {
				l->again = 1;
				break;
			}
			st = set_head(e, l, 6, err);
		} else if (l->line[0] != '#') {
			/* sequence, structure, then loop types, knots and a list of segments, which are not kept */
			if (lines == 0)
				st = rna_entry_letters(&e->seq, l->line, l->n, rna_lines_max(l), l->number, err);
			else if (lines == 1)
				st = add_structure(e, l, err);
			lines++;
		}
		if (st != RNA_OK)
			return st;
	}
	if (st == RNA_END && !named && lines == 0)
		return RNA_END;
	if (st != RNA_OK && st != RNA_END)
		return st;
	if (lines < 2)
		return rna_fail(err, RNA_EFORMAT, "no sequence and structure after the header lines");
	return finish(e, err);
}
