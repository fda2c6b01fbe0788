/*
 * unit_stream.c: streams written and read: round trips, cuts of frames, threads, concatenation, the golden files.
 */
#include <fcntl.h>
#include "stream_util.h"
#include "tap.h"

/* Writes n numbered records from record `from` on as one stream. */
static void
write_some(struct rna_writer *w, uint64_t from, uint64_t n)
{
	struct rna_record rec;
	uint64_t i;

	util_begin(w, n);
	rna_record_init(&rec);
	for (i = from; i < from + n; i++) {
		make_numbered(&rec, i);
		must(rna_writer_write(w, &rec, NULL));
	}
	rna_record_fini(&rec);
}

static const char *
write_file(const char *name, uint64_t from, uint64_t n, int level, int nthreads)
{
	const char *path = util_path(name);
	struct rna_writer *w = util_open(path, level, nthreads);

	write_some(w, from, n);
	must(rna_writer_close(w, NULL));
	return path;
}

/* The same records as written, in the same order. */
static int
holds(const char *path, uint64_t n, int nthreads)
{
	struct rna_err e;
	struct rna_input *in = rna_input_open(path, &e);
	struct rna_reader *r = in != NULL ? rna_reader_open(in, nthreads, &e) : NULL;
	struct rna_buf a = RNA_BUF_INIT, b = RNA_BUF_INIT;
	struct rna_record rec, want;
	uint64_t i;
	int good = r != NULL && rna_header_records(rna_reader_header(r)) == n;

	rna_record_init(&rec);
	rna_record_init(&want);
	for (i = 0; good && i < n; i++) {
		make_numbered(&want, i);
		a.len = b.len = 0;
		good = rna_reader_read(r, &rec, &e) == RNA_OK && rec.number == i + 1;
		must(rna_record_encode(&rec, &a));
		must(rna_record_encode(&want, &b));
		good &= a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	}
	good = good && rna_reader_read(r, &rec, &e) == RNA_END && rna_reader_read(r, &rec, &e) == RNA_END;
	rna_reader_close(r);
	rna_record_fini(&rec);
	rna_record_fini(&want);
	rna_buf_fini(&a);
	rna_buf_fini(&b);
	return good;
}

static void
round_trips(void)
{
	static const uint64_t sizes[] = {0, 1, 2, 4095, 4096, 4097, 8192, 20000};
	const char *path, *other;
	size_t i;
	int level, t;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		path = write_file("a", 0, sizes[i], 1, 1);
		other = write_file("b", 0, sizes[i], 1, 3);
		ok(holds(path, sizes[i], 1) && holds(path, sizes[i], 3), "%d records there and back", (int)sizes[i]);
		ok(util_same(path, other), "the same bytes from 1 and 3 threads");
	}
	for (level = 0; level <= 19; level += level < 3 ? 1 : 8) {
		path = write_file("a", 0, 5000, level, 2);
		ok(holds(path, 5000, 2), "level %d", level);
	}
	write_file("a", 0, 9000, 0, 1);
	for (t = 2; t <= 16; t += 7) {
		write_file("b", 0, 9000, 0, t);
		ok(util_same(util_path("a"), util_path("b")), "level 0, %d threads", t);
	}
}

/* Counts the frames of a file and their largest content. */
static void
look(const char *path, size_t *frames, size_t *largest)
{
	struct rna_buf b = RNA_BUF_INIT;
	size_t at, n;

	util_get(path, &b);
	*frames = *largest = 0;
	for (at = 0; at < b.len; at += ZSTD_findFrameCompressedSize(b.data + at, b.len - at)) {
		n = (size_t)ZSTD_getFrameContentSize(b.data + at, b.len - at);
		*largest = n > *largest ? n : *largest;
		++*frames;
	}
	rna_buf_fini(&b);
}

/* A stream of records of the given size, encoded. */
static void
write_sized(const char *path, const size_t *sizes, size_t n)
{
	struct rna_writer *w = util_open(path, 1, 2);
	struct rna_record rec;
	uint64_t len;
	size_t i;

	util_begin(w, n);
	rna_record_init(&rec);
	for (i = 0; i < n; i++) {
		rna_record_reuse(&rec);
		len = sizes[i] - 8 - 24; /* without the record's and the field's heads */
		memset(rna_record_put(&rec, "x", RNA_U8, 1, &len), (int)i, (size_t)len);
		must(rna_writer_write(w, &rec, NULL));
	}
	rna_record_fini(&rec);
	must(rna_writer_close(w, NULL));
}

static void
cuts(void)
{
	static const size_t full[] = {RNA_FRAME_BYTES - 16, 48, 40}, over[] = {RNA_FRAME_BYTES - 8, 40},
			    pair[] = {RNA_FRAME_BYTES / 2 - 16, RNA_FRAME_BYTES / 2 - 16, 40},
			    large[] = {40, 3u << 20, 40};
	const char *path = util_path("a");
	size_t frames, largest;

	write_sized(path, full, 3);
	look(path, &frames, &largest);
	ok(frames == 3 && largest == RNA_FRAME_BYTES, "a record that fills a frame (%zu frames)", frames);
	write_sized(path, over, 2);
	look(path, &frames, &largest);
	ok(frames == 3 && largest == RNA_FRAME_BYTES + 8, "a record over 1 MiB has its own");
	write_sized(path, pair, 3);
	look(path, &frames, &largest);
	ok(frames == 3 && largest == RNA_FRAME_BYTES, "two that fill one");
	write_sized(path, large, 3);
	look(path, &frames, &largest);
	ok(frames == 4 && largest == (3u << 20) + 16 && util_read(path, 3).status == RNA_END,
	    "a large one between two");
	write_file("a", 0, 4096, 1, 1);
	look(path, &frames, &largest);
	ok(frames == 3, "4096 records, then the end");
	write_file("a", 0, 4095, 1, 1);
	look(path, &frames, &largest);
	ok(frames == 2, "4095 records and the end");
}

/* A record over 64 MiB runs over frames of its own. */
static void
large(void)
{
	static const size_t sizes[] = {40, (64u << 20) - 16, (64u << 20) - 8, (128u << 20) + 48, 40};
	const char *path = util_path("large");
	size_t frames, most;
	struct seen s, t;

	if (getenv("RNA_TEST") != NULL && strcmp(getenv("RNA_TEST"), "quick") == 0) {
		skip("records over 64 MiB", "they take 600 MB");
		return;
	}
	write_sized(path, sizes, 5);
	look(path, &frames, &most);
	ok(frames == 1 + 1 + 1 + 2 + 3 + 1 && most == RNA_FRAME_MAX, "records about and over 64 MiB: %zu frames",
	    frames);
	s = util_read(path, 1);
	t = util_read(path, 2);
	ok(s.status == RNA_END && s.records == 5 && t.status == RNA_END && t.digest == s.digest, "and are read");
}

static void
concatenation(void)
{
	struct rna_buf all = RNA_BUF_INIT, b = RNA_BUF_INIT;
	const char *path = util_path("ab");
	struct rna_writer *w;
	struct seen s;

	util_get(write_file("a", 0, 10, 1, 1), &all);
	util_get(write_file("b", 10, 0, 1, 1), &b);
	make_bytes(&all, b.data, b.len);
	util_get(write_file("c", 20, 5000, 1, 1), &b);
	make_bytes(&all, b.data, b.len);
	util_put(path, all.data, all.len);
	s = util_read(path, 2);
	ok(s.status == RNA_END && s.streams == 3 && s.records == 5010, "cat of three streams");
	w = util_open(util_path("w"), 1, 2);
	write_some(w, 0, 10);
	write_some(w, 10, 0);
	write_some(w, 20, 5000);
	ok(rna_writer_records(w) == 5000 && rna_writer_close(w, NULL) == RNA_OK && util_same(path, util_path("w")),
	    "three headers on one writer give the same bytes");
	rna_buf_fini(&all);
	rna_buf_fini(&b);
}

/* Encoded records give the same bytes as records do. */
static void
encoded(void)
{
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_record rec;
	struct rna_writer *w = util_open(util_path("e"), 1, 2);
	struct rna_header h;
	size_t sizes[5000], i;

	rna_record_init(&rec);
	for (i = 0; i < 5000; i++) {
		make_numbered(&rec, i);
		sizes[i] = rna_record_size(&rec);
		must(rna_record_encode(&rec, &b));
	}
	ok(rna_writer_write(w, &rec, NULL) == RNA_EINVAL, "a record before a header is refused");
	rna_writer_abort(w, 0);
	ok(!util_exists(util_path("e")) && !util_exists(util_path("e.part")), "and the file is gone");
	w = util_open(util_path("e"), 1, 2);
	must(rna_header_init(&h));
	must(rna_header_set_totals(&h, 5000, RNA_TOTAL_UNKNOWN));
	must(rna_writer_header(w, &h, NULL));
	must(rna_writer_write_encoded(w, b.data, sizes, 5000, NULL));
	must(rna_writer_close(w, NULL));
	write_file("r", 0, 5000, 1, 1);
	ok(util_same(util_path("e"), util_path("r")), "records encoded beforehand give the same bytes");
	rna_header_fini(&h);
	rna_record_fini(&rec);
	rna_buf_fini(&b);
}

/* A filter that knows none of the fields gives back the bytes it got. */
static void
pass_through(void)
{
	struct rna_input *in;
	struct rna_reader *r;
	struct rna_writer *w = util_open(util_path("p"), 3, 1);
	struct rna_record rec;
	struct seen a, b;
	struct rna_err e;

	in = rna_input_open(util_root("formats/golden/types.rill"), &e);
	r = in != NULL ? rna_reader_open(in, 1, &e) : NULL;
	if (r == NULL)
		errx(1, "%s: %s", e.file, e.text);
	must(rna_writer_header(w, rna_reader_header(r), NULL));
	rna_record_init(&rec);
	while (rna_reader_read(r, &rec, &e) == RNA_OK)
		must(rna_writer_write(w, &rec, &e));
	must(rna_writer_close(w, &e));
	rna_reader_close(r);
	rna_record_fini(&rec);
	a = util_read(util_root("formats/golden/types.rill"), 1);
	b = util_read(util_path("p"), 1);
	ok(a.status == RNA_END && b.status == RNA_END && a.digest == b.digest, "unknown fields pass through untouched");
}

static void
golden(void)
{
	static const struct {
		const char *name;
		uint64_t streams, records, digest;
	} files[] = {
	    {"empty", 1, 0, UINT64_C(0xF4320E4D461342B2)},
	    {"example", 1, 1, UINT64_C(0x5DEED96F386E7A2E)},
	    {"frames", 1, 9, UINT64_C(0xB70F7A3CB6F4A0D5)},
	    {"levels", 2, 40, UINT64_C(0x21163AA8017F447A)},
	    {"one-frame", 2, 5, UINT64_C(0x1CCBE1217B415EA6)},
	    {"raw", 1, 6, UINT64_C(0x47B0DA84A9761C2C)},
	    {"skippable", 1, 2, UINT64_C(0xCA5D8833CB3B8D3A)},
	    {"types", 1, 3, UINT64_C(0x15D4E1412A18E421)},
	};
	char name[64];
	struct seen s;
	size_t i;
	int t;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(name, sizeof(name), "formats/golden/%s.rill", files[i].name);
		for (t = 1; t <= 4; t += 3) {
			s = util_read(util_root(name), t);
			ok(s.status == RNA_END && s.streams == files[i].streams && s.records == files[i].records &&
				s.digest == files[i].digest,
			    "%s holds what it held, %d threads (0x%016llX)", name, t, (unsigned long long)s.digest);
		}
	}
}

static void
golden_errors(void)
{
	FILE *f = fopen(util_root("formats/golden-errors/EXPECTED"), "r");
	char line[512], name[600], *tab;
	struct seen s;
	int t;

	if (f == NULL)
		err(1, "EXPECTED");
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		tab = strchr(line, '\t');
		if (tab == NULL)
			errx(1, "EXPECTED: %s", line);
		*tab++ = '\0';
		snprintf(name, sizeof(name), "formats/golden-errors/%s", line);
		for (t = 1; t <= 2; t++) {
			s = util_read(util_root(name), t);
			ok(s.status > RNA_NEXT && strstr(s.err.text, tab) != NULL && strstr(s.err.file, line) != NULL,
			    "%s, %d threads: %s", line, t, s.err.text);
		}
	}
	fclose(f);
}

/* A frame of empty blocks without end takes no memory to speak of: it is refused at 1 MiB more than its content. */
static void
endless(void)
{
	struct maker m = {.level = 0};
	struct seen s;

	make_header(&m, "{\"rill\":1}");
	make_frame(&m, 0);
	make_bytes(&m.out, "\x28\xb5\x2f\xfd\x24\x08", 6);
	make_zeros(&m.out, 3u << 20);
	util_put(util_path("endless"), m.out.data, m.out.len);
	s = util_read(util_path("endless"), 1);
	ok(s.status == RNA_EFORMAT && strstr(s.err.text, "far larger") != NULL, "empty blocks without end: %s",
	    s.err.text);
	make_fini(&m);
}

/* A reader of many threads must not wait for the next frame while it has a whole one. */
static void
slow_pipe(void)
{
	struct maker m = {.level = 0};
	struct rna_record rec;
	struct rna_reader *r;
	struct rna_input *in;
	char path[64];
	size_t frame;
	int p[2], good;

	make_header(&m, "{\"rill\":1}");
	make_frame(&m, 0);
	make_some(&m, 0, 2);
	make_frame(&m, 0);
	frame = m.out.len;
	make_some(&m, 2, 3);
	make_end(&m);
	make_frame(&m, 0);
	if (pipe(p) != 0 || write(p[1], m.out.data, frame + 9) != (ssize_t)frame + 9)
		err(1, "pipe");
	snprintf(path, sizeof(path), "/dev/fd/%d", p[0]);
	alarm(20); /* waiting here would be for ever */
	in = rna_input_open(path, NULL);
	r = in != NULL ? rna_reader_open(in, 4, NULL) : NULL;
	if (r == NULL)
		errx(1, "cannot read the pipe");
	rna_record_init(&rec);
	good = rna_reader_read(r, &rec, NULL) == RNA_OK && rna_reader_read(r, &rec, NULL) == RNA_OK;
	ok(good, "records of a whole frame come while the next is on its way");
	if (write(p[1], m.out.data + frame + 9, m.out.len - frame - 9) != (ssize_t)(m.out.len - frame - 9))
		err(1, "pipe");
	close(p[1]);
	good = rna_reader_read(r, &rec, NULL) == RNA_OK && rna_reader_read(r, &rec, NULL) == RNA_END;
	ok(good, "and then the rest");
	alarm(0);
	close(p[0]);
	rna_reader_close(r);
	rna_record_fini(&rec);
	make_fini(&m);
}

int
main(void)
{
	round_trips();
	cuts();
	large();
	concatenation();
	encoded();
	pass_through();
	golden();
	golden_errors();
	endless();
	slow_pipe();
	util_clean();
	return done();
}
