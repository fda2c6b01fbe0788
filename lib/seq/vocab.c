/*
 * vocab.c: the token list of a model, the compiled-in list of RNAErnie, and look-ups of letters and types.
 */
#include <sys/types.h>

#include <ctype.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seq/vocab.h"
#include "stream/buf.h"
#include "stream/input.h"

#define TOKEN_MAX 63 /* bytes in a spelling */

/* formats/vocab.txt, token for token; tests/unit_seq.c compares them. */
static const char default_tokens[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[DEL]\n[IND]\n"
    "RNaseMRPRNA\nRNasePRNA\nSRPRNA\nYRNA\nantisenseRNA\nautocatalyticallysplicedintron\nguideRNA\nhammerheadribozyme\n"
    "lncRNA\nmiRNA\nmiscRNA\nncRNA\nother\npiRNA\npremiRNA\nprecursorRNA\nrRNA\nribozyme\nsRNA\nscRNA\nscaRNA\nsiRNA\n"
    "snRNA\nsnoRNA\ntRNA\ntelomeraseRNA\ntmRNA\nvaultRNA\n"
    "A\nT\nC\nG\n";

/* Spellings of the special tokens, in the order in which they are preferred. */
static const struct special {
	const char *spelling;
	size_t field;
} specials[] = {
    {"[PAD]", offsetof(struct rna_vocab, pad)},
    {"<pad>", offsetof(struct rna_vocab, pad)},
    {"[UNK]", offsetof(struct rna_vocab, unk)},
    {"<unk>", offsetof(struct rna_vocab, unk)},
    {"[CLS]", offsetof(struct rna_vocab, cls)},
    {"<cls>", offsetof(struct rna_vocab, cls)},
    {"[EOS]", offsetof(struct rna_vocab, sep)},
    {"<eos>", offsetof(struct rna_vocab, sep)},
    {"[SEP]", offsetof(struct rna_vocab, sep)},
    {"[SEP]", offsetof(struct rna_vocab, mid)},
    {"[MASK]", offsetof(struct rna_vocab, mask)},
    {"<mask>", offsetof(struct rna_vocab, mask)},
    {"[IND]", offsetof(struct rna_vocab, ind)},
};

static int
is_special(const char *token)
{
	size_t n = strlen(token);

	return n > 2 && ((token[0] == '[' && token[n - 1] == ']') || (token[0] == '<' && token[n - 1] == '>'));
}

static enum rna_status
add_token(struct rna_vocab *v, const char *s, size_t n, struct rna_err *err)
{
	size_t i;

	if (v->n == RNA_VOCAB_MAX)
		return rna_fail(err, RNA_EFORMAT, "more than %d tokens", RNA_VOCAB_MAX);
	if (n == 0)
		return rna_fail(err, RNA_EFORMAT, "line %d is empty: a vocabulary has one token a line", v->n + 1);
	if (n > TOKEN_MAX)
		return rna_fail(err, RNA_EFORMAT, "line %d is longer than %d bytes", v->n + 1, TOKEN_MAX);
	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] > '~')
			return rna_fail(err, RNA_EFORMAT, "line %d holds byte 0x%02x, which no token has", v->n + 1,
			    (unsigned char)s[i]);
	for (i = 0; i < (size_t)v->n; i++)
		if (strlen(v->token[i]) == n && memcmp(v->token[i], s, n) == 0)
			return rna_fail(
			    err, RNA_EFORMAT, "token %s stands on lines %zu and %d", v->token[i], i + 1, v->n + 1);
	if ((v->token[v->n] = strndup(s, n)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	v->n++;
	return RNA_OK;
}

/* Type tokens: words of two or more letters; only where [IND] announces them, so k-mers are not taken for types. */
static enum rna_status
find_types(struct rna_vocab *v, struct rna_err *err)
{
	int i;

	for (i = 0; v->ind >= 0 && i < v->n; i++) {
		if (strlen(v->token[i]) < 2 || is_special(v->token[i]))
			continue;
		if (v->ntypes == 0)
			v->type_first = i;
		else if (i != v->type_first + v->ntypes)
			return rna_fail(err, RNA_EFORMAT,
			    "the type tokens are not on neighbouring lines: %s stands apart", v->token[i]);
		v->ntypes++;
	}
	return RNA_OK;
}

static void
map_letter(struct rna_vocab *v, int letter, int id)
{
	int up = toupper(letter), low = tolower(letter);

	v->id[up] = v->id[low] = (uint8_t)id;
	v->known[up] = v->known[low] = 1;
}

static enum rna_status
map_letters(struct rna_vocab *v, struct rna_err *err)
{
	static const char bases[] = "ACGU";
	char s[2] = "";
	int i, id;

	memset(v->id, v->unk, sizeof v->id);
	for (i = 0; i < v->n; i++)
		if (v->token[i][1] == '\0') {
			map_letter(v, (unsigned char)v->token[i][0], i);
			v->is_base[i] = isalpha((unsigned char)v->token[i][0]) != 0;
		}
	for (i = 0; i < 4; i++) {
		s[0] = bases[i];
		id = rna_vocab_find(v, s);
		if (id < 0 && bases[i] == 'U')
			id = rna_vocab_find(v, "T");
		if (id < 0)
			return rna_fail(err, RNA_EFORMAT, "no token for the base %c", bases[i]);
		v->base[i] = (uint8_t)id;
		v->is_acgu[id] = 1;
		map_letter(v, bases[i], id);
	}
	map_letter(v, 'T', v->base[3]);
	return RNA_OK;
}

static enum rna_status
set_digest(struct rna_vocab *v)
{
	struct rna_buf text = RNA_BUF_INIT;
	enum rna_status st = RNA_OK;
	int i;

	for (i = 0; i < v->n && st == RNA_OK; i++)
		st = rna_buf_printf(&text, "%s\n", v->token[i]);
	if (st == RNA_OK) {
		SHA256Data(text.data, text.len, v->digest);
		if (text.len == sizeof default_tokens - 1 && memcmp(text.data, default_tokens, text.len) == 0)
			snprintf(v->name, sizeof v->name, "rnaernie-%d", v->n);
		else
			snprintf(v->name, sizeof v->name, "custom-%d", v->n);
	}
	rna_buf_fini(&text);
	return st;
}

/* Everything that follows from the spellings. */
static enum rna_status
derive(struct rna_vocab *v, struct rna_err *err)
{
	enum rna_status st;
	size_t i;
	int *field, id;

	v->pad = v->unk = v->cls = v->sep = v->mid = v->mask = v->ind = -1;
	for (i = 0; i < sizeof specials / sizeof specials[0]; i++) {
		field = (int *)(void *)((char *)v + specials[i].field);
		id = rna_vocab_find(v, specials[i].spelling);
		if (*field < 0 && id >= 0)
			*field = id;
	}
	if (v->mid < 0)
		v->mid = v->sep;
	if (v->unk < 0)
		return rna_fail(err, RNA_EFORMAT, "no [UNK] or <unk> token");
	if (v->cls < 0)
		return rna_fail(err, RNA_EFORMAT, "no [CLS] or <cls> token");
	if (v->sep < 0)
		return rna_fail(err, RNA_EFORMAT, "no [SEP], [EOS] or <eos> token");
	if ((st = find_types(v, err)) != RNA_OK || (st = map_letters(v, err)) != RNA_OK)
		return st;
	if ((st = set_digest(v)) != RNA_OK)
		return rna_fail(err, st, "out of memory");
	return RNA_OK;
}

enum rna_status
rna_vocab_init(struct rna_vocab *v)
{
	const char *s = default_tokens, *end;
	enum rna_status st = RNA_OK;

	memset(v, 0, sizeof *v);
	for (; st == RNA_OK && (end = strchr(s, '\n')) != NULL; s = end + 1)
		st = add_token(v, s, (size_t)(end - s), NULL);
	if (st == RNA_OK)
		st = derive(v, NULL);
	if (st != RNA_OK)
		rna_vocab_fini(v);
	return st;
}

enum rna_status
rna_vocab_load(struct rna_vocab *v, const char *path, struct rna_err *err)
{
	struct rna_input *in;
	enum rna_status st;
	const char *line;
	size_t n;

	memset(v, 0, sizeof *v);
	if ((in = rna_input_open(path, err)) == NULL)
		return err != NULL ? err->status : RNA_EIO;
	while ((st = rna_input_line(in, &line, &n, err)) == RNA_OK)
		if ((st = add_token(v, line, n, err)) != RNA_OK)
			break;
	if (st == RNA_END)
		st = derive(v, err);
	rna_input_close(in);
	if (st != RNA_OK) {
		rna_err_where(err, path, RNA_NOREC);
		rna_vocab_fini(v);
	}
	return st;
}

enum rna_status
rna_vocab_copy(struct rna_vocab *dst, const struct rna_vocab *src)
{
	int i;

	*dst = *src;
	memset(dst->token, 0, sizeof dst->token);
	for (i = 0; i < src->n; i++)
		if ((dst->token[i] = strdup(src->token[i])) == NULL) {
			rna_vocab_fini(dst);
			return RNA_EMEM;
		}
	return RNA_OK;
}

void
rna_vocab_fini(struct rna_vocab *v)
{
	int i;

	for (i = 0; i < RNA_VOCAB_MAX; i++)
		free(v->token[i]);
	memset(v, 0, sizeof *v);
}

int
rna_vocab_find(const struct rna_vocab *v, const char *token)
{
	int i;

	for (i = 0; i < v->n; i++)
		if (strcmp(v->token[i], token) == 0)
			return i;
	return -1;
}

int
rna_vocab_same(const char *a, const char *b, size_t nb)
{
	const char *end = b + nb;

	for (;;) {
		while (b < end && (*b == '_' || *b == '-' || *b == ' '))
			b++;
		while (*a == '_' || *a == '-')
			a++;
		if (*a == '\0' || b == end)
			return *a == '\0' && b == end;
		if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
			return 0;
	}
}

int
rna_vocab_type(const struct rna_vocab *v, const char *name, size_t n)
{
	int i;

	for (i = v->type_first; i < v->type_first + v->ntypes; i++)
		if (rna_vocab_same(v->token[i], name, n))
			return i;
	return -1;
}
