/*
 * types.c: the coarse type of an RNA, from its header line or from RNAcentral's id_mapping table.
 *
 * 1. Names   2. Header lines   3. The id_mapping table
 */
#define _GNU_SOURCE /* memmem */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "seq/types.h"

/* 1. Names */

/* What other databases call the types; compared as rna_vocab_type compares. */
static const struct alias {
	const char *name, *type;
} aliases[] = {
    {"3prime_overlapping_ncRNA", "lncRNA"},
    {"antisense", "antisenseRNA"},
    {"autocatalytic_intron", "autocatalyticallysplicedintron"},
    {"bidirectional_promoter_lncRNA", "lncRNA"},
    {"CD_box", "snoRNA"},
    {"HACA_box", "snoRNA"},
    {"Intron_gpI", "autocatalyticallysplicedintron"},
    {"Intron_gpII", "autocatalyticallysplicedintron"},
    {"gRNA", "guideRNA"},
    {"lincRNA", "lncRNA"},
    {"lnc", "lncRNA"},
    {"long_noncoding_RNA", "lncRNA"},
    {"macro_lncRNA", "lncRNA"},
    {"microRNA", "miRNA"},
    {"misc", "miscRNA"},
    {"Mt_rRNA", "rRNA"},
    {"Mt_tRNA", "tRNA"},
    {"other_RNA", "other"},
    {"pre_microRNA", "premiRNA"},
    {"RNase_MRP", "RNaseMRPRNA"},
    {"RNase_P", "RNasePRNA"},
    {"sense_intronic", "lncRNA"},
    {"sense_overlapping", "lncRNA"},
    {"telomerase", "telomeraseRNA"},
    {"vault", "vaultRNA"},
    {"vtRNA", "vaultRNA"},
};

/* What a description says in other words, most telling first.  Letters compare without case; whole words only. */
static const struct alias phrases[] = {
    {"RNase MRP", "RNaseMRPRNA"},
    {"RNase P", "RNasePRNA"},
    {"ribonuclease P", "RNasePRNA"},
    {"signal recognition particle", "SRPRNA"},
    {"SRP RNA", "SRPRNA"},
    {"7SL", "SRPRNA"},
    {"Y RNA", "YRNA"},
    {"Ro60-associated", "YRNA"},
    {"vault RNA", "vaultRNA"},
    {"telomerase RNA", "telomeraseRNA"},
    {"transfer-messenger RNA", "tmRNA"},
    {"hammerhead ribozyme", "hammerheadribozyme"},
    {"group I intron", "autocatalyticallysplicedintron"},
    {"group II intron", "autocatalyticallysplicedintron"},
    {"self-splicing intron", "autocatalyticallysplicedintron"},
    {"small Cajal body", "scaRNA"},
    {"small nucleolar RNA", "snoRNA"},
    {"C/D box", "snoRNA"},
    {"H/ACA box", "snoRNA"},
    {"small nuclear RNA", "snRNA"},
    {"spliceosomal RNA", "snRNA"},
    {"microRNA precursor", "premiRNA"},
    {"pre-miRNA", "premiRNA"},
    {"pre-microRNA", "premiRNA"},
    {"stem-loop", "precursorRNA"},
    {"precursor RNA", "precursorRNA"},
    {"microRNA", "miRNA"},
    {"piwi-interacting", "piRNA"},
    {"small interfering RNA", "siRNA"},
    {"guide RNA", "guideRNA"},
    {"long non-coding", "lncRNA"},
    {"long noncoding", "lncRNA"},
    {"long intergenic", "lncRNA"},
    {"ribosomal RNA", "rRNA"},
    {"transfer RNA", "tRNA"},
    {"antisense RNA", "antisenseRNA"},
    {"small RNA", "sRNA"},
    {"non-coding RNA", "ncRNA"},
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

int
rna_types_find(const struct rna_vocab *v, const char *word, size_t n)
{
	int type = rna_vocab_type(v, word, n);
	size_t i;

	for (i = 0; type < 0 && n > 0 && i < COUNT(aliases); i++)
		if (rna_vocab_same(aliases[i].name, word, n))
			type = rna_vocab_find(v, aliases[i].type);
	return type;
}

/* 2. Header lines */

/* Where phrase stands in s as whole words, without case; NULL. */
static const char *
find_phrase(const char *s, size_t n, const char *phrase)
{
	size_t len = strlen(phrase), i;

	for (i = 0; i + len <= n; i++)
		if (strncasecmp(s + i, phrase, len) == 0 && (i == 0 || !isalnum((unsigned char)s[i - 1])) &&
		    (i + len == n || !isalnum((unsigned char)s[i + len])))
			return s + i;
	return NULL;
}

/* The type after key ("gene_biotype:"), up to a blank. */
static int
type_after(const struct rna_vocab *v, const char *s, size_t n, const char *key)
{
	const char *at = memmem(s, n, key, strlen(key)), *p;

	if (at == NULL)
		return -1;
	at += strlen(key);
	for (p = at; p < s + n && *p != ' ' && *p != '\t'; p++)
		;
	return rna_types_find(v, at, (size_t)(p - at));
}

/* "rRNA from 13 species" */
static int
type_from_species(const struct rna_vocab *v, const char *s, size_t n)
{
	const char *at = memmem(s, n, " from ", 6), *p, *end = s + n;

	if (at == NULL)
		return -1;
	for (p = at + 6; p < end && isdigit((unsigned char)*p); p++)
		;
	if (p == at + 6 || end - p < 8 || memcmp(p, " species", 8) != 0)
		return -1;
	return rna_types_find(v, s, (size_t)(at - s));
}

/* The last of the fields between separators that is a type. */
static int
type_of_fields(const struct rna_vocab *v, const char *s, size_t n, const char *separators)
{
	const char *p = s, *end = s + n, *q;
	int type = -1, found;

	while (p < end) {
		for (q = p; q < end && strchr(separators, *q) == NULL; q++)
			;
		if (q > p && (found = rna_types_find(v, p, (size_t)(q - p))) >= 0)
			type = found;
		p = q + 1;
	}
	return type;
}

static int
is_vague(const char *type)
{
	return strcmp(type, "ncRNA") == 0 || strcmp(type, "miscRNA") == 0 || strcmp(type, "other") == 0;
}

/* A type that stands in s as a word or a part of one ("5S_rRNA"); vague or telling ones. */
static int
type_in_words(const struct rna_vocab *v, const char *s, size_t n, int vague)
{
	int t;

	for (t = v->type_first; t < v->type_first + v->ntypes; t++)
		if (is_vague(v->token[t]) == vague && strcmp(v->token[t], "other") != 0 &&
		    find_phrase(s, n, v->token[t]) != NULL)
			return t;
	return -1;
}

/* Phrases, then words that are types ("pre_miRNA"), then types within words; ncRNA and miscRNA when nothing says more.
 */
static int
type_of_description(const struct rna_vocab *v, const char *s, size_t n)
{
	size_t i;
	int t;

	for (i = 0; i < COUNT(phrases); i++)
		if (find_phrase(s, n, phrases[i].name) != NULL && (t = rna_vocab_find(v, phrases[i].type)) >= 0)
			return t;
	t = type_of_fields(v, s, n, " \t,;()");
	if (t >= 0 && !is_vague(v->token[t]))
		return t;
	if ((t = type_in_words(v, s, n, 0)) >= 0)
		return t;
	return type_in_words(v, s, n, 1);
}

int
rna_types_from_header(const struct rna_vocab *v, const char *name, size_t n_name, const char *desc, size_t n_desc)
{
	size_t n;
	int type;

	if (n_desc > 0) {
		if ((type = type_after(v, desc, n_desc, "transcript_biotype:")) >= 0 ||
		    (type = type_after(v, desc, n_desc, "gene_biotype:")) >= 0 ||
		    (type = type_from_species(v, desc, n_desc)) >= 0)
			return type;
		for (n = 0; n < n_desc && desc[n] != ' ' && desc[n] != '\t'; n++)
			;
		if ((type = rna_types_find(v, desc, n)) >= 0)
			return type;
	}
	if (n_name > 0 && memchr(name, '|', n_name) != NULL && (type = type_of_fields(v, name, n_name, "|")) >= 0)
		return type;
	return n_desc > 0 ? type_of_description(v, desc, n_desc) : -1;
}

/* 3. The id_mapping table */

#define TYPE(word)  ((int)((word) >> 16 & 0xff))
#define VOTES(word) ((word)&0xffff)

/* The 40 bits of "URS" and 10 hex digits; 0: not one.  *n: bytes it takes. */
static uint64_t
parse_urs(const char *s, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t x = 0;
	const char *d;
	size_t i;

	if (n < 13 || strncasecmp(s, "URS", 3) != 0 || (n > 13 && isalnum((unsigned char)s[13])))
		return 0;
	for (i = 3; i < 13; i++) {
		if (s[i] == '\0' || (d = strchr(digits, tolower((unsigned char)s[i]))) == NULL)
			return 0;
		x = x << 4 | (uint64_t)(d - digits);
	}
	return x;
}

static size_t
first_slot(uint64_t urs, size_t cap)
{
	return (size_t)(urs * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (cap - 1);
}

static enum rna_status
grow(struct rna_types *t)
{
	size_t cap = t->cap > 0 ? t->cap * 2 : 4096, i, j;
	uint64_t *vote = calloc(cap, sizeof *vote);

	if (vote == NULL)
		return RNA_EMEM;
	for (i = 0; i < t->cap; i++)
		if (t->vote[i] != 0) {
			for (j = first_slot(t->vote[i] >> 24, cap); vote[j] != 0; j = (j + 1) & (cap - 1))
				;
			vote[j] = t->vote[i];
		}
	free(t->vote);
	t->vote = vote;
	t->cap = cap;
	return RNA_OK;
}

static enum rna_status
add_vote(struct rna_types *t, uint64_t urs, int type)
{
	uint64_t key = urs << 8 | (uint64_t)type;
	enum rna_status st;
	size_t i;

	if (t->n >= t->cap - t->cap / 4 && (st = grow(t)) != RNA_OK)
		return st;
	for (i = first_slot(urs, t->cap); t->vote[i] != 0 && t->vote[i] >> 16 != key; i = (i + 1) & (t->cap - 1))
		;
	if (t->vote[i] == 0) {
		t->vote[i] = key << 16;
		t->n++;
	}
	t->vote[i] += VOTES(t->vote[i]) < 0xffff;
	return RNA_OK;
}

/* One line: URS, database, external id, taxid, type, gene. */
static enum rna_status
add_row(struct rna_types *t, const struct rna_vocab *v, const char *line, size_t n, struct rna_err *err)
{
	const char *field[6], *p = line, *end = line + n, *tab;
	uint64_t urs;
	int k = 0, type;

	for (;;) {
		field[k++] = p;
		if (k == 6 || (tab = memchr(p, '\t', (size_t)(end - p))) == NULL)
			break;
		p = tab + 1;
	}
	if (k < 5 || (urs = parse_urs(line, (size_t)((k > 1 ? field[1] - 1 : end) - line))) == 0)
		return rna_fail(err, RNA_EFORMAT, "not a row of id_mapping (URS, database, id, taxid, type, gene)");
	type = rna_types_find(v, field[4], (size_t)((k > 5 ? field[5] - 1 : end) - field[4]));
	t->rows++;
	if (type < 0) {
		t->unknown++;
		return RNA_OK;
	}
	return add_vote(t, urs, type) == RNA_OK ? RNA_OK
	                                        : rna_fail(err, RNA_EMEM, "out of memory for the table of types");
}

enum rna_status
rna_types_load(struct rna_types *t, const struct rna_vocab *v, const char *path, struct rna_err *err)
{
	struct rna_input *in;
	enum rna_status st;
	const char *line;
	size_t n;

	memset(t, 0, sizeof *t);
	if ((in = rna_input_open(path, err)) == NULL)
		return err != NULL ? err->status : RNA_EIO;
	while ((st = rna_input_line(in, &line, &n, err)) == RNA_OK)
		if (n > 0 && (st = add_row(t, v, line, n, err)) != RNA_OK) {
			rna_err_where(err, path, t->rows + 1);
			break;
		}
	if (st == RNA_END)
		st = t->rows > 0 ? RNA_OK : rna_fail(err, RNA_EFORMAT, "no rows");
	if (st != RNA_OK) {
		rna_err_where(err, path, RNA_NOREC);
		rna_types_fini(t);
	}
	rna_input_close(in);
	return st;
}

int
rna_types_vote(const struct rna_types *t, const struct rna_vocab *v, const char *name, size_t n)
{
	uint64_t urs = parse_urs(name, n), best = 0, rank;
	int type = -1;
	size_t i;

	if (urs == 0 || t->cap == 0)
		return -1;
	for (i = first_slot(urs, t->cap); t->vote[i] != 0; i = (i + 1) & (t->cap - 1)) {
		if (t->vote[i] >> 24 != urs)
			continue;
		rank = VOTES(t->vote[i]) * 2 + !is_vague(v->token[TYPE(t->vote[i])]);
		if (rank > best || (rank == best && TYPE(t->vote[i]) < type)) {
			best = rank;
			type = TYPE(t->vote[i]);
		}
	}
	return type;
}

void
rna_types_fini(struct rna_types *t)
{
	free(t->vote);
	memset(t, 0, sizeof *t);
}
