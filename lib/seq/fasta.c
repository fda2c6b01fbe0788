/*
 * fasta.c: FASTA and FASTQ text to sequences, line by line with memchr, where the input has it; a line of which not all
 * is at hand comes in pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/fasta.h"

#define HEAD_MAX (16u << 20) /* bytes in a header line */

struct rna_fasta {
	struct rna_input *in;
	uint64_t max;             /* letters in a record */
	uint64_t line;            /* number of the line being read ... */
	int ended;                /* ... whose end was met: what comes next is of another */
	const unsigned char *buf; /* the input's, valid until the next fill */
	size_t at, end;           /* bytes of buf not yet used */
	int eof;                  /* nothing follows them */
	enum rna_status failed;   /* not RNA_OK: all that further fills return, with err */
	struct rna_err err;
	struct rna_buf quality;
};

struct rna_fasta *
rna_fasta_create(struct rna_input *in, uint64_t max)
{
	struct rna_fasta *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->in = in;
	f->max = max;
	f->line = 1;
	return f;
}

void
rna_fasta_destroy(struct rna_fasta *f)
{
	if (f != NULL)
		rna_buf_fini(&f->quality);
	free(f);
}

static enum rna_status
fill(struct rna_fasta *f, struct rna_err *err)
{
	size_t left = f->end - f->at;
	enum rna_status st;

	if (f->failed == RNA_OK) {
		rna_input_skip(f->in, f->at);
		f->buf += f->at;
		f->at = 0;
		f->end = left;
		if ((st = rna_input_peek(f->in, left + 1, &f->buf, &f->end, &f->err)) == RNA_OK) {
			f->eof = f->end == left;
			return RNA_OK;
		}
		f->failed = st;
	}
	*err = f->err;
	return f->failed;
}

static void
begin_line(struct rna_fasta *f)
{
	f->line += (uint64_t)f->ended;
	f->ended = 0;
}

/* The next byte without using it, or -1 at the end. */
static enum rna_status
next_byte(struct rna_fasta *f, int *c, struct rna_err *err)
{
	enum rna_status st;

	begin_line(f);
	while (f->at == f->end && !f->eof)
		if ((st = fill(f, err)) != RNA_OK)
			return st;
	*c = f->at < f->end ? f->buf[f->at] : -1;
	return RNA_OK;
}

/* A piece of the current line, without its end; *last: the line ends with it.  RNA_END: no bytes are left. */
static enum rna_status
next_piece(struct rna_fasta *f, const unsigned char **p, size_t *n, int *last, struct rna_err *err)
{
	const unsigned char *nl;
	enum rna_status st;
	size_t have;

	begin_line(f);
	for (;;) {
		have = f->end - f->at;
		*p = f->buf + f->at;
		nl = have > 0 ? memchr(*p, '\n', have) : NULL;
		if (nl != NULL || (f->eof && have > 0)) {
			*n = nl != NULL ? (size_t)(nl - *p) : have;
			f->at += *n + (nl != NULL);
			*n -= *n > 0 && (*p)[*n - 1] == '\r';
			*last = 1;
			f->ended = nl != NULL;
			return RNA_OK;
		}
		if (f->eof)
			return RNA_END;
		/* a CR at the edge may be half of a CRLF: it waits for the next bytes */
		if (have > 0 && (*p)[have - 1] == '\r')
			have--;
		if (have > 0) {
			*n = have;
			f->at += have;
			*last = 0;
			return RNA_OK;
		}
		if ((st = fill(f, err)) != RNA_OK)
			return st;
	}
}

/* Reads one line into dst, or drops it (dst NULL). */
static enum rna_status
read_line(struct rna_fasta *f, struct rna_buf *dst, struct rna_err *err)
{
	const unsigned char *p;
	enum rna_status st;
	int last = 0;
	size_t n;

	while (!last) {
		if ((st = next_piece(f, &p, &n, &last, err)) != RNA_OK)
			return st == RNA_END ? RNA_OK : st;
		if (dst == NULL)
			continue;
		if (n > HEAD_MAX - dst->len)
			return rna_fail(err, RNA_EFORMAT, "line %llu: a header line of more than %u bytes",
			    (unsigned long long)f->line, HEAD_MAX);
		if (rna_buf_add(dst, p, n) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory for a header line");
	}
	return RNA_OK;
}

/* Reads one line of letters (or of qualities, which are checked alike) onto dst. */
static enum rna_status
read_letters(struct rna_fasta *f, struct rna_buf *dst, struct rna_err *err)
{
	const unsigned char *p;
	enum rna_status st;
	int last = 0;
	size_t n;

	while (!last) {
		if ((st = next_piece(f, &p, &n, &last, err)) != RNA_OK)
			return st == RNA_END ? RNA_OK : st;
		if ((st = rna_entry_letters(dst, p, n, f->max, f->line, err)) != RNA_OK)
			return st;
	}
	return RNA_OK;
}

static enum rna_status
read_fasta_body(struct rna_fasta *f, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	int c;

	while ((st = next_byte(f, &c, err)) == RNA_OK && c != -1 && c != '>') {
		st = c == ';' ? read_line(f, NULL, err) : read_letters(f, &e->seq, err);
		if (st != RNA_OK)
			break;
	}
	return st;
}

static enum rna_status
read_fastq_body(struct rna_fasta *f, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	int c;

	while ((st = next_byte(f, &c, err)) == RNA_OK && c != -1 && c != '+')
		if ((st = read_letters(f, &e->seq, err)) != RNA_OK)
			return st;
	if (st != RNA_OK)
		return st;
	if (c == -1)
		return rna_fail(err, RNA_ETRUNC, "line %llu: the file ends before the '+' line of a FASTQ record",
		    (unsigned long long)f->line);
	if ((st = read_line(f, NULL, err)) != RNA_OK)
		return st;
	rna_buf_reuse(&f->quality);
	while (f->quality.len < e->seq.len) {
		if ((st = next_byte(f, &c, err)) != RNA_OK)
			return st;
		if (c == -1)
			return rna_fail(err, RNA_ETRUNC, "line %llu: the file ends after %zu qualities of %zu letters",
			    (unsigned long long)f->line, f->quality.len, e->seq.len);
		if ((st = read_letters(f, &f->quality, err)) != RNA_OK)
			return st;
	}
	if (f->quality.len > e->seq.len)
		return rna_fail(err, RNA_EFORMAT, "line %llu: %zu qualities for %zu letters",
		    (unsigned long long)f->line, f->quality.len, e->seq.len);
	return RNA_OK;
}

/* Goes to the byte that begins a record: *c is that byte, or -1. */
static enum rna_status
find_record(struct rna_fasta *f, int *c, struct rna_err *err)
{
	enum rna_status st;

	for (;;) {
		if ((st = next_byte(f, c, err)) != RNA_OK)
			return st;
		if (*c == 0xef && f->line == 1) { /* byte order mark */
			while (f->end - f->at < 3 && !f->eof)
				if ((st = fill(f, err)) != RNA_OK)
					return st;
			if (f->end - f->at >= 3 && memcmp(f->buf + f->at, "\xef\xbb\xbf", 3) == 0) {
				f->at += 3;
				continue;
			}
		}
		if (*c == '\n') {
			f->line++;
			f->at++;
		} else if (*c == '\r' || *c == ' ' || *c == '\t')
			f->at++;
		else if (*c == ';') {
			if ((st = read_line(f, NULL, err)) != RNA_OK)
				return st;
		} else
			return RNA_OK;
	}
}

enum rna_status
rna_fasta_read(struct rna_fasta *f, struct rna_entry *e, struct rna_err *err)
{
	enum rna_status st;
	int c;

	rna_entry_reuse(e);
	if ((st = find_record(f, &c, err)) != RNA_OK)
		return st;
	if (c == -1)
		return RNA_END;
	if (c != '>' && c != '@')
		return rna_fail(err, RNA_EFORMAT,
		    "line %llu: a record begins with '>' (FASTA) or '@' (FASTQ), not with byte 0x%02x",
		    (unsigned long long)f->line, c);
	f->at++;
	if ((st = read_line(f, &e->head, err)) != RNA_OK)
		return st;
	return c == '>' ? read_fasta_body(f, e, err) : read_fastq_body(f, e, err);
}

int
rna_fasta_window(struct rna_fasta *f, size_t want, const unsigned char **p, size_t *n)
{
	enum rna_status st = RNA_OK;
	struct rna_err later;     /* comes again from the next fill */

	while (st == RNA_OK && f->end - f->at < want && !f->eof && (f->at == f->end || rna_input_ready(f->in)))
		st = fill(f, &later);
	*p = f->buf + f->at;
	*n = f->end - f->at;
	return f->eof;
}

void
rna_fasta_skip(struct rna_fasta *f, size_t n, uint64_t lines)
{
	f->at += n;
	f->line += lines;
}
