/*
 * structure_table.c: readers of bpseq and ct files: one line a base, 1-based, partner 0 where there is none.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/structure.h"

#define COLUMNS 6

/* The words of a line. */
struct words {
	const char *s[COLUMNS];
	size_t n[COLUMNS];
	int count; /* also of words past COLUMNS */
};

static void
split(const struct rna_lines *l, struct words *w)
{
	const char *p = l->line, *end = l->line + l->n;

	for (w->count = 0;; w->count++) {
		while (p < end && isspace((unsigned char)*p))
			p++;
		if (p == end)
			return;
		if (w->count < COLUMNS)
			w->s[w->count] = p;
		while (p < end && !isspace((unsigned char)*p))
			p++;
		if (w->count < COLUMNS)
			w->n[w->count] = (size_t)(p - w->s[w->count]);
	}
}

/* The word as a number 0 .. 2^31 - 2, or -1. */
static int32_t
number(const struct words *w, int k)
{
	int64_t x = 0;
	size_t i;

	if (k >= w->count || w->n[k] == 0 || w->n[k] > 10)
		return -1;
	for (i = 0; i < w->n[k]; i++) {
		if (!isdigit((unsigned char)w->s[k][i]))
			return -1;
		x = x * 10 + (w->s[k][i] - '0');
	}
	return x < INT32_MAX ? (int32_t)x : -1;
}

static enum rna_status
fail_line(const struct rna_lines *l, const char *what, struct rna_err *err)
{
	return rna_fail(err, RNA_EFORMAT, "line %llu: %s", (unsigned long long)l->number, what);
}

static enum rna_status
set_head(struct rna_entry *e, const char *p, const char *end, struct rna_err *err)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	if (e->head.len > 0 && p < end && rna_buf_add(&e->head, " ", 1) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (rna_buf_add(&e->head, p, (size_t)(end - p)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

/* One base: its letter and its 1-based partner (0: none). */
static enum rna_status
add_base(const struct rna_lines *l, const struct words *w, int32_t partner, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	uint64_t max;

	if (w->n[1] != 1)
		return fail_line(l, "the second column is not one letter", err);
	if (partner < 0)
		return fail_line(l, "the partner is not a position", err);
	max = rna_lines_max(l) < INT32_MAX - 2 ? rna_lines_max(l) : INT32_MAX - 2;
	if ((st = rna_entry_letters(&e->seq, w->s[1], 1, max, l->number, err)) != RNA_OK)
		return st;
	partner--;
	if (rna_buf_add(&e->pair, &partner, sizeof partner) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

static enum rna_status
check_partners(struct rna_entry *e, struct rna_err *err)
{
	const int32_t *pair = (const int32_t *)(const void *)e->pair.data;
	size_t i, n = e->seq.len;

	for (i = 0; i < n; i++) {
		if (pair[i] == -1)
			continue;
		if ((size_t)pair[i] >= n)
			return rna_fail(
			    err, RNA_EFORMAT, "position %zu pairs with %d, past the end at %zu", i + 1, pair[i] + 1, n);
		if (pair[i] == (int32_t)i)
			return rna_fail(err, RNA_EFORMAT, "position %zu pairs with itself", i + 1);
		if (pair[pair[i]] != (int32_t)i)
			return rna_fail(err, RNA_EFORMAT, "position %zu pairs with %d, but %d pairs with %d", i + 1,
			    pair[i] + 1, pair[i] + 1, pair[pair[i]] + 1);
	}
	e->has_pair = 1;
	return RNA_OK;
}

/* A header line of bpseq: "# name" and "Filename: name.bpseq" give the name, the first of them. */
static enum rna_status
read_bpseq_head(const struct rna_lines *l, struct rna_entry *e, struct rna_err *err)
{
	const char *p = l->line, *end = l->line + l->n, *dot;
	static const char file[] = "Filename:";

	if (*p == '#')
		p++;
	while (p < end && isspace((unsigned char)*p))
		p++;
	if ((size_t)(end - p) >= sizeof file - 1 && strncasecmp(p, file, sizeof file - 1) == 0) {
		p += sizeof file - 1;
		for (dot = end; dot > p && *--dot != '.';)
			;
		if (dot > p && dot[-1] != ' ')
			end = dot;
		rna_buf_reuse(&e->head);
	} else if (l->line[0] != '#' || e->head.len > 0)
		return RNA_OK;
	return set_head(e, p, end, err);
}

enum rna_status
rna_structure_file_bpseq(struct rna_lines *l, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	struct words w;

	rna_entry_reuse(e);
	while ((st = rna_lines_next(l, err)) == RNA_OK) {
		if (rna_lines_blank(l))
			continue;
		split(l, &w);
		if (number(&w, 0) < 0 || w.count != 3) {
			if (e->seq.len > 0) { /* the header of the next one */
				l->again = 1;
				break;
			}
			if (number(&w, 0) >= 0)
				return fail_line(l, "a bpseq line is a position, a letter and a partner", err);
			if ((st = read_bpseq_head(l, e, err)) != RNA_OK)
				return st;
			continue;
		}
		if (number(&w, 0) == 1 && e->seq.len > 0) {
			l->again = 1;
			break;
		}
		if ((size_t)number(&w, 0) != e->seq.len + 1)
			return rna_fail(err, RNA_EFORMAT, "line %llu: position %d after position %zu",
			    (unsigned long long)l->number, number(&w, 0), e->seq.len);
		if ((st = add_base(l, &w, number(&w, 2), e, err)) != RNA_OK)
			return st;
	}
	if (st != RNA_OK && st != RNA_END)
		return st;
	if (e->seq.len == 0)
		return e->head.len > 0 ? rna_fail(err, RNA_EFORMAT, "a header without bases") : RNA_END;
	return check_partners(e, err);
}

/* "ENERGY = -3.4", "dG = -3.4", "ENERGY=-3.4" at p; what follows it is the name. */
static const char *
skip_energy(const char *p, const char *end, struct rna_entry *e)
{
	char text[32], *stop;
	const char *q = p;
	size_t n = 0, word;
	double x;

	word = end - q >= 6 && strncasecmp(q, "energy", 6) == 0 ? 6
	       : end - q >= 2 && strncasecmp(q, "dg", 2) == 0   ? 2
	                                                        : 0;
	q += word;
	while (q < end && isspace((unsigned char)*q))
		q++;
	if (word == 0 || q == end || *q++ != '=')
		return p;
	while (q < end && isspace((unsigned char)*q))
		q++;
	while (q < end && n < sizeof text - 1 && !isspace((unsigned char)*q))
		text[n++] = *q++;
	text[n] = '\0';
	x = strtod(text, &stop);
	if (stop == text || *stop != '\0' || !isfinite(x))
		return p;
	e->energy = (float)x;
	e->has_energy = 1;
	return q;
}

/* Goes to the header of a ct structure, whose length is returned in *n.  Lines before it that begin with a word are
 * passed over. */
static enum rna_status
read_ct_head(struct rna_lines *l, struct rna_entry *e, int32_t *n, struct rna_err *err)
{
	enum rna_status st;
	struct words w;
	const char *p;

	while ((st = rna_lines_next(l, err)) == RNA_OK) {
		split(l, &w);
		if (w.count == 0 || l->line[0] == '#')
			continue;
		if ((*n = number(&w, 0)) >= 0)
			break;
		if (l->n > 9 && strncasecmp(l->line, "Filename:", 9) == 0 &&
		    (st = set_head(e, l->line + 9, l->line + l->n, err)) != RNA_OK)
			return st;
		if (memchr(l->line, ':', l->n) == NULL)
			return fail_line(l, "a ct structure begins with its length", err);
	}
	if (st != RNA_OK)
		return st;
	p = skip_energy(w.count > 1 ? w.s[1] : l->line + l->n, l->line + l->n, e);
	while (p < l->line + l->n && isspace((unsigned char)*p))
		p++;
	if (p < l->line + l->n)
		rna_buf_reuse(&e->head);
	return set_head(e, p, l->line + l->n, err);
}

enum rna_status
rna_structure_file_ct(struct rna_lines *l, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	struct words w;
	int32_t n;

	rna_entry_reuse(e);
	if ((st = read_ct_head(l, e, &n, err)) != RNA_OK)
		return st;
	while (e->seq.len < (size_t)n) {
		if ((st = rna_lines_next(l, err)) != RNA_OK)
			return st == RNA_END
			           ? rna_fail(err, RNA_ETRUNC, "the file ends after %zu of %d bases", e->seq.len, n)
			           : st;
		split(l, &w);
		if (w.count == 0)
			continue;
		if (w.count < COLUMNS || number(&w, 0) < 0) {
			if (e->seq.len > 0)
				return fail_line(l,
				    "a ct line has six columns: position, letter, before, after, partner, number", err);
			/* a name that was wrapped */
			if ((st = set_head(e, l->line, l->line + l->n, err)) != RNA_OK)
				return st;
			continue;
		}
		if ((size_t)number(&w, 0) != e->seq.len + 1)
			return rna_fail(err, RNA_EFORMAT, "line %llu: position %d after position %zu",
			    (unsigned long long)l->number, number(&w, 0), e->seq.len);
		if ((st = add_base(l, &w, number(&w, 4), e, err)) != RNA_OK)
			return st;
	}
	return check_partners(e, err);
}
