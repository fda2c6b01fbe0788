/*
 * fuzz_fasta.c: any bytes as FASTA, FASTQ or a table of sequences, plain or, so that the unpacking is reached, packed
 * by gzip or zstd here.  What is read satisfies formats/fields.md and can be framed.
 */
#include "fuzz.h"
#include <zlib.h>
#include <zstd.h>
#include "seq/frame.h"
#include "seq/source.h"
#include "seq/types.h"

static void
frame_record(const struct rna_record *rec, const struct rna_vocab *v, unsigned choice)
{
	struct rna_framing f = {choice & 1, RNA_LONG_DROP + (choice >> 1) % 3, 5 + choice % 13, 0};
	int whole = f.policy == RNA_LONG_CHUNK && rna_record_find(rec, "seq_b") != NULL; /* pairs are not split */
	struct rna_record out;
	uint32_t c, n;
	uint64_t nt;

	rna_record_init(&out);
	n = rna_frame_count(&f, rec, NULL);
	for (c = 0; c < n && c < 64; c++) {
		if (rna_frame_record(&f, v, rec, choice & 2 ? 9 : -1, c, &out, NULL) != RNA_OK)
			abort();
		if (rna_record_get_vec(&out, "tokens", RNA_U8, &nt) == NULL || (nt > f.max && !whole))
			abort();
	}
	rna_record_fini(&out);
}

static void
read_source(const char *path, const struct rna_source_options *opts, unsigned choice, const struct rna_vocab *v)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &e);
	struct rna_source *s = in != NULL ? rna_source_open(in, opts, &e) : NULL;
	struct rna_record rec;
	const char *name;
	enum rna_status st;
	size_t len;

	if (s == NULL) {
		fuzz_refused(&e);
		return;
	}
	rna_record_init(&rec);
	while ((st = rna_source_read(s, &rec, &e)) == RNA_OK || st == RNA_NEXT) {
		if (st != RNA_OK || rna_source_is_stream(s))
			continue;
		if (rna_record_get_str(&rec, "seq", &len) == NULL || (opts->max_nt > 0 && len > opts->max_nt))
			abort();
		if ((name = rna_record_get_str(&rec, "name", &len)) != NULL)
			rna_types_from_header(v, name, len, name, len);
		frame_record(&rec, v, choice);
	}
	if (st != RNA_END)
		fuzz_refused(&e);
	rna_record_fini(&rec);
	rna_source_close(s);
}

/* Packs data as the file of choice; its path. */
static const char *
pack(const uint8_t *data, size_t n, unsigned choice)
{
	size_t bound = compressBound(n) + ZSTD_compressBound(n) + 64;
	unsigned char *out = malloc(bound);
	z_stream z = {0};
	const char *path;
	size_t got = 0;

	if (out == NULL || choice % 4 > 1) {
		free(out);
		return fuzz_file(data, n);
	}
	if (choice % 4 == 1) {
		got = ZSTD_compress(out, bound, data, n, 1);
	} else if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK) {
		z.next_in = (unsigned char *)(uintptr_t)data;
		z.avail_in = (uInt)n;
		z.next_out = out;
		z.avail_out = (uInt)bound;
		deflate(&z, Z_FINISH);
		got = bound - z.avail_out;
		deflateEnd(&z);
	}
	path = fuzz_file(out, got);
	free(out);
	return path;
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	unsigned choice = fuzz_choice(data, n);
	struct rna_source_options text = {.format = RNA_FORMAT_AUTO, .nthreads = 1, .max_nt = choice % 3 ? 0 : 40};
	struct rna_source_options fasta = {.format = RNA_FORMAT_FASTA, .nthreads = 1};
	struct rna_source_options table = {.format = RNA_FORMAT_CSV, .nthreads = 1};
	struct rna_source_options pairs = {.format = RNA_FORMAT_CSV, .nthreads = 1, .pair_a = "a", .pair_b = "b"};
	const char *path = pack(data, n, choice >> 3);
	struct rna_vocab v;

	if (rna_vocab_init(&v) != RNA_OK)
		abort();
	read_source(path, &text, choice, &v);
	read_source(path, &fasta, choice, &v);
	read_source(path, choice & 1 ? &table : &pairs, choice, &v);
	rna_vocab_fini(&v);
}
