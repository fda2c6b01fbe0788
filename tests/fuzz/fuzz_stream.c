/*
 * fuzz_stream.c: the reader of streams against any bytes.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -std=c11 -D_DEFAULT_SOURCE -Ilib \
 *	    $(pkg-config --cflags libbsd-overlay) tests/fuzz/fuzz_stream.c lib/stream/[!cs]*.c lib/stream/status.c \
 *	    -lzstd -lz -lbsd -ljansson -lm -o fuzz_stream
 *	./fuzz_stream -max_len=65536 CORPUS formats/golden formats/golden-errors
 *
 * The first byte says what the others are: a file; the content of frames, put into frames with right checksums here, so
 * that what lies behind them is reached; a record; a header; or text in lines.
 */
#define _GNU_SOURCE /* memfd_create */
#include <sys/mman.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "../maker.h"
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Puts the bytes where a path leads to them. */
static const char *
as_file(const void *data, size_t n)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		abort();
	return path;
}

/* Whatever is read as a record must be written as the same bytes. */
static void
check_record(const struct rna_record *rec, const void *bytes, size_t n)
{
	struct rna_buf b = RNA_BUF_INIT;

	must(rna_record_encode(rec, &b));
	if (bytes != NULL && (b.len != n || memcmp(b.data, bytes, n) != 0))
		abort();
	rna_buf_fini(&b);
}

static void
read_file(const void *data, size_t n, int nthreads)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(as_file(data, n), &e);
	struct rna_reader *r = in != NULL ? rna_reader_open(in, nthreads, &e) : NULL;
	struct rna_record rec;
	enum rna_status st;

	if (r == NULL) {
		if (e.status <= RNA_NEXT || e.text[0] == '\0')
			abort();
		return;
	}
	rna_record_init(&rec);
	while ((st = rna_reader_read(r, &rec, &e)) == RNA_OK || st == RNA_NEXT) {
		if (st == RNA_OK)
			check_record(&rec, NULL, 0);
	}
	if (st != RNA_END && (e.status != st || e.text[0] == '\0'))
		abort();
	rna_record_fini(&rec);
	rna_reader_close(r);
}

static void
read_content(const uint8_t *data, size_t n)
{
	struct maker m = {.level = 1};
	size_t part;

	make_header(&m, "{\"rill\":1}");
	make_frame(&m, 0);
	while (n > 0) { /* frames of as many bytes as the fuzzer says */
		part = 1 + (size_t)data[0] * 8;
		data++;
		n--;
		part = part < n ? part : n;
		make_bytes(&m.content, data, part);
		make_frame(&m, 0);
		data += part;
		n -= part;
	}
	read_file(m.out.data, m.out.len, 1);
	make_fini(&m);
}

static void
read_lines(const void *data, size_t n)
{
	struct rna_err e;
	struct rna_input *in = rna_input_open(as_file(data, n), &e);
	const char *line;
	size_t len, i;
	volatile char last = 0;

	if (in == NULL)
		return;
	while (rna_input_line(in, &line, &len, &e) == RNA_OK) {
		for (i = 0; i < len; i++)
			last = line[i];
	}
	(void)last;
	rna_input_close(in);
}

static void
read_header(const void *data, size_t n)
{
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT;
	struct rna_header h, again;

	if (rna_header_parse(&h, data, n, NULL) != RNA_OK)
		return;
	must(rna_header_dump(&h, &a));
	if (rna_header_parse(&again, (char *)a.data, a.len, NULL) != RNA_OK)
		abort();
	must(rna_header_dump(&again, &b));
	if (a.len != b.len || memcmp(a.data, b.data, a.len) != 0)
		abort();
	rna_header_fini(&h);
	rna_header_fini(&again);
	rna_buf_fini(&a);
	rna_buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rna_record rec;

	if (n == 0)
		return 0;
	switch (data[0]) {
	case 0:
		read_content(data + 1, n - 1);
		break;
	case 1:
		rna_record_init(&rec);
		if (rna_record_decode(&rec, data + 1, n - 1, NULL) == RNA_OK)
			check_record(&rec, data + 1, n - 1);
		rna_record_fini(&rec);
		break;
	case 2:
		read_header(data + 1, n - 1);
		break;
	case 3:
		read_lines(data + 1, n - 1);
		break;
	default: /* also the first byte of a golden file */
		read_file(data, n, 1 + data[0] % 2);
		break;
	}
	return 0;
}
