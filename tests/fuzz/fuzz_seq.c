/*
 * fuzz_seq.c: any bytes as text of every format, as vocabulary, type table and config.json.  The first byte chooses
 * format and frame, the rest is the file.  What is read satisfies the rules of formats/fields.md; errors have words.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_seq.c librna.a
 */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "seq/frame.h"
#include "seq/source.h"
#include "seq/structure.h"
#include "seq/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What every record that was read must satisfy, whatever the file. */
static void
check_record(const struct rna_record *rec)
{
	uint64_t npair = 0, i;
	size_t nseq = 0;
	const int32_t *pair = rna_record_get_vec(rec, "pair", RNA_I32, &npair);

	if (rna_record_get_str(rec, "seq", &nseq) == NULL)
		abort();
	if (pair != NULL && npair != nseq)
		abort();
	for (i = 0; i < npair; i++)
		if (pair[i] != -1 && ((uint64_t)pair[i] >= npair || pair[pair[i]] != (int32_t)i))
			abort();
}

static void
frame_record(const struct rna_record *rec, const struct rna_vocab *v, unsigned choice)
{
	struct rna_framing f = {choice & 1, RNA_LONG_DROP + (choice >> 1) % 3, 5 + choice % 13, 0};
	struct rna_record out;
	uint32_t c, n;
	uint64_t nt;

	rna_record_init(&out);
	n = rna_frame_count(&f, rec, NULL);
	for (c = 0; c < n; c++) {
		if (rna_frame_record(&f, v, rec, choice & 2 ? 9 : -1, c, &out, NULL) != RNA_OK)
			abort();
		if (rna_record_get_vec(&out, "tokens", RNA_U8, &nt) == NULL || nt > f.max)
			abort();
	}
	rna_record_fini(&out);
}

static void
read_source(const char *path, unsigned choice, const struct rna_vocab *v)
{
	static const char *const columns[] = {NULL, "a"};
	struct rna_source_options opts = {.format = (enum rna_format)(choice % 7),
	    .nthreads = 1,
	    .pair_a = columns[choice >> 3 & 1],
	    .pair_b = choice >> 3 & 1 ? "b" : NULL,
	    .keep = &columns[1],
	    .nkeep = choice >> 4 & 1};
	struct rna_input *in;
	struct rna_source *s;
	struct rna_record rec;
	struct rna_err err;
	enum rna_status st;

	rna_err_clear(&err);
	if ((in = rna_input_open(path, &err)) == NULL || (s = rna_source_open(in, &opts, &err)) == NULL) {
		if (err.text[0] == '\0')
			abort(); /* an error without a sentence */
		return;
	}
	rna_record_init(&rec);
	while ((st = rna_source_read(s, &rec, &err)) == RNA_OK || st == RNA_NEXT)
		if (st == RNA_OK && !rna_source_is_stream(s)) {
			check_record(&rec);
			frame_record(&rec, v, choice);
		}
	if (st != RNA_END && err.text[0] == '\0')
		abort(); /* an error without a sentence */
	rna_record_fini(&rec);
	rna_source_close(s);
}

static void
read_tables(const char *path, const struct rna_vocab *v)
{
	struct rna_vocab other;
	struct rna_types types;
	struct rna_framing f;
	struct rna_err err;

	if (rna_vocab_load(&other, path, &err) == RNA_OK)
		rna_vocab_fini(&other);
	if (rna_types_load(&types, v, path, &err) == RNA_OK)
		rna_types_fini(&types);
	if (rna_frame_config(&f, path, &err) == RNA_OK && f.max > 0 && f.max < 5)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rna_vocab v;
	char path[64];
	int fd;

	if (n == 0 || (fd = memfd_create("fuzz", 0)) < 0)
		return 0;
	if (write(fd, data + 1, n - 1) != (ssize_t)(n - 1) || rna_vocab_init(&v) != RNA_OK)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	rna_types_from_header(&v, (const char *)data, n / 2, (const char *)data + n / 2, n - n / 2);
	if (data[0] == 0xff)
		read_tables(path, &v);
	else
		read_source(path, data[0], &v);
	rna_vocab_fini(&v);
	close(fd);
	return 0;
}
