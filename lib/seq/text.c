/*
 * text.c: one record as text; the formats are in text_*.c.
 */
#include "seq/text_value.h"

enum rna_status
rna_text_record(
    const struct rna_text_options *opts, const struct rna_record *rec, struct rna_buf *out, struct rna_err *err)
{
	struct rna_text_sink o = {out, RNA_OK};
	enum rna_status st = RNA_OK;
	size_t len = out->len;

	switch (opts->format) {
	case RNA_TEXT_PLAIN:
		rna_text_plain(&o, opts, rec);
		break;
	case RNA_TEXT_JSON:
		rna_text_json(&o, opts, rec);
		break;
	case RNA_TEXT_TSV:
		rna_text_tsv(&o, opts, rec);
		break;
	case RNA_TEXT_FASTA:
	case RNA_TEXT_DBN:
	case RNA_TEXT_BPSEQ:
	case RNA_TEXT_CT:
		st = rna_text_structure(&o, opts->format, rec, err);
		break;
	}
	if (st == RNA_OK && o.status != RNA_OK)
		st = rna_fail(err, o.status, "no memory for the text of a record");
	if (st != RNA_OK)
		out->len = len; /* nothing of a record that can't be printed */
	return st;
}
