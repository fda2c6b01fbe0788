/*
 * input.c: bytes in, whatever they are packed in.
 *
 * Bytes handed out come from `text`, a buffer that holds what was unpacked and not yet taken; plain files and record
 * streams are read into it directly.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_SETPIPE_SZ, where there is one */
#endif
#include <sys/endian.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream/blocks.h"
#include "stream/input.h"
#include "stream/unpack.h"

#define CHUNK (256u << 10)
#define PIPE (1 << 20)     /* bytes that a pipe is asked to hold: its writer works on while its reader computes */

struct rna_input {
	char *name;
	enum rna_input_kind kind;
	struct rna_raw raw;
	struct rna_unpack *unpack;   /* NULL: bytes as they come */
	struct rna_buf text;
	size_t pos;                  /* in text: next byte to hand out */
	int eof;                     /* nothing comes after text */
	uint64_t lines;
};

static int
starts(const struct rna_raw *raw, const char *bytes, size_t n)
{
	return raw->buf.len - raw->pos >= n && memcmp(raw->buf.data + raw->pos, bytes, n) == 0;
}

static int
skippable(const struct rna_raw *raw)
{
	const unsigned char *p = raw->buf.data + raw->pos;

	return raw->buf.len - raw->pos >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
}

/* The zstd magic after a mail or FTP client took the bytes for text: high bits gone, or re-encoded as UTF-8. */
static int
text_mode_damage(const struct rna_raw *raw)
{
	return starts(raw, "\x28\x35\x2f\x7d", 4) || starts(raw, "\x28\xc2\xb5\x2f\xc3\xbd", 6) ||
	    starts(raw, "\x28\xef\xbf\xbd\x2f\xef\xbf\xbd", 8);
}

/* Drops skippable frames before the first other one, of any size: what the file is comes after them. */
static enum rna_status
drop_skippable(struct rna_raw *raw, struct rna_err *err)
{
	enum rna_status st = rna_raw_want(raw, 8, err);
	uint64_t left;
	size_t have;

	while (st == RNA_OK && skippable(raw) && raw->buf.len - raw->pos >= 8) {
		left = 8 + (uint64_t)le32dec(raw->buf.data + raw->pos + 4);
		while (left > 0) {
			st = rna_raw_want(raw, 1, err);
			if (st != RNA_OK)
				return st;
			have = raw->buf.len - raw->pos;
			if (have == 0)
				return rna_fail(err, RNA_ETRUNC, "cut short within a skippable frame");
			have = have < left ? have : (size_t)left;
			raw->pos += have;
			left -= have;
		}
		st = rna_raw_want(raw, 8, err);
		have = raw->buf.len - raw->pos;
		if (st == RNA_OK && have > 0 && have < 4)
			return rna_fail(err, RNA_ETRUNC, "cut short within a frame");
		if (st == RNA_OK && have > 0 && !skippable(raw) && !starts(raw, "\x28\xb5\x2f\xfd", 4))
			return rna_fail(err, RNA_EFORMAT, "bytes that are no zstd frame follow a skippable one");
	}
	return st;
}

static enum rna_status
detect(struct rna_input *in, struct rna_err *err)
{
	struct rna_raw *raw = &in->raw;
	enum rna_packing packing;
	enum rna_status st;
	int yes = 0;

	st = drop_skippable(raw, err);
	if (st != RNA_OK)
		return st;
	if (text_mode_damage(raw))
		return rna_fail(err, RNA_EFORMAT, "zstd data damaged by a transfer in text mode");
	if (starts(raw, RNA_BLOCK_MAGIC, 8))
		return rna_fail(err, RNA_EFORMAT, "the content of a record stream, decompressed: run zstd over it");
	in->kind = RNA_INPUT_TEXT;
	if (starts(raw, "\x1f\x8b", 2)) {
		packing = RNA_PACK_GZIP;
	} else if (starts(raw, "\x28\xb5\x2f\xfd", 4) || skippable(raw)) {
		packing = RNA_PACK_ZSTD;
		st = rna_unpack_begins(raw, (const unsigned char *)RNA_BLOCK_MAGIC, 8, &yes, err);
		if (st != RNA_OK)
			return st;
	} else {
		yes = -1;
	}
	if (yes == 0) {
		in->unpack = rna_unpack_open(packing);
		return in->unpack != NULL ? RNA_OK : rna_fail(err, RNA_EMEM, "no memory for a decompressor");
	}
	if (yes > 0)
		in->kind = RNA_INPUT_RILL;
	in->text = raw->buf; /* bytes as they come: those read so far are the first */
	in->pos = raw->pos;
	raw->pos = 0;
	in->eof = raw->eof;
	raw->buf = (struct rna_buf)RNA_BUF_INIT;
	return RNA_OK;
}

static enum rna_status
open_file(struct rna_input *in, const char *path, struct rna_err *err)
{
	struct stat sb;

	if (path == NULL || strcmp(path, "-") == 0) {
		in->name = strdup("(standard input)");
		in->raw.fd = STDIN_FILENO;
	} else {
		in->name = strdup(path);
		in->raw.fd = open(path, O_RDONLY | O_CLOEXEC);
		if (in->raw.fd < 0)
			return rna_fail_errno(err, "cannot open");
	}
	if (in->name == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	if (fstat(in->raw.fd, &sb) != 0)
		return rna_fail_errno(err, "cannot stat");
	if (S_ISDIR(sb.st_mode))
		return rna_fail(err, RNA_EINVAL, "is a folder");
#ifdef F_SETPIPE_SZ
	if (S_ISFIFO(sb.st_mode))
		(void)fcntl(in->raw.fd, F_SETPIPE_SZ, PIPE); /* what the system grants */
#endif
	return detect(in, err);
}

struct rna_input *
rna_input_open(const char *path, struct rna_err *err)
{
	struct rna_input *in = calloc(1, sizeof(*in));

	if (in == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	in->raw.fd = -1;
	if (open_file(in, path, err) != RNA_OK) {
		rna_err_where(err, in->name, RNA_NOREC);
		rna_input_close(in);
		return NULL;
	}
	return in;
}

enum rna_input_kind
rna_input_kind(const struct rna_input *in)
{
	return in->kind;
}

const char *
rna_input_name(const struct rna_input *in)
{
	return in->name;
}

uint64_t
rna_input_line_number(const struct rna_input *in)
{
	return in->lines;
}

/* Makes text longer, or sets eof. */
static enum rna_status
fill(struct rna_input *in, struct rna_err *err)
{
	enum rna_status st;
	size_t got;

	if (in->eof)
		return RNA_OK;
	if (in->pos > 0) {
		in->text.len -= in->pos;
		memmove(in->text.data, in->text.data + in->pos, in->text.len);
		in->pos = 0;
	}
	if (in->unpack != NULL) {
		st = rna_unpack_more(in->unpack, &in->raw, &in->text, CHUNK, err);
		in->eof = st == RNA_END;
		st = st == RNA_END ? RNA_OK : st;
	} else {
		if (rna_buf_reserve(&in->text, CHUNK) != RNA_OK)
			st = rna_fail(err, RNA_EMEM, "no memory to read");
		else
			st = rna_raw_read(in->raw.fd, in->text.data + in->text.len, CHUNK, &got, err);
		if (st == RNA_OK) {
			in->text.len += got;
			in->eof = got == 0;
		}
	}
	if (st != RNA_OK)
		rna_err_where(err, in->name, RNA_NOREC);
	return st;
}

enum rna_status
rna_input_read(struct rna_input *in, void *dst, size_t n, size_t *got, struct rna_err *err)
{
	enum rna_status st;

	*got = 0;
	if (n == 0)
		return RNA_OK;
	if (in->pos == in->text.len && in->unpack == NULL && n >= CHUNK && !in->eof) {
		st = rna_raw_read(in->raw.fd, dst, n, got, err); /* straight to where it is wanted */
		if (st != RNA_OK)
			rna_err_where(err, in->name, RNA_NOREC);
		else
			in->eof = *got == 0;
		return st;
	}
	while (in->pos == in->text.len && !in->eof) {
		st = fill(in, err);
		if (st != RNA_OK)
			return st;
	}
	*got = in->text.len - in->pos;
	if (*got > n)
		*got = n;
	if (*got > 0)
		memcpy(dst, in->text.data + in->pos, *got);
	in->pos += *got;
	return RNA_OK;
}

int
rna_input_ready(const struct rna_input *in)
{
	struct pollfd p = {.fd = in->raw.fd, .events = POLLIN};

	return in->pos < in->text.len || in->eof || poll(&p, 1, 0) != 0;
}

enum rna_status
rna_input_peek(struct rna_input *in, size_t n, const unsigned char **p, size_t *got, struct rna_err *err)
{
	enum rna_status st;

	while (in->text.len - in->pos < n && !in->eof) {
		st = fill(in, err);
		if (st != RNA_OK)
			return st;
	}
	*p = in->text.len > in->pos ? in->text.data + in->pos : (const unsigned char *)"";
	*got = in->text.len - in->pos;
	return RNA_OK;
}

void
rna_input_skip(struct rna_input *in, size_t n)
{
	in->pos += n;
}

enum rna_status
rna_input_line(struct rna_input *in, const char **line, size_t *n, struct rna_err *err)
{
	const unsigned char *start, *end = NULL;
	size_t seen = 0, len;
	enum rna_status st;

	for (;;) {
		len = in->text.len - in->pos;
		start = len > 0 ? in->text.data + in->pos : (const unsigned char *)"";
		if (len > seen)
			end = memchr(start + seen, '\n', len - seen);
		if (end != NULL || in->eof)
			break;
		seen = len;
		st = fill(in, err);
		if (st != RNA_OK)
			return st;
	}
	if (end == NULL && len == 0)
		return RNA_END;
	in->pos += end != NULL ? (size_t)(end - start) + 1 : len;
	if (end != NULL)
		len = (size_t)(end - start);
	if (len > 0 && start[len - 1] == '\r')
		len--;
	*line = (const char *)start;
	*n = len;
	in->lines++;
	return RNA_OK;
}

void
rna_input_close(struct rna_input *in)
{
	if (in == NULL)
		return;
	if (in->raw.fd > STDIN_FILENO)
		close(in->raw.fd);
	rna_unpack_close(in->unpack);
	rna_buf_fini(&in->raw.buf);
	rna_buf_fini(&in->text);
	free(in->name);
	free(in);
}
