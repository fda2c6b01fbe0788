/*
 * tokenize_run.c: the record loop of rna-tokenize: each RNA framed, in chunks where that was asked for, and its copies
 * after it.
 */
#include "tokenize.h"

static void
process(struct tokenize *o, const struct tool_in *in, struct rna_record *rec, struct rna_record *chunk,
    struct tokenize_out *out)
{
	int type, fits;
	uint32_t c, n = tokenize_look(o, in, rec, &fits);

	if (o->annotate.label != NULL)
		tokenize_label(o, in, rec);
	if (fits)
		chunk = rec; /* whole: nothing is copied */
	type = rna_annotate_type(&o->annotate, rec);
	for (c = 0; c == 0 || c < n; c++) {
		switch (rna_frame_record(&o->framing, &o->vocab, rec, type, c, chunk, &o->counts)) {
		case RNA_OK:
			tokenize_out_write(out, chunk);
			break;
		case RNA_END: /* dropped */
			return;
		default:
			tool_die(o->t, "out of memory");
		}
	}
}

/* The record's mutated copies, framed as it was. */
static void
process_copies(struct tokenize *o, const struct tool_in *in, const struct rna_record *rec, struct rna_record *copy,
    struct rna_record *chunk, struct tokenize_out *out)
{
	struct rna_err err = {.record = RNA_NOREC};
	uint32_t k;

	for (k = 1; k <= o->mutate; k++) {
		if (rna_mutate(rec, o->t->seed, k, o->mutate_rate, copy, &err) != RNA_OK) {
			rna_err_where(&err, rna_source_name(in->source), rec->number);
			tool_die_err(o->t, &err);
		}
		process(o, in, copy, chunk, out);
	}
}

/* The next RNA that has to be taken by itself; those before it are written. */
static enum rna_status
read_one(struct tokenize *o, struct tool_in *in, struct tokenize_out *out, struct rna_record *rec)
{
	while (o->bulk != NULL && tool_in_bulk(in, o->bulk) == RNA_OK) {
		rna_frame_add(&o->counts, &o->bulk->counts);
		tokenize_out_bulk(out, o->bulk);
	}
	return tool_in_read(in, rec);
}

void
tokenize_run(struct tokenize *o, struct tool_in *in, struct tokenize_out *out)
{
	struct rna_frame_counts sum = {0};
	struct rna_record rec, copy, chunk;
	enum rna_status st;

	rna_record_init(&rec);
	rna_record_init(&copy);
	rna_record_init(&chunk);
	do {
		tokenize_stream(o, tool_in_header(in));
		tokenize_out_begin(out, tool_in_header(in), &o->vocab);
		while ((st = read_one(o, in, out, &rec)) == RNA_OK) {
			process(o, in, &rec, &chunk, out);
			process_copies(o, in, &rec, &copy, &chunk, out);
		}
		tokenize_out_end(out);
		rna_frame_add(&sum, &o->counts);
	} while (st == RNA_NEXT);
	rna_record_fini(&rec);
	rna_record_fini(&copy);
	rna_record_fini(&chunk);
	tokenize_report(o, &sum);
}
