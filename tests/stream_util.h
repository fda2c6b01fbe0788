/*
 * stream_util.h: what the stream's unit tests share: a folder of their own, whole files, a whole stream in one number.
 */
#ifndef RNA_STREAM_UTIL_H
#define RNA_STREAM_UTIL_H

#include <sys/stat.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>
#include "maker.h"
#include "stream/stream.h"

/* What reading a file came to. */
struct seen {
	enum rna_status status;
	uint64_t streams, records;
	uint64_t digest; /* of all headers and records in order */
	struct rna_err err;
};

static char util_folder[256];

/* A path in a folder that goes away with util_clean. */
__attribute__((unused)) static const char *
util_path(const char *name)
{
	static char paths[8][512];
	static int next;
	const char *base = getenv("TMPDIR");
	char *p = paths[next++ % 8];

	if (util_folder[0] == '\0') {
		if (base == NULL) /* thousands of small files: in memory where there is a place */
			base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
		snprintf(util_folder, sizeof(util_folder), "%s/rill-XXXXXX", base);
		if (mkdtemp(util_folder) == NULL)
			err(1, "%s", util_folder);
	}
	snprintf(p, sizeof(paths[0]), "%s/%s", util_folder, name);
	return p;
}

__attribute__((unused)) static void
util_clean(void)
{
	DIR *d = util_folder[0] != '\0' ? opendir(util_folder) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			unlink(util_path(e->d_name));
	}
	if (d != NULL)
		closedir(d);
	rmdir(util_folder);
}

/* The folder of the repository that name is in: tests run from its root, or say where it is. */
__attribute__((unused)) static const char *
util_root(const char *name)
{
	static char path[4096];
	const char *root = getenv("ROOT");

	snprintf(path, sizeof(path), "%s/%s", root != NULL ? root : ".", name);
	return path;
}

__attribute__((unused)) static void
util_put(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || (n > 0 && fwrite(data, 1, n, f) != n) || fclose(f) != 0)
		err(1, "%s", path);
}

__attribute__((unused)) static void
util_get(const char *path, struct rna_buf *to)
{
	FILE *f = fopen(path, "rb");
	char part[65536];
	size_t n;

	if (f == NULL)
		err(1, "%s", path);
	to->len = 0;
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		make_bytes(to, part, n);
	fclose(f);
}

__attribute__((unused)) static int
util_same(const char *a, const char *b)
{
	struct rna_buf x = RNA_BUF_INIT, y = RNA_BUF_INIT;
	int same;

	util_get(a, &x);
	util_get(b, &y);
	same = x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
	rna_buf_fini(&x);
	rna_buf_fini(&y);
	return same;
}

__attribute__((unused)) static int
util_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static inline void
util_see_header(struct seen *s, const struct rna_reader *r)
{
	struct rna_buf b = RNA_BUF_INIT;

	must(rna_header_dump(rna_reader_header(r), &b));
	s->digest = rna_hash(b.data, b.len, s->digest);
	s->streams++;
	rna_buf_fini(&b);
}

/* Reads all of a file. */
__attribute__((unused)) static struct seen
util_read(const char *path, int nthreads)
{
	struct seen s = {.status = RNA_OK};
	struct rna_input *in = rna_input_open(path, &s.err);
	struct rna_reader *r = in != NULL ? rna_reader_open(in, nthreads, &s.err) : NULL;
	struct rna_buf b = RNA_BUF_INIT;
	struct rna_record rec;

	if (r == NULL) {
		s.status = s.err.status;
		return s;
	}
	rna_record_init(&rec);
	util_see_header(&s, r);
	for (;;) {
		s.status = rna_reader_read(r, &rec, &s.err);
		if (s.status == RNA_NEXT) {
			util_see_header(&s, r);
		} else if (s.status == RNA_OK) {
			b.len = 0;
			must(rna_record_encode(&rec, &b));
			s.digest = rna_hash(b.data, b.len, s.digest);
			if (rec.number != ++s.records)
				errx(1, "record %llu has number %llu", (unsigned long long)s.records,
				    (unsigned long long)rec.number);
		} else {
			break;
		}
	}
	rna_record_fini(&rec);
	rna_buf_fini(&b);
	rna_reader_close(r);
	return s;
}

static inline struct rna_writer *
util_open(const char *path, int level, int nthreads)
{
	struct rna_writer_options opts = {level, nthreads};
	struct rna_err e;
	struct rna_writer *w = rna_writer_open(path, &opts, &e);

	if (w == NULL)
		errx(1, "%s: %s", e.file, e.text);
	return w;
}

static inline void
util_begin(struct rna_writer *w, uint64_t total)
{
	struct rna_header h;

	must(rna_header_init(&h));
	must(rna_header_set_totals(&h, total, RNA_TOTAL_UNKNOWN));
	must(rna_writer_header(w, &h, NULL));
	rna_header_fini(&h);
}

#endif
