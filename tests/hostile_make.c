/*
 * hostile_make.c: writes streams that every reader must refuse, each wrong in one way, and EXPECTED, which says how.
 *
 *	hostile_make formats/golden-errors
 *
 * EXPECTED has a line for each file: its name, a tab, and words that rill's message has in it.
 */
#include <stdlib.h>
#include "hostile_tables.h"
#include "maker.h"

#define MIB (1u << 20)

static const char *folder;
static FILE *expected;

static void
finish(struct maker *m, const char *name, const char *words)
{
	char file[256];

	snprintf(file, sizeof(file), "%s.rill", name);
	make_write(m, folder, file);
	if (fprintf(expected, "%s\t%s\n", file, words) < 0)
		err(1, "EXPECTED");
}

/* A stream that is right so far: a header and n records, each in a frame. */
static void
start(struct maker *m, uint64_t n)
{
	uint64_t i;

	make_header(m, "{\"rill\":1}");
	make_frame(m, 0);
	for (i = 0; i < n; i++) {
		make_some(m, i, i + 1);
		make_frame(m, 0);
	}
}

static void
stop(struct maker *m)
{
	make_end(m);
	make_frame(m, 0);
}

static void
unhex(const char *s, struct rna_buf *out)
{
	char two[3] = "";
	unsigned char byte;

	for (; *s != '\0'; s++) {
		if (*s == ' ')
			continue;
		two[0] = *s++;
		two[1] = *s;
		byte = (unsigned char)strtoul(two, NULL, 16);
		make_bytes(out, &byte, 1);
	}
}

static void
tables(void)
{
	struct maker m = {.level = 0};
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		make_header(&m, headers[i].json);
		stop(&m);
		finish(&m, headers[i].name, headers[i].words);
	}
	for (i = 0; i < sizeof(records) / sizeof(*records); i++) {
		b.len = 0;
		unhex(records[i].hex, &b);
		start(&m, 1);
		make_record(&m, b.data, b.len);
		stop(&m);
		finish(&m, records[i].name, records[i].words);
	}
	rna_buf_fini(&b);
}

static void
large_headers(void)
{
	struct maker m = {.level = 19};
	struct rna_buf b = RNA_BUF_INIT;
	int i;

	must(rna_buf_str(&b, "{\"rill\":1,\"x\":"));
	for (i = 0; i < 64; i++)
		must(rna_buf_str(&b, "["));
	for (i = 0; i < 64; i++)
		must(rna_buf_str(&b, "]"));
	must(rna_buf_str(&b, "}"));
	make_header_n(&m, (char *)b.data, b.len);
	stop(&m);
	finish(&m, "header-nested-65", "nested too deeply");

	b.len = 0;
	must(rna_buf_str(&b, "{\"rill\":1,\"x\":"));
	for (i = 0; i < 1000000; i++)
		must(rna_buf_str(&b, "["));
	must(rna_buf_str(&b, "}"));
	make_header_n(&m, (char *)b.data, b.len);
	m.level = 19;
	stop(&m);
	finish(&m, "header-nested-million", "nested too deeply");

	b.len = 0;
	must(rna_buf_str(&b, "{\"rill\":1,\"x\":[0"));
	for (i = 0; i < 262143; i++)
		must(rna_buf_str(&b, ",0"));
	must(rna_buf_str(&b, "]}"));
	m.level = 19;
	make_header_n(&m, (char *)b.data, b.len);
	stop(&m);
	finish(&m, "header-many-values", "too many values");

	b.len = 0;
	must(rna_buf_str(&b, "{\"rill\":1}"));
	while (b.len < 16 * MIB + 8)
		must(rna_buf_str(&b, " "));
	m.level = 19;
	make_header_n(&m, (char *)b.data, b.len);
	stop(&m);
	finish(&m, "header-over-16-mib", "header of 16777224 bytes");
	rna_buf_fini(&b);
}

static void
block(const char *name, const char *words, const char *tag, uint64_t size, size_t n)
{
	static const unsigned char zeros[64];
	struct maker m = {.level = 0};

	start(&m, 1);
	make_block(&m, tag, size, zeros, n);
	make_frame(&m, 0);
	stop(&m);
	finish(&m, name, words);
}

static void
blocks(void)
{
	struct maker m = {.level = 0};

	block("block-unknown", "unknown kind of block", "UNKNOWN", 16, 16);
	block("block-lower-case", "unknown kind of block", "record\0", 16, 16);
	block("block-size-odd", "record of 12 bytes", MAKE_RECORD, 12, 16);
	block("block-size-over", "runs over its frame's end", MAKE_RECORD, 24, 16);
	block("block-size-gib", "runs over its frame's end", MAKE_RECORD, 1u << 30, 16);
	block("block-size-over-16-gib", "record of 17179869192 bytes", MAKE_RECORD, (UINT64_C(16) << 30) + 8, 16);
	block("block-size-all-ones", "record of 18446744073709551608 bytes", MAKE_RECORD, UINT64_MAX - 7, 16);
	block("block-size-sign", "record of 9223372036854775808 bytes", MAKE_RECORD, UINT64_C(1) << 63, 16);
	block("end-8-bytes", "end record of 8 bytes", MAKE_END, 8, 8);
	block("end-24-bytes", "end record of 24 bytes", MAKE_END, 24, 24);

	start(&m, 1);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_frame(&m, 0);
	stop(&m);
	finish(&m, "block-head-cut", "8 bytes after the last block");

	start(&m, 1);
	stop(&m);
	make_some(&m, 1, 2);
	stop(&m);
	finish(&m, "record-after-end", "record before a header");

	start(&m, 1);
	stop(&m);
	stop(&m);
	finish(&m, "end-twice", "end record before a header");

	start(&m, 1);
	start(&m, 1);
	stop(&m);
	finish(&m, "header-within", "a header where");

	start(&m, 2);
	make_end_as(&m, m.records - 1, m.digest);
	make_frame(&m, 0);
	finish(&m, "end-count-less", "counts 1 records, and 2 are there");

	start(&m, 2);
	make_end_as(&m, m.records + 1, m.digest);
	make_frame(&m, 0);
	finish(&m, "end-count-more", "counts 3 records, and 2 are there");

	start(&m, 2);
	make_end_as(&m, m.records, m.digest ^ 1);
	make_frame(&m, 0);
	finish(&m, "end-digest", "digest does not match");
}

/* Frames a, b and c of one stream in another order, one missing, one twice, or another's header. */
static void
shuffled(const char *name, const char *words, const char *order)
{
	struct maker m = {.level = 0};
	struct rna_buf all = RNA_BUF_INIT;
	size_t at[6], i;

	at[0] = 0;
	for (i = 0; i < 5; i++) {
		if (i == 0)
			make_header(&m, "{\"rill\":1}");
		else if (i < 4)
			make_some(&m, i, i + 1);
		else
			make_end(&m);
		make_frame(&m, 0);
		at[i + 1] = m.out.len;
	}
	for (; *order != '\0'; order++) {
		i = (size_t)(*order - 'h');
		make_bytes(&all, m.out.data + at[i], at[i + 1] - at[i]);
	}
	m.out.len = 0;
	make_bytes(&m.out, all.data, all.len);
	rna_buf_fini(&all);
	finish(&m, name, words);
}

static void
orders(void)
{
	struct maker m = {.level = 0};
	uint64_t digest;

	shuffled("frame-lost", "counts 3 records, and 2 are there", "hikl");
	shuffled("frame-doubled", "counts 3 records, and 4 are there", "hiijkl");
	shuffled("frames-exchanged", "digest does not match", "hikjl");
	shuffled("frame-replaced", "digest does not match", "hijjl");
	shuffled("end-only", "end record is missing", "h");
	shuffled("no-end", "cut short after 3 records", "hijk");

	start(&m, 2);
	digest = m.digest;
	make_fini(&m);
	make_header(&m, "{\"rill\":1,\"tokens\":9}");
	make_some(&m, 0, 2);
	make_end_as(&m, 2, digest);
	make_frame(&m, 0);
	finish(&m, "header-exchanged", "digest does not match");
}

/* A file that ends n bytes early, or has text behind. */
static void
ends(const char *name, const char *words, size_t less, const void *more, size_t n)
{
	struct maker m = {.level = 0};

	start(&m, 1);
	stop(&m);
	m.out.len -= less;
	make_bytes(&m.out, more, n);
	finish(&m, name, words);
}

static void
truncated(void)
{
	struct maker m = {.level = 0};

	finish(&m, "empty", "empty");
	ends("cut-checksum", "cut short within a frame", 1, "", 0);
	ends("cut-frame", "cut short within a frame", 20, "", 0);
	ends("cut-magic", "cut short", 100, "", 0);
	ends("after-zeros", "no frame", 0, "\0\0\0\0\0\0\0\0", 8);
	ends("after-text", "no frame", 0, "and so on\n", 10);
	ends("after-one-byte", "cut short", 0, "(", 1);
	ends("after-skippable-cut", "cut short within a skippable frame", 0, "\x50\x2a\x4d\x18\x10\0\0\0abc", 11);
	ends("after-skippable-size", "cut short", 0, "\x50\x2a\x4d\x18\xff\xff", 6);
	ends("after-skippable-lie", "cut short within a skippable frame", 0, "\x50\x2a\x4d\x18\xff\xff\xff\xff", 8);

	start(&m, 0);
	m.out.len = 10;
	finish(&m, "cut-header", "cut short");
	start(&m, 1);
	stop(&m);
	start(&m, 1);
	finish(&m, "cut-second-stream", "cut short after 1 records");
}

/* A raw frame after a good beginning: what the frame's header says is wrong. */
static void
raw(const char *name, const char *words, unsigned descriptor, int window, int64_t size, int size_bytes)
{
	struct maker m = {.level = 0};

	start(&m, 0);
	make_some(&m, 0, 4);
	if (size < 0)
		size += (int64_t)m.content.len + 1000;
	make_raw_frame(&m, descriptor, window, (uint64_t)size, size_bytes);
	stop(&m);
	finish(&m, name, words);
}

static void
frames(void)
{
	struct maker m = {.level = 0};
	size_t at;

	raw("frame-no-size", "does not state its content size", 0x04, 0x58, 0, 0);
	raw("frame-size-less", "damaged frame", 0xa4, -1, -1008, 4);
	raw("frame-size-more", "damaged frame", 0xa4, -1, -992, 4);
	raw("frame-size-over-limit", "states 67108865 bytes", 0xa4, -1, 64 * MIB + 1, 4);
	raw("frame-size-4-gib", "states 4294967295 bytes", 0xa4, -1, 0xffffffff, 4);
	raw("frame-size-exbibytes", "states 9223372036854775807 bytes", 0xe4, -1, INT64_MAX, 8);
	raw("frame-window-9-mib", "wants a window of 9437184 bytes", 0x84, 0x69, -1000, 4);
	raw("frame-window-2-gib", "wants a window of 2147483648 bytes", 0x84, 0xa8, -1000, 4);
	raw("frame-window-most", "wants a window of", 0x84, 0xff, -1000, 4);
	raw("frame-dictionary", "wants a dictionary", 0xa5, -1, -1000, 4);
	raw("frame-reserved-bit", "a reserved bit is set", 0xac, -1, -1000, 4);

	start(&m, 0);
	make_some(&m, 0, 4);
	make_frame(&m, MAKE_NOSUM);
	stop(&m);
	finish(&m, "frame-no-checksum", "has no checksum");

	start(&m, 0);
	make_some(&m, 0, 4);
	make_frame(&m, 0);
	m.out.data[m.out.len - 1] ^= 1;
	stop(&m);
	finish(&m, "frame-checksum", "checksum does not match");

	start(&m, 0);
	at = m.out.len;
	make_some(&m, 0, 4);
	make_frame(&m, 0);
	m.out.data[at + (m.out.len - at) / 2] ^= 0x10;
	stop(&m);
	finish(&m, "frame-damaged", "damaged frame");

	start(&m, 0);
	make_bytes(&m.out, "\x28\xb5\x2f\xfd\x24\x08\x47\0\0" "12345678" "abcd", 21); /* a block of type 3 */
	stop(&m);
	finish(&m, "frame-block-type", "impossible block");

	start(&m, 0);
	make_bytes(&m.out, "\x28\xb5\x2f\xfd\x24\x08\x09\x00\x10" "12345678" "abcd", 21); /* raw, over 128 KiB */
	stop(&m);
	finish(&m, "frame-block-size", "impossible block");
}

/* Zeros pack 30,000 to 1: small files that claim much. */
static void
bombs(void)
{
	struct maker m = {.level = 0};
	size_t big = 64 * MIB + 64;

	start(&m, 0);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, (UINT64_C(1) << 30) - 16);
	make_zeros(&m.content, (1u << 30) - 16);
	m.level = 1;
	make_frame(&m, 0);
	finish(&m, "bomb-gib", "states 1073741824 bytes");

	start(&m, 0); /* a record over several frames, and the second is too short */
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, big);
	make_zeros(&m.content, 64 * MIB - 16);
	make_frame(&m, 0);
	make_zeros(&m.content, 72);
	make_frame(&m, 0);
	finish(&m, "large-second-short", "a frame of 72 bytes");

	start(&m, 0);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, big);
	make_zeros(&m.content, 64 * MIB - 16);
	make_frame(&m, 0);
	make_zeros(&m.content, 88);
	make_frame(&m, 0);
	finish(&m, "large-second-long", "a frame of 88 bytes");

	start(&m, 0);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, big);
	make_zeros(&m.content, 64 * MIB - 16);
	make_frame(&m, 0);
	finish(&m, "large-cut", "cut short");

	start(&m, 0);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, big);
	make_zeros(&m.content, MIB);
	make_frame(&m, 0);
	make_zeros(&m.content, big - MIB);
	make_frame(&m, 0);
	finish(&m, "large-first-short", "runs over its frame's end");

	start(&m, 0);
	make_some(&m, 0, 1);
	make_bytes(&m.content, MAKE_RECORD, 8);
	make_u64(&m.content, big);
	make_zeros(&m.content, 64 * MIB - m.content.len);
	make_frame(&m, 0);
	make_zeros(&m.content, 4096);
	make_frame(&m, 0);
	finish(&m, "large-not-first", "runs over its frame's end");
}

int
main(int argc, char **argv)
{
	char path[4096];

	if (argc != 2)
		errx(2, "usage: hostile_make FOLDER");
	folder = argv[1];
	snprintf(path, sizeof(path), "%s/EXPECTED", folder);
	expected = fopen(path, "w");
	if (expected == NULL)
		err(1, "%s", path);
	tables();
	large_headers();
	blocks();
	orders();
	truncated();
	frames();
	bombs();
	if (fclose(expected) != 0)
		err(1, "%s", path);
	return 0;
}
