/*
 * text_plain.c: what a person at a terminal reads: name, length, type, first bases and structure, then a line a field.
 */
#include <stdio.h>
#include <string.h>

#include "seq/text_value.h"

#define WIDTH  80 /* bases of a sequence shown */
#define VALUES 6  /* numbers of a vector shown */
#define SHORT  16 /* token names of a vector shown */

static const char *const in_head[] = {"name", "seq", "desc", "type", "structure", "energy", "rid", "chunk", "last"};

static void
put_start(struct rna_text_sink *o, const char *s, size_t n, size_t width, enum rna_text_escape how)
{
	size_t shown = n > width ? width : n;

	while (how != RNA_TEXT_ESCAPE_LETTERS && shown > 0 && shown < n && ((unsigned char)s[shown] & 0xc0) == 0x80)
		shown--; /* not inside a letter of several bytes */
	rna_text_string(o, how, s, shown);
	if (shown < n)
		rna_text_put(o, "...");
}

static void
put_head(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec)
{
	const struct rna_field *f;
	const uint32_t *chunk;
	const char *s;
	uint64_t n;
	size_t len;

	rna_text_put(o, ">");
	if ((s = rna_record_get_str(rec, "name", &len)) != NULL)
		put_start(o, s, len, WIDTH, RNA_TEXT_ESCAPE_LINE);
	if (rna_record_get_str(rec, "seq", &len) != NULL)
		rna_text_printf(o, "  %zu nt", len);
	if ((f = rna_record_find(rec, "type")) != NULL && f->count == 1 && f->dtype == RNA_U8 &&
	    (s = rna_text_token_name(opts, f, rna_record_data(rec, f), 0)) != NULL) {
		rna_text_put(o, "  ");
		rna_text_string(o, RNA_TEXT_ESCAPE_LINE, s, strlen(s));
	}
	if ((chunk = rna_record_get_vec(rec, "chunk", RNA_U32, &n)) != NULL && n == 2)
		rna_text_printf(o, "  chunk %u from base %u", chunk[0] + 1, chunk[1] + 1);
	if ((s = rna_record_get_str(rec, "desc", &len)) != NULL && len > 0) {
		rna_text_put(o, "  ");
		put_start(o, s, len, WIDTH, RNA_TEXT_ESCAPE_LINE);
	}
	rna_text_put(o, "\n");
}

static void
put_sequence(struct rna_text_sink *o, const struct rna_record *rec)
{
	double energy;
	size_t len;
	const char *s;

	if ((s = rna_record_get_str(rec, "seq", &len)) != NULL && len > 0) {
		put_start(o, s, len, WIDTH, RNA_TEXT_ESCAPE_LETTERS);
		rna_text_put(o, "\n");
	}
	if ((s = rna_record_get_str(rec, "structure", &len)) != NULL && len > 0) {
		put_start(o, s, len, WIDTH, RNA_TEXT_ESCAPE_LETTERS);
		if (rna_text_energy(rec, &energy))
			rna_text_printf(o, " (%6.2f)", energy);
		rna_text_put(o, "\n");
	}
}

static const char *
token_of(const struct rna_text_options *opts, const struct rna_field *f, const void *data, uint64_t i)
{
	static const char *const names[] = {"tokens", "target", "type", "types"};
	int id = f->dtype == RNA_U8 ? ((const uint8_t *)data)[i] : -1;
	size_t k;

	for (k = 0; opts->vocab != NULL && k < sizeof(names) / sizeof(*names); k++)
		if (strcmp(f->name, names[k]) == 0 && id >= 0 && id < opts->vocab->n)
			return opts->vocab->token[id];
	return NULL;
}

/* One field: "  cls         f32[768]  0.1 -0.2 ..." */
static void
put_field(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_field *f, const void *data)
{
	uint64_t i, shown;
	const char *name;
	int d;

	rna_text_printf(o, "  %-11s ", f->name);
	if (f->dtype == RNA_STR) {
		put_start(o, data, f->size, WIDTH, RNA_TEXT_ESCAPE_LINE);
		rna_text_put(o, "\n");
		return;
	}
	if (f->ndim > 0) {
		rna_text_printf(o, "%s[", rna_dtype_name(f->dtype));
		for (d = 0; d < f->ndim; d++)
			rna_text_printf(o, d ? ",%llu" : "%llu", (unsigned long long)f->dims[d]);
		rna_text_put(o, "]");
	}
	shown = f->count > 0 && token_of(opts, f, data, 0) != NULL ? SHORT : VALUES;
	for (i = 0; i < f->count && i < shown; i++) {
		rna_text_put(o, f->ndim > 0 ? " " : "");
		if ((name = token_of(opts, f, data, i)) != NULL)
			rna_text_string(o, RNA_TEXT_ESCAPE_LINE, name, strlen(name));
		else if (f->dtype >= RNA_F16)
			rna_text_printf(o, "%.4g", rna_text_number(f->dtype, data, i));
		else
			rna_text_element(o, RNA_TEXT_ESCAPE_LINE, f, data, i);
	}
	rna_text_put(o, i < f->count ? " ...\n" : "\n");
}

static int
is_in_head(const char *name)
{
	size_t k;

	for (k = 0; k < sizeof(in_head) / sizeof(*in_head); k++)
		if (strcmp(name, in_head[k]) == 0)
			return 1;
	return 0;
}

void
rna_text_plain(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec)
{
	size_t i, n = rna_text_columns(opts, rec);
	const struct rna_field *f;

	put_head(o, opts, rec);
	if (opts->fields == NULL)
		put_sequence(o, rec);
	for (i = 0; i < n; i++) {
		f = rna_record_find(rec, rna_text_column(opts, rec, i));
		if (f != NULL && (opts->fields != NULL || !is_in_head(f->name)))
			put_field(o, opts, f, rna_record_data(rec, f));
	}
}
