/*
 * unit_source.c: FASTA and FASTQ text to records, and the identity of an RNA.
 *
 * 1. Text   2. Identity
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seq/source.h"
#include "stream/rng.h"
#include "tap.h"

static char path[] = "/tmp/unit_source.XXXXXX";

static void
spill(const void *text, size_t n)
{
	FILE *fp = fopen(path, "wb");

	if (fp == NULL || fwrite(text, 1, n, fp) != n || fclose(fp) != 0) {
		perror(path);
		exit(2);
	}
}

static void
spill_str(const char *text)
{
	spill(text, strlen(text));
}

/* 1. Text */

/* The records of text as "name|desc|seq" lines; the message when it ends in an error. */
static char *
read_all(const char *text, size_t n, enum rna_format format)
{
	static char all[4096];
	struct rna_source_options opts = {.format = format, .nthreads = 1};
	struct rna_source *s;
	struct rna_record rec;
	struct rna_err err;
	enum rna_status st;
	size_t at = 0, k[3];
	const char *f[3];

	spill(text, n);
	all[0] = '\0';
	rna_err_clear(&err);
	if ((s = rna_source_open(rna_input_open(path, &err), &opts, &err)) == NULL) {
		snprintf(all, sizeof all, "%s", err.text);
		return all;
	}
	rna_record_init(&rec);
	while ((st = rna_source_read(s, &rec, &err)) == RNA_OK) {
		f[0] = rna_record_get_str(&rec, "name", &k[0]);
		if ((f[1] = rna_record_get_str(&rec, "desc", &k[1])) == NULL)
			k[1] = 0;
		f[2] = rna_record_get_str(&rec, "seq", &k[2]);
		at += (size_t)snprintf(all + at, sizeof all - at, "%.*s|%.*s|%.*s;", (int)k[0], f[0], (int)k[1],
		    f[1] != NULL ? f[1] : "", (int)k[2], f[2]);
	}
	if (st != RNA_END)
		snprintf(all + at, sizeof all - at, "record %llu: %s", (unsigned long long)err.record, err.text);
	rna_record_fini(&rec);
	rna_source_close(s);
	return all;
}

#define READS(text, want, what) ok(strcmp(read_all(text, sizeof(text) - 1, RNA_FORMAT_AUTO), want) == 0, "%s", what)
#define FAILS(text, want, what) ok(strstr(read_all(text, sizeof(text) - 1, RNA_FORMAT_AUTO), want) != NULL, "%s", what)

static void
fasta(void)
{
	READS(">a\nAC\nGU\n>b x y\nA\n", "a||ACGU;b|x y|A;", "wrapped lines and a description");
	READS(">a\r\nAC\r\nGU\r\n", "a||ACGU;", "CRLF");
	READS(">a\nACGU", "a||ACGU;", "no last newline");
	READS(">a\nACGU\r", "a||ACGU;", "a CR at the very end");
	READS("\n\n>a\n\nAC\n\nGU\n\n", "a||ACGU;", "blank lines");
	READS(";c\n>a\nAC\n;c\nGU\n", "a||ACGU;", "comments");
	READS(">a\n>b\n>\n>c", "a||;b||;||;c||;", "empty records and an empty name");
	READS(">a\tb  c\t\nA\n", "a|b  c\t|A;", "tabs in the header");
	READS("> a b\nA\n", "a|b|A;", "a blank before the name");
	READS(">a\nAC gu\tN-.*\n", "a||ACguN-.*;", "letters as read, blanks left out");
	READS(">a\nA\n>a\nA\n", "a||A;a||A;", "duplicate names");
	READS("\xef\xbb\xbf>a\nA\n", "a||A;", "a byte order mark");
	READS(">\x1b[31m\xc3\xa9\nA\n", "\x1b[31m\xc3\xa9||A;", "any byte in a name");
	FAILS(">a\nA\n>b\nAC\0GU\n", "a||A;record 2: line 4: byte 0x00 after 2 letters", "NUL in a sequence");
	FAILS(">a\nAC\nG\x1bU\n", "record 1: line 3: byte 0x1b after 3 letters", "ESC in a sequence");
	FAILS(">a\nAC\xc3\xa9\n", "byte 0xc3", "UTF-8 in a sequence");
	FAILS(">a\nAC\rGU\n", "byte 0x0d", "CR in a line");
	READS("@a x\nACGU\n+\nIIII\n@b\nA\n+b\n@\n", "a|x|ACGU;b||A;", "FASTQ");
	READS("@a\nAC\nGU\n+\nII\n@I\n@b\n\n+\n\n@c\nA\n+\nI", "a||ACGU;b||;c||A;",
	    "FASTQ in several lines, an empty read");
	FAILS("@a\nACGU\n+\nIII\n", "3 qualities of 4 letters", "too few qualities");
	FAILS("@a\nACGU\n+\nIIIII\n", "5 qualities for 4 letters", "too many qualities");
	FAILS("@a\nACGU\n", "before the '+' line", "FASTQ cut short");
	FAILS("", "empty input", "an empty file");
	READS("\n \n", "", "a file of blank lines has no records");
	FAILS("hello world\n", "neither a record stream nor", "prose");
	READS("acgu\nGGNN\n", "||acgu;||GGNN;", "bare sequences");
	READS(">a\n--AC\n..GU\n", "a||--AC..GU;", "aligned FASTA is not dot-bracket");
	READS(">a\nACGU\n(..)\n", "a||ACGU;", "dot-bracket is found");
	READS(">a\nACGU\n.... ( 0.00)\n>b\nA\n.\n", "a||ACGU;b||A;", "dot-bracket without pairs is found");
}

/* Lines of random lengths and ends that cross the reader's buffer, against the letters that were put in. */
static void
long_fasta(void)
{
	struct rna_source_options opts = {.format = RNA_FORMAT_AUTO, .nthreads = 1};
	struct rna_buf text = RNA_BUF_INIT, seq = RNA_BUF_INIT;
	struct rna_source *s;
	struct rna_record rec;
	struct rna_rng rng;
	struct rna_err err;
	size_t n, i, round;
	const char *got;

	rna_record_init(&rec);
	for (round = 0; round < 6; round++) {
		rna_rng_init(&rng, round);
		rna_buf_reuse(&text);
		rna_buf_reuse(&seq);
		if (rna_buf_str(&text, ">long\r\n") != RNA_OK)
			exit(2);
		while (seq.len < 3u << 20) {
			n = rna_rng_below(&rng, round < 3 ? 200 : 1u << (8 + 4 * (round - 3)));
			for (i = 0; i < n; i++)
				if (rna_buf_add(&seq, "ACGU" + rna_rng_below(&rng, 4), 1) != RNA_OK)
					exit(2);
			if (rna_buf_add(&text, seq.data + seq.len - n, n) != RNA_OK ||
			    rna_buf_str(&text, round % 2 ? "\r\n" : "\n") != RNA_OK)
				exit(2);
		}
		spill(text.data, text.len);
		rna_err_clear(&err);
		s = rna_source_open(rna_input_open(path, &err), &opts, &err);
		ok(s != NULL && rna_source_read(s, &rec, &err) == RNA_OK &&
			(got = rna_record_get_str(&rec, "seq", &n)) != NULL && n == seq.len &&
			memcmp(got, seq.data, n) == 0 && rna_source_read(s, &rec, &err) == RNA_END,
		    "3 Mb in lines of random length, round %zu", round);
		rna_source_close(s);
	}
	opts.max_nt = 1000000;
	s = rna_source_open(rna_input_open(path, &err), &opts, &err);
	ok(s != NULL && rna_source_read(s, &rec, &err) == RNA_EFORMAT &&
		strstr(err.text, "longer than 1000000") != NULL,
	    "a record longer than asked for is refused");
	rna_source_close(s);
	rna_record_fini(&rec);
	rna_buf_fini(&text);
	rna_buf_fini(&seq);
}

/* 2. Identity */

static size_t
rids(const char *text, uint64_t *rid, size_t cap)
{
	struct rna_source *s;
	struct rna_record rec;
	struct rna_err err;
	size_t n = 0;

	spill_str(text);
	if ((s = rna_source_open(rna_input_open(path, &err), NULL, &err)) == NULL)
		return 0;
	rna_record_init(&rec);
	while (n < cap && rna_source_read(s, &rec, &err) == RNA_OK && rna_record_get_u64(&rec, "rid", &rid[n]))
		n++;
	rna_record_fini(&rec);
	rna_source_close(s);
	return n;
}

static void
identity(void)
{
	uint64_t a[4], b[4], h;

	ok(rids(">x\nACGU\n>y\nGG\n>x\nACGU\n>x\nACG\n", a, 4) == 4, "four records");
	ok(a[0] != a[2] && a[0] != a[3] && a[1] != a[0], "differ by occurrence, sequence and name");
	ok(rids(">x\nACG\n>x d\nacgt\n>y z\ngg\n>x\nAcgT\n", b, 4) == 4 && b[0] == a[3] && b[1] == a[0] &&
		b[2] == a[1] && b[3] == a[2],
	    "whatever the order, case, T or U and description");
	h = rna_hash("ACGU", 4, rna_hash("x", 1, 0));
	ok(a[0] == rna_hash("\0\0\0\0", 4, h) && a[2] == rna_hash("\1\0\0\0", 4, h), "as formats/fields.md defines it");
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 2;
	close(fd);
	fasta();
	long_fasta();
	identity();
	unlink(path);
	return done();
}
