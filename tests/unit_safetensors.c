/*
 * unit_safetensors.c: what the format allows is read, what it forbids is refused with the sentence of
 * formats/golden-errors/model/expected.tsv, and the writer's bytes are a function of the tensors.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/model.h"
#include "nn/replace.h"
#include "nn/safetensors.h"
#include "nn/sha256.h"
#include "tap.h"

#define ERRORS "formats/golden-errors/model"
#define TINY "formats/golden/model-tiny"

static char scratch[] = "/tmp/unit_safetensors.XXXXXX";

static const char *
in_scratch(const char *file)
{
	static char buf[4][256];
	static int at;

	at = (at + 1) % 4;
	snprintf(buf[at], sizeof(buf[at]), "%s/%s", scratch, file);
	return buf[at];
}

static int
write_bytes(const char *path, const void *data, size_t n)
{
	FILE *fp = fopen(path, "w");

	return fp && fwrite(data, 1, n, fp) == n && fclose(fp) == 0;
}

/* A file of that header and that many bytes of data. */
static int
write_file(const char *path, const char *header, size_t ndata)
{
	unsigned char buf[4096] = {0};
	size_t n = strlen(header);

	le64enc(buf, n);
	memcpy(buf + 8, header, n);
	return write_bytes(path, buf, 8 + n + ndata);
}

/* One line, no control characters. */
static int
decent(const char *s)
{
	if (!*s || strlen(s) > 500)
		return 0;
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			return 0;
	return 1;
}

/* The status and sentence with which a file of ERRORS is met. */
static enum rna_status
meet(struct rk *rk, const char *file, struct rna_err *err)
{
	struct rna_safetensors s;
	struct rna_model m;
	enum rna_status st;
	char path[512], cmd[2048];

	snprintf(path, sizeof(path), ERRORS "/%s", file);
	rna_err_clear(err);
	if (strstr(file, ".safetensors")) {
		if ((st = rna_safetensors_open(&s, path, err)) == RNA_OK)
			rna_safetensors_close(&s);
		return st;
	}
	snprintf(cmd, sizeof(cmd), "cp %s/vocab.txt %s/model.safetensors %s && cp %s %s", TINY, TINY, scratch, path,
	    in_scratch("config.json"));
	if (system(cmd) != 0)
		return RNA_OK;
	if ((st = rna_model_open(&m, scratch, rk, NULL, err)) == RNA_OK)
		rna_model_fini(&m);
	return st;
}

static void
test_errors(struct rk *rk)
{
	char *line = NULL, *sentence;
	struct rna_err err;
	enum rna_status st;
	size_t cap = 0;
	int n = 0, good;
	FILE *fp = fopen(ERRORS "/expected.tsv", "r");

	while (fp && getline(&line, &cap, fp) > 0) {
		line[strcspn(line, "\n")] = '\0';
		sentence = line + strcspn(line, "\t");
		*sentence++ = '\0';
		st = meet(rk, line, &err);
		good = st == RNA_EFORMAT && err.status == st && decent(err.text) && err.file[0] &&
		       (strcmp(sentence, "*") == 0 || strcmp(sentence, err.text) == 0);
		ok(good, "%s: %s", line, err.text);
		if (!good)
			diag("status %d, wanted: %s", (int)st, sentence);
		n++;
	}
	ok(n >= 90, "%d files that lie", n);
	free(line);
	if (fp)
		fclose(fp);
}

/* Rank 0, no elements, no tensors, spaces after the header, metadata, every dtype. */
static void
test_legal(void)
{
	static const struct {
		const char *header;
		size_t ndata, n;
		const char *what;
	} all[] = {
	    {"{}", 0, 0, "no tensors"},
	    {"{}   ", 0, 0, "spaces after the header"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1, "a scalar"},
	    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, 1, "a tensor without elements"},
	    {"{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
	     "\"a\":{\"dtype\":\"F32\",\"shape\":[2,0,5],\"data_offsets\":[3,3]}}",
		3, 2, "an empty one after bytes"},
	    {"{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[2,5]},"
	     "\"a\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[0,2]}}",
		5, 2, "another order"},
	    {"{\"__metadata__\":{\"format\":\"pt\",\"x\":\"\"}}", 0, 0, "metadata"},
	    {"{\"a\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[0,1],\"new\":1}}", 1, 1,
		"a key of the future"},
	};
	struct rna_safetensors s;
	struct rna_err err = {0};
	int good;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		good = write_file(in_scratch("x"), all[i].header, all[i].ndata) &&
		       rna_safetensors_open(&s, in_scratch("x"), &err) == RNA_OK;
		ok(good && s.n == all[i].n, "legal: %s (%s)", all[i].what, err.text);
		if (good)
			rna_safetensors_close(&s);
	}
}

static int
slurp(const char *file, struct rna_buf *buf)
{
	struct rna_err err;

	return rna_replace_slurp(in_scratch(file), 1 << 20, buf, &err) == RNA_OK;
}

/* A file of several pieces has the digest that libmd gives it. */
static void
test_digest(void)
{
	enum { N = 5u << 20 };
	float *f = calloc(N, sizeof(*f));
	const struct rna_tensor_out list[1] = {{"f", "F32", 1, {N}, f, NULL}};
	struct rna_safetensors s;
	struct rna_err err = {0};
	char ours[65] = "", theirs[65] = "";

	for (size_t i = 0; f != NULL && i < N; i += 1000)
		f[i] = (float)i;
	if (f != NULL && rna_safetensors_write(in_scratch("d"), list, 1, NULL, NULL, NULL, &err) == RNA_OK &&
	    rna_safetensors_open(&s, in_scratch("d"), &err) == RNA_OK) {
		rna_safetensors_digest(&s, ours);
		rna_safetensors_close(&s);
	}
	ok(SHA256File(in_scratch("d"), theirs) != NULL && strcmp(ours, theirs) == 0, "the digest of 20 MB (%s)",
	    err.text);
	unlink(in_scratch("d"));
	free(f);
}

/* Halves by their bits: the largest, subnormal ones, zeros, infinities, not a number. */
static void
test_halves(void)
{
	static const uint16_t bits[8] = {0x3c00, 0xc100, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00};
	static const float want[7] = {1, -2.5f, 65504, 0x1p-24f, -0.0f, INFINITY, -INFINITY};
	static const uint16_t brain[2] = {0x3f80, 0xc020};
	const struct rna_tensor_out list[2] = {{"h", "F16", 1, {8}, bits, NULL}, {"b", "BF16", 1, {2}, brain, NULL}};
	struct rna_safetensors s;
	struct rna_err err = {0};
	float back[8] = {0};
	int good;

	good = rna_safetensors_write(in_scratch("h"), list, 2, NULL, NULL, NULL, &err) == RNA_OK &&
	       rna_safetensors_open(&s, in_scratch("h"), &err) == RNA_OK;
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "h"), 0, 8, back) == RNA_OK &&
		memcmp(back, want, sizeof(want)) == 0 && isnan(back[7]),
	    "halves (%s)", err.text);
	back[1] = 7;
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "h"), 0, 1, back) == RNA_OK && back[1] == 7 &&
		rna_safetensors_read(rna_safetensors_find(&s, "b"), 0, 1, back) == RNA_OK && back[1] == 7,
	    "no more is written than was asked for");
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "h"), 9, 0, back) == RNA_EINVAL,
	    "nothing begins past the end");
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "b"), 0, 2, back) == RNA_OK &&
		memcmp(back, want, 2 * sizeof(*want)) == 0,
	    "bf16");
	if (good)
		rna_safetensors_close(&s);
}

/* The same tensors in any order: the same bytes; aligned; read back. */
static void
test_writer(void)
{
	static const float f[3] = {1, -2.5f, 3e-30f};
	static const double d[2] = {0.1, -1e300};
	static const unsigned char u[5] = {1, 2, 3, 4, 5};
	const struct rna_tensor_out list[4] = {{"b", "F32", 1, {3}, f, NULL}, {"a", "U8", 1, {5}, u, NULL},
	    {"c", "F64", 2, {1, 2}, d, NULL}, {"e", "F32", 1, {0}, NULL, NULL}};
	const struct rna_tensor_out turned[4] = {list[3], list[2], list[1], list[0]};
	const struct rna_tensor_out twice[2] = {list[0], list[0]}, odd = {"o", "F7", 1, {1}, u, NULL};
	struct rna_buf x = RNA_BUF_INIT, y = RNA_BUF_INIT;
	struct rna_safetensors s;
	struct rna_err err = {0};
	float back[3] = {0};
	int good;

	good = rna_safetensors_write(in_scratch("w1"), list, 4, NULL, NULL, NULL, &err) == RNA_OK &&
	       rna_safetensors_write(in_scratch("w2"), turned, 4, NULL, NULL, NULL, &err) == RNA_OK &&
	       slurp("w1", &x) && slurp("w2", &y);
	ok(good && x.len == y.len && memcmp(x.data, y.data, x.len) == 0, "written: the same bytes in any order (%s)",
	    err.text);
	ok(good && le64dec(x.data) % 8 == 0 && x.data[8] == '{', "written: a header of whole eights");
	good = rna_safetensors_open(&s, in_scratch("w1"), &err) == RNA_OK && s.n == 4;
	ok(good && rna_safetensors_find(&s, "b") &&
		rna_safetensors_read(rna_safetensors_find(&s, "b"), 0, 3, back) == RNA_OK &&
		memcmp(back, f, sizeof(f)) == 0,
	    "written: read back");
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "c"), 1, 1, back) == RNA_OK && isinf(back[0]),
	    "an F64 beyond float is infinite");
	back[1] = 7;
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "c"), 0, 1, back) == RNA_OK && back[1] == 7,
	    "one F64 is one float");
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "a"), 0, 1, back) == RNA_EINVAL,
	    "bytes are not weights");
	ok(good && rna_safetensors_read(rna_safetensors_find(&s, "b"), 2, 2, back) == RNA_EINVAL,
	    "nothing is read past the end");
	ok(good && !rna_safetensors_find(&s, "d") && !rna_safetensors_find(&s, ""),
	    "a tensor that is not there is not found");
	if (good)
		rna_safetensors_close(&s);
	ok(rna_safetensors_write(in_scratch("w3"), twice, 2, NULL, NULL, NULL, &err) == RNA_EINVAL &&
		access(in_scratch("w3"), F_OK) != 0 && access(in_scratch("w3.part"), F_OK) != 0,
	    "a name twice is not written");
	ok(rna_safetensors_write(in_scratch("w3"), &odd, 1, NULL, NULL, NULL, &err) == RNA_EINVAL,
	    "an unknown dtype is not written");
	ok(rna_safetensors_write(in_scratch("no/w3"), list, 4, NULL, NULL, NULL, &err) == RNA_EIO && err.saved_errno,
	    "no folder: %s", err.text);
	rna_buf_fini(&x);
	rna_buf_fini(&y);
}

/* A golden file cut at every byte, and every bit of its header flipped: refused or read, never more. */
static void
test_cut_and_flipped(void)
{
	struct rna_buf x = RNA_BUF_INIT;
	struct rna_safetensors s;
	struct rna_err err = {0};
	size_t header, refused = 0, bad = 0;

	if (rna_replace_slurp(TINY "/model.safetensors", 1 << 20, &x, &err) != RNA_OK) {
		ok(0, "%s", err.text);
		return;
	}
	header = 8 + le64dec(x.data);
	for (size_t n = 0; n < x.len; n += n < 16 || n + 16 > x.len ? 1 : 97) {
		bad += !write_bytes(in_scratch("cut"), x.data, n);
		if (rna_safetensors_open(&s, in_scratch("cut"), &err) == RNA_OK) {
			rna_safetensors_close(&s);
			bad++;
		}
	}
	ok(!bad, "a file cut anywhere is refused");
	for (size_t bit = 0; bit < header * 8; bit += 7) {
		x.data[bit / 8] ^= 1 << bit % 8;
		bad += !write_bytes(in_scratch("flip"), x.data, x.len);
		if (rna_safetensors_open(&s, in_scratch("flip"), &err) == RNA_OK)
			rna_safetensors_close(&s);
		else
			bad += !decent(err.text), refused++;
		x.data[bit / 8] ^= 1 << bit % 8;
	}
	ok(!bad && refused > header / 4, "%zu of %zu flipped bits are refused in one line", refused,
	    header * 8 / 7 + 1);
	rna_buf_fini(&x);
}

static void
test_special_files(void)
{
	struct rna_safetensors s;
	struct rna_err err = {0};

	ok(mkfifo(in_scratch("fifo"), 0600) == 0 && rna_safetensors_open(&s, in_scratch("fifo"), &err) == RNA_EFORMAT &&
		strcmp(err.text, "not a regular file") == 0,
	    "a pipe is refused and does not hang");
	ok(rna_safetensors_open(&s, scratch, &err) == RNA_EFORMAT, "a folder is refused (%s)", err.text);
	ok(rna_safetensors_open(&s, in_scratch("none"), &err) == RNA_EIO && strstr(err.file, "none"), "no file: %s",
	    err.text);
	ok(symlink("loop", in_scratch("loop")) == 0 && rna_safetensors_open(&s, in_scratch("loop"), &err) == RNA_EIO,
	    "a link to itself: %s", err.text);
}

/* The digest of bytes given in pieces of any size is libmd's. */
static void
test_sha256(void)
{
	unsigned char bytes[1000];
	char ours[65], theirs[65];
	int wrong = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * i * 31 + i / 7);
	for (size_t n = 0; n <= sizeof(bytes); n += 7) {
		SHA2_CTX a, b;

		SHA256Init(&a);
		SHA256Init(&b);
		for (size_t at = 0, k; at < n; at += k) {
			k = (at * 5 + n) % 150 + 1;
			k = k < n - at ? k : n - at;
			rna_sha256_update(&a, bytes + at, k);
		}
		SHA256Update(&b, bytes, n);
		SHA256End(&a, ours);
		SHA256End(&b, theirs);
		wrong += strcmp(ours, theirs) != 0;
	}
	ok(wrong == 0, "SHA-256 of pieces is libmd's");
}

int
main(void)
{
	char why[160] = "", cmd[300];
	struct rk *rk = rk_open("ref", 1, why, sizeof(why));

	if (!rk || !mkdtemp(scratch)) {
		ok(0, "a backend and a scratch folder: %s", why);
		return done();
	}
	test_errors(rk);
	test_legal();
	test_halves();
	test_digest();
	test_writer();
	test_cut_and_flipped();
	test_special_files();
	test_sha256();
	rk_close(rk);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", scratch);
	ok(system(cmd) == 0, "the scratch folder goes away");
	return done();
}
