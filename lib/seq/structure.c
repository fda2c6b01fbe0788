/*
 * structure.c: dot-bracket text to partners, and partners to dot-bracket with pseudoknot layers.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "seq/structure.h"
#include "stream/rng.h"

static const char opening[] = "([{<ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char closing[] = ")]}>abcdefghijklmnopqrstuvwxyz";

#define LAYERS   (sizeof opening - 1)
#define UNPAIRED ".-,:_~"

static int
layer_of(const char *brackets, char c)
{
	const char *p = c != '\0' ? strchr(brackets, c) : NULL;

	return p != NULL ? (int)(p - brackets) : -1;
}

/*
 * The open brackets of each layer are a list linked through pair itself: top[k] is the last one open, and pair[i] of
 * an open bracket holds the one before it, coded as -2 - index (-1: none).
 */
static enum rna_status
close_bracket(int32_t *pair, int32_t *top, size_t i, char c, struct rna_err *err)
{
	int k = layer_of(closing, c);
	int32_t j;

	if (k >= 0 && top[k] >= 0) {
		j = top[k];
		top[k] = pair[j] == -1 ? -1 : -2 - pair[j];
		pair[j] = (int32_t)i;
		pair[i] = j;
		return RNA_OK;
	}
	if (c == 'x')
		return RNA_OK;
	if (c == '&')
		return rna_fail(err, RNA_EFORMAT,
		    "structure: '&' at position %zu joins two strands; only single strands are read", i + 1);
	if (k >= 0)
		return rna_fail(err, RNA_EFORMAT, "structure: '%c' at position %zu closes nothing", c, i + 1);
	if (isprint((unsigned char)c))
		return rna_fail(err, RNA_EFORMAT, "structure: '%c' at position %zu is no bracket and no dot", c, i + 1);
	return rna_fail(err, RNA_EFORMAT, "structure: byte 0x%02x at position %zu is no bracket and no dot",
	    (unsigned char)c, i + 1);
}

enum rna_status
rna_structure_parse(const char *s, size_t n, struct rna_buf *out, struct rna_err *err)
{
	int32_t *pair, top[LAYERS];
	enum rna_status st;
	size_t i;
	int k;

	if (n > INT32_MAX - 2)
		return rna_fail(err, RNA_EFORMAT, "structure of %zu bases is too long", n);
	if (rna_buf_reserve(out, n * sizeof *pair) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	pair = (int32_t *)(void *)(out->data + out->len);
	for (k = 0; k < (int)LAYERS; k++)
		top[k] = -1;
	for (i = 0; i < n; i++) {
		pair[i] = -1;
		if (strchr(UNPAIRED, s[i]) != NULL && s[i] != '\0')
			continue;
		if ((k = layer_of(opening, s[i])) >= 0) {
			pair[i] = top[k] < 0 ? -1 : -2 - top[k];
			top[k] = (int32_t)i;
		} else if ((st = close_bracket(pair, top, i, s[i], err)) != RNA_OK)
			return st;
	}
	for (k = 0; k < (int)LAYERS; k++)
		if (top[k] >= 0)
			return rna_fail(
			    err, RNA_EFORMAT, "structure: '%c' at position %d is never closed", opening[k], top[k] + 1);
	out->len += n * sizeof *pair;
	return RNA_OK;
}

/* A run of stacked pairs i..i+len-1 with j..j-len+1. */
struct stem {
	int32_t i, j, len;
};

static int
by_length(const void *a, const void *b)
{
	const struct stem *s = a, *t = b;

	if (s->len != t->len)
		return s->len > t->len ? -1 : 1;
	return s->i < t->i ? -1 : s->i > t->i;
}

static enum rna_status
find_stems(const int32_t *pair, size_t n, struct rna_buf *stems)
{
	struct stem s;
	size_t i;

	for (i = 0; i < n; i++) {
		if (pair[i] == -1)
			continue;
		if (pair[i] < 0 || (size_t)pair[i] >= n || pair[pair[i]] != (int32_t)i || pair[i] == (int32_t)i)
			return RNA_EINVAL;
		if (pair[i] < (int32_t)i)
			continue;
		s = (struct stem){(int32_t)i, pair[i], 1};
		while (
		    s.i + s.len < s.j - s.len && pair[s.i + s.len] == s.j - s.len && pair[s.j - s.len] == s.i + s.len)
			s.len++;
		i += (size_t)s.len - 1;
		if (rna_buf_add(stems, &s, sizeof s) != RNA_OK)
			return RNA_EMEM;
	}
	return RNA_OK;
}

/*
 * One layer as a Fenwick tree of exclusive ors: a pair puts the same hash at both ends, so a stretch whose sum is 0
 * holds whole pairs only, and a pair around it crosses none (two hashes cancelling by chance: 1 in 2^64).
 */
static uint64_t
layer_sum(const uint64_t *tree, size_t i)
{
	uint64_t x = 0;

	for (; i > 0; i -= i & -i)
		x ^= tree[i];
	return x;
}

static void
layer_add(uint64_t *tree, size_t n, const struct stem *s)
{
	uint64_t h = rna_hash(s, sizeof *s, 1);
	size_t i;

	/* one mark a stem side is enough: nothing else can pair inside a run */
	for (i = (size_t)s->i + 1; i <= n; i += i & -i)
		tree[i] ^= h;
	for (i = (size_t)s->j + 1; i <= n; i += i & -i)
		tree[i] ^= h;
}

static enum rna_status
place(const struct stem *s, size_t n, uint64_t **tree, char *text, struct rna_err *err)
{
	size_t k;
	int32_t i;

	for (k = 0; k < LAYERS; k++) {
		if (tree[k] == NULL && (tree[k] = calloc(n + 1, sizeof **tree)) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
		if ((layer_sum(tree[k], (size_t)s->j) ^ layer_sum(tree[k], (size_t)s->i)) == 0)
			break;
	}
	if (k == LAYERS)
		return rna_fail(err, RNA_EFORMAT,
		    "structure: the pair of positions %d and %d crosses all of %zu bracket layers", s->i + 1, s->j + 1,
		    LAYERS);
	layer_add(tree[k], n, s);
	for (i = 0; i < s->len; i++) {
		text[s->i + i] = opening[k];
		text[s->j - i] = closing[k];
	}
	return RNA_OK;
}

enum rna_status
rna_structure_print(const int32_t *pair, size_t n, struct rna_buf *out, struct rna_err *err)
{
	struct rna_buf stems = RNA_BUF_INIT;
	uint64_t *tree[LAYERS] = {NULL};
	enum rna_status st;
	const struct stem *s;
	size_t i;

	if ((st = find_stems(pair, n, &stems)) != RNA_OK || (st = rna_buf_reserve(out, n)) != RNA_OK) {
		rna_fail(err, st, st == RNA_EMEM ? "out of memory" : "structure: partners are not mutual");
		goto out;
	}
	if (n > 0)
		memset(out->data + out->len, '.', n);
	s = (const struct stem *)(const void *)stems.data;
	if (stems.len > 0)
		qsort(stems.data, stems.len / sizeof *s, sizeof *s, by_length);
	for (i = 0; i < stems.len / sizeof *s && st == RNA_OK; i++)
		st = place(&s[i], n, tree, (char *)out->data + out->len, err);
	if (st == RNA_OK)
		out->len += n;
out:
	for (i = 0; i < LAYERS; i++)
		free(tree[i]);
	rna_buf_fini(&stems);
	return st;
}

int
rna_structure_is_line(const char *s, size_t n)
{
	size_t i, letters = 0;

	for (i = 0; i < n && s[i] != ' ' && s[i] != '\t'; i++) {
		if (s[i] == '\0' ||
		    (strchr(UNPAIRED "|&", s[i]) == NULL && layer_of(opening, s[i]) < 0 && layer_of(closing, s[i]) < 0))
			return 0;
		letters += isalpha((unsigned char)s[i]) != 0;
	}
	return letters <= i / 2 && i > 0;
}
