/*
 * resume.c: the whole frames that a killed run left in path.part are kept, and writing goes on after them.  Frames are
 * cut by their records alone, so the file ends up with the bytes that an undisturbed run writes.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "stream/blocks.h"
#include "stream/writer.h"

/* The last place at which path.part can be cut. */
struct mark {
	uint64_t bytes;
	uint64_t streams, records, digest;
	int within;                /* a stream is open there */
	int stale;                 /* header is not yet that of the stream at hand */
	struct rna_header header;  /* of the last stream */
};

static enum rna_status
set_mark(struct mark *m, const struct rna_blocks *b, uint64_t bytes, struct rna_err *err)
{
	if (b->big_left > 0 || (b->where == RNA_WITHIN && b->records == 0))
		return RNA_OK; /* a stream without records is begun anew */
	if (m->stale) {
		rna_header_fini(&m->header);
		if (rna_header_copy(&m->header, &b->header) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "out of memory");
		m->stale = 0;
	}
	m->bytes = bytes;
	m->streams = b->streams;
	m->records = b->records;
	m->digest = b->digest;
	m->within = b->where == RNA_WITHIN;
	return RNA_OK;
}

/* Goes through the frames of in as long as they are whole and right. */
static enum rna_status
scan(struct rna_input *in, struct mark *m, struct rna_err *err)
{
	struct rna_zframe f;
	struct rna_blocks b;
	struct rna_block block;
	enum rna_status st;

	rna_zframe_init(&f);
	rna_blocks_init(&b);
	for (;;) {
		st = rna_zframe_pull(&f, in, 1, err);
		if (st != RNA_OK)
			break;
		rna_zframe_unpack(&f);
		st = f.status;
		if (st == RNA_OK)
			st = rna_blocks_frame(&b, f.content.data, f.content.len, err);
		else if (err != NULL)
			*err = f.err;
		while (st == RNA_OK) {
			st = rna_blocks_next(&b, &block, err);
			m->stale |= st == RNA_OK && block.kind == RNA_KIND_HEADER;
		}
		if (st != RNA_END)
			break;
		st = set_mark(m, &b, f.taken, err);
		if (st != RNA_OK)
			break;
	}
	rna_zframe_fini(&f);
	rna_blocks_fini(&b);
	return st == RNA_EMEM || st == RNA_EIO ? st : RNA_OK;
}

/* Whether part begins as a stream does, as far as it goes (*n bytes of 4): another file is refused, not cut. */
static enum rna_status
check_start(const char *part, size_t *n, struct rna_err *err)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	unsigned char start[4];
	ssize_t got = -1;
	int fd = open(part, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		do
			got = read(fd, start, sizeof(start));
		while (got < 0 && errno == EINTR);
	}
	if (got < 0)
		rna_fail_errno(err, "cannot read %s", part);
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return RNA_EIO;
	if (memcmp(start, magic, (size_t)got) != 0)
		return rna_fail(err, RNA_EFORMAT, "%s is not what a stopped run leaves", part);
	*n = (size_t)got;
	return RNA_OK;
}

/* What can be kept of part. */
static enum rna_status
find_mark(const char *part, struct mark *m, struct rna_err *err)
{
	const unsigned char *p;
	struct rna_input *in;
	enum rna_status st;
	size_t n;

	st = check_start(part, &n, err);
	if (st != RNA_OK || n < 4)
		return st;
	in = rna_input_open(part, err);
	if (in == NULL)
		return err != NULL ? err->status : RNA_EIO;
	if (rna_input_kind(in) == RNA_INPUT_RILL)
		st = scan(in, m, err);
	else if (rna_input_peek(in, 1, &p, &n, err) == RNA_OK && n > 0) /* else: stopped within the first frame */
		st = rna_fail(err, RNA_EFORMAT, "%s is not what a stopped run leaves", part);
	rna_input_close(in);
	return st;
}

static struct rna_writer *
go_on(struct rna_output *out, const struct rna_writer_options *opts, const struct mark *m, struct rna_err *err)
{
	struct rna_writer *w = rna_writer_new(out, opts, err);

	if (w == NULL)
		return NULL;
	w->streams = m->streams + (uint64_t)m->within;
	w->open = m->within;
	w->records = m->records;
	w->digest = m->digest;
	return w;
}

static int
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* path is there and path.part is not: the run had ended. */
static int
is_complete(const char *path)
{
	struct rna_buf part = RNA_BUF_INIT;
	int yes;

	yes = is_file(path) && rna_buf_printf(&part, "%s.part", path) == RNA_OK && !is_file((char *)part.data);
	rna_buf_fini(&part);
	return yes;
}

struct rna_writer *
rna_writer_resume(const char *path, const struct rna_writer_options *opts, struct rna_header *header,
    uint64_t *nstreams, uint64_t *nrecords, int *complete, struct rna_err *err)
{
	struct mark m = {.bytes = 0};
	struct rna_output *out;
	struct rna_writer *w;
	enum rna_status st;

	header->json = NULL;
	*nstreams = *nrecords = 0;
	*complete = path != NULL && is_complete(path);
	if (*complete) {
		rna_err_clear(err);
		return NULL;
	}
	out = rna_output_open(path, 1, err);
	if (out == NULL)
		return NULL;
	if (rna_output_part(out) == NULL) {
		rna_fail(err, RNA_EINVAL, "can't resume what is not a file");
		st = RNA_EINVAL;
	} else {
		st = find_mark(rna_output_part(out), &m, err);
	}
	if (st == RNA_OK)
		st = rna_output_cut(out, m.bytes, err);
	if (st != RNA_OK) {
		rna_err_where(err, rna_output_name(out), RNA_NOREC);
		rna_output_abort(out, 1);
		rna_header_fini(&m.header);
		return NULL;
	}
	if ((w = go_on(out, opts, &m, err)) == NULL) {
		rna_header_fini(&m.header);
		return NULL;
	}
	*header = m.header;
	*nstreams = m.streams;
	*nrecords = m.records;
	return w;
}
