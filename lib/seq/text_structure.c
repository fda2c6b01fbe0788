/*
 * text_structure.c: FASTA, and the formats of secondary structures: dot-bracket as RNAfold prints it, bpseq, ct.
 */
#include "seq/folded.h"
#include "seq/structure.h"
#include "seq/text_value.h"

static enum rna_status
put_dbn(struct rna_text_sink *o, const struct rna_folded *r, struct rna_err *err)
{
	struct rna_buf brackets = RNA_BUF_INIT;
	enum rna_status st = RNA_OK;

	if (r->structure == NULL && (st = rna_structure_print(r->partner, r->n, &brackets, err)) != RNA_OK)
		goto out;
	rna_text_put(o, ">");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq, r->n);
	rna_text_put(o, "\n");
	if (r->structure != NULL)
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->structure, r->n);
	else
		rna_text_put_bytes(o, (const char *)brackets.data, brackets.len);
	if (r->has_energy)
		rna_text_printf(o, " (%6.2f)", r->energy);
	rna_text_put(o, "\n");
out:
	rna_buf_fini(&brackets);
	return st;
}

static void
put_bpseq(struct rna_text_sink *o, const struct rna_folded *r)
{
	size_t i;

	rna_text_put(o, "# ");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	for (i = 0; i < r->n; i++) {
		rna_text_printf(o, "%zu ", i + 1);
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq + i, 1);
		rna_text_printf(o, " %d\n", r->partner[i] + 1);
	}
}

static void
put_ct(struct rna_text_sink *o, const struct rna_folded *r)
{
	size_t i;

	rna_text_printf(o, "%5zu  ", r->n);
	if (r->has_energy)
		rna_text_printf(o, "ENERGY = %.2f  ", r->energy);
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	rna_text_put(o, "\n");
	for (i = 0; i < r->n; i++) {
		rna_text_printf(o, "%5zu ", i + 1);
		rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq + i, 1);
		rna_text_printf(o, " %7zu %4zu %4d %4zu\n", i, i + 1 < r->n ? i + 2 : 0, r->partner[i] + 1, i + 1);
	}
}

static void
put_fasta(struct rna_text_sink *o, const struct rna_folded *r, const struct rna_record *rec)
{
	size_t n;
	const char *desc = rna_record_get_str(rec, "desc", &n);

	rna_text_put(o, ">");
	rna_text_string(o, RNA_TEXT_ESCAPE_LINE, r->name, r->name_length);
	if (desc != NULL && n > 0) {
		rna_text_put(o, " ");
		rna_text_string(o, RNA_TEXT_ESCAPE_LINE, desc, n);
	}
	rna_text_put(o, "\n");
	rna_text_string(o, RNA_TEXT_ESCAPE_LETTERS, r->seq, r->n);
	rna_text_put(o, "\n");
}

enum rna_status
rna_text_structure(struct rna_text_sink *o, enum rna_text format, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_folded r;
	enum rna_status st = rna_folded_get(&r, rec, format != RNA_TEXT_FASTA, err);

	if (st != RNA_OK)
		goto out;
	if (format == RNA_TEXT_FASTA)
		put_fasta(o, &r, rec);
	else if (format == RNA_TEXT_DBN)
		st = put_dbn(o, &r, err);
	else if (format == RNA_TEXT_BPSEQ)
		put_bpseq(o, &r);
	else
		put_ct(o, &r);
out:
	rna_folded_fini(&r);
	return st;
}
