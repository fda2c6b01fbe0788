/*
 * fold_eval.c: rna-fold --eval: the loops of given structures, each with its energy, as RNAeval -v prints them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fold.h"
#include "seq/structure.h"

struct listing {
	const char *seq;
	FILE *fp;
};

static int
letter(const struct listing *l, int i)
{
	int c = l->seq[i - 1];

	c = c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
	return c == 'T' ? 'U' : c >= 'A' && c <= 'Z' ? c : 'N';
}

static void
print_loop(const struct rna_loop *loop, void *arg)
{
	const struct listing *l = arg;
	int i = loop->i, j = loop->j;

	switch (loop->kind) {
	case RNA_LOOP_EXTERIOR:
		fprintf(l->fp, "External loop                           : %5d\n", loop->energy);
		break;
	case RNA_LOOP_HAIRPIN:
		fprintf(l->fp, "Hairpin  loop (%3d,%3d) %c%c              : %5d\n", i, j, letter(l, i), letter(l, j),
		    loop->energy);
		break;
	case RNA_LOOP_MULTI:
		fprintf(l->fp, "Multi    loop (%3d,%3d) %c%c              : %5d\n", i, j, letter(l, i), letter(l, j),
		    loop->energy);
		break;
	case RNA_LOOP_INTERIOR:
		fprintf(l->fp, "Interior loop (%3d,%3d) %c%c; (%3d,%3d) %c%c: %5d\n", i, j, letter(l, i), letter(l, j),
		    loop->k, loop->l, letter(l, loop->k), letter(l, loop->l), loop->energy);
		break;
	}
}

/* Partners of the record's structure. */
static enum rna_status
structure_of(const struct rna_record *rec, size_t n, struct rna_buf *pair, struct rna_err *err)
{
	const char *structure;
	size_t len;

	rna_buf_reuse(pair);
	if ((structure = rna_record_get_str(rec, "structure", &len)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "has no field structure to evaluate");
	if (len != n)
		return rna_fail(err, RNA_EFORMAT, "the structure has %zu letters, the sequence %zu", len, n);
	return rna_structure_parse(structure, len, pair, err);
}

static enum rna_status
eval_record(struct fold_job *job, struct rna_record *rec, FILE *fp, struct rna_buf *pair, struct rna_buf *text,
    struct rna_err *err)
{
	static const struct rna_text_options dbn = {RNA_TEXT_DBN, NULL, NULL, 0};
	struct listing l = {NULL, fp};
	enum rna_status s;
	size_t n;
	int total;

	if ((l.seq = rna_record_get_str(rec, "seq", &n)) == NULL)
		return rna_fail(err, RNA_EFORMAT, "has no field seq");
	if ((s = structure_of(rec, n, pair, err)) != RNA_OK)
		return s;
	s = rna_energy_evaluate(
	    &job->energy, l.seq, n, (const int32_t *)(const void *)pair->data, 1, print_loop, &l, &total, err);
	if (s != RNA_OK)
		return s;
	rna_buf_reuse(text);
	if (rna_record_set_f32(rec, "energy", (float)(total / 100.0)) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if ((s = rna_text_record(&dbn, rec, text, err)) == RNA_OK && fwrite(text->data, 1, text->len, fp) != text->len)
		s = rna_fail_errno(err, "can't write");
	return s;
}

void
fold_eval(struct fold_job *job)
{
	struct rna_buf pair = RNA_BUF_INIT, text = RNA_BUF_INIT;
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_record rec;
	struct tool_in in;
	enum rna_status s;
	FILE *fp;

	rna_record_init(&rec);
	tool_in_open(&in, job->t, NULL);
	fp = tool_text_open(job->t);
	while ((s = tool_in_read(&in, &rec)) != RNA_END) {
		if (s != RNA_OK || eval_record(job, &rec, fp, &pair, &text, &err) == RNA_OK)
			continue;
		rna_err_where(&err, rna_source_name(in.source), rec.number);
		tool_die_err(job->t, &err);
	}
	tool_text_close(job->t);
	tool_in_close(&in);
	rna_record_fini(&rec);
	rna_buf_fini(&pair);
	rna_buf_fini(&text);
}
