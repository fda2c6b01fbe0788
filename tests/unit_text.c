/*
 * unit_text.c: records as text: numbers, nesting, escapes, brackets.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "seq/kmervec.h"
#include "seq/text.h"
#include "tap.h"

static struct rna_record rec;
static struct rna_buf buf;
static struct rna_vocab vocab;

static void
add(const char *name, enum rna_dtype dtype, int ndim, const uint64_t *dims, const void *data)
{
	if (rna_record_set(&rec, name, dtype, ndim, dims, data) != RNA_OK)
		abort();
}

static void
add_str(const char *name, const char *s)
{
	if (rna_record_set_str(&rec, name, s, strlen(s)) != RNA_OK)
		abort();
}

static const char *
text(enum rna_text format)
{
	struct rna_text_options o = {.format = format, .vocab = &vocab};
	struct rna_err err = {.record = RNA_NOREC};

	rna_buf_reuse(&buf);
	if (rna_text_record(&o, &rec, &buf, &err) != RNA_OK)
		return "error";
	if (rna_buf_add(&buf, "", 1) != RNA_OK)
		abort();
	return (const char *)buf.data;
}

static void
is(enum rna_text format, const char *want, const char *name)
{
	const char *got = text(format);

	ok(strcmp(got, want) == 0, "%s", name);
	if (strcmp(got, want) != 0)
		diag("got <%s>, want <%s>", got, want);
	rna_record_reuse(&rec);
}

static void
numbers(void)
{
	const float f[4] = {NAN, INFINITY, -INFINITY, -0.1f};
	const double d = 0.1;
	const uint64_t big = UINT64_MAX;
	const int64_t low = INT64_MIN;
	const uint16_t half[3] = {0x3c00, 0xc000, 0x0001}, brain[2] = {0x3f80, 0x7fc0};

	add("f", RNA_F32, 1, (uint64_t[]){4}, f);
	is(RNA_TEXT_JSON, "{\"f\":[null,null,null,-0.100000001]}\n", "NaN and infinity are null in JSON");
	add("f", RNA_F32, 1, (uint64_t[]){4}, f);
	is(RNA_TEXT_TSV, "nan,inf,-inf,-0.100000001\n", "and words in TSV");
	add("d", RNA_F64, 0, NULL, &d);
	is(RNA_TEXT_JSON, "{\"d\":0.10000000000000001}\n", "64-bit floats keep their digits");
	add("u", RNA_U64, 0, NULL, &big);
	is(RNA_TEXT_JSON, "{\"u\":\"18446744073709551615\"}\n", "64-bit unsigned integers are strings");
	add("i", RNA_I64, 0, NULL, &low);
	is(RNA_TEXT_JSON, "{\"i\":-9223372036854775808}\n", "signed ones are exact");
	add("h", RNA_F16, 1, (uint64_t[]){3}, half);
	is(RNA_TEXT_JSON, "{\"h\":[1,-2,5.96046448e-08]}\n", "f16, subnormal too");
	add("b", RNA_BF16, 1, (uint64_t[]){2}, brain);
	is(RNA_TEXT_JSON, "{\"b\":[1,null]}\n", "bf16");
}

static void
nesting(void)
{
	const int32_t v[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	const uint8_t types[2] = {25, 200};

	add("x", RNA_I32, 2, (uint64_t[]){2, 3}, v);
	is(RNA_TEXT_JSON, "{\"x\":[[1,2,3],[4,5,6]]}\n", "a matrix is nested");
	add("x", RNA_I32, 3, (uint64_t[]){2, 2, 2}, v);
	is(RNA_TEXT_JSON, "{\"x\":[[[1,2],[3,4]],[[5,6],[7,8]]]}\n", "so is a cube");
	add("x", RNA_I32, 2, (uint64_t[]){2, 3}, v);
	is(RNA_TEXT_TSV, "1,2,3;4,5,6\n", "rows of a matrix are parted in TSV");
	add("x", RNA_I32, 2, (uint64_t[]){(uint64_t)1 << 40, 0}, v);
	is(RNA_TEXT_JSON, "{\"x\":[]}\n", "an array without elements is [], whatever its dims claim");
	add("x", RNA_I32, 1, (uint64_t[]){1}, v);
	add("s", RNA_I32, 0, NULL, v);
	is(RNA_TEXT_JSON, "{\"x\":[1],\"s\":1}\n", "one element is not a scalar");
	add("types", RNA_U8, 1, (uint64_t[]){2}, types);
	add("tokens", RNA_U8, 1, (uint64_t[]){2}, types);
	is(RNA_TEXT_JSON, "{\"types\":[\"sRNA\",200],\"tokens\":[25,200]}\n", "types have names, tokens are numbers");
}

static void
strings(void)
{
	add_str("name", "a\"b\\c\x1b[31m\td\x7f\xc2\x9b");
	is(RNA_TEXT_JSON, "{\"name\":\"a\\\"b\\\\c\\u001b[31m\\td\\u007f\\u009b\"}\n", "JSON escapes");
	add_str("name", "a\"b\\c\x1b[31m\td\x7f\xc2\x9b");
	is(RNA_TEXT_TSV, "a\"b\\\\c\\x1B[31m\\td\\x7F\\xC2\\x9B\n", "TSV escapes");
	add_str("name", "\xc3\xa9 \xff \xc0\xaf \xed\xa0\x80 \xf0\x9f\xa7\xac \xe2\x80\xae");
	is(RNA_TEXT_JSON,
	    "{\"name\":\"\xc3\xa9 \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd \xf0\x9f\xa7\xac \\u202e\"}\n",
	    "letters stay, what is not UTF-8 or turns the line does not");
	add_str("name", "x\x1b]0;y\x07 z");
	add_str("seq", "AC\x1bG>T");
	is(RNA_TEXT_FASTA, ">x\\x1B]0;y\\x07 z\nACNGNT\n", "FASTA: nothing but letters in the sequence");
	add_str("name", "x");
	is(RNA_TEXT_FASTA, "error", "FASTA needs seq");
}

static void
structures(void)
{
	const int32_t knot[8] = {4, 5, -1, -1, 0, 1, -1, -1}, crossed[8] = {4, -1, 6, -1, 0, -1, 2, -1};
	const int32_t lame[3] = {2, -1, -1}, far[3] = {7, -1, -1};
	const float energy = -3.4f;

	add_str("seq", "ACGUACGU");
	add("pair", RNA_I32, 1, (uint64_t[]){8}, crossed);
	add("energy", RNA_F32, 0, NULL, &energy);
	is(RNA_TEXT_DBN, ">\nACGUACGU\n(.[.).]. ( -3.40)\n", "a knot takes the next brackets; energy as RNAfold");
	add_str("seq", "ACGUACGU");
	add("pair", RNA_I32, 1, (uint64_t[]){8}, knot);
	is(RNA_TEXT_DBN, ">\nACGUACGU\n([..)]..\n", "pairs side by side that cross");
	add_str("seq", "ACGUACGU");
	add_str("structure", "([..)]..");
	is(RNA_TEXT_BPSEQ, "# \n1 A 5\n2 C 6\n3 G 0\n4 U 0\n5 A 1\n6 C 2\n7 G 0\n8 U 0\n", "bpseq from brackets");
	add_str("seq", "ACG");
	add("pair", RNA_I32, 1, (uint64_t[]){3}, lame);
	is(RNA_TEXT_DBN, "error", "a pair of one side only is refused");
	add_str("seq", "ACG");
	add("pair", RNA_I32, 1, (uint64_t[]){3}, far);
	is(RNA_TEXT_CT, "error", "a partner past the end is refused");
	add_str("seq", "ACG");
	add_str("structure", "(.");
	is(RNA_TEXT_DBN, "error", "a structure of another length is refused");
	add_str("seq", "ACG");
	add_str("structure", "(..");
	is(RNA_TEXT_CT, "error", "an open bracket is refused");
	add_str("name", "r");
	add_str("seq", "ACG");
	add_str("structure", "(.)");
	is(RNA_TEXT_CT,
	    "    3  r\n    1 A       0    2    3    1\n    2 C       1    3    0    2\n    3 G       2    0    1    "
	    "3\n",
	    "ct");
}

/* Tokens, targets and types are printed by name, other small numbers as numbers. */
static void
tokens(void)
{
	const uint8_t t[4] = {2, vocab.base[0], vocab.base[3], 3}, type = (uint8_t)vocab.type_first;
	const char *got;

	add_str("name", "one");
	add("tokens", RNA_U8, 1, (uint64_t[]){4}, t);
	add("type", RNA_U8, 0, NULL, &type);
	add("count", RNA_U8, 1, (uint64_t[]){4}, t);
	got = text(RNA_TEXT_PLAIN);
	ok(strstr(got, " u8[4] [CLS] A T [SEP]\n") != NULL, "tokens by name");
	ok(strstr(got, vocab.token[type]) != NULL, "and the type");
	ok(strncmp(got, ">one ", 5) == 0 && strstr(got, "  name ") == NULL, "the name stands in the head alone");
	ok(strstr(got, " 2 35 36 3\n") != NULL, "not others");
	rna_record_reuse(&rec);
}

static void
kmers(void)
{
	struct rna_err err;
	const float *x;
	uint64_t n = 0;

	add_str("seq", "AcgtN-UU");
	ok(rna_kmervec_add(&rec, 2, &err) == RNA_OK, "k-mers are counted");
	x = rna_record_get_vec(&rec, "kmer", RNA_F32, &n);
	ok(n == 16 && x[1] == 0.25f && x[6] == 0.25f && x[11] == 0.25f && x[15] == 0.25f,
	    "AC, CG, GU and UU, a quarter each");
	rna_record_reuse(&rec);
	add_str("seq", "NNNN");
	ok(rna_kmervec_add(&rec, 1, &err) == RNA_OK, "an RNA without bases");
	x = rna_record_get_vec(&rec, "kmer", RNA_F32, &n);
	ok(n == 4 && x[0] + x[1] + x[2] + x[3] == 0, "is all zero, not NaN");
	rna_record_reuse(&rec);
	add_str("seq", "AAC");
	add_str("seq_b", "UU");
	ok(rna_kmervec_add(&rec, 1, &err) == RNA_OK, "a pair");
	x = rna_record_get_vec(&rec, "kmer", RNA_F32, &n);
	ok(n == 8 && x[0] > 0.6f && x[1] > 0.3f && x[2] + x[3] + x[4] + x[5] + x[6] == 0 && x[7] == 1,
	    "is the frequencies of either RNA, side by side");
	rna_record_reuse(&rec);
}

int
main(void)
{
	rna_record_init(&rec);
	if (rna_vocab_init(&vocab) != RNA_OK)
		return 1;
	numbers();
	nesting();
	strings();
	structures();
	tokens();
	kmers();
	rna_vocab_fini(&vocab);
	rna_record_fini(&rec);
	rna_buf_fini(&buf);
	return done();
}
