/*
 * fuzz_record.c: what frames hold.  The input is a run of blocks; they are packed into a stream whose sizes, count,
 * digest and checksums are right, so that headers and records themselves are what is tried.  A record that is read is
 * written as the same bytes, and printed in every text format.
 */
#include "fuzz.h"
#include "../maker.h"
#include "seq/text.h"
#include "stream/stream.h"

static void
print(const struct rna_record *rec, const struct rna_vocab *v)
{
	struct rna_text_options opts = {RNA_TEXT_PLAIN, v, NULL, 0};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	int f;

	for (f = RNA_TEXT_PLAIN; f <= RNA_TEXT_CT; f++) {
		opts.format = (enum rna_text)f;
		b.len = 0;
		if (rna_text_record(&opts, rec, &b, &e) != RNA_OK)
			fuzz_refused(&e);
		else if (memchr(b.data, 0x1b, b.len) != NULL)
			abort(); /* control codes from data */
	}
	rna_buf_fini(&b);
}

static void
one_record(const uint8_t *data, size_t n)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_record rec;

	rna_record_init(&rec);
	if (rna_record_decode(&rec, data, n, &e) == RNA_OK) {
		must(rna_record_encode(&rec, &b));
		if (b.len != n || memcmp(b.data, data, n) != 0)
			abort();
	} else {
		fuzz_refused(&e);
	}
	rna_record_fini(&rec);
	rna_buf_fini(&b);
}

static void
one_header(const void *data, size_t n)
{
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_header h, again;

	if (rna_header_parse(&h, data, n, &e) != RNA_OK) {
		fuzz_refused(&e);
		return;
	}
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

static void
read_stream(const struct rna_buf *out)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(fuzz_file(out->data, out->len), &e);
	struct rna_reader *r = in != NULL ? rna_reader_open(in, 1, &e) : NULL;
	struct rna_record rec;
	struct rna_vocab v;
	enum rna_status st;

	if (r == NULL) {
		fuzz_refused(&e);
		return;
	}
	must(rna_vocab_init(&v));
	rna_record_init(&rec);
	while ((st = rna_reader_read(r, &rec, &e)) == RNA_OK || st == RNA_NEXT)
		if (st == RNA_OK)
			print(&rec, &v);
	if (st != RNA_END)
		fuzz_refused(&e);
	rna_record_fini(&rec);
	rna_vocab_fini(&v);
	rna_reader_close(r);
}

/* The blocks of data, each of the size it says or what is left, multiples of 8. */
static void
read_blocks(const uint8_t *data, size_t n)
{
	struct maker m = {.level = 1};
	uint64_t size;
	int within = 0;

	while (n >= 16) {
		size = le64dec(data + 8);
		size = (size < n - 16 ? size : n - 16) / 8 * 8;
		if (memcmp(data, MAKE_MAGIC, 8) == 0) {
			if (within)
				make_end(&m);
			one_header(data + 16, size);
			make_header_n(&m, (const char *)data + 16, size);
			make_frame(&m, 0);
			within = 1;
		} else if (memcmp(data, MAKE_END, 8) == 0) {
			make_end(&m);
			make_frame(&m, 0);
			within = 0;
		} else {
			one_record(data + 16, size);
			if (!within)
				make_header(&m, "{\"rill\":1}");
			within = 1;
			make_record(&m, data + 16, size);
		}
		data += 16 + size;
		n -= 16 + size;
	}
	if (within)
		make_end(&m);
	if (m.content.len > 0)
		make_frame(&m, 0);
	read_stream(&m.out);
	make_fini(&m);
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	read_blocks(data, n);
}

/* A file of frames becomes what they hold, once; after that the engine's mutations do. */
size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	size_t at = 0, to = 0, frame, got;
	uint8_t *out;

	(void)seed;
	if (n >= 4 && le32dec(data) == 0xFD2FB528u && (out = malloc(max)) != NULL) {
		for (; at < n && !ZSTD_isError(frame = ZSTD_findFrameCompressedSize(data + at, n - at)); at += frame) {
			got = ZSTD_decompress(out + to, max - to, data + at, frame);
			to += ZSTD_isError(got) ? 0 : got;
		}
		if (to > 0) {
			memcpy(data, out, to);
			n = to;
		}
		free(out);
	}
	return LLVMFuzzerMutate(data, n, max);
}
