/*
 * tokenize_check.c: what of a record is tokenised, or why it can't be.
 */
#include "tokenize.h"

/* What can't be tokenised as it stands: says so with the record, and the option to type. */
static _Noreturn void
refuse(const struct tokenize *o, const struct tool_in *in, const struct rna_record *rec, struct rna_err *err)
{
	rna_err_where(err, rna_source_name(in->source), rec->number);
	tool_die_err(o->t, err);
}

uint32_t
tokenize_look(const struct tokenize *o, const struct tool_in *in, const struct rna_record *rec, int *fits)
{
	struct rna_err err;
	uint64_t ignored;
	size_t nt = 0;
	uint32_t n = rna_frame_count(&o->framing, rec, fits);

	if (rna_record_get_str(rec, "seq", &nt) == NULL)
		rna_fail(&err, RNA_EFORMAT, "no seq to make tokens of");
	else if (rna_record_find(rec, "masked") != NULL)
		rna_fail(&err, RNA_EFORMAT, "is masked already: tokenize before rna-mask");
	else if (n != 1 && rna_record_get_vec(rec, "chunk", RNA_U32, &ignored) != NULL)
		rna_fail(&err, RNA_EFORMAT, "is a chunk already: tokenize the whole RNAs");
	else if (!*fits && o->framing.policy == RNA_LONG_KEEP)
		rna_fail(&err, RNA_EFORMAT, "%zu nt are more than --max %u takes: add --long drop, truncate or chunk",
		    nt, o->framing.max);
	else
		return n;
	refuse(o, in, rec, &err);
}

void
tokenize_label(const struct tokenize *o, const struct tool_in *in, struct rna_record *rec)
{
	struct rna_err err;

	if (rna_annotate_label(&o->annotate, rec, &err) != RNA_OK)
		refuse(o, in, rec, &err);
}
