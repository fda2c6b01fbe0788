/*
 * unit_readers.c: damaged energy files, headers, indices of shards, packed files and FASTA, each refused in its words;
 * callers that want no words.
 */
#include <sys/endian.h>
#include <zlib.h>
#include "fold/energy.h"
#include "nn/safetensors.h"
#include "seq/source.h"
#include "stream_util.h"
#include "tap.h"

static void
put_text(const char *name, const char *text)
{
	util_put(util_path(name), text, strlen(text));
}

/* 1. Energies */

/* The built-in file with `what` put in the place of the first `at` (NULL: the text alone). */
static void
put_energies(const struct rna_buf *whole, const char *at, const char *what)
{
	const char *text = (const char *)whole->data, *p = at != NULL ? strstr(text, at) : text;
	struct rna_buf b = RNA_BUF_INIT;

	if (p != NULL && at != NULL) {
		make_bytes(&b, text, (size_t)(p - text));
		must(rna_buf_str(&b, what));
		must(rna_buf_str(&b, p + strlen(at)));
	} else {
		must(rna_buf_str(&b, what));
	}
	util_put(util_path("e.par"), b.data, b.len);
	rna_buf_fini(&b);
}

static void
test_energies(void)
{
	static const struct {
		const char *at, *what, *says; /* says NULL: read */
	} files[] = {
	    {"# stack\n", "# stack /* a comment */\n", NULL},
	    {"# stack\n", "/* never closed\n# stack\n", NULL},
	    {"# stack\n", "/* over\nlines */\n# stack\n", NULL},
	    {"# stack\n", "# stack\n-240.0 ", "too many values in block stack"},
	    {"# stack\n", "# stack\n-240000 ", "not an energy in 0.01 kcal/mol: -240000"},
	    {"# stack\n", "# stack\n1e9 ", "not an energy in 0.01 kcal/mol: 1e9"},
	    {"# stack\n", "# stack\n-1e9 ", "not an energy in 0.01 kcal/mol: -1e9"},
	    {"# stack\n", "# stack\nDEF ", "not an energy in 0.01 kcal/mol: DEF"},
	    {"# stack\n", "# stack\n- ", "not an energy in 0.01 kcal/mol: -"},
	    {"# stack\n", "# stack\n1e999 ", "not an energy in 0.01 kcal/mol: 1e999"},
	    {"# stack\n", "# stack\n12x ", "not an energy in 0.01 kcal/mol: 12x"},
	    {"# stack\n", "# stacks\n", "unknown block: stacks"},
	    {"# stack_enthalpies", "# stack_enthalpie", "unknown block: stack_enthalpie"},
	    {"# stack\n", "# NINIO\n60 INF 300\n# stack\n", NULL},
	    {"# Triloops\n", "# Triloops\nCAACG 1 2\nCAACG 3 4\nCTTTG 1 1\n", NULL},
	    {"# Triloops\n", "# Triloops\nCAAG 1 2\n", "not a hairpin of this block: CAAG"},
	    {"# Triloops\n", "# Triloops\nCANCG 1 2\n", "not a hairpin of this block: CANCG"},
	    {"# Triloops\n", "# Triloops\nCAACG 1\n#\n", "energy or enthalpy missing after CAACG"},
	    {"# Triloops\n", "# Triloops\nCAACG\n#\n", "energy or enthalpy missing after CAACG"},
	    {"# Triloops\n", "# Triloops\nCAACG x 1\n", "not an energy in 0.01 kcal/mol: x"},
	    {"# Triloops\n", "# Triloops\nCAACG 1 x\n", "not an energy in 0.01 kcal/mol: x"},
	    {NULL, "", "no block stack"},
	    {NULL, "## title alone", "no block stack"},
	    {NULL, "word", "not in a block: word"},
	    {NULL, "# END\n", "no block stack"},
	    {NULL, "#", "a block without a name"},
	    {NULL, "# stack\n1 2\n", "too few values in block stack"},
	    {NULL, "# stack\n1 2", "too few values in block stack"},
	    {NULL, "# stack\n1 12", "too few values in block stack"},
	    {NULL, "# stack\n1 -", "not an energy in 0.01 kcal/mol: -"},
	};
	struct rna_buf whole = RNA_BUF_INIT, loops = RNA_BUF_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_energy_file *f;
	size_t i;
	int k;

	util_get(util_root("formats/turner2004.par"), &whole);
	make_bytes(&whole, "", 1);
	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		put_energies(&whole, files[i].at, files[i].what);
		rna_err_clear(&e);
		f = rna_energy_file_open(util_path("e.par"), &e);
		ok(files[i].says == NULL ? f != NULL : f == NULL && strstr(e.text, files[i].says) != NULL, "%zu: %s", i,
		    e.text);
		rna_energy_file_close(f);
	}
	must(rna_buf_str(&loops, "# Hexaloops\n"));
	for (k = 0; k < 1200; k++) {
		must(rna_buf_str(&loops, "A"));
		for (i = 0; i < 6; i++)
			make_bytes(&loops, &"ACGU"[k >> 2 * i & 3], 1);
		must(rna_buf_str(&loops, "U 1 1\n"));
	}
	make_bytes(&loops, "", 1);
	put_energies(&whole, "# Hexaloops\n", (const char *)loops.data);
	f = rna_energy_file_open(util_path("e.par"), &e);
	ok(f == NULL && strstr(e.text, "too many special hairpins") != NULL, "%s", e.text);
	rna_buf_fini(&loops);
	make_zeros(&loops, 65u << 20);
	util_put(util_path("e.par"), loops.data, loops.len);
	f = rna_energy_file_open(util_path("e.par"), &e);
	ok(f == NULL && strstr(e.text, "too large") != NULL, "%s", e.text);
	rna_buf_fini(&loops);
	rna_buf_fini(&whole);
}

/* 2. JSON */

static void
test_headers(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
	    {"", "header is not a JSON object"},
	    {"   ", "header is not a JSON object"},
	    {"[1]", "header is not a JSON object"},
	    {"[}", "header: "},
	    {"{}", "header has no format version"},
	    {"{\"rill\": \"1\"}", "header has no format version"},
	    {"{\"rill\": 0}", "header has no format version"},
	    {"{\"rill\": 2}", "format version 2, and this program knows up to 1"},
	    {"{\"rill\": 1, \"rill\": 1}", "header: "},
	    {"{\"rill\": 1, \"vocab\": 1}", "header: vocab is not {name, digest}"},
	    {"{\"rill\": 1, \"vocab\": {\"name\": 1, \"digest\": \"\"}}", "header: vocab is not {name, digest}"},
	    {"{\"rill\": 1, \"vocab\": {\"name\": \"\"}}", "header: vocab is not {name, digest}"},
	    {"{\"rill\": 1, \"records\": -1}", "header: a total is not a number of things"},
	    {"{\"rill\": 1, \"records\": 1.5}", "header: a total is not a number of things"},
	    {"{\"rill\": 1, \"tokens\": \"1\"}", "header: a total is not a number of things"},
	    {"{\"rill\": 1, \"provenance\": {}}", "header: provenance is not an array"},
	    {"{\"rill\": 1, \"provenance\": [1]}", "header: a provenance entry is not an object"},
	};
	struct rna_err e = {.record = RNA_NOREC};
	json_t *extra = json_pack("{s:i, s:s}", "seed", 1, "tool", "not this one");
	struct rna_header h, copy;
	struct rna_buf b = RNA_BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(rna_header_parse(&h, bad[i].json, strlen(bad[i].json), &e) >= RNA_EFORMAT && h.json == NULL &&
			strstr(e.text, bad[i].says) != NULL &&
			rna_header_parse(&h, bad[i].json, strlen(bad[i].json), NULL) == e.status,
		    "%s: %s", bad[i].json, e.text);
	ok(rna_header_parse(&h, "{}", (size_t)RNA_HEADER_MAX + 1, &e) == RNA_EFORMAT, "%s", e.text);
	must(rna_header_parse(&h, "{\"rill\":1,\"records\":3,\"other\":[]}  ", 35, &e));
	ok(rna_header_records(&h) == 3 && rna_header_tokens(&h) == RNA_TOTAL_UNKNOWN &&
		*rna_header_vocab_name(&h) == '\0',
	    "blanks behind a header");
	must(rna_header_set_vocab(&h, "v", "d"));
	must(rna_header_set_vocab(&h, "", ""));
	must(rna_header_set_totals(&h, RNA_TOTAL_UNKNOWN, 7));
	must(rna_header_add_provenance(&h, "rna-x", "1", 0, NULL, extra));
	must(rna_header_copy(&copy, &h));
	must(rna_header_dump(&copy, &b));
	make_bytes(&b, "", 1);
	ok(strcmp((const char *)b.data,
	       "{\"rill\":1,\"other\":[],\"tokens\":7,\"provenance\":[{\"tool\":\"rna-x\",\"version\":"
	       "\"1\",\"args\":[],\"seed\":1}]}") == 0,
	    "%s", (const char *)b.data);
	rna_header_fini(&h);
	rna_header_fini(&copy);
	rna_buf_fini(&b);
	json_decref(extra);
}

static void
test_index(void)
{
	static const struct {
		const char *json, *says;
	} bad[] = {
	    {"{", "at line 1"},
	    {"[]", "no weight_map"},
	    {"{\"weight_map\": []}", "no weight_map"},
	    {"{\"weight_map\": {}}", "weight_map names 0 files"},
	    {"{\"weight_map\": {\"a\": 1}}", "the file of a is not a plain file name"},
	    {"{\"weight_map\": {\"a\": \"\"}}", "the file of a is not a plain file name"},
	    {"{\"weight_map\": {\"a\": \".\"}}", "the file of a is not a plain file name"},
	    {"{\"weight_map\": {\"a\": \"..\"}}", "the file of a is not a plain file name"},
	    {"{\"weight_map\": {\"a\": \"x/y\"}}", "the file of a is not a plain file name"},
	    {"{\"weight_map\": {\"a\": \"none\"}}", "No such file"},
	    {"{\"weight_map\": {\"b\": \"one\"}}", "tensor a is in one, the weight_map has it nowhere"},
	    {"{\"weight_map\": {\"a\": \"two\", \"b\": \"one\"}}", "tensor a is in one, the weight_map has it in two"},
	    {"{\"weight_map\": {\"a\": \"one\", \"b\": \"one\"}}", "weight_map has 2 tensors, the shards 1"},
	    {"{\"weight_map\": {\"a\": \"one\"}}", NULL},
	};
	struct rna_err e = {.record = RNA_NOREC};
	const float x[2] = {1, 2};
	const struct rna_tensor_out a = {.name = "a", .dtype = "F32", .ndim = 1, .dims = {2}, .data = x},
				    b = {.name = "b", .dtype = "F32", .ndim = 1, .dims = {2}, .data = x};
	struct rna_tensor_out many = {.name = "a", .dtype = "F32", .ndim = RNA_SAFETENSORS_DIMS, .data = x};
	struct rna_safetensors s;
	char folder[512];
	json_t *map;
	size_t i;

	snprintf(folder, sizeof(folder), "%s", util_path(""));
	must(rna_safetensors_write(util_path("one"), &a, 1, NULL, NULL, NULL, &e));
	must(rna_safetensors_write(util_path("two"), &b, 1, NULL, NULL, NULL, &e));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put_text("model.safetensors.index.json", bad[i].json);
		rna_err_clear(&e);
		ok((rna_safetensors_open_dir(&s, folder, &e) == RNA_OK) == (bad[i].says == NULL) &&
			(bad[i].says == NULL || strstr(e.text, bad[i].says) != NULL),
		    "%s: %s", bad[i].json, e.text);
		rna_safetensors_close(&s);
		ok((rna_safetensors_open_dir(&s, folder, NULL) == RNA_OK) == (bad[i].says == NULL), "no words wanted");
		rna_safetensors_close(&s);
	}
	/* as many dimensions as there may be, and one more */
	for (i = 0; i < RNA_SAFETENSORS_DIMS; i++)
		many.dims[i] = i == 0 ? 2 : 1;
	ok(rna_safetensors_write(util_path("model.safetensors"), &many, 1, NULL, NULL, NULL, &e) == RNA_OK &&
		rna_safetensors_open_dir(&s, folder, &e) == RNA_OK && s.list[0].ndim == RNA_SAFETENSORS_DIMS,
	    "a tensor of 32 dimensions");
	rna_safetensors_close(&s);
	many.ndim++;
	ok(rna_safetensors_write(util_path("model.safetensors"), &many, 1, NULL, NULL, NULL, &e) == RNA_EINVAL,
	    "one of 33");
	unlink(util_path("model.safetensors"));
	/* more files than a model has */
	map = json_object();
	for (i = 0; i < 10001; i++) {
		char name[32];

		snprintf(name, sizeof(name), "t%zu", i);
		json_object_set_new(map, name, json_string(name));
	}
	map = json_pack("{s:o}", "weight_map", map);
	ok(map != NULL && json_dump_file(map, util_path("model.safetensors.index.json"), 0) == 0 &&
		rna_safetensors_open_dir(&s, folder, &e) == RNA_EFORMAT && strstr(e.text, "names 10001 files") != NULL,
	    "%s", e.text);
	rna_safetensors_close(&s);
	json_decref(map);
	unlink(util_path("model.safetensors.index.json"));
}

/* 3. Packed files */

/* What an input holds, or how it is refused; texts of some MiB by their length. */
static void
expect(const void *data, size_t n, const char *want)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_input *in;
	enum rna_status st = RNA_OK;
	size_t got = 1;

	util_put(util_path("packed"), data, n);
	if ((in = rna_input_open(util_path("packed"), &e)) == NULL)
		st = e.status;
	while (st == RNA_OK && got > 0) {
		must(rna_buf_reserve(&b, 1u << 20));
		st = rna_input_read(in, b.data + b.len, 1u << 20, &got, &e);
		b.len += st == RNA_OK ? got : 0;
	}
	make_bytes(&b, "", 1);
	ok(st == RNA_OK ? strcmp((const char *)b.data, want) == 0 : *want == '!' && strstr(e.text, want + 1) != NULL,
	    "%zu bytes: %.60s", n, st == RNA_OK ? "read" : e.text);
	rna_input_close(in);
	rna_buf_fini(&b);
}

static size_t
gzip(unsigned char *dst, size_t room, const char *text)
{
	z_stream z = {0};

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	z.next_in = (unsigned char *)(uintptr_t)text;
	z.avail_in = (uInt)strlen(text);
	z.next_out = dst;
	z.avail_out = (uInt)room;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return room - z.avail_out;
}

static void
test_packed(void)
{
	static const unsigned char skip[] = {0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'x', 'y'};
	static const unsigned char bgzf_end[28] = {
	    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C', 2, 0, 0x1b, 0, 3};
	unsigned char b[4096], z[512];
	size_t n, k, i;

	n = gzip(b, sizeof(b), ">a\nACGU\n");
	expect(b, n, ">a\nACGU\n");
	k = n + gzip(b + n, sizeof(b) - n, "more\n");
	expect(b, k, ">a\nACGU\nmore\n");
	memset(b + k, 0, 100);
	expect(b, k + 100, ">a\nACGU\nmore\n");
	memcpy(b + k, "\0\0text", 6);
	expect(b, k + 6, "!bytes that are not gzip follow gzip data");
	memcpy(b + k, "\x1f", 1);
	expect(b, k + 1, "!bytes that are not gzip follow gzip data");
	memcpy(b + k, "\x1fx", 2);
	expect(b, k + 2, "!bytes that are not gzip follow gzip data");
	for (i = 2; i < n; i++)
		expect(b, i, "!gzip data is cut short");
	b[n - 6] ^= 1;
	expect(b, n, "!damaged gzip data: incorrect data check");
	b[n - 6] ^= 1;
	b[12] ^= 0xff;
	expect(b, n, "!damaged gzip data");
	/* bgzf: gzip whose first member says so, ended by an empty one */
	n = gzip(b, sizeof(b), "text\n");
	memmove(b + 18, b + 10, n - 10);
	memcpy(b + 10, "\6\0BC\2\0\0\0", 8);
	b[3] = 4;
	expect(b, n + 8, "!bgzf file is cut short (its end marker is missing)");
	memcpy(b + n + 8, bgzf_end, sizeof(bgzf_end));
	expect(b, n + 8 + sizeof(bgzf_end), "text\n");
	/* zstd */
	n = ZSTD_compress(z, sizeof(z), ">a\nACGU\n", 8, 1);
	expect(z, n, ">a\nACGU\n");
	memcpy(b, skip, sizeof(skip));
	memcpy(b + 10, z, n);
	expect(b, n + 10, ">a\nACGU\n");
	memcpy(b + n + 10, skip, sizeof(skip));
	expect(b, n + 20, ">a\nACGU\n");
	memcpy(b + n + 20, z, n);
	expect(b, 2 * n + 20, ">a\nACGU\n>a\nACGU\n");
	for (i = 1; i < n; i++)
		expect(b, i + 10, i < 4 ? "!cut short within a frame" : "!zstd data is cut short");
	for (i = 4; i < 10; i++)
		expect(b, i, i < 8 ? "!cut short" : "!cut short within a skippable frame");
	expect(b, 10, "");
	memcpy(b + 10, "text", 4);
	expect(b, 14, "!bytes that are no zstd frame follow a skippable one");
	memcpy(b + 10, skip, sizeof(skip));
	memcpy(b + 20, "ACGU", 4);
	expect(b, 24, "!bytes that are no zstd frame follow a skippable one");
	memcpy(b, z, n);
	memcpy(b + n, "junk", 4);
	expect(b, n + 4, "!damaged zstd data");
	expect("\x28\x35\x2f\x7d...", 7, "!text mode");
	expect("\x28\xc2\xb5\x2f\xc3\xbd.", 7, "!text mode");
	expect("\x28\xef\xbf\xbd\x2f\xef\xbf\xbd", 8, "!text mode");
	expect(MAKE_MAGIC "x", 9, "!decompressed: run zstd over it");
	expect("", 0, "");
	expect("A", 1, "A");
	expect("\x1f\x8b", 2, "!gzip data is cut short");
	ok(rna_input_open(util_path("nothing"), NULL) == NULL && rna_input_open("/", NULL) == NULL,
	    "no file and no words");
	rna_input_close(NULL);
}

static void
test_fasta(void)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
	    {"@a\nACGU\n", "the file ends before the '+' line of a FASTQ record"},
	    {"@a\nACGU\n+\nII\n", "the file ends after 2 qualities of 4 letters"},
	    {"@a\nACGU\n+\nIIIII\n", "5 qualities for 4 letters"},
	    {"@a\nACGU\n+a\nII\nII\n@b\n\001\n+\n", "byte 0x01"},
	    {"@a\nACGU\n+\nI\001II\n", "byte 0x01"},
	    {"\xef\xbbx\n", "0xef"},
	    {"\xef", "0xef"},
	    {">a\nAC\n;a comment\nGU\n  \n\t>b\n", NULL},
	    {"; a comment\n\n\r\n \t>a\r\nAC\r\n\r\nGU\r", NULL},
	    {"@a\n\n+\n\n@b\nA\n+\nI", NULL},
	};
	struct rna_source_options opts = {.format = RNA_FORMAT_FASTA, .nthreads = 1};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_record rec;
	struct rna_source *s;
	enum rna_status st;
	size_t i;

	rna_record_init(&rec);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put_text("x.fa", bad[i].text);
		rna_err_clear(&e);
		s = rna_source_open(rna_input_open(util_path("x.fa"), &e), &opts, &e);
		while ((st = rna_source_read(s, &rec, &e)) == RNA_OK)
			continue;
		ok(bad[i].says == NULL ? st == RNA_END : st != RNA_END && strstr(e.text, bad[i].says) != NULL,
		    "%zu: %s", i, e.text);
		rna_source_close(s);
	}
	rna_record_fini(&rec);
}

int
main(void)
{
	test_energies();
	test_headers();
	test_index();
	test_packed();
	test_fasta();
	util_clean();
	return done();
}
