/*
 * tool_in.c: the inputs of a program, one after the other as one sequence of streams; text is framed on the way in.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"
#include "tool_private.h"

/* 1: path is the regular file that name, an operand, stands for. */
static int
is_operand(const char *path, const char *name)
{
	struct stat a, b;
	int r = strcmp(name, "-") == 0 ? fstat(STDIN_FILENO, &b) : stat(name, &b);

	return r == 0 && stat(path, &a) == 0 && S_ISREG(a.st_mode) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void
tool_refuse_input(const struct tool *t, const char *path, const char *also)
{
	const char *name;
	char part[PATH_MAX];
	int i;

	if (path == NULL)
		return;
	if (realpath(path, part) == NULL) /* a link's file is what grows */
		strlcpy(part, path, sizeof(part));
	strlcat(part, ".part", sizeof(part));
	for (i = 0; i <= t->nfiles; i++) {
		if ((name = i < t->nfiles ? t->files[i] : also) == NULL)
			continue;
		if (is_operand(path, name))
			tool_die(t, "%s: is input and output at once", path);
		if (is_operand(part, name))
			tool_die(t, "%s: is input, and what %s grows as", part, path);
	}
}

/* A failure ends the process, or is the caller's to look at. */
static enum rna_status
failed(struct tool_in *in, enum rna_status s)
{
	if (!in->soft)
		tool_die_err(in->t, &in->err);
	return s;
}

/* Opens the next operand: RNA_NEXT, RNA_END when there is none left, or a failure. */
static enum rna_status
open_next(struct tool_in *in)
{
	struct rna_input *input;

	if (in->next >= in->t->nfiles)
		return RNA_END;
	rna_err_clear(&in->err);
	if ((input = rna_input_open(in->t->files[in->next++], &in->err)) == NULL)
		return failed(in, in->err.status);
	if ((in->source = rna_source_open(input, &in->opts, &in->err)) == NULL)
		return failed(in, in->err.status);
	return RNA_NEXT;
}

void
tool_in_open(struct tool_in *in, struct tool *t, const struct rna_source_options *opts)
{
	memset(in, 0, sizeof(*in));
	in->t = t;
	in->type = -1;
	if (opts != NULL)
		in->opts = *opts;
	in->opts.nthreads = t->threads;
	rna_record_init(&in->text);
	if (open_next(in) != RNA_NEXT)
		tool_die(t, "no input");
}

static const struct rna_vocab *
vocab(struct tool_in *in)
{
	if (in->vocab != NULL)
		return in->vocab;
	if (in->own_vocab == NULL) {
		if ((in->own_vocab = calloc(1, sizeof(*in->own_vocab))) == NULL ||
		    rna_vocab_init(in->own_vocab) != RNA_OK)
			tool_die(in->t, "out of memory");
	}
	return in->vocab = in->own_vocab;
}

const struct rna_header *
tool_in_header(const struct tool_in *in_const)
{
	struct tool_in *in = (struct tool_in *)in_const; /* the header of text is made when it is first asked for */
	const struct rna_vocab *v;

	if (in->source != NULL && (rna_source_is_stream(in->source) || in->raw))
		return rna_source_header(in->source);
	if (in->text_header.json == NULL) {
		v = vocab(in);
		if (rna_header_init(&in->text_header) != RNA_OK ||
		    rna_header_set_vocab(&in->text_header, v->name, v->digest) != RNA_OK)
			tool_die(in->t, "out of memory");
	}
	return &in->text_header;
}

/* The next chunk of the text at hand, framed; RNA_END when the length policy drops the RNA. */
static enum rna_status
read_chunk(struct tool_in *in, struct rna_record *rec, const struct rna_framing *framing)
{
	enum rna_status s;

	s = rna_frame_record(framing, vocab(in), &in->text, in->type, in->chunk++, rec, &in->counts);
	rec->number = in->records;
	if (s != RNA_OK && s != RNA_END)
		return rna_fail(&in->err, s, s == RNA_EMEM ? "out of memory" : "can't be framed");
	return s;
}

static enum rna_status
read_text(struct tool_in *in, struct rna_record *rec)
{
	static const struct rna_framing plain = {RNA_FRAME_PLAIN, RNA_LONG_KEEP, 0, 0};
	const struct rna_framing *framing = in->framing != NULL ? in->framing : &plain;
	enum rna_status s;

	do {
		if (in->chunk >= in->nchunks) {
			if ((s = rna_source_read(in->source, &in->text, &in->err)) != RNA_OK)
				return s;
			in->records++;
			in->chunk = 0;
			in->nchunks = rna_frame_count(framing, &in->text, NULL);
		}
		s = read_chunk(in, rec, framing);
	} while (s == RNA_END);
	return s;
}

enum rna_status
tool_in_read(struct tool_in *in, struct rna_record *rec)
{
	enum rna_status s;

	if (in->source == NULL)
		return RNA_END;
	rna_err_clear(&in->err);
	if (rna_source_is_stream(in->source) || in->raw) {
		s = rna_source_read(in->source, rec, &in->err);
		in->records += s == RNA_OK;
	} else
		s = read_text(in, rec);
	if (s == RNA_OK || s == RNA_NEXT)
		return s;
	if (s != RNA_END) {
		rna_err_where(&in->err, rna_source_name(in->source), RNA_NOREC);
		return failed(in, s);
	}
	rna_source_close(in->source);
	in->source = NULL;
	return open_next(in);
}

enum rna_status
tool_in_bulk(struct tool_in *in, struct rna_bulk *b)
{
	enum rna_status s = in->source != NULL ? rna_source_bulk(in->source, b, &in->err) : RNA_NEXT;

	if (s == RNA_EMEM)
		tool_die_err(in->t, &in->err);
	in->records += s == RNA_OK ? b->counts.records : 0;
	return s;
}

void
tool_in_close(struct tool_in *in)
{
	rna_source_close(in->source);
	in->source = NULL;
	rna_record_fini(&in->text);
	rna_header_fini(&in->text_header);
	if (in->own_vocab != NULL) {
		rna_vocab_fini(in->own_vocab);
		free(in->own_vocab);
		in->own_vocab = NULL;
	}
}
