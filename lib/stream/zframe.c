/*
 * zframe.c: zstd frames, gathered from a pipe one by one.
 *
 * A frame's length is not written down: its blocks have to be walked (RFC 8878, 3.1.1).  Doing that here, rather than
 * in a streaming decompressor, hands a frame on the moment its last byte is there and refuses what the format does not
 * allow before memory is taken for it.
 */
#include <sys/endian.h>
#include <string.h>
#include <zstd_errors.h>
#include "stream/stream.h"
#include "stream/zframe.h"

#define MAGIC 0xFD2FB528u
#define SKIP_MAGIC 0x184D2A50u
#define SLACK (1u << 20)           /* compressed size over content size */
#define ZBLOCK_MAX (128u << 10)
#define WINDOW_MAX (UINT64_C(1) << RNA_WINDOW_LOG_MAX)

enum { AT_MAGIC, AT_SKIP_SIZE, AT_SKIP, AT_DESCRIPTOR, AT_HEADER, AT_BLOCK, AT_BODY, AT_CHECKSUM };

void
rna_zframe_init(struct rna_zframe *f)
{
	memset(f, 0, sizeof(*f));
	f->need = 4;
}

void
rna_zframe_fini(struct rna_zframe *f)
{
	rna_buf_fini(&f->packed);
	rna_buf_fini(&f->content);
	ZSTD_freeDCtx(f->dctx);
	ZSTD_freeCCtx(f->cctx);
	rna_zframe_init(f);
}

static void
expect(struct rna_zframe *f, int step, size_t more)
{
	f->step = step;
	f->need = f->packed.len + more;
}

static size_t
header_size(unsigned descriptor)
{
	static const size_t sizes[] = {0, 2, 4, 8};
	int single = (descriptor & 0x20) != 0;

	return (single ? 0 : 1) + (single && descriptor >> 6 == 0 ? 1 : sizes[descriptor >> 6]);
}

static enum rna_status
check_descriptor(unsigned d, struct rna_err *err)
{
	if ((d & 0x08) != 0)
		return rna_fail(err, RNA_EFORMAT, "damaged frame: a reserved bit is set");
	if ((d & 0x03) != 0)
		return rna_fail(err, RNA_EFORMAT, "a frame wants a dictionary");
	if ((d & 0x04) == 0)
		return rna_fail(err, RNA_EFORMAT, "a frame has no checksum");
	if ((d & 0xe0) == 0)
		return rna_fail(err, RNA_EFORMAT, "a frame does not state its content size");
	return RNA_OK;
}

/* What follows the descriptor: window and content size. */
static enum rna_status
check_header(struct rna_zframe *f, struct rna_err *err)
{
	const unsigned char *p = f->packed.data + 5;
	unsigned d = f->packed.data[4];
	uint64_t window;

	if ((d & 0x20) == 0) {
		window = UINT64_C(1) << (10 + (*p >> 3));
		window += window / 8 * (*p & 7);
		if (window > WINDOW_MAX)
			return rna_fail(err, RNA_EFORMAT, "a frame wants a window of %llu bytes",
			    (unsigned long long)window);
		p++;
	}
	switch (d >> 6) {
	case 0:
		f->size = *p;
		break;
	case 1:
		f->size = le16dec(p) + 256u;
		break;
	case 2:
		f->size = le32dec(p);
		break;
	default:
		f->size = le64dec(p);
		break;
	}
	if (f->size > RNA_FRAME_MAX)
		return rna_fail(err, RNA_EFORMAT, "a frame states %llu bytes of content",
		    (unsigned long long)f->size);
	return RNA_OK;
}

/* One step on, with need bytes in packed.  RNA_NEXT: the frame is whole. */
static enum rna_status
advance(struct rna_zframe *f, struct rna_err *err)
{
	const unsigned char *end = f->packed.data + f->packed.len;
	uint32_t word;
	enum rna_status st = RNA_OK;

	switch (f->step) {
	case AT_MAGIC:
		word = le32dec(f->packed.data);
		if (word != MAGIC && (word & 0xfffffff0u) != SKIP_MAGIC)
			return rna_fail(err, RNA_EFORMAT, "bytes that are no frame of a record stream");
		expect(f, word == MAGIC ? AT_DESCRIPTOR : AT_SKIP_SIZE, word == MAGIC ? 1 : 4);
		break;
	case AT_SKIP_SIZE:
		f->skip = le32dec(end - 4);
		rna_buf_reuse(&f->packed);
		expect(f, AT_SKIP, 0);
		break;
	case AT_DESCRIPTOR:
		st = check_descriptor(end[-1], err);
		expect(f, AT_HEADER, header_size(end[-1]));
		break;
	case AT_HEADER:
		st = check_header(f, err);
		expect(f, AT_BLOCK, 3);
		break;
	case AT_BLOCK:
		word = end[-3] | (uint32_t)end[-2] << 8 | (uint32_t)end[-1] << 16;
		f->last = word & 1;
		if ((word >> 1 & 3) == 3 || ((word >> 1 & 3) != 1 && word >> 3 > ZBLOCK_MAX))
			return rna_fail(err, RNA_EFORMAT, "damaged frame: impossible block");
		expect(f, AT_BODY, (word >> 1 & 3) == 1 ? 1 : word >> 3);
		if (f->need > f->size + SLACK)
			return rna_fail(err, RNA_EFORMAT, "a frame is far larger than its content");
		break;
	case AT_BODY:
		expect(f, f->last ? AT_CHECKSUM : AT_BLOCK, f->last ? 4 : 3);
		break;
	case AT_CHECKSUM:
		return RNA_NEXT;
	}
	return st;
}

/* Drops the rest of a skippable frame. */
static enum rna_status
drop(struct rna_zframe *f, struct rna_input *in, int wait, struct rna_err *err)
{
	unsigned char scrap[4096];
	enum rna_status st;
	size_t got;

	while (f->skip > 0) {
		if (!wait && !rna_input_ready(in))
			return RNA_NEXT;
		st = rna_input_read(in, scrap, f->skip < sizeof(scrap) ? (size_t)f->skip : sizeof(scrap), &got, err);
		if (st != RNA_OK)
			return st;
		if (got == 0)
			return rna_fail(err, RNA_ETRUNC, "cut short within a skippable frame");
		f->skip -= got;
		f->taken += got;
	}
	rna_buf_reuse(&f->packed);
	expect(f, AT_MAGIC, 4);
	return RNA_OK;
}

enum rna_status
rna_zframe_pull(struct rna_zframe *f, struct rna_input *in, int wait, struct rna_err *err)
{
	enum rna_status st;
	size_t got;

	if (f->step == AT_CHECKSUM && f->packed.len == f->need) { /* the one before was handed out */
		rna_buf_reuse(&f->packed);
		expect(f, AT_MAGIC, 4);
	}
	for (;;) {
		if (f->step == AT_SKIP) {
			st = drop(f, in, wait, err);
			if (st != RNA_OK)
				return st;
		}
		while (f->packed.len < f->need) {
			if (!wait && !rna_input_ready(in))
				return RNA_NEXT;
			if (rna_buf_reserve(&f->packed, f->need - f->packed.len) != RNA_OK)
				return rna_fail(err, RNA_EMEM, "no memory for a frame");
			st = rna_input_read(in, f->packed.data + f->packed.len, f->need - f->packed.len, &got, err);
			if (st != RNA_OK)
				return st;
			if (got == 0 && f->packed.len == 0 && f->step == AT_MAGIC)
				return RNA_END;
			if (got == 0)
				return rna_fail(err, RNA_ETRUNC, "cut short within a frame");
			f->packed.len += got;
			f->taken += got;
		}
		st = advance(f, err);
		if (st != RNA_OK)
			return st == RNA_NEXT ? RNA_OK : st;
	}
}

void
rna_zframe_unpack(struct rna_zframe *f)
{
	size_t n;

	rna_buf_reuse(&f->content);
	if (f->dctx == NULL)
		f->dctx = ZSTD_createDCtx();
	if (f->dctx == NULL || rna_buf_reserve(&f->content, (size_t)f->size + 1) != RNA_OK) {
		f->status = rna_fail(&f->err, RNA_EMEM, "no memory for a frame of %llu bytes",
		    (unsigned long long)f->size);
		return;
	}
	n = ZSTD_decompressDCtx(f->dctx, f->content.data, (size_t)f->size, f->packed.data, f->packed.len);
	if (ZSTD_isError(n)) {
		if (ZSTD_getErrorCode(n) == ZSTD_error_checksum_wrong)
			f->status = rna_fail(&f->err, RNA_ESUM, "damaged frame: checksum does not match");
		else if (ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
			f->status = rna_fail(&f->err, RNA_EMEM, "no memory for the zstd decompressor");
		else
			f->status = rna_fail(&f->err, RNA_EFORMAT, "damaged frame: %s", ZSTD_getErrorName(n));
		return;
	}
	if (n != f->size) {
		f->status = rna_fail(&f->err, RNA_EFORMAT, "damaged frame: its content size is not true");
		return;
	}
	f->content.len = n;
	f->status = RNA_OK;
}

/* Sets the context up on its first use; the setting lasts. */
static int
ready_to_pack(struct rna_zframe *f, int level)
{
	if (f->cctx != NULL)
		return 1;
	f->cctx = ZSTD_createCCtx();
	return f->cctx != NULL &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_compressionLevel, level)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_contentSizeFlag, 1)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(f->cctx, ZSTD_c_checksumFlag, 1));
}

void
rna_zframe_pack(struct rna_zframe *f, const void *src, size_t n, int level)
{
	size_t bound = ZSTD_compressBound(n), got;

	rna_buf_reuse(&f->packed);
	if (!ready_to_pack(f, level) || rna_buf_reserve(&f->packed, bound) != RNA_OK) {
		f->status = rna_fail(&f->err, RNA_EMEM, "no memory to compress %zu bytes", n);
		return;
	}
	got = ZSTD_compress2(f->cctx, f->packed.data, bound, src, n);
	if (ZSTD_isError(got)) {
		f->status = rna_fail(&f->err, RNA_EMEM, "cannot compress: %s", ZSTD_getErrorName(got));
		return;
	}
	f->packed.len = got;
	f->status = RNA_OK;
}
