/*
 * annotate.c: type and label of a record, from where the user says they stand.
 */
#include <string.h>

#include "seq/annotate.h"

static int
told_by_text(const struct rna_annotate *a, const char *name, size_t n_name, const char *desc, size_t n_desc)
{
	int type = a->table != NULL && name != NULL ? rna_types_vote(a->table, a->vocab, name, n_name) : -1;

	if (type < 0 && a->header)
		type = rna_types_from_header(a->vocab, name, n_name, desc, n_desc);
	return type;
}

int
rna_annotate_text(const struct rna_annotate *a, const char *name, size_t n_name, const char *desc, size_t n_desc)
{
	int type = told_by_text(a, name, n_name, desc, n_desc);

	return type >= 0 ? type : a->type;
}

int
rna_annotate_type(const struct rna_annotate *a, const struct rna_record *rec)
{
	size_t n_name = 0, n_desc = 0;
	const char *name = rna_record_get_str(rec, "name", &n_name);
	const char *desc = rna_record_get_str(rec, "desc", &n_desc);
	int type = told_by_text(a, name, n_name, desc, n_desc);
	uint8_t id;

	if (type < 0 && a->was != NULL && rna_record_get_u8(rec, "type", &id) && id >= a->was->type_first &&
	    id < a->was->type_first + a->was->ntypes)
		type = rna_vocab_type(a->vocab, a->was->token[id], strlen(a->was->token[id]));
	return type >= 0 ? type : a->type;
}

static size_t
word_length(const char *s, const char *end)
{
	const char *p = s;

	while (p < end && *p != ' ' && *p != '\t')
		p++;
	return (size_t)(p - s);
}

/* What follows "key=" or "key:" in the words of a description. */
static const char *
find_value(const char *desc, size_t n_desc, const char *key, size_t *n)
{
	const char *p = desc, *end = desc + n_desc;
	size_t len = strlen(key), word;

	for (; p < end; p += word + 1) {
		word = word_length(p, end);
		if (word > len && memcmp(p, key, len) == 0 && (p[len] == '=' || p[len] == ':')) {
			*n = word - len - 1;
			return p + len + 1;
		}
	}
	return NULL;
}

/* Where the label stands: n letters, 1 or more, in the record. */
static const char *
find_label(const struct rna_annotate *a, const struct rna_record *rec, size_t *n, struct rna_err *err)
{
	size_t n_desc = 0;
	const char *desc = rna_record_get_str(rec, "desc", &n_desc), *s;

	*n = 0;
	if (strcmp(a->label, "header") == 0) {
		if (desc != NULL)
			*n = word_length(desc, desc + n_desc);
		if (*n == 0)
			rna_fail(err, RNA_EFORMAT, "no label: the header line is a name and nothing more");
		return desc;
	}
	if ((s = rna_record_get_str(rec, a->label, n)) != NULL) {
		if (*n == 0)
			rna_fail(err, RNA_EFORMAT, "no label: the field %s is empty", a->label);
	} else if (desc == NULL || (s = find_value(desc, n_desc, a->label, n)) == NULL)
		rna_fail(
		    err, RNA_EFORMAT, "no label: neither a field %s nor %s=... in the header line", a->label, a->label);
	else if (*n == 0)
		rna_fail(err, RNA_EFORMAT, "no label: nothing behind %s%c in the header line", a->label, s[-1]);
	return s;
}

enum rna_status
rna_annotate_label(const struct rna_annotate *a, struct rna_record *rec, struct rna_err *err)
{
	size_t n;
	const char *s = find_label(a, rec, &n, err);
	struct rna_buf copy = RNA_BUF_INIT;
	enum rna_status st;

	if (n == 0)
		return RNA_EFORMAT;
	/* s points into the record, which the new field may move */
	if ((st = rna_buf_add(&copy, s, n)) == RNA_OK)
		st = rna_record_set_str(rec, "label", (const char *)copy.data, n);
	rna_buf_fini(&copy);
	return st == RNA_OK ? RNA_OK : rna_fail(err, st, "out of memory");
}
