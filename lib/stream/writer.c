/*
 * writer.c: records into frames.
 *
 * Where frames are cut depends on the records alone (formats/stream.md, section 1), and each is compressed by itself,
 * so the bytes are the same for every number of threads.
 */
#include <sys/endian.h>
#include <stdlib.h>
#include "stream/blocks.h"
#include "stream/writer.h"

/* Level 0: zstd's fastest setting, pinned, so that its name means the same bytes with every libzstd of today. */
#define FASTEST (-131072)
#define BATCH 256 /* most frames packed at once */

struct rna_writer *
rna_writer_new(struct rna_output *out, const struct rna_writer_options *opts, struct rna_err *err)
{
	struct rna_writer *w = calloc(1, sizeof(*w));
	int i;

	if (w != NULL) {
		w->out = out;
		w->level = opts->level == 0 ? FASTEST : opts->level;
		w->nthreads = opts->nthreads < 1 ? 1 : opts->nthreads > BATCH ? BATCH : opts->nthreads;
		w->frames = calloc((size_t)w->nthreads, sizeof(*w->frames));
	}
	if (w == NULL || w->frames == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		rna_output_abort(out, 0);
		free(w);
		return NULL;
	}
	for (i = 0; i < w->nthreads; i++)
		rna_zframe_init(&w->frames[i]);
	return w;
}

struct rna_writer *
rna_writer_open(const char *path, const struct rna_writer_options *opts, struct rna_err *err)
{
	struct rna_output *out = rna_output_open(path, 0, err);

	return out != NULL ? rna_writer_new(out, opts, err) : NULL;
}

static void
destroy(struct rna_writer *w)
{
	int i;

	for (i = 0; i < w->nthreads; i++)
		rna_zframe_fini(&w->frames[i]);
	free(w->frames);
	rna_buf_fini(&w->big);
	free(w);
}

void
rna_writer_abort(struct rna_writer *w, int keep)
{
	if (w == NULL)
		return;
	rna_output_abort(w->out, keep);
	destroy(w);
}

uint64_t
rna_writer_records(const struct rna_writer *w)
{
	return w->records;
}

/* One frame is packed without OpenMP, which takes memory of its own and ends the process when it gets none. */
static void
compress(struct rna_writer *w, const unsigned char *const *src, const size_t *size, int n)
{
	int i;

	if (n == 1) {
		rna_zframe_pack(&w->frames[0], src[0], size[0], w->level);
	} else {
#pragma omp parallel for num_threads(n) schedule(dynamic)
		for (i = 0; i < n; i++)
			rna_zframe_pack(&w->frames[i], src[i], size[i], w->level);
	}
}

/* Compresses the n contents at src[i] all at once, then writes them in order. */
static enum rna_status
pack(struct rna_writer *w, const unsigned char *const *src, const size_t *size, int n, struct rna_err *err)
{
	enum rna_status st;
	int i;

	compress(w, src, size, n);
	for (i = 0; i < n; i++) {
		if (w->frames[i].status != RNA_OK) {
			*err = w->frames[i].err;
			return w->frames[i].status;
		}
		st = rna_output_write(w->out, w->frames[i].packed.data, w->frames[i].packed.len, err);
		if (st != RNA_OK)
			return st;
	}
	return RNA_OK;
}

/* Writes the frames that are full. */
static enum rna_status
flush(struct rna_writer *w, struct rna_err *err)
{
	const unsigned char *src[BATCH];
	size_t size[BATCH];
	enum rna_status st;
	int i, n = w->nfull;

	for (i = 0; i < n; i++) {
		src[i] = w->frames[i].content.data;
		size[i] = w->frames[i].content.len;
		rna_buf_reuse(&w->frames[i].content);
	}
	w->nfull = 0;
	st = n > 0 ? pack(w, src, size, n, err) : RNA_OK;
	return st;
}

/* Ends the frame at hand; the frames go out when there is one for each thread. */
static enum rna_status
close_frame(struct rna_writer *w, struct rna_err *err)
{
	if (w->frames[w->nfull].content.len == 0)
		return RNA_OK;
	w->frame_records = 0;
	return ++w->nfull == w->nthreads ? flush(w, err) : RNA_OK;
}

/* Makes room for a block with n bytes of payload in the frame at hand and writes its head; the payload comes next. */
static enum rna_status
begin_block(struct rna_writer *w, enum rna_block_kind kind, size_t n, struct rna_buf **to, struct rna_err *err)
{
	struct rna_buf *frame = &w->frames[w->nfull].content;
	enum rna_status st;

	if (frame->len > 0 && RNA_BLOCK_HEAD + n > RNA_FRAME_BYTES - frame->len) {
		st = close_frame(w, err);
		if (st != RNA_OK)
			return st;
		frame = &w->frames[w->nfull].content;
	}
	if (rna_buf_reserve(frame, RNA_BLOCK_HEAD + n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory for a record of %zu bytes", n);
	rna_block_head(frame->data + frame->len, kind, n);
	frame->len += RNA_BLOCK_HEAD;
	*to = frame;
	return RNA_OK;
}

/* Counts the payload of n bytes that to now ends with. */
static enum rna_status
count_record(struct rna_writer *w, const struct rna_buf *to, size_t n, struct rna_err *err)
{
	w->digest = rna_blocks_digest(w->digest, to->data + to->len - n, n);
	w->records++;
	if (++w->frame_records == RNA_FRAME_RECORDS || to->len >= RNA_FRAME_BYTES)
		return close_frame(w, err);
	return RNA_OK;
}

/* A record too large for a frame: the block, whole in w->big, is cut into frames of RNA_FRAME_MAX. */
static enum rna_status
write_big(struct rna_writer *w, struct rna_err *err)
{
	const unsigned char *src[BATCH];
	size_t size[BATCH], at;
	enum rna_status st;
	int n;

	w->digest = rna_blocks_digest(w->digest, w->big.data + RNA_BLOCK_HEAD, w->big.len - RNA_BLOCK_HEAD);
	w->records++;
	st = close_frame(w, err);
	if (st == RNA_OK)
		st = flush(w, err);
	for (at = 0; st == RNA_OK && at < w->big.len;) {
		for (n = 0; n < w->nthreads && at < w->big.len; n++) {
			src[n] = w->big.data + at;
			size[n] = w->big.len - at < RNA_FRAME_MAX ? w->big.len - at : RNA_FRAME_MAX;
			at += size[n];
		}
		st = pack(w, src, size, n, err);
	}
	rna_buf_fini(&w->big); /* such records are rare: their memory is not kept */
	return st;
}

/* One record of n bytes: rec, or already encoded at data when rec is NULL. */
static enum rna_status
add_record(struct rna_writer *w, const struct rna_record *rec, const void *data, size_t n, struct rna_err *err)
{
	struct rna_buf *to = &w->big;
	enum rna_status st = RNA_OK;
	int is_big = n > RNA_FRAME_MAX - RNA_BLOCK_HEAD;

	if (!w->open)
		return rna_fail(err, RNA_EINVAL, "a record before a header");
	if (n > RNA_BLOCK_MAX)
		return rna_fail(err, RNA_EINVAL, "a record of %zu bytes is over the format's limit", n);
	if (is_big) {
		rna_buf_reuse(to);
		if (rna_buf_reserve(to, RNA_BLOCK_HEAD + n) != RNA_OK)
			return rna_fail(err, RNA_EMEM, "no memory for a record of %zu bytes", n);
		rna_block_head(to->data, RNA_KIND_RECORD, n);
		to->len = RNA_BLOCK_HEAD;
	} else {
		st = begin_block(w, RNA_KIND_RECORD, n, &to, err);
		if (st != RNA_OK)
			return st;
	}
	st = rec != NULL ? rna_record_encode(rec, to) : rna_buf_add(to, data, n);
	if (st != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory for a record of %zu bytes", n);
	return is_big ? write_big(w, err) : count_record(w, to, n, err);
}

static enum rna_status
end_stream(struct rna_writer *w, struct rna_err *err)
{
	unsigned char end[RNA_END_SIZE];
	struct rna_buf *to;
	enum rna_status st;

	if (!w->open)
		return RNA_OK;
	w->open = 0;
	le64enc(end, w->records);
	le64enc(end + 8, w->digest);
	st = begin_block(w, RNA_KIND_END, RNA_END_SIZE, &to, err);
	if (st == RNA_OK && rna_buf_add(to, end, sizeof(end)) != RNA_OK)
		st = rna_fail(err, RNA_EMEM, "out of memory");
	return st == RNA_OK ? close_frame(w, err) : st;
}

static enum rna_status
begin_stream(struct rna_writer *w, const struct rna_header *h, struct rna_err *err)
{
	struct rna_buf json = RNA_BUF_INIT, *to;
	enum rna_status st = end_stream(w, err);

	if (st == RNA_OK && rna_header_dump(h, &json) != RNA_OK)
		st = rna_fail(err, RNA_EMEM, "no memory for the header");
	while (st == RNA_OK && json.len % 8 != 0) {
		if (rna_buf_add(&json, " ", 1) != RNA_OK)
			st = rna_fail(err, RNA_EMEM, "no memory for the header");
	}
	if (st == RNA_OK && json.len > RNA_HEADER_MAX)
		st = rna_fail(err, RNA_EINVAL, "a header of %zu bytes is over the format's limit", json.len);
	if (st == RNA_OK)
		st = begin_block(w, RNA_KIND_HEADER, json.len, &to, err);
	if (st == RNA_OK && rna_buf_add(to, json.data, json.len) != RNA_OK)
		st = rna_fail(err, RNA_EMEM, "no memory for the header");
	if (st == RNA_OK) {
		w->open = 1;
		w->streams++;
		w->records = 0;
		w->digest = rna_blocks_digest(0, json.data, json.len);
		st = close_frame(w, err);
	}
	if (st == RNA_OK)
		st = flush(w, err); /* the next program in the pipe can begin */
	rna_buf_fini(&json);
	return st;
}

/* Remembers the first failure, so that a stream with a hole in it is never completed. */
static enum rna_status
settle(struct rna_writer *w, enum rna_status st, const struct rna_err *why, struct rna_err *err)
{
	if (st == RNA_OK)
		return st;
	if (w->failed == RNA_OK) {
		w->failed = st;
		w->failed_err = *why;
		rna_err_where(&w->failed_err, rna_output_name(w->out), RNA_NOREC);
	}
	if (err != NULL)
		*err = w->failed_err;
	return w->failed;
}

enum rna_status
rna_writer_header(struct rna_writer *w, const struct rna_header *h, struct rna_err *err)
{
	struct rna_err why = {.record = RNA_NOREC};

	return settle(w, w->failed != RNA_OK ? w->failed : begin_stream(w, h, &why), &why, err);
}

enum rna_status
rna_writer_write(struct rna_writer *w, const struct rna_record *rec, struct rna_err *err)
{
	struct rna_err why;
	enum rna_status st = w->failed;

	if (st == RNA_OK)
		st = add_record(w, rec, NULL, rna_record_size(rec), &why);
	return settle(w, st, &why, err);
}

enum rna_status
rna_writer_write_encoded(struct rna_writer *w, const void *data, const size_t *sizes, size_t n, struct rna_err *err)
{
	const unsigned char *p = data;
	struct rna_err why;
	enum rna_status st = w->failed;
	size_t i;

	for (i = 0; st == RNA_OK && i < n; p += sizes[i++])
		st = add_record(w, NULL, p, sizes[i], &why);
	return settle(w, st, &why, err);
}

enum rna_status
rna_writer_close(struct rna_writer *w, struct rna_err *err)
{
	struct rna_err why = {.record = RNA_NOREC};
	enum rna_status st = w->failed;

	if (st == RNA_OK && w->streams == 0)
		st = rna_fail(&why, RNA_EINVAL, "no header was written");
	if (st == RNA_OK)
		st = end_stream(w, &why);
	if (st == RNA_OK)
		st = flush(w, &why);
	st = settle(w, st, &why, err);
	if (st != RNA_OK) {
		rna_writer_abort(w, 0);
		return st;
	}
	st = rna_output_commit(w->out, err);
	destroy(w);
	return st;
}
