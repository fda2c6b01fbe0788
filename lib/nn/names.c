/*
 * names.c: tensor names of files.
 */
#include <stdio.h>
#include <string.h>

#include "nn/names.h"

#define BIT(n) (1u << (n))
#define STOCK (BIT(RNA_NAMES_BERT) | BIT(RNA_NAMES_PLAIN))
#define MULTI (BIT(RNA_NAMES_MULTIMOLECULE) | BIT(RNA_NAMES_RNAERNIE) | BIT(RNA_NAMES_PLAIN_MULTIMOLECULE))
#define ALL (STOCK | MULTI)

static const char *const prefixes[] = {
    [RNA_NAMES_BERT] = "bert.",
    [RNA_NAMES_MULTIMOLECULE] = "model.",
    [RNA_NAMES_RNAERNIE] = "rnaernie.",
    [RNA_NAMES_PLAIN] = "",
    [RNA_NAMES_PLAIN_MULTIMOLECULE] = "",
};

/* Heads of other tasks, which stand beside the backbone in the same file. */
static const char *const others[] = {
    "fold.",
    "types.",
    "cls.seq_relationship.",
    "ind_cls.",
    "head.",
    "sequence_head.",
    "token_head.",
    "nucleotide_head.",
    "contact_head.",
    "ss_head.",
    "qa_outputs.",
};

static int
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int
ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && strcmp(s + n - k, suffix) == 0;
}

/* Tensors that carry nothing: buffers of indices, and other heads. */
static int
ignored(const char *key)
{
	if (ends(key, ".position_ids") || ends(key, ".token_type_ids"))
		return 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (begins(key, others[i]))
			return 1;
	return 0;
}

/* The namings that a key can belong to. */
static unsigned
namings(const char *key)
{
	unsigned set = ALL;

	if (ignored(key) || begins(key, "rill.") || begins(key, "classifier."))
		return ALL;
	if (begins(key, "bert."))
		set = BIT(RNA_NAMES_BERT);
	else if (begins(key, "model."))
		set = BIT(RNA_NAMES_MULTIMOLECULE);
	else if (begins(key, "rnaernie."))
		set = BIT(RNA_NAMES_RNAERNIE);
	else if (begins(key, "cls."))
		set = STOCK;
	else if (begins(key, "lm_head."))
		set = MULTI;
	else if (begins(key, "embeddings.") || begins(key, "encoder.") || begins(key, "pooler."))
		set = BIT(RNA_NAMES_PLAIN) | BIT(RNA_NAMES_PLAIN_MULTIMOLECULE);
	if (strstr(key, ".LayerNorm."))
		set &= STOCK;
	if (strstr(key, ".layer_norm."))
		set &= MULTI;
	return set;
}

enum rna_status
rna_names_detect(const struct rna_safetensors *s, enum rna_naming *naming, struct rna_err *err)
{
	unsigned set = ALL, own;
	size_t i, j;

	for (i = 0; i < s->n; i++) {
		own = namings(s->list[i].name);
		if (!own)
			return rna_fail(err, RNA_EFORMAT, "tensor %.200s has a name of two kinds", s->list[i].name);
		if (!(set & own))
			break;
		set &= own;
	}
	if (i < s->n) {
		for (j = 0; j < i && namings(s->list[j].name) & namings(s->list[i].name); j++)
			;
		return rna_fail(err, RNA_EFORMAT, "names of two kinds are mixed: %.200s and %.200s",
		    s->list[j < i ? j : 0].name, s->list[i].name);
	}
	for (i = 0; !(set & BIT(i)); i++)
		;
	*naming = (enum rna_naming)i;
	return RNA_OK;
}

/* Copies src to dst with every `from` put in as `to`; NULL when it does not fit. */
static const char *
substitute(const char *src, const char *from, const char *to, char dst[RNA_NAMES_SIZE])
{
	size_t at = 0, k = strlen(from), n = strlen(to);

	while (*src) {
		if (strncmp(src, from, k) == 0) {
			if (at + n >= RNA_NAMES_SIZE)
				return NULL;
			memcpy(dst + at, to, n);
			at += n;
			src += k;
		} else {
			if (at + 1 >= RNA_NAMES_SIZE)
				return NULL;
			dst[at++] = *src++;
		}
	}
	dst[at] = '\0';
	return dst;
}

/* dst as text; "?" when it is longer than any name that is known. */
static const char *
put(char dst[RNA_NAMES_SIZE], const char *text)
{
	if (strlcpy(dst, text, RNA_NAMES_SIZE) >= RNA_NAMES_SIZE)
		strlcpy(dst, "?", RNA_NAMES_SIZE);
	return dst;
}

/* The end of a name, put in another way. */
static void
replace_end(char *s, size_t size, const char *old, const char *new)
{
	if (ends(s, old))
		strlcpy(s + strlen(s) - strlen(old), new, size - (strlen(s) - strlen(old)));
}

/* lm_head.x of multimolecule is cls.predictions.x of BERT. */
const char *
rna_names_stock(enum rna_naming naming, const char *key, char dst[RNA_NAMES_SIZE])
{
	const char *prefix = prefixes[naming];
	char full[RNA_NAMES_SIZE + 32];

	if (ignored(key))
		return NULL;
	if (begins(key, "cls.predictions.") || begins(key, "rill.") || begins(key, "classifier."))
		snprintf(full, sizeof(full), "%s", key);
	else if (begins(key, "lm_head."))
		snprintf(full, sizeof(full), "cls.predictions.%s", key + strlen("lm_head."));
	else if (begins(key, prefix))
		snprintf(full, sizeof(full), "bert.%s", key + strlen(prefix));
	else
		snprintf(full, sizeof(full), "%s", key);
	if (MULTI & BIT(naming))
		return substitute(full, ".layer_norm.", ".LayerNorm.", dst) ? dst : put(dst, "?");
	replace_end(full, sizeof(full), ".LayerNorm.gamma", ".LayerNorm.weight"); /* as early BERT files spell it */
	replace_end(full, sizeof(full), ".LayerNorm.beta", ".LayerNorm.bias");
	return put(dst, full);
}

const char *
rna_names_file(enum rna_naming naming, const char *stock, char dst[RNA_NAMES_SIZE])
{
	int multi = (MULTI & BIT(naming)) != 0;
	char full[RNA_NAMES_SIZE + 32];

	if (multi && begins(stock, "cls.predictions."))
		snprintf(full, sizeof(full), "lm_head.%s", stock + strlen("cls.predictions."));
	else if (begins(stock, "bert."))
		snprintf(full, sizeof(full), "%s%s", prefixes[naming], stock + strlen("bert."));
	else
		snprintf(full, sizeof(full), "%s", stock);
	if (!multi)
		return put(dst, full);
	return substitute(full, ".LayerNorm.", ".layer_norm.", dst) ? dst : put(dst, "?");
}
