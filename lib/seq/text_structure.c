/*
 * text_structure.c: FASTA, and the formats of secondary structures: dot-bracket as RNAfold prints it, bpseq, ct.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/text_value.h"

#define LEVELS 30 /* ( [ { < A..Z */

static const char opening[LEVELS + 1] = "([{<ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char closing[LEVELS + 1] = ")]}>abcdefghijklmnopqrstuvwxyz";

struct rna {
	const char *name, *seq, *structure; /* structure NULL: only pairs */
	size_t name_length, n, structure_length;
	const int32_t *pair; /* NULL: only the string */
	int has_energy;
	double energy;
	int32_t *partner, *stack; /* [n] each, n * LEVELS for stack: what the printers work with */
};

/* Partner of each base from `pair`. */
static enum rna_status
partners_of_pair(struct rna *r, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		int64_t j = r->pair[i];

		if (j < -1 || j >= (int64_t)r->n || j == (int64_t)i || (j >= 0 && r->pair[j] != (int64_t)i))
			return rna_fail(err, RNA_EFORMAT,
			    "pair: base %zu is paired with %lld, which is not paired with it", i, (long long)j);
		r->partner[i] = (int32_t)j;
	}
	return RNA_OK;
}

/* Partner of each base from a dot-bracket string; bases of a level wait on a chain threaded through stack. */
static enum rna_status
partners_of_string(struct rna *r, struct rna_err *err)
{
	int32_t top[LEVELS];
	const char *at;
	size_t i, level;

	for (level = 0; level < LEVELS; level++)
		top[level] = -1;
	for (i = 0; i < r->n; i++) {
		char c = r->structure[i];

		r->partner[i] = -1;
		if (c != '\0' && (at = strchr(opening, c)) != NULL) {
			level = (size_t)(at - opening);
			r->stack[i] = top[level];
			top[level] = (int32_t)i;
		} else if (c != '\0' && (at = strchr(closing, c)) != NULL) {
			level = (size_t)(at - closing);
			if (top[level] < 0)
				return rna_fail(err, RNA_EFORMAT, "structure: unbalanced '%c' at base %zu", c, i + 1);
			r->partner[i] = top[level];
			r->partner[top[level]] = (int32_t)i;
			top[level] = r->stack[top[level]];
		}
	}
	for (level = 0; level < LEVELS; level++)
		if (top[level] >= 0)
			return rna_fail(
			    err, RNA_EFORMAT, "structure: unbalanced '%c' at base %d", opening[level], top[level] + 1);
	return RNA_OK;
}

/* Dot-bracket from partners: a pair takes the first kind of bracket in which it crosses no other. */
static enum rna_status
put_brackets(struct rna_text_sink *o, struct rna *r, struct rna_err *err)
{
	int32_t top[LEVELS];
	size_t i, level;
	char c;

	for (level = 0; level < LEVELS; level++)
		top[level] = -1;
	for (i = 0; i < r->n; i++) {
		int32_t j = r->partner[i];

		c = '.';
		if (j > (int32_t)i) {
			for (level = 0; level < LEVELS && top[level] >= 0 && r->partner[top[level]] < j; level++)
				;
			if (level == LEVELS)
				return rna_fail(err, RNA_EFORMAT,
				    "more than %d pseudoknots in one another: no brackets left", LEVELS);
			r->stack[i] = top[level];
			top[level] = (int32_t)i;
			c = opening[level];
		} else if (j >= 0) {
			for (level = 0; top[level] != j; level++)
				;
			top[level] = r->stack[j];
			c = closing[level];
		}
		rna_text_put_bytes(o, &c, 1);
	}
	return RNA_OK;
}

static enum rna_status
put_dbn(struct rna_text_sink *o, struct rna *r, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	rna_text_put(o, ">");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq, r->n);
	rna_text_put(o, "\n");
	if (r->structure != NULL)
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->structure, r->n);
	else
		st = put_brackets(o, r, err);
	if (r->has_energy)
		rna_text_printf(o, " (%6.2f)", r->energy);
	rna_text_put(o, "\n");
	return st;
}

static void
put_bpseq(struct rna_text_sink *o, const struct rna *r)
{
	size_t i;

	rna_text_put(o, "# ");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	for (i = 0; i < r->n; i++) {
		rna_text_printf(o, "%zu ", i + 1);
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq + i, 1);
		rna_text_printf(o, " %d\n", r->partner[i] + 1);
	}
}

static void
put_ct(struct rna_text_sink *o, const struct rna *r)
{
	size_t i;

	rna_text_printf(o, "%5zu  ", r->n);
	if (r->has_energy)
		rna_text_printf(o, "ENERGY = %.2f  ", r->energy);
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	for (i = 0; i < r->n; i++) {
		rna_text_printf(o, "%5zu ", i + 1);
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq + i, 1);
		rna_text_printf(o, " %7zu %4zu %4d %4zu\n", i, i + 1 < r->n ? i + 2 : 0, r->partner[i] + 1, i + 1);
	}
}

static void
put_fasta(struct rna_text_sink *o, const struct rna *r, const struct rna_record *rec)
{
	size_t n;
	const char *desc = rna_record_get_str(rec, "desc", &n);

	rna_text_put(o, ">");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	if (desc != NULL && n > 0) {
		rna_text_put(o, " ");
		rna_text_string(o, RNA_TEXT_ESCAPE_LINE, desc, n);
	}
	rna_text_put(o, "\n");
	rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq, r->n);
	rna_text_put(o, "\n");
}

/* What the record has: the structure predicted or read comes before `pair`. */
static enum rna_status
gather(struct rna *r, enum rna_text format, const struct rna_record *rec, struct rna_err *err)
{
	uint64_t n = 0;

	if ((r->seq = rna_record_get_str(rec, "seq", &r->n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq");
	if ((r->name = rna_record_get_str(rec, "name", &r->name_length)) == NULL) {
		r->name = "";
		r->name_length = 0;
	}
	if (format == RNA_TEXT_FASTA)
		return RNA_OK;
	r->structure = rna_record_get_str(rec, "structure", &r->structure_length);
	r->pair = r->structure != NULL ? NULL : rna_record_get_vec(rec, "pair", RNA_I32, &n);
	if (r->structure == NULL && r->pair == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field structure and no field pair");
	if ((r->structure != NULL ? r->structure_length : n) != r->n)
		return rna_fail(err, RNA_EFORMAT, "%zu bases in seq, but %zu in %s", r->n,
		    r->structure != NULL ? r->structure_length : (size_t)n,
		    r->structure != NULL ? "structure" : "pair");
	if (r->n > INT32_MAX)
		return rna_fail(err, RNA_EFORMAT, "seq is too long");
	r->has_energy = rna_text_energy(rec, &r->energy);
	r->partner = calloc(r->n + 1, sizeof(*r->partner));
	r->stack = calloc(r->n + 1, sizeof(*r->stack));
	if (r->partner == NULL || r->stack == NULL)
		return rna_fail(err, RNA_EMEM, "no memory for %zu bases", r->n);
	return r->pair != NULL ? partners_of_pair(r, err) : partners_of_string(r, err);
}

enum rna_status
rna_text_structure(struct rna_text_sink *o, enum rna_text format, const struct rna_record *rec, struct rna_err *err)
{
	struct rna r = {.name = NULL};
	enum rna_status st = gather(&r, format, rec, err);

	if (st != RNA_OK)
		goto out;
	if (format == RNA_TEXT_FASTA)
		put_fasta(o, &r, rec);
	else if (format == RNA_TEXT_DBN)
		st = put_dbn(o, &r, err);
	else if (format == RNA_TEXT_BPSEQ)
		put_bpseq(o, &r);
	else
		put_ct(o, &r);
out:
	free(r.partner);
	free(r.stack);
	return st;
}
