/*
 * unpack.c: gzip (several members, so bgzf too) and zstd (several frames), with damage told from the end.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>
#include "stream/unpack.h"

#define CHUNK (128u << 10)
#define LOOK_MAX (1u << 20)   /* as far as rna_unpack_begins looks */
#define TEXT_WINDOW_LOG 27    /* zstd's own default limit */

struct rna_unpack {
	enum rna_packing packing;
	z_stream z;
	int in_member;              /* gzip: a member was begun */
	int bgzf;                   /* the first member is bgzf's: an empty one must end the file */
	unsigned long long members; /* ended */
	unsigned long long content; /* bytes from the member at hand */
	ZSTD_DStream *zd;
	size_t hint;                /* zstd: 0 between frames */
};

enum rna_status
rna_raw_read(int fd, void *dst, size_t n, size_t *got, struct rna_err *err)
{
	ssize_t r;

	do
		r = read(fd, dst, n < SSIZE_MAX ? n : SSIZE_MAX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return rna_fail_errno(err, "cannot read");
	*got = (size_t)r;
	return RNA_OK;
}

enum rna_status
rna_raw_want(struct rna_raw *raw, size_t n, struct rna_err *err)
{
	enum rna_status st;
	size_t got = 0;

	while (!raw->eof && raw->buf.len - raw->pos < n) {
		if (raw->pos > 0) {
			memmove(raw->buf.data, raw->buf.data + raw->pos, raw->buf.len - raw->pos);
			raw->buf.len -= raw->pos;
			raw->pos = 0;
		}
		if (rna_buf_reserve(&raw->buf, CHUNK) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "no memory to read");
		st = rna_raw_read(raw->fd, raw->buf.data + raw->buf.len, CHUNK, &got, err);
		if (st != RNA_OK)
			return st;
		raw->buf.len += got;
		raw->eof = got == 0;
	}
	return RNA_OK;
}

struct rna_unpack *
rna_unpack_open(enum rna_packing packing)
{
	struct rna_unpack *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->packing = packing;
	if (packing == RNA_PACK_GZIP) {
		if (inflateInit2(&u->z, 15 + 16) == Z_OK)
			return u;
	} else {
		u->zd = ZSTD_createDStream();
		if (u->zd != NULL &&
		    !ZSTD_isError(ZSTD_DCtx_setParameter(u->zd, ZSTD_d_windowLogMax, TEXT_WINDOW_LOG)))
			return u;
		ZSTD_freeDStream(u->zd);
	}
	free(u);
	return NULL;
}

void
rna_unpack_close(struct rna_unpack *u)
{
	if (u == NULL)
		return;
	if (u->packing == RNA_PACK_GZIP)
		inflateEnd(&u->z);
	ZSTD_freeDStream(u->zd);
	free(u);
}

/* Between two gzip members, or after the last.  RNA_END: nothing follows. */
static enum rna_status
next_member(struct rna_unpack *u, struct rna_raw *raw, struct rna_err *err)
{
	enum rna_status st;
	const unsigned char *p;
	size_t n;

	st = rna_raw_want(raw, 18, err);
	if (st != RNA_OK)
		return st;
	while (u->members > 0 && raw->pos < raw->buf.len && raw->buf.data[raw->pos] == 0) {
		raw->pos++; /* zeros may fill the last block of a medium */
		st = rna_raw_want(raw, 18, err);
		if (st != RNA_OK)
			return st;
	}
	p = raw->buf.data + raw->pos;
	n = raw->buf.len - raw->pos;
	if (n == 0 && u->bgzf && u->content > 0)
		return rna_fail(err, RNA_ETRUNC, "bgzf file is cut short (its end marker is missing)");
	if (n == 0)
		return RNA_END;
	if (n < 2 || p[0] != 0x1f || p[1] != 0x8b)
		return rna_fail(err, RNA_EFORMAT, "bytes that are not gzip follow gzip data");
	if (u->members == 0)
		u->bgzf = n >= 18 && (p[3] & 4) != 0 && p[12] == 'B' && p[13] == 'C';
	if (inflateReset(&u->z) != Z_OK)
		return rna_fail(err, RNA_EMEM, "gzip decompressor cannot be reset");
	u->in_member = 1;
	u->content = 0;
	return RNA_OK;
}

static enum rna_status
gunzip(struct rna_unpack *u, struct rna_raw *raw, unsigned char *dst, size_t room, size_t *got, struct rna_err *err)
{
	enum rna_status st;
	int r;

	for (*got = 0; *got == 0;) {
		st = u->in_member ? rna_raw_want(raw, 1, err) : next_member(u, raw, err);
		if (st != RNA_OK)
			return st;
		u->z.next_in = raw->buf.data + raw->pos;
		u->z.avail_in = (uInt)(raw->buf.len - raw->pos);
		u->z.next_out = dst;
		u->z.avail_out = (uInt)room;
		r = inflate(&u->z, Z_NO_FLUSH);
		raw->pos = raw->buf.len - u->z.avail_in;
		*got = room - u->z.avail_out;
		u->content += *got;
		if (r == Z_STREAM_END) {
			u->in_member = 0;
			u->members++;
		} else if (r == Z_MEM_ERROR) {
			return rna_fail(err, RNA_EMEM, "no memory for the gzip decompressor");
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			return rna_fail(err, RNA_EFORMAT, "damaged gzip data: %s", u->z.msg ? u->z.msg : "bad block");
		} else if (*got == 0 && raw->eof && raw->pos == raw->buf.len) {
			return rna_fail(err, RNA_ETRUNC, "gzip data is cut short");
		}
	}
	return RNA_OK;
}

static enum rna_status
zstd_failed(size_t code, struct rna_err *err)
{
	switch (ZSTD_getErrorCode(code)) {
	case ZSTD_error_checksum_wrong:
		return rna_fail(err, RNA_ESUM, "zstd data: checksum does not match");
	case ZSTD_error_memory_allocation:
		return rna_fail(err, RNA_EMEM, "no memory for the zstd decompressor");
	case ZSTD_error_frameParameter_windowTooLarge:
		return rna_fail(err, RNA_EFORMAT, "zstd data asks for a window over %u MiB",
		    1u << (TEXT_WINDOW_LOG - 20));
	default:
		return rna_fail(err, RNA_EFORMAT, "damaged zstd data: %s", ZSTD_getErrorName(code));
	}
}

static enum rna_status
unzstd(struct rna_unpack *u, struct rna_raw *raw, unsigned char *dst, size_t room, size_t *got, struct rna_err *err)
{
	ZSTD_outBuffer out = {dst, room, 0};
	ZSTD_inBuffer in;
	enum rna_status st;

	while (out.pos == 0) {
		st = rna_raw_want(raw, 1, err);
		if (st != RNA_OK)
			return st;
		in = (ZSTD_inBuffer){raw->buf.data + raw->pos, raw->buf.len - raw->pos, 0};
		if (in.size == 0 && u->hint == 0)
			return RNA_END;
		u->hint = ZSTD_decompressStream(u->zd, &out, &in);
		if (ZSTD_isError(u->hint))
			return zstd_failed(u->hint, err);
		raw->pos += in.pos;
		if (in.size == 0 && out.pos == 0)
			return rna_fail(err, RNA_ETRUNC, "zstd data is cut short");
	}
	*got = out.pos;
	return RNA_OK;
}

enum rna_status
rna_unpack_more(struct rna_unpack *u, struct rna_raw *raw, struct rna_buf *out, size_t room, struct rna_err *err)
{
	enum rna_status st;
	size_t got = 0;

	if (rna_buf_reserve(out, room) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory to decompress");
	if (u->packing == RNA_PACK_GZIP)
		st = gunzip(u, raw, out->data + out->len, room, &got, err);
	else
		st = unzstd(u, raw, out->data + out->len, room, &got, err);
	out->len += got;
	return st;
}

enum rna_status
rna_unpack_begins(struct rna_raw *raw, const unsigned char *magic, size_t n, int *yes, struct rna_err *err)
{
	unsigned char got[16];
	struct rna_unpack *u;
	ZSTD_outBuffer out = {got, n, 0};
	ZSTD_inBuffer in;
	enum rna_status st = RNA_OK;
	size_t used = 0, code;

	*yes = 0;
	u = rna_unpack_open(RNA_PACK_ZSTD);
	if (u == NULL)
		return rna_fail(err, RNA_EMEM, "no memory for the zstd decompressor");
	/* damage ends the look: whoever reads on will meet it and report it */
	while (out.pos < n && used < LOOK_MAX) {
		st = rna_raw_want(raw, used + 1, err);
		if (st != RNA_OK || raw->buf.len - raw->pos <= used)
			break;
		in = (ZSTD_inBuffer){raw->buf.data + raw->pos, raw->buf.len - raw->pos, used};
		code = ZSTD_decompressStream(u->zd, &out, &in);
		if (ZSTD_isError(code))
			break;
		used = in.pos;
	}
	/* a stream cut within its first bytes is told from text, too */
	*yes = out.pos > 0 && (out.pos == n || used == raw->buf.len - raw->pos) && memcmp(got, magic, out.pos) == 0;
	rna_unpack_close(u);
	return st;
}
