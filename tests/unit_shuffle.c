/*
 * unit_shuffle.c: the order of a shuffle is that of the seed and the records, whatever the memory; units stay together;
 * shards and splits.
 */
#include "stream/shuffle.h"
#include "stream/split.h"
#include "stream_util.h"
#include "tap.h"

#define RECORDS 3000

/* Record i: two neighbours share a rid, some have none; padded so that little fits in memory. */
static void
make(struct rna_record *rec, uint64_t i, uint64_t pad)
{
	uint64_t dims[1] = {pad};
	uint64_t *p;

	rna_record_reuse(rec);
	if (i % 50 != 7)
		must(rna_record_set_u64(rec, "rid", i / 2 * UINT64_C(0x9e3779b97f4a7c15)));
	must(rna_record_set_u64(rec, "i", i));
	must(rna_record_set_str(rec, "group", i % 6 < 3 ? "a" : i % 5 < 3 ? "b" : "c", 1));
	if (pad > 0 && (p = rna_record_put(rec, "pad", RNA_U64, 1, dims)) != NULL)
		p[pad - 1] = i;
}

/* What is kept in memory, the index with it, is what was asked for, to a sixteenth. */
static void
test_kept(void)
{
	const struct rna_shuffle_options opts = {1, RNA_SHUFFLE_MEM_MIN, NULL, 0};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_shuffle *s = rna_shuffle_create(&opts, &e);
	struct rna_buf bytes = RNA_BUF_INIT;
	struct rna_record rec;
	uint64_t i;
	size_t each;

	rna_record_init(&rec);
	make(&rec, 0, 0);
	must(rna_record_encode(&rec, &bytes));
	each = (bytes.len + 24 + 7) / 8 * 8 + 16; /* key, rid and size before it; key and place in the index */
	for (i = 0; i < RNA_SHUFFLE_MEM_MIN && rna_shuffle_spilled(s) == 0; i++) {
		make(&rec, i / 50 * 50, 0);
		must(rna_shuffle_add(s, &rec, &e));
	}
	ok(i * each > RNA_SHUFFLE_MEM_MIN * 13 / 16 && i * each < RNA_SHUFFLE_MEM_MIN,
	    "%d records of %zu bytes are kept", (int)i, each);
	rna_record_fini(&rec);
	rna_buf_fini(&bytes);
	rna_shuffle_destroy(s);
}

struct order {
	uint64_t hash, n, split, spilled; /* split: units whose records are not neighbours, or not in order */
};

static struct order
shuffle(uint64_t seed, uint64_t mem, uint64_t pad, int encoded)
{
	struct rna_shuffle_options opts = {seed, mem, NULL, 1};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_shuffle *s = rna_shuffle_create(&opts, &e);
	struct order o = {0};
	struct rna_record rec;
	const void *data;
	uint64_t i, rid, last = 0, before = 0;
	enum rna_status st = RNA_OK;
	size_t n;
	int pass, first;

	rna_record_init(&rec);
	for (i = 0; i < RECORDS && st == RNA_OK; i++) {
		make(&rec, i, i % 3 ? pad : pad / 2);
		st = rna_shuffle_add(s, &rec, &e);
	}
	for (pass = 0; pass < 2 && st == RNA_OK; pass++) {
		for (;;) {
			if (encoded && (st = rna_shuffle_read_encoded(s, &data, &n, &first, &e)) == RNA_OK)
				st = rna_record_decode(&rec, data, n, &e);
			else if (!encoded)
				st = rna_shuffle_read(s, &rec, &first, &e);
			if (st != RNA_OK)
				break;
			o.n++;
			if (!rna_record_get_u64(&rec, "i", &i))
				break;
			o.hash = rna_hash((const unsigned char *)&i, sizeof(i), o.hash);
			if (rna_record_get_u64(&rec, "rid", &rid) && !first && (rid != last || i <= before))
				o.split++;
			if (first && i % 50 != 7 && i % 2 == 1 && i % 50 != 8 && (i - 1) % 50 != 7)
				o.split++; /* the second of a unit is not its first */
			last = rid;
			before = i;
		}
		st = st == RNA_END ? RNA_OK : st;
		rna_shuffle_rewind(s);
	}
	if (st != RNA_OK)
		diag("%s", e.text);
	o.spilled = rna_shuffle_spilled(s);
	rna_record_fini(&rec);
	rna_shuffle_destroy(s);
	return o;
}

static void
test_memory(void)
{
	struct order whole = shuffle(1, 256u << 20, 1000, 0), other = shuffle(2, 256u << 20, 1000, 0), some, little;

	ok(whole.n == 2 * RECORDS && whole.split == 0 && whole.spilled == 0, "all in memory, twice");
	ok(other.n == 2 * RECORDS && other.hash != whole.hash, "another seed, another order");
	some = shuffle(1, 4u << 20, 1000, 0);
	ok(some.spilled > 0 && some.n == whole.n && some.split == 0 && some.hash == whole.hash, "the same from parts");
	little = shuffle(1, RNA_SHUFFLE_MEM_MIN, 1000, 1);
	ok(little.spilled > some.spilled && little.n == whole.n && little.hash == whole.hash,
	    "the same from parts that had to be divided, as bytes");
	some = shuffle(1, RNA_SHUFFLE_MEM_MIN, 0, 1);
	ok(some.n == whole.n && some.hash == shuffle(1, 64u << 20, 0, 0).hash, "small records");
}

static void
test_refused(void)
{
	struct rna_shuffle_options opts = {1, RNA_SHUFFLE_MEM_MIN, "/no/such/folder", 0};
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_shuffle *s = rna_shuffle_create(&opts, &e);
	struct rna_record rec;
	enum rna_status st = RNA_OK;
	uint64_t i;

	rna_record_init(&rec);
	for (i = 0; s != NULL && st == RNA_OK && i < RECORDS; i++) {
		make(&rec, i, 1000);
		st = rna_shuffle_add(s, &rec, &e);
	}
	ok(st == RNA_EIO && strstr(e.text, "/no/such/folder") != NULL, "no folder for parts: %s", e.text);
	rna_shuffle_destroy(s);
	rna_shuffle_destroy(NULL);
	rna_record_fini(&rec);
}

static void
test_split(void)
{
	struct rna_err e = {.record = RNA_NOREC};
	uint64_t i, unit, units = 0, last = 0, sides[2] = {0, 0};
	int side, twin = 0, good = 1, group_side[3] = {-1, -1, -1}, k;
	struct rna_record rec;
	struct rna_split sp;

	rna_record_init(&rec);
	rna_split_init(&sp, 1, 0.25, NULL);
	for (i = 0; i < RECORDS; i++) {
		make(&rec, i, 0);
		must(rna_split_side(&sp, &rec, &side, &e));
		sides[side]++;
		if (i % 2 && i % 50 != 7)
			good &= side == twin;
		twin = side;
	}
	ok(good && sides[0] > RECORDS / 5 && sides[0] < RECORDS / 10 * 3, "a quarter is on side 0: %llu",
	    (unsigned long long)sides[0]);
	rna_split_reuse(&sp);
	for (i = 0, good = 1; i < RECORDS; i++) {
		make(&rec, i, 0);
		must(rna_split_unit(&sp, &rec, &unit));
		good &= i == 0 ? unit == 0 : unit == last + (i % 2 == 0 || i % 50 == 7);
		units += unit != last || i == 0;
		last = unit;
	}
	ok(good && units == last + 1, "units are counted from 0");
	rna_split_fini(&sp);
	rna_split_init(&sp, 3, 0.5, "group");
	for (i = 0, good = 1; i < RECORDS; i++) {
		make(&rec, i, 0);
		must(rna_record_set_u64(&rec, "rid", i + 1));
		must(rna_split_side(&sp, &rec, &side, &e));
		k = i % 6 < 3 ? 0 : i % 5 < 3 ? 1 : 2;
		good &= group_side[k] < 0 || group_side[k] == side;
		group_side[k] = side;
	}
	ok(good, "a group is on one side");
	must(rna_record_set_u64(&rec, "rid", 1));
	must(rna_split_side(&sp, &rec, &side, &e));
	must(rna_record_set_str(&rec, "group", "other", 5));
	ok(rna_split_side(&sp, &rec, &side, &e) == RNA_EFORMAT, "two groups in a unit: %s", e.text);
	rna_record_remove(&rec, "group");
	must(rna_record_set_u64(&rec, "rid", 99999));
	ok(rna_split_side(&sp, &rec, &side, &e) == RNA_EFORMAT && strstr(e.text, "no field group") != NULL, "%s",
	    e.text);
	rna_split_fini(&sp);
	rna_record_fini(&rec);
}

int
main(void)
{
	test_kept();
	test_memory();
	test_refused();
	test_split();
	return done();
}
