/*
 * classdata.c: labelled RNAs in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/classdata.h"
#include "nn/config.h"

enum rna_status
rna_classdata_init(struct rna_classdata *d, struct rna_err *err)
{
	memset(d, 0, sizeof(*d));
	if ((d->names = json_array()) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

void
rna_classdata_fini(struct rna_classdata *d)
{
	free(d->list);
	free(d->piece);
	rna_buf_fini(&d->bytes);
	json_decref(d->names);
	memset(d, 0, sizeof(*d));
}

const char *
rna_classdata_name(const struct rna_classdata *d, int i)
{
	return json_string_value(json_array_get(d->names, (size_t)i));
}

/* The label of a record as a JSON string; NULL and err when it has none that can be used. */
static json_t *
label_of(const struct rna_record *rec, struct rna_err *err)
{
	const struct rna_field *f = rna_record_find(rec, "label");
	char digits[16];
	int32_t number;
	json_t *name;

	if (f == NULL) {
		rna_fail(
		    err, RNA_EFORMAT, "no field label, which is learnt; make it with: rna-tokenize --label header");
		return NULL;
	}
	if (f->dtype == RNA_STR) {
		if ((name = json_stringn(rna_record_data(rec, f), f->size)) == NULL || f->size == 0 || f->size > 255)
			rna_fail(err, RNA_EFORMAT, "the label is not a name of 1 to 255 bytes in UTF-8");
		else
			return name;
		json_decref(name);
		return NULL;
	}
	if (f->dtype != RNA_I32 || f->count != 1) {
		rna_fail(err, RNA_EFORMAT, "the label is neither a string nor a whole number");
		return NULL;
	}
	memcpy(&number, rna_record_data(rec, f), sizeof(number));
	snprintf(digits, sizeof(digits), "%d", number);
	if ((name = json_string(digits)) == NULL)
		rna_fail(err, RNA_EMEM, "out of memory");
	return name;
}

/* Index of the name, which is added when it is new; takes it over. */
static enum rna_status
find_label(struct rna_classdata *d, json_t *name, int32_t *label, struct rna_err *err)
{
	enum rna_status s = RNA_OK;
	size_t i, n = json_array_size(d->names);

	for (i = 0; i < n && !json_equal(json_array_get(d->names, i), name); i++)
		continue;
	if (i == n && d->sealed)
		s = rna_fail(err, RNA_EFORMAT, "label %.64s is not among the %zu classes that are learnt",
		    json_string_value(name), n);
	else if (i == RNA_CLASSES_MAX)
		s = rna_fail(err, RNA_EFORMAT, "more than %d labels", RNA_CLASSES_MAX);
	else if (i == n && json_array_append(d->names, name) != 0)
		s = rna_fail(err, RNA_EMEM, "out of memory");
	*label = (int32_t)i;
	json_decref(name);
	return s;
}

/* Room for one more example and one more piece. */
static enum rna_status
grow(struct rna_classdata *d, struct rna_err *err)
{
	size_t cap = d->cap > 0 ? d->cap * 2 : 1024, pieces = d->piece_cap > 0 ? d->piece_cap * 2 : 1024;
	struct rna_example *list = d->n < d->cap ? d->list : reallocarray(d->list, cap, sizeof(*list));
	struct rna_piece *piece;

	if (list == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	d->list = list;
	d->cap = d->n < d->cap ? d->cap : cap;
	piece = d->npieces < d->piece_cap ? d->piece : reallocarray(d->piece, pieces, sizeof(*piece));
	if (piece == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	d->piece = piece;
	d->piece_cap = d->npieces < d->piece_cap ? d->piece_cap : pieces;
	return RNA_OK;
}

/* Copies tokens and segments. */
static enum rna_status
copy(struct rna_classdata *d, const struct rna_record *rec, int max, struct rna_piece *e, struct rna_err *err)
{
	const uint8_t *tokens, *segment;
	uint64_t n = 0, same;

	if (d->bare && !d->pairs)
		return RNA_OK;
	if ((tokens = rna_record_get_vec(rec, "tokens", RNA_U8, &n)) == NULL || n == 0)
		return rna_fail(err, RNA_EFORMAT, "no tokens; pass the sequences through rna-tokenize");
	if (n > (uint64_t)max)
		return rna_fail(err, RNA_EFORMAT,
		    "%llu tokens are more than the model takes (%d); cut them with: rna-tokenize --max %d --long "
		    "truncate",
		    (unsigned long long)n, max, max);
	segment = rna_record_get_vec(rec, "segment", RNA_U8, &same);
	e->at = d->bytes.len;
	e->ntokens = (uint32_t)n;
	e->segment = segment != NULL && same == n;
	if (d->pairs && (!e->segment || segment[n - 1] != 1))
		return rna_fail(err, RNA_EFORMAT,
		    "no second sequence (segment); make pairs with: rna-tokenize --pairs COL_A,COL_B");
	if (rna_buf_add(&d->bytes, tokens, n) != RNA_OK || (e->segment && rna_buf_add(&d->bytes, segment, n) != RNA_OK))
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}

/* A chunk behind the first belongs to the example before: *to; of other records *to is NULL. */
static enum rna_status
chunk_of(struct rna_classdata *d, const struct rna_record *rec, uint64_t rid, struct rna_piece *p,
    struct rna_example **to, struct rna_err *err)
{
	struct rna_example *before = d->n > 0 ? &d->list[d->n - 1] : NULL;
	const uint32_t *chunk;
	uint64_t n = 0;

	*to = NULL;
	chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &n);
	p->chunk = chunk != NULL && n > 0 ? chunk[0] : 0;
	if (p->chunk == 0)
		return RNA_OK;
	if (before == NULL || before->rid != rid || d->last_chunk + 1 != p->chunk)
		return rna_fail(err, RNA_EFORMAT,
		    "chunk %u does not follow on chunk %u of its RNA: chunks must stand together", p->chunk,
		    p->chunk - 1);
	*to = before;
	return RNA_OK;
}

enum rna_status
rna_classdata_add(struct rna_classdata *d, const struct rna_record *rec, int max, int valid, struct rna_err *err)
{
	struct rna_example e = {.rid = d->n + 1, .npieces = 1, .valid = (uint8_t)valid, .first = d->npieces}, *to;
	struct rna_piece p = {0};
	enum rna_status s;
	json_t *name;

	if ((name = label_of(rec, err)) == NULL)
		return RNA_EFORMAT;
	if ((s = find_label(d, name, &e.label, err)) != RNA_OK || (s = grow(d, err)) != RNA_OK)
		return s;
	(void)rna_record_get_u64(rec, "rid", &e.rid);
	if ((s = chunk_of(d, rec, e.rid, &p, &to, err)) != RNA_OK)
		return s;
	d->last_chunk = p.chunk;
	if (to != NULL && to->label != e.label)
		return rna_fail(err, RNA_EFORMAT, "its label is not that of the chunk before");
	if (d->max_chunks > 0 && p.chunk >= d->max_chunks) {
		d->left_out++;
		return RNA_OK;
	}
	if ((s = copy(d, rec, max, &p, err)) != RNA_OK)
		return s;
	d->piece[d->npieces++] = p;
	d->tokens += valid ? 0 : p.ntokens;
	if (to != NULL) {
		to->npieces++;
		return RNA_OK;
	}
	d->list[d->n++] = e;
	d->ntrain += !valid;
	d->nvalid += valid != 0;
	return RNA_OK;
}

struct named {
	json_t *name;
	int32_t was;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(
	    json_string_value(((const struct named *)a)->name), json_string_value(((const struct named *)b)->name));
}

/* Names in order, and the examples' labels with them. */
static enum rna_status
sort_names(struct rna_classdata *d, struct rna_err *err)
{
	size_t i, n = json_array_size(d->names);
	struct named *list = calloc(n + 1, sizeof(*list));
	int32_t *now = calloc(n + 1, sizeof(*now));
	json_t *sorted = json_array();
	int bad = list == NULL || now == NULL || sorted == NULL;

	for (i = 0; !bad && i < n; i++)
		list[i] = (struct named){json_array_get(d->names, i), (int32_t)i};
	if (!bad)
		qsort(list, n, sizeof(*list), by_name);
	for (i = 0; !bad && i < n; i++) {
		now[list[i].was] = (int32_t)i;
		bad |= json_array_append(sorted, list[i].name) != 0;
	}
	for (i = 0; !bad && i < d->n; i++)
		d->list[i].label = now[d->list[i].label];
	free(list);
	free(now);
	if (bad) {
		json_decref(sorted);
		return rna_fail(err, RNA_EMEM, "out of memory");
	}
	json_decref(d->names);
	d->names = sorted;
	return RNA_OK;
}

enum rna_status
rna_classdata_seal(struct rna_classdata *d, struct rna_err *err)
{
	enum rna_status s = sort_names(d, err);
	size_t i, first = d->n;

	if (s != RNA_OK)
		return s;
	d->sealed = 1;
	for (i = 0; i < d->n; i++) {
		if (d->list[i].valid)
			continue;
		if (first == d->n)
			first = i;
		if (d->list[i].label != d->list[first].label)
			return RNA_OK;
	}
	if (first == d->n)
		return rna_fail(err, RNA_EFORMAT, "no records to learn from");
	return rna_fail(err, RNA_EFORMAT, "all %zu records have the label %.64s: there is nothing to learn", d->ntrain,
	    rna_classdata_name(d, d->list[first].label));
}

enum rna_status
rna_classdata_record(
    const struct rna_classdata *d, const struct rna_piece *p, struct rna_record *rec, struct rna_err *err)
{
	const uint8_t *bytes = d->bytes.data + p->at;

	rna_record_reuse(rec);
	if (rna_record_set_vec(rec, "tokens", RNA_U8, bytes, p->ntokens) != RNA_OK ||
	    (p->segment && rna_record_set_vec(rec, "segment", RNA_U8, bytes + p->ntokens, p->ntokens) != RNA_OK))
		return rna_fail(err, RNA_EMEM, "out of memory");
	return RNA_OK;
}
