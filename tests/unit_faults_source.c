/*
 * unit_faults_source.c: the readers of files when memory ends or a call fails, at every one of them.
 */
#include "faults.h"
#include <zlib.h>
#include "seq/source.h"
#include "stream_util.h"

#if FAULTS
#define LONG 300000 /* bytes, more than are read at once */

static enum rna_status
read_records(struct rna_source *s, uint64_t *digest, struct rna_err *err)
{
	struct rna_record rec, copy;
	struct rna_buf b = RNA_BUF_INIT;
	enum rna_status st;

	rna_record_init(&rec);
	rna_record_init(&copy);
	while ((st = rna_source_read(s, &rec, err)) == RNA_OK || st == RNA_NEXT) {
		if (st == RNA_NEXT)
			continue;
		TRY(mem(rna_record_copy(&copy, &rec), err));
		b.len = 0;
		TRY(mem(rna_record_encode(&copy, &b), err));
		TRY(mem(rna_record_decode(&rec, b.data, b.len, err), err));
		*digest = rna_hash(b.data, b.len, *digest);
	}
out:
	rna_record_fini(&rec);
	rna_record_fini(&copy);
	rna_buf_fini(&b);
	return st == RNA_END ? RNA_OK : st;
}

/* A file, and how it is read. */
struct file {
	const char *name, *text;
	struct rna_source_options opts;
	int packed; /* 1 gzip, 2 zstd, 3 zstd behind a skippable frame */
	int head;   /* lines that are there once when the text is made long */
};

static enum rna_status
read_file(const void *arg, uint64_t *digest, struct rna_err *err)
{
	const struct file *f = arg;
	struct rna_input *in = rna_input_open(f->text != NULL ? util_path("in") : util_root(f->name), err);
	struct rna_source *s = in != NULL ? rna_source_open(in, &f->opts, err) : NULL;
	enum rna_status st;

	if (s == NULL)
		return err->status;
	st = read_records(s, digest, err);
	rna_source_close(s);
	return st;
}

static void
put_file(const struct file *f, const char *text)
{
	size_t n = strlen(text), bound = ZSTD_compressBound(n) + 64;
	unsigned char *to = malloc(bound);
	gzFile g;

	if (f->packed == 1) {
		if ((g = gzopen(util_path("in"), "wb")) == NULL || gzwrite(g, text, (unsigned)n) != (int)n)
			abort();
		gzclose(g);
	} else if (f->packed > 1) {
		memcpy(to, "\x50\x2a\x4d\x18\x04\0\0\0skip", 12);
		n = ZSTD_compress(to + (f->packed == 3 ? 12 : 0), bound - 12, text, n, 1);
		util_put(util_path("in"), to, n + (f->packed == 3 ? 12 : 0));
	} else {
		util_put(util_path("in"), text, n);
	}
	free(to);
}

/* The text many times over. */
static void
put_long(const struct file *f)
{
	struct rna_buf b = RNA_BUF_INIT;
	const char *body = f->text;
	int k;

	for (k = 0; k < f->head; k++)
		body = strchr(body, '\n') + 1;
	make_bytes(&b, f->text, (size_t)(body - f->text));
	while (b.len < LONG)
		must(rna_buf_str(&b, body));
	make_bytes(&b, "", 1);
	put_file(f, (const char *)b.data);
	rna_buf_fini(&b);
}

static const char *const kept[] = {"extra", "label"};
static const struct file files[] = {
    {"formats/golden/frames.rill", NULL, {.nthreads = 1}, 0, 0},
    {"formats/golden/types.rill", NULL, {.nthreads = 1}, 0, 0},
    {"FASTA", ">one tRNA\nACGU\nACGT\n>two\nGG GG\n>\nA\n>one tRNA\nACGUACGU\n", {.nthreads = 1}, 0, 0},
    {"FASTA by gzip", ">one tRNA\nACGU\n>two\nGGGG\n", {.nthreads = 1}, 1, 0},
    {"FASTA by zstd", ">one tRNA\nACGU\n>two\nGGGG\n", {.nthreads = 1}, 2, 0},
    {"FASTA by zstd, a skippable frame", ">one tRNA\nACGU\n>two\nGGGG\n", {.nthreads = 1}, 3, 0},
    {"FASTQ", "@one a\nACGU\n+\nIIII\n@two\nGGGG\n+two\nIIII\n", {.nthreads = 1}, 0, 0},
    {"csv", "name,seq,label,extra\na,ACGU,x,\"1,\"\"2\"\"\"\nb,GG,y,3\n",
	{.format = RNA_FORMAT_CSV, .nthreads = 1, .keep = kept, .nkeep = 2}, 0, 1},
    {"csv of pairs", "a_name\ta_seq\tb_name\tb_seq\tlabel\nx\tACGU\ty\tGGCC\t1\n",
	{.format = RNA_FORMAT_CSV, .nthreads = 1, .pair_a = "a_seq", .pair_b = "b_seq", .reverse = "b_seq"}, 0, 1},
    {"dot-bracket", ">a\nGGGAAACCC\n(((...))) (-1.20)\n>b\nACGU\n....\n", {.format = RNA_FORMAT_DBN, .nthreads = 1}, 0,
	0},
    {"bpseq", "# a\n1 G 4\n2 A 0\n3 A 0\n4 C 1\n", {.format = RNA_FORMAT_BPSEQ, .nthreads = 1}, 0, 0},
    {"ct", "4 ENERGY = -1.0 a\n1 G 0 2 4 1\n2 A 1 3 0 2\n3 A 2 4 0 3\n4 C 3 0 1 4\n",
	{.format = RNA_FORMAT_CT, .nthreads = 1}, 0, 0},
    {"st", "#Name: a\n#Length: 4\nGAAC\n(..)\nSHHS\nNNNN\nS1 1..1 \"G\" 4..4 \"C\"\n",
	{.format = RNA_FORMAT_ST, .nthreads = 1}, 0, 0},
};

/* Long lines, of which each piece may be the last that can be read. */
static void
put_lines(int kind)
{
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	must(rna_buf_str(&b, kind == 0 ? ">" : kind == 1 ? "@" : "name,seq\n\""));
	while (b.len < LONG)
		must(rna_buf_str(&b, kind == 2 ? "words\n\"\"of\n" : "words of "));
	must(rna_buf_str(&b, kind == 2 ? "\"," : "\n"));
	for (i = 0; i < LONG / 8; i++)
		must(rna_buf_str(&b, kind == 2 || i % 1000 ? "ACGUACGU" : "ACGUACG\n"));
	must(rna_buf_str(&b, kind == 1 ? "\n+\n" : "\n"));
	for (i = 0; kind == 1 && i < LONG / 8; i++)
		must(rna_buf_str(&b, i % 1000 ? "IIIIIIII" : "IIIIIII\n"));
	util_put(util_path("in"), b.data, b.len);
	rna_buf_fini(&b);
}

int
main(void)
{
	static const struct file lines[] = {{"long lines of FASTA", "", {.nthreads = 1}, 0, 0},
	    {"long lines of FASTQ", "", {.nthreads = 1}, 0, 0},
	    {"long fields", "", {.format = RNA_FORMAT_CSV, .nthreads = 1}, 0, 0}};
	char name[80];
	size_t i;

	json_set_alloc_funcs(fault_json, free);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i].text != NULL)
			put_file(&files[i], files[i].text);
		fault_try(files[i].name, read_file, &files[i], NULL);
		if (files[i].text == NULL)
			continue;
		fault.calls_alone = 1;
		put_long(&files[i]);
		snprintf(name, sizeof(name), "%s, a long file", files[i].name);
		fault_try(name, read_file, &files[i], NULL);
		fault.calls_alone = 0;
	}
	fault.calls_alone = 1;
	for (i = 0; i < 3; i++) {
		put_lines((int)i);
		fault_try(lines[i].name, read_file, &lines[i], NULL);
	}
	util_clean();
	return done();
}
#endif
