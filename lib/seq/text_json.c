/*
 * text_json.c: a record as one line of JSON: keys are field names, arrays are nested by their dims.
 */
#include <string.h>

#include "seq/text_value.h"

/* An array without elements is [] whatever its dims say. */
static void
put_array(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_field *f, const void *data)
{
	uint64_t i, inner;
	const char *name;
	int d;

	if (f->count == 0) {
		rna_text_put(o, "[]");
		return;
	}
	for (i = 0; i < f->count && o->status == RNA_OK; i++) {
		if (i > 0)
			rna_text_put(o, ",");
		for (d = f->ndim - 1, inner = 1; d >= 0 && i % (inner *= f->dims[d]) == 0; d--)
			rna_text_put(o, "[");
		if ((name = rna_text_token_name(opts, f, data, i)) != NULL) {
			rna_text_put(o, "\"");
			rna_text_string(o, RNA_TEXT_ESCAPE_JSON, name, strlen(name));
			rna_text_put(o, "\"");
		} else {
			rna_text_element(o, RNA_TEXT_ESCAPE_JSON, f, data, i);
		}
		for (d = f->ndim - 1, inner = 1; d >= 0 && (i + 1) % (inner *= f->dims[d]) == 0; d--)
			rna_text_put(o, "]");
	}
}

void
rna_text_json(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec)
{
	size_t i, n = rna_text_columns(opts, rec), written = 0;
	const struct rna_field *f;
	const void *data;

	rna_text_put(o, "{");
	for (i = 0; i < n; i++) {
		f = rna_record_find(rec, rna_text_column(opts, rec, i));
		if (f == NULL)
			continue;
		data = rna_record_data(rec, f);
		rna_text_printf(o, "%s\"%s\":", written++ ? "," : "", f->name);
		if (f->dtype == RNA_STR) {
			rna_text_put(o, "\"");
			rna_text_string(o, RNA_TEXT_ESCAPE_JSON, data, f->size);
			rna_text_put(o, "\"");
		} else {
			put_array(o, opts, f, data);
		}
	}
	rna_text_put(o, "}\n");
}
