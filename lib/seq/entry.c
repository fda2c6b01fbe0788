/*
 * entry.c: one sequence as a text reader leaves it; letters, their check and their hash.
 */
#include <string.h>

#include "seq/entry.h"
#include "stream/rng.h"

void
rna_entry_reuse(struct rna_entry *e)
{
	rna_buf_reuse(&e->head);
	rna_buf_reuse(&e->seq);
	rna_buf_reuse(&e->pair);
	rna_buf_reuse(&e->structure);
	rna_buf_reuse(&e->name_b);
	rna_buf_reuse(&e->seq_b);
	rna_buf_reuse(&e->label);
	e->has_pair = e->has_b = e->has_label = e->has_energy = e->has_ensemble = 0;
}

void
rna_entry_fini(struct rna_entry *e)
{
	rna_buf_fini(&e->head);
	rna_buf_fini(&e->seq);
	rna_buf_fini(&e->pair);
	rna_buf_fini(&e->structure);
	rna_buf_fini(&e->name_b);
	rna_buf_fini(&e->seq_b);
	rna_buf_fini(&e->label);
}

/* One vector pass. */
int
rna_entry_printable(const void *p, size_t n)
{
	const unsigned char *s = p;
	unsigned char bad = 0;
	size_t i;

#pragma omp simd reduction(| : bad)
	for (i = 0; i < n; i++)
		bad |= (unsigned char)(s[i] - 0x21) > 0x5d;
	return bad == 0;
}

void
rna_entry_split(const char *head, size_t n, struct rna_text_entry *e)
{
	const char *p = head, *end = head + n;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	e->name = p;
	while (p < end && *p != ' ' && *p != '\t')
		p++;
	e->n_name = (size_t)(p - e->name);
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	e->desc = p;
	e->n_desc = (size_t)(end - p);
}

enum rna_status
rna_entry_letters(struct rna_buf *seq, const void *p, size_t n, uint64_t max, uint64_t line, struct rna_err *err)
{
	const unsigned char *s = p;
	size_t i;

	if (n > max || seq->len > max - n)
		return rna_fail(err, RNA_EFORMAT, "line %llu: the sequence is longer than %llu letters",
		    (unsigned long long)line, (unsigned long long)max);
	if (rna_buf_reserve(seq, n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory for a sequence of %zu letters", seq->len + n);
	if (rna_entry_printable(s, n)) {
		if (n > 0)
			memcpy(seq->data + seq->len, s, n);
		seq->len += n;
		return RNA_OK;
	}
	for (i = 0; i < n; i++) {
		if (s[i] == ' ' || s[i] == '\t')
			continue;
		if (s[i] < ' ' || s[i] > '~')
			return rna_fail(err, RNA_EFORMAT, "line %llu: byte 0x%02x after %zu letters of the sequence",
			    (unsigned long long)line, s[i], seq->len);
		seq->data[seq->len++] = s[i];
	}
	return RNA_OK;
}

enum rna_status
rna_entry_hash(const void *p, size_t n, uint64_t seed, struct rna_buf *scratch, uint64_t *hash)
{
	const unsigned char *s = p;
	unsigned char *d;
	size_t i;

	rna_buf_reuse(scratch);
	if (rna_buf_reserve(scratch, n + 1) != RNA_OK)
		return RNA_EMEM;
	d = scratch->data;
#pragma omp simd
	for (i = 0; i < n; i++) {
		unsigned char c = s[i];

		c = (unsigned char)(c - ((unsigned char)(c - 'a') < 26 ? 32 : 0));
		d[i] = (unsigned char)(c + (c == 'T'));
	}
	*hash = rna_hash(d, n, seed);
	return RNA_OK;
}

enum rna_status
rna_lines_next(struct rna_lines *l, struct rna_err *err)
{
	enum rna_status st;

	if (l->again) {
		l->again = 0;
		return RNA_OK;
	}
	if ((st = rna_input_line(l->in, &l->line, &l->n, err)) != RNA_OK)
		return st;
	if (l->number++ == 0 && l->n >= 3 && memcmp(l->line, "\xef\xbb\xbf", 3) == 0) {
		l->line += 3;
		l->n -= 3;
	}
	return RNA_OK;
}

int
rna_lines_blank(const struct rna_lines *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->line[i] != ' ' && l->line[i] != '\t')
			return 0;
	return 1;
}
