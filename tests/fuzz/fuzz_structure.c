/*
 * fuzz_structure.c: any bytes as dot-bracket, bpseq, ct and bpRNA .st.  What is read has symmetric pairs, and printed
 * as dot-bracket it is read as the same.
 */
#include "fuzz.h"
#include "seq/source.h"
#include "seq/structure.h"

static void
check_pairs(const struct rna_record *rec)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf text = RNA_BUF_INIT, again = RNA_BUF_INIT;
	uint64_t n = 0, i;
	size_t nt = 0;
	const int32_t *pair = rna_record_get_vec(rec, "pair", RNA_I32, &n);

	if (rna_record_get_str(rec, "seq", &nt) == NULL || (pair != NULL && n != nt))
		abort();
	for (i = 0; i < n; i++)
		if (pair[i] != -1 && ((uint64_t)pair[i] >= n || pair[pair[i]] != (int32_t)i))
			abort();
	if (pair != NULL && rna_structure_print(pair, n, &text, &e) == RNA_OK &&
	    (rna_structure_parse((char *)text.data, text.len, &again, &e) != RNA_OK ||
		again.len != n * sizeof(*pair) || (n > 0 && memcmp(again.data, pair, again.len) != 0)))
		abort();
	rna_buf_fini(&text);
	rna_buf_fini(&again);
}

static void
read_source(const char *path, enum rna_format format)
{
	struct rna_source_options opts = {.format = format, .nthreads = 1};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_input *in = rna_input_open(path, &e);
	struct rna_source *s = in != NULL ? rna_source_open(in, &opts, &e) : NULL;
	struct rna_record rec;
	enum rna_status st;

	if (s == NULL) {
		fuzz_refused(&e);
		return;
	}
	rna_record_init(&rec);
	while ((st = rna_source_read(s, &rec, &e)) == RNA_OK || st == RNA_NEXT)
		if (st == RNA_OK && !rna_source_is_stream(s))
			check_pairs(&rec);
	if (st != RNA_END)
		fuzz_refused(&e);
	rna_record_fini(&rec);
	rna_source_close(s);
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	const char *path = fuzz_file(data, n);

	read_source(path, RNA_FORMAT_DBN);
	read_source(path, RNA_FORMAT_BPSEQ);
	read_source(path, RNA_FORMAT_CT);
	read_source(path, RNA_FORMAT_ST);
}
