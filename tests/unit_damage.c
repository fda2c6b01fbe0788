/*
 * unit_damage.c: a stream cut, flipped, mangled; a writer killed at any moment and resumed.
 *
 * Whatever was done to a file, reading it must end in an error or give the same headers and records.
 */
#include <fcntl.h>
#include "stream_util.h"
#include "tap.h"

#define RECORDS 6
#define LARGE   600000 /* bytes in a field: a frame takes one record, so a small file has many frames */

static int
deep(const char *level)
{
	const char *s = getenv("RNA_TEST");

	return s != NULL && strcmp(s, level) == 0;
}

/* Two streams of a few frames each, with records from *done on (done counts over both). */
static void
write_from(struct rna_writer *w, uint64_t streams, uint64_t records, int begun)
{
	struct rna_record rec;
	uint64_t n = LARGE, i;
	unsigned char *p;

	rna_record_init(&rec);
	for (; streams < 2; streams++, records = 0, begun = 0) {
		if (!begun)
			util_begin(w, RECORDS + streams);
		for (i = records; i < RECORDS; i++) {
			make_numbered(&rec, i + streams * 100);
			p = rna_record_put(&rec, "zeros", RNA_U8, 1, &n);
			p[i * 1000] = 1;
			must(rna_writer_write(w, &rec, NULL));
		}
	}
	rna_record_fini(&rec);
}

static int file = -1; /* the file under test, open for writing */

static void
patch(size_t at, unsigned char byte)
{
	if (pwrite(file, &byte, 1, (off_t)at) != 1)
		err(1, "pwrite");
}

/*
 * Cuts b at every byte (every step-th from the end).  Where a stream ends, or only a skippable frame follows, a cut
 * can't be told: `blind` places.
 */
static void
cut(const char *what, const struct rna_buf *b, const struct seen *whole, size_t blind, size_t step)
{
	const char *path = util_path("cut");
	size_t n, bad = 0, legal = 0;
	struct seen s;

	util_put(path, b->data, b->len);
	file = open(path, O_RDWR);
	for (n = b->len; n-- > 0; n -= n < step - 1 ? n : step - 1) {
		if (ftruncate(file, (off_t)n) != 0)
			err(1, "ftruncate");
		s = util_read(path, 1 + (int)(n % 2));
		if (s.status == RNA_END && (s.streams < whole->streams || s.digest == whole->digest))
			legal++;
		else if (s.status != RNA_ETRUNC && !(n < 8 && s.status == RNA_EFORMAT))
			bad++, diag("cut at %zu: status %d %s", n, (int)s.status, s.err.text);
	}
	close(file);
	ok(bad == 0 && (legal == blind || step > 1), "%s of %zu bytes, cut anywhere, is refused as cut short", what,
	    b->len);
}

/* Flips every bit of b, or every step-th. */
static void
flip(const char *what, const struct rna_buf *b, const struct seen *whole, size_t step)
{
	const char *path = util_path("flip");
	size_t i, bad = 0, kept = 0;
	struct seen s;

	util_put(path, b->data, b->len);
	file = open(path, O_RDWR);
	for (i = 0; i < b->len * 8; i += step) {
		patch(i / 8, b->data[i / 8] ^ (unsigned char)(1u << (i % 8)));
		s = util_read(path, 1 + (int)(i % 16 == 0));
		if (s.status == RNA_END && s.digest == whole->digest && s.records == whole->records)
			kept++;
		else if (s.status <= RNA_NEXT)
			bad++, diag("bit %zu: other records", i);
		patch(i / 8, b->data[i / 8]);
	}
	close(file);
	ok(bad == 0 && kept < i / step / 4, "%s, %zu bits flipped: an error or the same records (%zu)", what, i / step,
	    kept);
}

/* Deletes, inserts, doubles or exchanges pieces. */
static void
mangle(const char *what, const struct rna_buf *b, const struct seen *whole, int times)
{
	const char *path = util_path("mangle");
	struct rna_buf m = RNA_BUF_INIT;
	struct rna_rng rng;
	struct seen s;
	size_t at, n, to, bad = 0;
	unsigned char byte;
	int i;

	rna_rng_init(&rng, 4711);
	for (i = 0; i < times; i++) {
		m.len = 0;
		at = rna_rng_below(&rng, (uint32_t)b->len);
		n = 1 + rna_rng_below(&rng, rna_rng_below(&rng, 2) ? 4 : 100);
		n = n < b->len - at ? n : b->len - at;
		to = rna_rng_below(&rng, (uint32_t)b->len);
		byte = (unsigned char)rna_rng_u64(&rng);
		make_bytes(&m, b->data, at);
		switch (i % 4) {
		case 0: /* delete */
			break;
		case 1: /* insert */
			make_bytes(&m, &byte, 1);
			make_bytes(&m, b->data + at, n);
			break;
		case 2: /* double */
			make_bytes(&m, b->data + at, n);
			make_bytes(&m, b->data + at, n);
			break;
		default: /* put another piece in its place */
			make_bytes(&m, b->data + (to + n <= b->len ? to : 0), n);
			break;
		}
		make_bytes(&m, b->data + at + n, b->len - at - n);
		util_put(path, m.data, m.len);
		s = util_read(path, 1 + i % 2);
		if (s.status <= RNA_NEXT && (s.digest != whole->digest || s.records != whole->records))
			bad++, diag("mangled %d at %zu, %zu bytes: %d streams, %d records", i % 4, at, n,
				   (int)s.streams, (int)s.records);
	}
	rna_buf_fini(&m);
	ok(bad == 0, "%s mangled %d times: an error or the same records", what, times);
}

static void
damage(const char *what, const char *path, size_t blind, size_t cuts, size_t step, int times)
{
	struct rna_buf b = RNA_BUF_INIT;
	struct seen whole = util_read(path, 1);

	util_get(path, &b);
	cut(what, &b, &whole, blind, cuts);
	flip(what, &b, &whole, step);
	mangle(what, &b, &whole, times);
	rna_buf_fini(&b);
}

/* Resumes a .part of n bytes and finishes it.  1: the file is what an undisturbed run writes. */
static int
resume(const struct rna_buf *whole, size_t n, int nthreads)
{
	const char *path = util_path("resumed"), *part = util_path("resumed.part");
	struct rna_writer_options opts = {1, nthreads};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_header h;
	struct rna_err e;
	struct rna_writer *w;
	uint64_t streams, records;
	int complete, good;

	util_put(part, whole->data, n);
	unlink(path);
	w = rna_writer_resume(path, &opts, &h, &streams, &records, &complete, &e);
	if (w == NULL) {
		diag("%zu bytes: %s", n, e.text);
		return 0;
	}
	good = !complete && (streams + records == 0) == (h.json == NULL) && rna_writer_records(w) == records;
	if (h.json != NULL) /* the header is that of the last stream */
		good &= rna_header_records(&h) == RECORDS + streams - (records == 0);
	rna_header_fini(&h);
	write_from(w, streams, records, records > 0);
	good &= streams < 2 || records == 0;
	if (rna_writer_close(w, &e) != RNA_OK)
		return 0;
	util_get(path, &b);
	good &= b.len == whole->len && memcmp(b.data, whole->data, b.len) == 0 && !util_exists(part);
	rna_buf_fini(&b);
	return good;
}

static void
resumes(void)
{
	char path[512];
	struct rna_writer_options opts = {1, 1};
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_writer *w = util_open(util_path("whole"), 1, 1);
	struct rna_header h;
	struct rna_err e;
	uint64_t s, r;
	size_t n, step = deep("quick") ? 29 : deep("deep") ? 1 : 7, bad = 0;
	int complete;

	snprintf(path, sizeof(path), "%s", util_path("whole"));
	write_from(w, 0, 0, 0);
	must(rna_writer_close(w, NULL));
	util_get(path, &b);
	for (n = 0; n <= b.len; n += n < 16 ? 1 : step) { /* the first bytes tell what the file is */
		if (!resume(&b, n, 1 + (int)(n % 3)))
			bad++, diag("killed after %zu bytes", n);
	}
	ok(bad == 0, "a writer killed after each of %zu bytes goes on to the same file", b.len);
	b.data[b.len / 2] ^= 1; /* a block of the disk was lost: what follows is written again */
	util_put(util_path("resumed.part"), b.data, b.len);
	b.data[b.len / 2] ^= 1;
	unlink(util_path("resumed"));
	w = rna_writer_resume(util_path("resumed"), &opts, &h, &s, &r, &complete, &e);
	ok(w != NULL && s + r > 0, "a damaged .part is kept up to the damage");
	write_from(w, s, r, r > 0);
	rna_header_fini(&h);
	ok(rna_writer_close(w, NULL) == RNA_OK && util_same(path, util_path("resumed")), "and ends as it should");
	w = rna_writer_resume(path, &opts, &h, &s, &r, &complete, &e);
	ok(w == NULL && complete && e.status == RNA_OK, "a finished file is complete");
	util_put(util_path("other.part"), ">a\nACGU\n", 8);
	w = rna_writer_resume(util_path("other"), &opts, &h, &s, &r, &complete, &e);
	ok(w == NULL && !complete && e.status == RNA_EFORMAT && util_exists(util_path("other.part")),
	    "a .part that is no stream is refused and left: %s", e.text);
	w = rna_writer_resume(NULL, &opts, &h, &s, &r, &complete, &e);
	ok(w == NULL && e.status == RNA_EINVAL, "standard output is not resumed: %s", e.text);
	rna_buf_fini(&b);
}

int
main(void)
{
	struct rna_writer *w = util_open(util_path("frames"), 1, 1);
	int quick = deep("quick"), all = deep("deep"), times = all ? 10000 : quick ? 500 : 2000;
	size_t step = all ? 1 : quick ? 101 : 23;

	write_from(w, 0, 0, 0);
	must(rna_writer_close(w, NULL));
	damage("golden/frames.rill", util_root("formats/golden/frames.rill"), 0, 1, quick ? 7 : 1, times);
	damage("golden/raw.rill", util_root("formats/golden/raw.rill"), 0, 1, quick ? 7 : 1, times);
	damage("golden/skippable.rill", util_root("formats/golden/skippable.rill"), 1, 1, 1, times);
	damage("golden/one-frame.rill", util_root("formats/golden/one-frame.rill"), 0, 1, 1, times);
	damage("a stream of many frames", util_path("frames"), 1, (step + 2) / 3, step, all ? 2000 : 200);
	resumes();
	util_clean();
	return done();
}
