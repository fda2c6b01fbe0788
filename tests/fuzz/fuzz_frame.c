/*
 * fuzz_frame.c: any bytes as a file: frames, the order of blocks, records, and the same bytes as lines of text.  The
 * mutator changes half of the time what the frames hold and packs it again, so that checksums are right.
 */
#include "fuzz.h"
#include "../maker.h"
#include "stream/stream.h"

#define FRAME_MOST (1u << 17)

static void
encode(const struct rna_record *rec)
{
	struct rna_buf b = RNA_BUF_INIT;

	must(rna_record_encode(rec, &b));
	rna_buf_fini(&b);
}

static void
read_stream(const char *path, int nthreads)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &e);
	struct rna_reader *r = in != NULL ? rna_reader_open(in, nthreads, &e) : NULL;
	struct rna_record rec;
	enum rna_status st;

	if (r == NULL) {
		fuzz_refused(&e);
		return;
	}
	rna_record_init(&rec);
	while ((st = rna_reader_read(r, &rec, &e)) == RNA_OK || st == RNA_NEXT)
		if (st == RNA_OK)
			encode(&rec);
	if (st != RNA_END)
		fuzz_refused(&e);
	rna_record_fini(&rec);
	rna_reader_close(r);
}

static void
read_lines(const char *path)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &e);
	volatile char last = 0;
	const char *line;
	enum rna_status st;
	size_t n;

	if (in == NULL)
		return;
	while ((st = rna_input_line(in, &line, &n, &e)) == RNA_OK)
		last = n > 0 ? line[n - 1] : last;
	if (st != RNA_END)
		fuzz_refused(&e);
	rna_input_close(in);
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	const char *path = fuzz_file(data, n);

	read_stream(path, 1 + (int)(fuzz_choice(data, n) % 8 == 0));
	read_lines(path);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	struct maker m = {.level = 1};
	size_t at = 0, pick = seed >> 8, frame, content, k;

	if (seed % 2 == 0)
		return LLVMFuzzerMutate(data, n, max);
	for (k = 0; at < n; k++, at += frame) {
		frame = ZSTD_findFrameCompressedSize(data + at, n - at);
		if (ZSTD_isError(frame) || k > 1000)
			break;
		must(rna_buf_reserve(&m.content, FRAME_MOST));
		content = ZSTD_decompress(m.content.data, FRAME_MOST / 2, data + at, frame);
		if (ZSTD_isError(content) || k != pick % 4) {
			make_bytes(&m.out, data + at, frame);
			continue;
		}
		m.content.len = LLVMFuzzerMutate(m.content.data, content, FRAME_MOST);
		make_frame(&m, 0);
	}
	if (m.out.len > 0 && m.out.len + (n - at) <= max) {
		make_bytes(&m.out, data + at, n - at);
		memcpy(data, m.out.data, m.out.len);
		n = m.out.len;
	} else {
		n = LLVMFuzzerMutate(data, n, max);
	}
	make_fini(&m);
	return n;
}
