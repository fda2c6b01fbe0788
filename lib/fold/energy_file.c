/*
 * energy_file.c: parameter files in the ViennaRNA 2.0 format (formats/energy.md).
 *
 * 1. Blocks   2. Reading
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fold/energy_private.h"
#include "stream/buf.h"
#include "stream/input.h"

#define LXC 107.856 /* dcal/mol at 37 C, when a file does not give its own */
#define FILE_MAX (64u << 20)
#define VALUE_MAX 100000 /* no energy or enthalpy is larger, 1000 kcal/mol, INF apart */

/* Most values of a block: int22 of the six pairs over the four bases. */
#define BLOCK_MAX (6 * 6 * 4 * 4 * 4 * 4)

/* 1. Blocks */

static const struct {
	const char *name;
	int least, most; /* values in the file */
	int enthalpies;  /* 1: a block name_enthalpies of as many values goes with it */
} blocks[NBLOCKS] = {
    [STACK] = {"stack", 49, 49, 1},
    [MM_HAIRPIN] = {"mismatch_hairpin", 175, 175, 1},
    [MM_INTERIOR] = {"mismatch_internal", 175, 175, 1},
    [MM_1N] = {"mismatch_internal_1n", 175, 175, 1},
    [MM_23] = {"mismatch_internal_23", 175, 175, 1},
    [MM_MULTI] = {"mismatch_multi", 175, 175, 1},
    [MM_EXTERIOR] = {"mismatch_exterior", 175, 175, 1},
    [DANGLE5] = {"dangle5", 35, 35, 1},
    [DANGLE3] = {"dangle3", 35, 35, 1},
    [INT11] = {"int11", 1225, 1225, 1},
    [INT21] = {"int21", 6125, 6125, 1},
    [INT22] = {"int22", BLOCK_MAX, BLOCK_MAX, 1},
    [HAIRPIN] = {"hairpin", 31, 31, 1},
    [BULGE] = {"bulge", 31, 31, 1},
    [INTERIOR] = {"internal", 31, 31, 1},
    [ML] = {"ML_params", 6, 6, 0}, /* base, closing, branch: energy and enthalpy of each */
    [NINIO] = {"NINIO", 3, 3, 0},  /* per nt, enthalpy, most */
    [MISC] = {"Misc", 4, 6, 0},    /* duplex, terminal AU: energy and enthalpy of each; lxc and its enthalpy */
};

/* 2. Reading */

#define WORD_MAX 64 /* longer words are neither names nor energies */

/* A parser over the whole text, which it leaves as it is: the compiled-in one is not copied. */
struct parser {
	const char *p, *end;
	char word[WORD_MAX + 1]; /* the last token, cut off */
	const char *file;
	int line;
	struct rna_err *err;
};

static int
bad(struct parser *ps, const char *what, const char *token)
{
	rna_fail(ps->err, RNA_EFORMAT, "line %d: %s%.40s", ps->line, what, token);
	rna_err_where(ps->err, ps->file, RNA_NOREC);
	return -1;
}

/* As isspace in the C locale, which a program may have left. */
static inline int
blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Two characters that begin or end a comment. */
static inline int
is_pair(const struct parser *ps, const char *p, char a, char b)
{
	return ps->end - p > 1 && p[0] == a && p[1] == b;
}

/* The end of the comment that begins at p: behind its mark, or where a block begins when it is not closed. */
static const char *
comment_end(struct parser *ps, const char *p)
{
	for (p++; p < ps->end && !is_pair(ps, p, '*', '/'); p++) {
		if (*p != '\n')
			continue;
		if (is_pair(ps, p, '\n', '#'))
			return p;
		ps->line++;
	}
	return p < ps->end ? p + 2 : p;
}

/* Past blanks, and comments, which are as good as blanks. */
static void
skip(struct parser *ps)
{
	const char *p = ps->p;

	while (p < ps->end) {
		if (blank(*p) || *p == '\0')
			ps->line += *p++ == '\n';
		else if (is_pair(ps, p, '/', '*'))
			p = comment_end(ps, p);
		else
			break;
	}
	ps->p = p;
}

/* The next token; NULL at the end or before a line that begins a block. */
static const char *
token(struct parser *ps)
{
	const char *p, *end = ps->end;
	size_t n = 0;

	skip(ps);
	p = ps->p;
	if (p == end || *p == '#')
		return NULL;
	while (p < end && !blank(*p) && *p != '\0' && !is_pair(ps, p, '/', '*')) {
		if (n < WORD_MAX)
			ps->word[n++] = *p;
		p++;
	}
	ps->word[n] = '\0';
	if (p < end && blank(*p))
		ps->line += *p++ == '\n';
	ps->p = p;
	return ps->word;
}

/* Takes the next token when it is an integer of up to five digits, as nearly all are; 0: something else comes next. */
static int
small_integer(struct parser *ps, int *value)
{
	const char *p = ps->p, *end = ps->end, *digit;
	int n = 0, negative, lines = 0;

	for (; p < end && blank(*p); p++)
		lines += *p == '\n';
	if ((negative = p < end && *p == '-'))
		p++;
	for (digit = p; p < end && p - digit < 5 && *p >= '0' && *p <= '9'; p++)
		n = 10 * n + (*p - '0');
	if (p == digit || p == end || !blank(*p))
		return 0;
	ps->p = p;
	ps->line += lines;
	*value = negative ? -n : n;
	return 1;
}

/* A number, INF, or DEF (the default: what Turner 2004 has, not known here and so refused). */
static int
number(struct parser *ps, const char *word, double *value)
{
	char *end;

	if (strcmp(word, "INF") == 0) {
		*value = RNA_FOLD_INF;
		return 0;
	}
	errno = 0;
	*value = strtod(word, &end);
	if (end == word || *end != '\0' || end - word == WORD_MAX || errno != 0 ||
	    !(*value >= -VALUE_MAX && *value <= VALUE_MAX))
		return bad(ps, "not an energy in 0.01 kcal/mol: ", word);
	return 0;
}

static int
read_block(struct parser *ps, struct rna_energy_file *f, enum block b, int enthalpies)
{
	int **where = enthalpies ? &f->enthalpy[b] : &f->energy[b], n = 0, integer;
	const char *word;
	double value;

	free(*where);
	if ((*where = calloc((size_t)blocks[b].most, sizeof(int))) == NULL) {
		rna_fail(ps->err, RNA_EMEM, "out of memory");
		return -1;
	}
	for (;;) {
		if (n < blocks[b].most && small_integer(ps, &integer)) {
			if (b == MISC && n == 4)
				f->lxc = integer;
			(*where)[n++] = integer;
			continue;
		}
		if ((word = token(ps)) == NULL)
			break;
		if (n == blocks[b].most)
			return bad(ps, "too many values in block ", blocks[b].name);
		if (number(ps, word, &value) != 0)
			return -1;
		if (b == MISC && n == 4)
			f->lxc = value;
		(*where)[n++] = (int)value;
	}
	return n < blocks[b].least ? bad(ps, "too few values in block ", blocks[b].name) : 0;
}

/* Lines of loop, energy, enthalpy; T is U.  Of a loop that is given twice the first counts. */
static int
read_specials(struct parser *ps, struct rna_energy_file *f, size_t length)
{
	struct fold_special *s;
	double value[2];
	const char *word;
	char loop[10];
	size_t k;
	int i;

	while ((word = token(ps)) != NULL) {
		if (strlen(word) != length || strspn(word, "ACGUT") != length)
			return bad(ps, "not a hairpin of this block: ", word);
		for (k = 0; k <= length; k++)
			loop[k] = word[k] == 'T' ? 'U' : word[k];
		for (i = 0; i < 2; i++) {
			if ((word = token(ps)) == NULL)
				return bad(ps, "energy or enthalpy missing after ", loop);
			if (number(ps, word, &value[i]) != 0)
				return -1;
		}
		for (i = 0; i < f->nspecial && strcmp(f->special[i].loop, loop) != 0; i++)
			continue;
		if (i < f->nspecial)
			continue;
		if (i == RNA_SPECIAL_MAX * 3)
			return bad(ps, "too many special hairpins at ", loop);
		s = &f->special[f->nspecial++];
		snprintf(s->loop, sizeof(s->loop), "%s", loop);
		s->energy = (int)value[0];
		s->enthalpy = (int)value[1];
	}
	return 0;
}

static int
read_named(struct parser *ps, struct rna_energy_file *f, const char *name)
{
	size_t n;
	int b;

	for (b = 0; b < NBLOCKS; b++) {
		n = strlen(blocks[b].name);
		if (strcmp(name, blocks[b].name) == 0)
			return read_block(ps, f, (enum block)b, 0);
		if (blocks[b].enthalpies && strncmp(name, blocks[b].name, n) == 0 &&
		    strcmp(name + n, "_enthalpies") == 0)
			return read_block(ps, f, (enum block)b, 1);
	}
	if (strcmp(name, "Triloops") == 0)
		return read_specials(ps, f, 5);
	if (strcmp(name, "Tetraloops") == 0)
		return read_specials(ps, f, 6);
	if (strcmp(name, "Hexaloops") == 0)
		return read_specials(ps, f, 8);
	return bad(ps, "unknown block: ", name);
}

static int
parse(struct parser *ps, struct rna_energy_file *f)
{
	const char *word;

	while ((word = token(ps)) == NULL && ps->p < ps->end) {
		if (is_pair(ps, ps->p, '#', '#')) { /* the title line */
			while (ps->p < ps->end && *ps->p != '\n')
				ps->p++;
			continue;
		}
		ps->p++;
		if ((word = token(ps)) == NULL)
			return bad(ps, "a block without a name", "");
		if (strcmp(word, "END") == 0)
			return 0;
		if (read_named(ps, f, word) != 0)
			return -1;
	}
	return word != NULL ? bad(ps, "not in a block: ", word) : 0;
}

static int
complete(struct parser *ps, const struct rna_energy_file *f)
{
	int b;

	for (b = 0; b < NBLOCKS; b++) {
		if (f->energy[b] == NULL || (blocks[b].enthalpies && f->enthalpy[b] == NULL)) {
			rna_fail(ps->err, RNA_EFORMAT, "no block %s%s", blocks[b].name,
			    f->energy[b] == NULL ? "" : "_enthalpies");
			rna_err_where(ps->err, ps->file, RNA_NOREC);
			return -1;
		}
	}
	return 0;
}

/* The whole file into buf. */
static enum rna_status
read_all(const char *path, struct rna_buf *buf, struct rna_err *err)
{
	struct rna_input *in;
	enum rna_status s = RNA_OK;
	size_t got = 1;

	if ((in = rna_input_open(path, err)) == NULL)
		return err != NULL ? err->status : RNA_EIO;
	while (s == RNA_OK && got > 0) {
		if (buf->len > FILE_MAX)
			s = rna_fail(err, RNA_EFORMAT, "too large for a parameter file");
		else if (rna_buf_reserve(buf, 65536) != RNA_OK)
			s = rna_fail(err, RNA_EMEM, "out of memory");
		else if ((s = rna_input_read(in, buf->data + buf->len, 65536, &got, err)) == RNA_OK)
			buf->len += got;
	}
	rna_err_where(err, path, RNA_NOREC);
	rna_input_close(in);
	return s;
}

/* formats/turner2004.par, as it stands. */
extern const char rna_turner2004[], rna_turner2004_end[];
__asm__(".section .rodata\n"
	".globl rna_turner2004\n"
	"rna_turner2004:\n"
	".incbin \"formats/turner2004.par\"\n"
	".globl rna_turner2004_end\n"
	"rna_turner2004_end:\n"
	".byte 0\n"
	".previous\n");

struct rna_energy_file *
rna_energy_file_open(const char *path, struct rna_err *err)
{
	struct rna_energy_file *f = calloc(1, sizeof(*f));
	struct rna_buf buf = RNA_BUF_INIT;
	struct parser ps = {.p = rna_turner2004,
	    .end = rna_turner2004_end,
	    .file = path != NULL ? path : "turner2004.par",
	    .line = 1,
	    .err = err};
	enum rna_status s = RNA_OK;

	if (f == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	f->lxc = LXC;
	if (path != NULL && (s = read_all(path, &buf, err)) == RNA_OK) {
		ps.p = (const char *)buf.data;
		ps.end = ps.p != NULL ? ps.p + buf.len : NULL;
	}
	if (s != RNA_OK || parse(&ps, f) != 0 || complete(&ps, f) != 0) {
		rna_energy_file_close(f);
		f = NULL;
	}
	rna_buf_fini(&buf);
	return f;
}

void
rna_energy_file_close(struct rna_energy_file *f)
{
	int b;

	if (f == NULL)
		return;
	for (b = 0; b < NBLOCKS; b++) {
		free(f->energy[b]);
		free(f->enthalpy[b]);
	}
	free(f);
}
