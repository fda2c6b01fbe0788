/*
 * text_structure.c: FASTA, and the formats of secondary structures: dot-bracket as RNAfold prints it, bpseq, ct.
 */
#include "seq/structure.h"
#include "seq/text_value.h"

struct rna {
	const char *name, *seq, *structure; /* structure NULL: only pairs */
	size_t name_length, n, structure_length;
	const int32_t *pair; /* NULL: only the string */
	int has_energy;
	double energy;
	const int32_t *partner; /* [n]: `pair`, or what structure says */
	struct rna_buf parsed;  /* owns partner when structure was parsed */
};

/* A record may come from anywhere: partners are checked before anything indexes by them. */
static enum rna_status
check_partners(const struct rna *r, struct rna_err *err)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		int64_t j = r->pair[i];

		if (j < -1 || j >= (int64_t)r->n || j == (int64_t)i || (j >= 0 && r->pair[j] != (int64_t)i))
			return rna_fail(err, RNA_EFORMAT,
			    "pair: base %zu is paired with %lld, which is not paired with it", i, (long long)j);
	}
	return RNA_OK;
}

static enum rna_status
put_dbn(struct rna_text_sink *o, const struct rna *r, struct rna_err *err)
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
put_bpseq(struct rna_text_sink *o, const struct rna *r)
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
put_ct(struct rna_text_sink *o, const struct rna *r)
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
put_fasta(struct rna_text_sink *o, const struct rna *r, const struct rna_record *rec)
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

/* What the record has: the structure predicted or read comes before `pair`. */
static enum rna_status
gather(struct rna *r, enum rna_text format, const struct rna_record *rec, struct rna_err *err)
{
	enum rna_status st;
	uint64_t n = 0;

	if ((r->seq = rna_record_get_str(rec, "seq", &r->n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq");
	if ((r->name = rna_record_get_str(rec, "name", &r->name_length)) == NULL) {
		r->name = "";
		r->name_length = 0;
	}
	if (format == RNA_TEXT_FASTA)
		return RNA_OK;
	r->structure = rna_record_get_str(rec, "structure", &r->structure_length);
	r->pair = r->structure != NULL ? NULL : rna_record_get_vec(rec, "pair", RNA_I32, &n);
	if (r->structure == NULL && r->pair == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field structure and no field pair");
	if ((r->structure != NULL ? r->structure_length : n) != r->n)
		return rna_fail(err, RNA_EFORMAT, "%zu bases in seq, but %zu in %s", r->n,
		    r->structure != NULL ? r->structure_length : (size_t)n,
		    r->structure != NULL ? "structure" : "pair");
	if (r->n > INT32_MAX)
		return rna_fail(err, RNA_EFORMAT, "seq is too long");
	r->has_energy = rna_text_energy(rec, &r->energy);
	if (r->pair != NULL) {
		r->partner = r->pair;
		return check_partners(r, err);
	}
	st = rna_structure_parse(r->structure, r->n, &r->parsed, err);
	r->partner = (const int32_t *)(const void *)r->parsed.data;
	return st;
}

enum rna_status
rna_text_structure(struct rna_text_sink *o, enum rna_text format, const struct rna_record *rec, struct rna_err *err)
{
	struct rna r = {.parsed = RNA_BUF_INIT};
	enum rna_status st = gather(&r, format, rec, err);

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
	rna_buf_fini(&r.parsed);
	return st;
}
