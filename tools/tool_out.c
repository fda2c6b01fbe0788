/*
 * tool_out.c: the outputs of a program - a stream, or text when standard output is a terminal - and the loop of a
 * per-record filter.
 *
 * 1. Outputs   2. The filter loop
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/outfile.h"
#include "tool.h"
#include "tool_private.h"

#define MAX_OUTPUTS   4
#define BATCH_RECORDS 1024       /* records that the filter loop hands to its threads at once ... */
#define BATCH_BYTES   (8u << 20) /* ... or this much data */

struct tool_out {
	struct tool *t;
	struct rna_writer *writer; /* NULL: text on a terminal */
	struct rna_vocab vocab;    /* of the stream, for text */
	int have_vocab;
	struct rna_buf text;
	struct rna_record rec; /* of encoded bytes that become text */
};

static struct tool_out *outputs[MAX_OUTPUTS]; /* open now; emptied when the process fails */
static struct rna_outfile *text_out;          /* of tool_text_open */

/* 1. Outputs */

void
tool_abort_outputs(void)
{
	int i;

	for (i = 0; i < MAX_OUTPUTS; i++) {
		if (outputs[i] != NULL && outputs[i]->writer != NULL)
			rna_writer_abort(outputs[i]->writer, 0);
		outputs[i] = NULL;
	}
	rna_outfile_abort(text_out);
	text_out = NULL;
}

void
tool_out_keep(struct tool_out *out)
{
	int i;

	for (i = 0; i < MAX_OUTPUTS; i++) {
		if (outputs[i] == out)
			outputs[i] = NULL;
	}
	rna_writer_abort(out->writer, 1);
	out->writer = NULL;
}

static void
die(struct tool_out *out, struct rna_err *err)
{
	int i;

	/* a writer that failed has been told; the others are removed with it */
	for (i = 0; i < MAX_OUTPUTS; i++) {
		if (outputs[i] == out && out->writer == NULL)
			outputs[i] = NULL;
	}
	tool_die_err(out->t, err);
}

static struct tool_out *
register_out(struct tool *t)
{
	struct tool_out *out;
	int i;

	for (i = 0; i < MAX_OUTPUTS && outputs[i] != NULL; i++)
		continue;
	if (i == MAX_OUTPUTS || (out = calloc(1, sizeof(*out))) == NULL)
		tool_die(t, "out of memory");
	out->t = t;
	return outputs[i] = out;
}

struct tool_out *
tool_out_open_path(struct tool *t, const char *path)
{
	struct rna_writer_options opts = {t->level, t->threads};
	struct rna_err err = {.record = RNA_NOREC};
	struct tool_out *out = register_out(t);

	tool_refuse_input(t, path, NULL);
	if ((out->writer = rna_writer_open(path, &opts, &err)) == NULL)
		die(out, &err);
	return out;
}

struct tool_out *
tool_out_open(struct tool *t)
{
	if ((t->output == NULL || strcmp(t->output, "-") == 0) && isatty(STDOUT_FILENO) && !t->force)
		return register_out(t);
	return tool_out_open_path(t, t->output);
}

struct tool_out *
tool_out_resume(struct tool *t, struct rna_header *kept, uint64_t *nstreams, uint64_t *nrecords)
{
	struct rna_writer_options opts = {t->level, t->threads};
	struct rna_err err = {.record = RNA_NOREC};
	struct tool_out *out = register_out(t);
	int complete = 0;

	tool_refuse_input(t, t->output, NULL);
	out->writer = rna_writer_resume(t->output, &opts, kept, nstreams, nrecords, &complete, &err);
	if (out->writer == NULL && complete) {
		tool_note(t, 1, "%s: is whole already", t->output);
		exit(TOOL_DONE);
	}
	if (out->writer == NULL)
		die(out, &err);
	return out;
}

static void
add_provenance(struct tool *t, struct rna_header *h, const json_t *extra)
{
	json_t *all = json_object();

	if (all == NULL ||
	    (strchr(t->common, 's') != NULL &&
		json_object_set_new(all, "seed", json_integer((json_int_t)t->seed)) != 0) ||
	    (extra != NULL && json_object_update(all, (json_t *)extra) != 0) ||
	    rna_header_add_provenance(h, t->name, RILL_VERSION, t->nargs, t->args, all) != RNA_OK)
		tool_die(t, "out of memory");
	json_decref(all);
}

static void
text_vocab(struct tool_out *out, const struct rna_header *h)
{
	if (out->have_vocab)
		rna_vocab_fini(&out->vocab);
	out->have_vocab = 0;
	if (rna_vocab_init(&out->vocab) != RNA_OK)
		tool_die(out->t, "out of memory");
	out->have_vocab = strcmp(out->vocab.digest, rna_header_vocab_digest(h)) == 0;
	if (!out->have_vocab)
		rna_vocab_fini(&out->vocab);
}

/* Begins a stream with h as it is. */
static void
begin(struct tool_out *out, const struct rna_header *h)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (out->writer == NULL)
		text_vocab(out, h);
	else if (rna_writer_header(out->writer, h, &err) != RNA_OK)
		die(out, &err);
}

/* The header of an output stream: the input's, one provenance entry more. */
static void
make_header(struct tool *t, struct rna_header *h, const struct rna_header *in, const json_t *extra, int totals)
{
	if (rna_header_copy(h, in) != RNA_OK ||
	    (!totals && rna_header_set_totals(h, RNA_TOTAL_UNKNOWN, RNA_TOTAL_UNKNOWN) != RNA_OK))
		tool_die(t, "out of memory");
	add_provenance(t, h, extra);
}

void
tool_out_header(struct tool_out *out, const struct rna_header *in, const json_t *extra, int totals)
{
	struct rna_header h;

	make_header(out->t, &h, in, extra, totals);
	begin(out, &h);
	rna_header_fini(&h);
}

void
tool_out_continue(
    struct tool_out *out, const struct rna_header *in, const json_t *extra, int totals, const struct rna_header *kept)
{
	struct rna_header h;
	int same;

	make_header(out->t, &h, in, extra, totals);
	same = json_equal(h.json, kept->json);
	rna_header_fini(&h);
	if (same)
		return;
	tool_out_keep(out);
	tool_die(out->t, "%s.part: was made from other input or with other options; remove it to begin anew",
	    out->t->output);
}

static void
write_text(struct tool_out *out, const struct rna_record *rec)
{
	struct rna_text_options opts = {out->t->text, out->have_vocab ? &out->vocab : NULL, NULL, 0};
	struct rna_err err = {.record = RNA_NOREC};

	rna_buf_reuse(&out->text);
	if (rna_text_record(&opts, rec, &out->text, &err) != RNA_OK)
		tool_die_err(out->t, &err);
	if (fwrite(out->text.data, 1, out->text.len, stdout) != out->text.len)
		tool_die(out->t, "standard output: %s", strerror(errno));
}

void
tool_out_write(struct tool_out *out, const struct rna_record *rec)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (out->writer == NULL)
		write_text(out, rec);
	else if (rna_writer_write(out->writer, rec, &err) != RNA_OK)
		die(out, &err);
}

void
tool_out_write_encoded(struct tool_out *out, const void *data, size_t n)
{
	struct rna_err err = {.record = RNA_NOREC};

	if (out->writer != NULL) {
		if (rna_writer_write_encoded(out->writer, data, &n, 1, &err) != RNA_OK)
			die(out, &err);
		return;
	}
	if (rna_record_decode(&out->rec, data, n, &err) != RNA_OK)
		tool_die_err(out->t, &err);
	write_text(out, &out->rec);
}

void
tool_out_close(struct tool_out *out)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_writer *w = out->writer;
	int i;

	for (i = 0; i < MAX_OUTPUTS; i++) {
		if (outputs[i] == out)
			outputs[i] = NULL;
	}
	if (w != NULL && rna_writer_close(w, &err) != RNA_OK)
		tool_die_err(out->t, &err);
	if (w == NULL && fflush(stdout) != 0)
		tool_die(out->t, "standard output: %s", strerror(errno));
	rna_buf_fini(&out->text);
	rna_record_fini(&out->rec);
	if (out->have_vocab)
		rna_vocab_fini(&out->vocab);
	free(out);
}

FILE *
tool_text_open(struct tool *t)
{
	struct rna_err err = {.record = RNA_NOREC};

	tool_refuse_input(t, t->output, NULL);
	if ((text_out = rna_outfile_open(t->output, &err)) == NULL)
		tool_die_err(t, &err);
	return rna_outfile_fp(text_out);
}

void
tool_text_close(struct tool *t)
{
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_outfile *out = text_out;

	text_out = NULL;
	if (rna_outfile_close(out, &err) != RNA_OK)
		tool_die_err(t, &err);
}

/* 2. The filter loop */

struct batch {
	struct rna_record rec[BATCH_RECORDS];
	struct rna_err err[BATCH_RECORDS];
	enum rna_status status[BATCH_RECORDS];
	unsigned char done[BATCH_RECORDS];
	size_t n, bytes;
};

struct filter {
	struct tool *t;
	enum rna_status (*process)(struct rna_record *, void *, struct rna_err *);
	void (*header)(struct rna_header *, void *);
	void *arg;
	int totals;
	struct tool_in in;
	struct tool_out *out;
	uint64_t read, written;
};

static void
run_process(const struct filter *f, struct batch *b, size_t i)
{
	b->err[i] = (struct rna_err){.record = b->rec[i].number};
	b->status[i] = b->done[i] ? RNA_OK : f->process(&b->rec[i], f->arg, &b->err[i]);
}

/* Runs the batch on all threads, then writes what is kept in order. */
static void
flush_batch(struct filter *f, struct batch *b)
{
	int grain = f->t->grain > 0 ? f->t->grain : 8;
	size_t i;

	memset(b->done, 0, b->n);
	if (f->t->batch != NULL && b->n > 0)
		f->t->batch(b->rec, b->n, b->done, f->arg);
	if (f->t->threads > 1 && b->n > 1) { /* one record alone may use the threads itself */
#pragma omp parallel for num_threads(f->t->threads) schedule(dynamic, grain)
		for (i = 0; i < b->n; i++)
			run_process(f, b, i);
	} else {
		for (i = 0; i < b->n; i++)
			run_process(f, b, i);
	}
	for (i = 0; i < b->n; i++) {
		if (b->status[i] == RNA_END)
			continue;
		if (b->status[i] != RNA_OK) {
			rna_err_where(
			    &b->err[i], f->in.source != NULL ? rna_source_name(f->in.source) : "", b->rec[i].number);
			tool_die_err(f->t, &b->err[i]);
		}
		if (f->t->put != NULL)
			f->t->put(f->out, &b->rec[i], f->arg);
		else
			tool_out_write(f->out, &b->rec[i]);
		f->written++;
	}
	f->read += b->n;
	b->n = b->bytes = 0;
}

static void
filter_header(struct filter *f)
{
	struct rna_header h;

	make_header(f->t, &h, tool_in_header(&f->in), NULL, f->totals);
	if (f->header != NULL)
		f->header(&h, f->arg);
	begin(f->out, &h);
	rna_header_fini(&h);
}

/* One file's records are flushed before the next is opened, so that an error names the right file. */
static void
filter_stream(struct filter *f, struct batch *b)
{
	size_t limit = f->t->threads > 1 || f->t->batch != NULL ? BATCH_RECORDS : 1;
	enum rna_status s;

	do {
		filter_header(f);
		while ((s = tool_in_read(&f->in, &b->rec[b->n])) == RNA_OK) {
			b->bytes += b->rec[b->n].mem.len;
			if (++b->n == limit || b->bytes > BATCH_BYTES)
				flush_batch(f, b);
		}
		flush_batch(f, b);
	} while (s == RNA_NEXT);
}

void
tool_filter(struct tool *t, enum rna_status (*process)(struct rna_record *rec, void *arg, struct rna_err *err),
    void (*header)(struct rna_header *h, void *arg), void *arg, int totals)
{
	struct filter f = {.t = t, .process = process, .header = header, .arg = arg, .totals = totals};
	struct batch *b;
	size_t i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		tool_die(t, "out of memory");
	for (i = 0; i < BATCH_RECORDS; i++)
		rna_record_init(&b->rec[i]);
	f.out = tool_out_open(t); /* first, so that a second writer ends before it reads */
	tool_in_open(&f.in, t, NULL);
	filter_stream(&f, b);
	tool_out_close(f.out);
	tool_in_close(&f.in);
	for (i = 0; i < BATCH_RECORDS; i++)
		rna_record_fini(&b->rec[i]);
	free(b);
	tool_summary(t, "%llu records in, %llu out", (unsigned long long)f.read, (unsigned long long)f.written);
}
