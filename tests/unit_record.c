/*
 * unit_record.c: hash, randomness, records and headers.
 */
#include <math.h>
#include "maker.h"
#include "stream/header.h"
#include "tap.h"

static void
hash(void)
{
	unsigned char data[300], packed[600];
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t i, n;
	int good = 1;

	ok(rna_hash("", 0, 0) == UINT64_C(0xEF46DB3751D8E999), "XXH64 of nothing");
	ok(rna_hash("abc", 3, 0) == UINT64_C(0x44BC2CF5AD770999), "XXH64 of abc");
	ok(rna_hash("Nobody inspects the spammish repetition", 39, 0) == UINT64_C(0xFBCEA83C8A378BF1),
	    "XXH64 of 39 bytes");
	ok(rna_hash("abc", 3, 1) != rna_hash("abc", 3, 0), "a seed matters");
	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i * i * 31 + 7);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	for (i = 0; i <= sizeof(data); i++) { /* zstd's checksum is the low half of the same function */
		n = ZSTD_compress2(c, packed, sizeof(packed), data, i);
		good &= le32dec(packed + n - 4) == (uint32_t)rna_hash(data, i, 0);
	}
	ok(good, "equals zstd's checksum for 0 to 300 bytes");
	ZSTD_freeCCtx(c);
}

static void
draws(void)
{
	struct rna_rng rng, other;
	double x, sum = 0, squares = 0, cross = 0, chi = 0;
	unsigned counts[7] = {0};
	int i, bit, ones[64] = {0}, worst = 0;
	uint64_t u;

	rna_rng_init(&rng, rna_rng_key(1, 2, 3, 4, RNA_RNG_MASK));
	ok(rng.key == UINT64_C(0x9A480414333A878E) && rna_rng_u64(&rng) == UINT64_C(0x6865E7A6A941868F) &&
		rna_rng_u64(&rng) == UINT64_C(0xDC855172CCDEC670),
	    "draws are those of the first version");
	for (i = 0; i < 100000; i++) {
		counts[rna_rng_below(&rng, 7)]++;
		u = rna_rng_u64(&rng);
		for (bit = 0; bit < 64; bit++)
			ones[bit] += u >> bit & 1;
	}
	for (i = 0; i < 7; i++)
		chi += (counts[i] - 100000 / 7.0) * (counts[i] - 100000 / 7.0) / (100000 / 7.0);
	ok(chi < 22.5, "below 7 is uniform (chi square %.2f, 6 degrees of freedom)", chi);
	for (bit = 0; bit < 64; bit++)
		worst = abs(ones[bit] - 50000) > worst ? abs(ones[bit] - 50000) : worst;
	ok(worst < 750, "every bit is set half the time (worst off by %d of 100000)", worst);
	for (i = 0, sum = 0; i < 100000; i++) {
		x = rna_rng_double(&rng);
		sum += x >= 0 && x < 1 ? x : 1e9;
	}
	ok(fabs(sum / 1e5 - 0.5) < 0.004, "doubles in [0, 1), mean %.4f", sum / 1e5);
	for (i = 0, sum = 0; i < 100000; i++) {
		x = rna_rng_normal(&rng);
		sum += x;
		squares += x * x;
	}
	ok(fabs(sum / 1e5) < 0.015 && fabs(squares / 1e5 - 1) < 0.02, "normal: mean %.4f, variance %.4f", sum / 1e5,
	    squares / 1e5);
	for (i = 0; i < 100000; i++) { /* first draws of keys that differ in one count */
		rna_rng_init(&rng, rna_rng_key(1, 0, (uint64_t)i, 0, RNA_RNG_MASK));
		rna_rng_init(&other, rna_rng_key(1, 0, (uint64_t)i + 1, 0, RNA_RNG_MASK));
		cross += (rna_rng_double(&rng) - 0.5) * (rna_rng_double(&other) - 0.5);
	}
	ok(fabs(cross / 1e5 * 12) < 0.015, "neighbouring keys are independent (correlation %.4f)", cross / 1e5 * 12);
	rna_rng_init(&rng, 9);
	ok(rna_rng_below(&rng, 1) == 0 && rna_rng_below(&rng, UINT32_MAX) < UINT32_MAX, "below 1 and below 2^32 - 1");
	ok(rna_rng_key(1, 0, 0, 0, RNA_RNG_MASK) != rna_rng_key(0, 1, 0, 0, RNA_RNG_MASK) &&
		rna_rng_key(0, 0, 1, 0, RNA_RNG_MASK) != rna_rng_key(0, 0, 0, 1, RNA_RNG_MASK) &&
		rna_rng_key(0, 0, 0, 0, RNA_RNG_MASK) != rna_rng_key(0, 0, 0, 0, RNA_RNG_MIX),
	    "every part of a key matters");
}

/* Encodes, decodes and compares field by field. */
static int
trip(const struct rna_record *rec)
{
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT;
	const struct rna_field *f, *g;
	struct rna_record back;
	size_t i;
	int good;

	rna_record_init(&back);
	must(rna_record_encode(rec, &a));
	good = a.len == rna_record_size(rec) && a.len % 8 == 0 &&
	       rna_record_decode(&back, a.data, a.len, NULL) == RNA_OK && back.nfields == rec->nfields;
	for (i = 0; good && i < rec->nfields; i++) {
		f = &rec->fields[i];
		g = &back.fields[i];
		good = strcmp(f->name, g->name) == 0 && f->dtype == g->dtype && f->ndim == g->ndim &&
		       memcmp(f->dims, g->dims, (size_t)f->ndim * 8) == 0 && f->count == g->count &&
		       f->size == g->size && g->offset % 8 == 0 &&
		       memcmp(rna_record_data(rec, f), rna_record_data(&back, g), f->size) == 0;
	}
	if (good) {
		must(rna_record_encode(&back, &b));
		good = a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	}
	rna_buf_fini(&a);
	rna_buf_fini(&b);
	rna_record_fini(&back);
	return good;
}

static void
round_trips(void)
{
	static const uint64_t dims[RNA_MAX_DIMS] = {2, 3, 1, 2, 1, 1, 2, 1};
	unsigned char bytes[24 * 8];
	struct rna_record rec;
	uint64_t n;
	size_t i;
	int d, rank, good;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	rna_record_init(&rec);
	ok(trip(&rec), "a record without fields");
	for (d = RNA_U8; d <= RNA_STR; d++) {
		for (rank = 0, good = 1; rank <= RNA_MAX_DIMS; rank++) {
			rna_record_reuse(&rec);
			if (rna_record_set(&rec, "x", d, rank, dims, bytes) == RNA_OK)
				good &= trip(&rec) && (d != RNA_STR || rank == 1);
			else
				good &= d == RNA_STR && rank != 1;
		}
		for (n = 0; n <= 17; n++) {
			must(rna_record_set_vec(&rec, "x", d, bytes, n));
			must(rna_record_set_vec(&rec, "y", d, bytes + 1, 17 - n));
			good &= trip(&rec);
		}
		ok(good, "%s of rank 0 to 8 and length 0 to 17", rna_dtype_name(d));
	}
	rna_record_fini(&rec);
}

/* One field of four added, replaced by a shorter or longer one, or removed. */
static void
change_one(struct rna_record *rec, struct rna_rng *rng)
{
	static const char *const names[] = {"a", "tokens", "seq", "longest_name"};
	const char *name = names[rna_rng_below(rng, 4)];
	uint64_t dims[RNA_MAX_DIMS];
	unsigned char *p;
	int rank, d;

	if (rna_rng_below(rng, 4) == 0) {
		rna_record_remove(rec, name);
		return;
	}
	rank = (int)rna_rng_below(rng, 3);
	for (d = 0; d < rank; d++)
		dims[d] = rna_rng_below(rng, 5);
	p = rna_record_put(rec, name, RNA_U8 + rna_rng_below(rng, RNA_F64), rank, dims);
	if (p != NULL && rna_record_find(rec, name)->size > 0)
		*p = 1;
}

/* The bytes of a record are those of one that was given its fields once, whatever happened to it before. */
static void
histories(void)
{
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT;
	struct rna_record rec, anew;
	const struct rna_field *f;
	int good = 1, i, changes;
	struct rna_rng rng;
	size_t k;

	rna_record_init(&rec);
	rna_record_init(&anew);
	rna_rng_init(&rng, 5);
	for (i = 0; i < 5000; i++) {
		rna_record_reuse(&rec);
		for (changes = (int)rna_rng_below(&rng, 8); changes > 0; changes--)
			change_one(&rec, &rng);
		rna_record_reuse(&anew);
		for (k = 0; k < rec.nfields; k++) {
			f = &rec.fields[k];
			must(rna_record_set(&anew, f->name, f->dtype, f->ndim, f->dims, rna_record_data(&rec, f)));
		}
		rna_buf_reuse(&a);
		rna_buf_reuse(&b);
		must(rna_record_encode(&rec, &a));
		must(rna_record_encode(&anew, &b));
		good &= !anew.loose && a.len == b.len && memcmp(a.data, b.data, a.len) == 0 && trip(&rec);
	}
	ok(good, "fields added, resized and removed leave no trace in a record's bytes");
	rna_buf_fini(&a);
	rna_buf_fini(&b);
	rna_record_fini(&rec);
	rna_record_fini(&anew);
}

static void
fields(void)
{
	struct rna_record rec, copy;
	uint64_t n, v = 0, most[2] = {UINT64_C(1) << 48, 2}, none[2] = {0, UINT64_MAX};
	const uint32_t *p;
	const char *s;
	size_t len, i;
	uint8_t b = 0;
	char name[RNA_MAX_NAME + 2];

	rna_record_init(&rec);
	rna_record_init(&copy);
	must(rna_record_set_str(&rec, "a", "first", 5));
	must(rna_record_set_u64(&rec, "b", 7));
	must(rna_record_set_u8(&rec, "c", 8));
	must(rna_record_set_f32(&rec, "d", 0.5f));
	must(rna_record_set_str(&rec, "a", "a longer one than before", 24));
	s = rna_record_get_str(&rec, "a", &len);
	ok(strcmp(rec.fields[0].name, "a") == 0 && len == 24 && memcmp(s, "a longer", 8) == 0,
	    "a replaced field keeps its place");
	ok(rna_record_get_u64(&rec, "b", &v) && v == 7 && rna_record_get_u8(&rec, "c", &b) && b == 8,
	    "others keep their values");
	ok(!rna_record_get_u64(&rec, "c", &v) && rna_record_get_vec(&rec, "b", RNA_U64, &n) == NULL &&
		rna_record_get_str(&rec, "nope", &len) == NULL,
	    "another shape or name is not found");
	must(rna_record_set_str(&rec, "copy", s, len));
	for (i = 0; i < 50; i++) { /* data of the same record, while its memory moves */
		snprintf(name, sizeof(name), "n%zu", i);
		s = rna_record_get_str(&rec, "a", &len);
		must(rna_record_set_str(&rec, name, s, len));
	}
	s = rna_record_get_str(&rec, "n49", &len);
	ok(len == 24 && memcmp(s, "a longer one than before", 24) == 0 && trip(&rec),
	    "a field set from another's data");
	must(rna_record_copy(&copy, &rec));
	rna_record_remove(&rec, "b");
	rna_record_remove(&rec, "nope");
	ok(rec.nfields == 54 && rna_record_find(&rec, "b") == NULL && rna_record_find(&rec, "n49") != NULL &&
		trip(&rec),
	    "remove");
	ok(copy.nfields == 55 && rna_record_get_u64(&copy, "b", &v) && v == 7 && trip(&copy), "a copy stays");
	n = 5;
	p = rna_record_put(&rec, "zero", RNA_U32, 1, &n);
	ok(p != NULL && p[0] == 0 && p[4] == 0 && (uintptr_t)p % 8 == 0, "put gives zeroed memory at a multiple of 8");
	memset(name, 'x', sizeof(name));
	name[RNA_MAX_NAME + 1] = '\0';
	ok(rna_record_put(&rec, name, RNA_U8, 0, NULL) == NULL && rna_record_put(&rec, "", RNA_U8, 0, NULL) == NULL &&
		rna_record_put(&rec, "0", RNA_U8, 0, NULL) == NULL &&
		rna_record_put(&rec, "a b", RNA_U8, 0, NULL) == NULL &&
		rna_record_put(&rec, "\xc3\xa9", RNA_U8, 0, NULL) == NULL,
	    "bad names are refused");
	ok(rna_record_put(&rec, "q", RNA_F64, 2, most) == NULL && rna_record_put(&rec, "q", RNA_F64, 2, none) == NULL &&
		rna_record_put(&rec, "q", 0, 0, NULL) == NULL && rna_record_put(&rec, "q", 11, 0, NULL) == NULL &&
		rna_record_put(&rec, "q", RNA_U8, 9, most) == NULL &&
		rna_record_put(&rec, "q", RNA_U8, -1, most) == NULL &&
		rna_record_put(&rec, "q", RNA_F64, 1, most) == NULL,
	    "impossible shapes are refused, and memory too");
	ok(trip(&rec), "and leave the record as it was");
	rna_record_reuse(&rec);
	for (i = 0; i < RNA_MAX_FIELDS; i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		must(rna_record_set_u8(&rec, name, (uint8_t)i));
	}
	ok(rna_record_set_u8(&rec, "one.more", 1) == RNA_EINVAL && trip(&rec), "4096 fields and not one more");
	rna_record_fini(&rec);
	rna_record_fini(&copy);
}

/* Every byte of an encoded record set to every value: an error, or a record that encodes to those bytes. */
static void
bytes(void)
{
	struct rna_buf b = RNA_BUF_INIT, again = RNA_BUF_INIT;
	struct rna_record rec, back;
	unsigned char was;
	size_t i, n;
	int v, good = 1;

	rna_record_init(&rec);
	rna_record_init(&back);
	make_numbered(&rec, 3);
	n = 2;
	must(rna_record_set_vec(&rec, "v", RNA_F32, "12345678", n));
	must(rna_record_encode(&rec, &b));
	for (i = 0; i < b.len; i++) {
		was = b.data[i];
		for (v = 0; v < 256; v++) {
			b.data[i] = (unsigned char)v;
			if (rna_record_decode(&back, b.data, b.len, NULL) != RNA_OK)
				continue;
			again.len = 0;
			must(rna_record_encode(&back, &again));
			good &= again.len == b.len && memcmp(again.data, b.data, b.len) == 0;
		}
		b.data[i] = was;
	}
	ok(good, "a byte changed is refused or kept");
	for (i = 0, good = 1; i < b.len; i++)
		good &= rna_record_decode(&back, b.data, i, NULL) == RNA_EFORMAT;
	ok(good, "a record cut anywhere is refused");
	rna_buf_fini(&b);
	rna_buf_fini(&again);
	rna_record_fini(&rec);
	rna_record_fini(&back);
}

static int
dumps_to(const struct rna_header *h, const char *text)
{
	struct rna_buf b = RNA_BUF_INIT;
	int good;

	must(rna_header_dump(h, &b));
	good = b.len == strlen(text) && memcmp(b.data, text, b.len) == 0;
	if (!good)
		diag("%.*s", (int)b.len, (char *)b.data);
	rna_buf_fini(&b);
	return good;
}

static void
header(void)
{
	static const char json[] = "{\"z\":[1,2.5,null],\"rill\":1,\"a\":{\"y\":1,\"x\":\"\xc3\xa9\"}}";
	char *args[] = {(char *)"--rate", (char *)"0.15", (char *)"bad\xff\x80"};
	struct rna_header h, copy;
	struct rna_err e;
	json_t *extra = json_pack("{s:i, s:s}", "seed", 1, "tool", "not this");

	must(rna_header_init(&h));
	ok(dumps_to(&h, "{\"rill\":1}"), "an empty header");
	ok(rna_header_records(&h) == RNA_TOTAL_UNKNOWN && *rna_header_vocab_name(&h) == '\0', "knows nothing");
	must(rna_header_set_vocab(&h, "v", "00"));
	must(rna_header_set_totals(&h, 3, 40));
	must(rna_header_add_provenance(&h, "rna-x", "1.0", 3, args, extra));
	must(rna_header_add_provenance(&h, "rna-y", "1.0", 0, NULL, NULL));
	ok(dumps_to(&h, "{\"rill\":1,\"vocab\":{\"name\":\"v\",\"digest\":\"00\"},\"records\":3,\"tokens\":40,"
			"\"provenance\":[{\"tool\":\"rna-x\",\"version\":\"1.0\",\"args\":[\"--rate\",\"0.15\","
			"\"bad\\\\xff\\\\x80\"],"
			"\"seed\":1},{\"tool\":\"rna-y\",\"version\":\"1.0\",\"args\":[]}]}"),
	    "what was set is there, in order");
	must(rna_header_copy(&copy, &h));
	must(rna_header_set_totals(&h, RNA_TOTAL_UNKNOWN, RNA_TOTAL_UNKNOWN));
	must(rna_header_set_vocab(&h, "", ""));
	ok(rna_header_records(&h) == RNA_TOTAL_UNKNOWN && rna_header_tokens(&copy) == 40 &&
		strcmp(rna_header_vocab_digest(&copy), "00") == 0 && *rna_header_vocab_digest(&h) == '\0',
	    "a copy is a copy, and totals and vocabulary can be taken away");
	must(rna_header_set_vocab(&h, "v", ""));
	must(rna_header_set_vocab(&copy, "", "11"));
	ok(strcmp(rna_header_vocab_name(&h), "v") == 0 && strcmp(rna_header_vocab_digest(&copy), "11") == 0,
	    "either half of a vocabulary is kept alone");
	rna_header_fini(&h);
	rna_header_fini(&copy);
	ok(rna_header_parse(&h, json, strlen(json), &e) == RNA_OK && dumps_to(&h, json),
	    "unknown keys are kept in order");
	rna_header_fini(&h);
	ok(rna_header_parse(&h, "{\"rill\":2}", 10, &e) == RNA_EVERSION && h.json == NULL,
	    "a newer version has its own status");
	json_decref(extra);
}

int
main(void)
{
	hash();
	draws();
	round_trips();
	histories();
	fields();
	bytes();
	header();
	return done();
}
