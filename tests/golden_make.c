/*
 * golden_make.c: writes the golden streams: what every version of rill must read.
 *
 *	golden_make formats/golden
 *
 * The files are committed; tests/unit_stream.c pins what they hold.  A golden file is never written again once a
 * version of the format is released: add one beside it.
 */
#include "maker.h"

/* Every dtype, as a scalar where it may be one, as a vector, and empty; ranks 0 to 8. */
static void
types(struct rna_record *rec)
{
	static const uint64_t dims[RNA_MAX_DIMS] = {1, 2, 1, 3, 1, 1, 2, 1};
	static const uint64_t none[2] = {3, 0};
	unsigned char bytes[16 * 8];
	char name[RNA_MAX_NAME + 1];
	uint64_t n = 3;
	int d;

	for (d = 0; d < (int)sizeof(bytes); d++)
		bytes[d] = (unsigned char)(d * 37 + 5);
	for (d = RNA_U8; d <= RNA_STR; d++) {
		snprintf(name, sizeof(name), "%s.vector", rna_dtype_name(d));
		must(rna_record_set_vec(rec, name, d, bytes, n));
		if (d == RNA_STR)
			continue;
		snprintf(name, sizeof(name), "%s.scalar", rna_dtype_name(d));
		must(rna_record_set(rec, name, d, 0, NULL, bytes));
		snprintf(name, sizeof(name), "%s.none", rna_dtype_name(d));
		must(rna_record_set(rec, name, d, 2, none, bytes));
	}
	for (d = 1; d <= RNA_MAX_DIMS; d++) {
		snprintf(name, sizeof(name), "rank-%d", d);
		must(rna_record_set(rec, name, RNA_I32, d, dims, bytes));
	}
	must(rna_record_set_str(rec, "empty", "", 0));
	must(rna_record_set_str(rec, "bytes", "\0\x01\xff\n", 4));
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	must(rna_record_set_u8(rec, name, 63));
}

/* NaN, infinities, zeros with sign, the least and the greatest of each. */
static void
numbers(struct rna_record *rec)
{
	static const uint64_t f64[] = {0, UINT64_C(1) << 63, UINT64_C(0x7ff0000000000000), UINT64_C(0xfff0000000000000),
	    UINT64_C(0x7ff8000000000000), 1, UINT64_C(0x7fefffffffffffff), UINT64_C(0x3ff0000000000000)};
	static const uint32_t f32[] = {0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 1, 0x7f7fffff, 0x3f800000};
	static const uint16_t f16[] = {0, 0x8000, 0x7c00, 0xfc00, 0x7e00, 1, 0x7bff, 0x3c00};
	static const uint16_t bf16[] = {0, 0x8000, 0x7f80, 0xff80, 0x7fc0, 1, 0x7f7f, 0x3f80};
	static const int64_t i64[] = {0, -1, INT64_MIN, INT64_MAX};
	static const int32_t i32[] = {0, -1, INT32_MIN, INT32_MAX};
	static const uint64_t u64[] = {0, 1, UINT64_MAX};
	static const uint32_t u32[] = {0, 1, UINT32_MAX};

	must(rna_record_set_vec(rec, "f64", RNA_F64, f64, 8));
	must(rna_record_set_vec(rec, "f32", RNA_F32, f32, 8));
	must(rna_record_set_vec(rec, "f16", RNA_F16, f16, 8));
	must(rna_record_set_vec(rec, "bf16", RNA_BF16, bf16, 8));
	must(rna_record_set_vec(rec, "i64", RNA_I64, i64, 4));
	must(rna_record_set_vec(rec, "i32", RNA_I32, i32, 4));
	must(rna_record_set_vec(rec, "u64", RNA_U64, u64, 3));
	must(rna_record_set_vec(rec, "u32", RNA_U32, u32, 3));
}

/* The example of formats/stream.md. */
static void
example(const char *folder)
{
	struct maker m = {.level = 0};
	struct rna_record rec;

	rna_record_init(&rec);
	must(rna_record_set_str(&rec, "seq", "GCAU", 4));
	must(rna_record_set_f32(&rec, "energy", -1.5f));
	make_header(&m, "{\"rill\":1}");
	make_rec(&m, &rec);
	make_end(&m);
	make_frame(&m, 0);
	make_write(&m, folder, "example.rill");
	rna_record_fini(&rec);
}

static void
streams(const char *folder)
{
	struct maker m = {.level = 0};
	struct rna_record rec;

	make_header(&m, "{\"rill\":1}");
	make_end(&m);
	make_frame(&m, 0);
	make_write(&m, folder, "empty.rill");

	make_header(&m, "{\"rill\":1}");
	make_frame(&m, 0);
	rna_record_init(&rec);
	types(&rec);
	make_rec(&m, &rec);
	rna_record_reuse(&rec);
	numbers(&rec);
	make_rec(&m, &rec);
	rna_record_reuse(&rec); /* a record without fields */
	make_rec(&m, &rec);
	rna_record_fini(&rec);
	make_end(&m);
	make_frame(&m, 0);
	make_write(&m, folder, "types.rill");

	make_header(&m, "{\"rill\":1,\"vocab\":{\"name\":\"rnaernie\",\"digest\":\"00ff\"},\"records\":9,"
	    "\"tokens\":240,"
	    "\"provenance\":[{\"tool\":\"rna-x\",\"version\":\"1.0.0\",\"args\":[\"--n\",\"3\"],\"seed\":1}],"
	    "\"lab\":{\"z\":null,\"a\":[1,2.5,true,\"\\u00e9\\n\"]}}");
	make_frame(&m, 0);
	make_some(&m, 0, 4);
	make_frame(&m, 0);
	make_some(&m, 4, 7);
	make_frame(&m, 0);
	make_some(&m, 7, 9);
	make_end(&m);
	make_frame(&m, 0);
	make_write(&m, folder, "frames.rill");
}

/* What is legal and rill does not write: other cuts, skippable and empty frames, several streams. */
static void
unusual(const char *folder)
{
	struct maker m = {.level = 0};

	make_header(&m, "{\"rill\":1}");
	make_some(&m, 0, 3);
	make_end(&m);
	make_header(&m, "{\"rill\":1,\"records\":2}");
	make_some(&m, 3, 5);
	make_end(&m);
	make_frame(&m, 0);
	make_write(&m, folder, "one-frame.rill");

	make_skippable(&m, 0, "first", 5);
	make_frame(&m, 0);
	make_header(&m, "{\"rill\":1}");
	make_frame(&m, 0);
	make_skippable(&m, 15, "", 0);
	make_some(&m, 0, 2);
	make_frame(&m, 0);
	make_frame(&m, 0);
	make_end(&m);
	make_frame(&m, 0);
	make_skippable(&m, 7, "last\0\xff", 6);
	make_write(&m, folder, "skippable.rill");

	make_header(&m, "{\"rill\":1}");
	make_raw_frame(&m, 0x24, -1, m.content.len, 1);           /* single segment, size of 1 byte */
	make_some(&m, 0, 5);
	make_raw_frame(&m, 0x44, 0x68, m.content.len - 256, 2);   /* window of 8 MiB, size of 2 bytes */
	make_some(&m, 5, 6);
	make_raw_frame(&m, 0xc4, 0x00, m.content.len, 8);         /* window of 1 KiB, size of 8 bytes */
	make_end(&m);
	make_raw_frame(&m, 0xb4, -1, m.content.len, 4);           /* the unused bit set, size of 4 bytes */
	make_write(&m, folder, "raw.rill");

	for (m.level = 1; m.level <= 19; m.level += 18) {
		make_header(&m, m.level == 1 ? "{\"rill\":1,\"a\":1}" : "{\"rill\":1,\"b\":19}");
		make_some(&m, 0, 20);
		make_frame(&m, 0);
		make_end(&m);
		make_frame(&m, 0);
	}
	make_write(&m, folder, "levels.rill");
}

int
main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: golden_make FOLDER");
	example(argv[1]);
	streams(argv[1]);
	unusual(argv[1]);
	return 0;
}
