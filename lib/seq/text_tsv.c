/*
 * text_tsv.c: a record as one row of tab-separated values: vectors joined by commas, rows of a matrix by semicolons.
 */
#include <string.h>

#include "seq/text_value.h"

static void
put_cell(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_field *f, const void *data)
{
	uint64_t i, row = f->ndim > 0 ? f->dims[f->ndim - 1] : 1;
	const char *name;

	if (f->dtype == RNA_STR) {
		rna_text_string(o, RNA_TEXT_ESCAPE_TSV, data, f->size);
		return;
	}
	for (i = 0; i < f->count && o->status == RNA_OK; i++) {
		if (i > 0)
			rna_text_put(o, i % row == 0 ? ";" : ",");
		if ((name = rna_text_token_name(opts, f, data, i)) != NULL)
			rna_text_string(o, RNA_TEXT_ESCAPE_TSV, name, strlen(name));
		else
			rna_text_element(o, RNA_TEXT_ESCAPE_TSV, f, data, i);
	}
}

void
rna_text_tsv(struct rna_text_sink *o, const struct rna_text_options *opts, const struct rna_record *rec)
{
	size_t i, n = rna_text_columns(opts, rec);
	const struct rna_field *f;

	for (i = 0; i < n; i++) {
		if (i > 0)
			rna_text_put(o, "\t");
		f = rna_record_find(rec, rna_text_column(opts, rec, i));
		if (f != NULL)
			put_cell(o, opts, f, rna_record_data(rec, f));
	}
	rna_text_put(o, "\n");
}

enum rna_status
rna_text_tsv_head(const struct rna_text_options *opts, const struct rna_record *first, struct rna_buf *out)
{
	struct rna_text_sink o = {out, RNA_OK};
	size_t i, n = rna_text_columns(opts, first);
	const char *name;

	for (i = 0; i < n; i++) {
		name = rna_text_column(opts, first, i);
		if (i > 0)
			rna_text_put(&o, "\t");
		rna_text_string(&o, RNA_TEXT_ESCAPE_TSV, name, strlen(name));
	}
	rna_text_put(&o, "\n");
	return o.status;
}
