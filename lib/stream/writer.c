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
#define THREADS_MAX 256

/* The pool's share: digest of the records, and the frame. */
static void
pack(void *arg)
{
	struct rna_outframe *f = arg;

	f->step = rna_blocks_digest_frame(f->src, f->records, &f->digest);
	rna_zframe_pack(&f->z, f->src, f->size, f->level);
}

struct rna_writer *
rna_writer_new(struct rna_output *out, const struct rna_writer_options *opts, struct rna_err *err)
{
	struct rna_writer *w = calloc(1, sizeof(*w));
	int nthreads = opts->nthreads < 1 ? 1 : opts->nthreads > THREADS_MAX ? THREADS_MAX : opts->nthreads, i;

	if (w != NULL) {
		w->out = out;
		w->level = opts->level == 0 ? FASTEST : opts->level;
		w->nframes = nthreads > 1 ? nthreads + 1 : 1;
		w->frames = calloc((size_t)w->nframes, sizeof(*w->frames));
		w->pool = w->frames != NULL ? rna_pool_create(nthreads) : NULL;
	}
	if (w == NULL || w->pool == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		rna_output_abort(out, 0);
		if (w != NULL)
			free(w->frames);
		free(w);
		return NULL;
	}
	for (i = 0; i < w->nframes; i++) {
		rna_zframe_init(&w->frames[i].z);
		w->frames[i].task = (struct rna_task){.run = pack, .arg = &w->frames[i]};
		w->frames[i].level = w->level;
	}
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

	rna_pool_destroy(w->pool);
	for (i = 0; i < w->nframes; i++)
		rna_zframe_fini(&w->frames[i].z);
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

/* The frame being filled. */
static struct rna_outframe *
current(struct rna_writer *w)
{
	return &w->frames[(w->first + w->nbusy) % w->nframes];
}

/* Writes the oldest frame that is being packed. */
static enum rna_status
retire(struct rna_writer *w, struct rna_err *err)
{
	struct rna_outframe *f = &w->frames[w->first];

	rna_pool_wait(w->pool, &f->task);
	w->first = (w->first + 1) % w->nframes;
	w->nbusy--;
	w->digest = w->digest * f->step + f->digest;
	f->records = 0;
	if (f->z.status == RNA_OK)
		return rna_output_write(w->out, f->z.packed.data, f->z.packed.len, err);
	*err = f->z.err;
	return f->z.status;
}

/* Writes the frames that are full. */
static enum rna_status
flush(struct rna_writer *w, struct rna_err *err)
{
	enum rna_status st = RNA_OK;

	while (st == RNA_OK && w->nbusy > 0)
		st = retire(w, err);
	return st;
}

/* Has n bytes at src packed; frames that are ready go out, and one when none is left to be filled. */
static enum rna_status
submit(struct rna_writer *w, const unsigned char *src, size_t n, struct rna_err *err)
{
	struct rna_outframe *f = current(w);
	enum rna_status st = RNA_OK;

	f->src = src;
	f->size = n;
	rna_pool_submit(w->pool, &f->task);
	w->nbusy++;
	while (st == RNA_OK && w->nbusy > 0 &&
	    (w->nbusy == w->nframes || rna_pool_done(w->pool, &w->frames[w->first].task)))
		st = retire(w, err);
	return st;
}

/* Ends the frame at hand. */
static enum rna_status
close_frame(struct rna_writer *w, struct rna_err *err)
{
	struct rna_buf *content = &current(w)->z.content;
	size_t n = content->len;

	if (n == 0)
		return RNA_OK;
	rna_buf_reuse(content);
	return submit(w, content->data, n, err);
}

/* Brings the digest up to the last record. */
static enum rna_status
hash_rest(struct rna_writer *w, struct rna_err *err)
{
	struct rna_outframe *f = current(w);
	enum rna_status st = flush(w, err);

	f->step = rna_blocks_digest_frame(f->z.content.data, f->records, &f->digest);
	w->digest = w->digest * f->step + f->digest;
	f->records = 0;
	return st;
}

/* Makes room for a block with n bytes of payload in the frame at hand and writes its head; the payload comes next. */
static enum rna_status
begin_block(struct rna_writer *w, enum rna_block_kind kind, size_t n, struct rna_buf **to, struct rna_err *err)
{
	struct rna_buf *frame = &current(w)->z.content;
	enum rna_status st;

	if (frame->len > 0 && RNA_BLOCK_HEAD + n > RNA_FRAME_BYTES - frame->len) {
		st = close_frame(w, err);
		if (st != RNA_OK)
			return st;
		frame = &current(w)->z.content;
	}
	if (rna_buf_reserve(frame, RNA_BLOCK_HEAD + n) != RNA_OK)
		return rna_fail(err, RNA_EMEM, "no memory for a record of %zu bytes", n);
	rna_block_head(frame->data + frame->len, kind, n);
	frame->len += RNA_BLOCK_HEAD;
	*to = frame;
	return RNA_OK;
}

/* Counts the record that the frame at hand now ends with. */
static enum rna_status
count_record(struct rna_writer *w, struct rna_err *err)
{
	struct rna_outframe *f = current(w);

	w->records++;
	if (++f->records == RNA_FRAME_RECORDS || f->z.content.len >= RNA_FRAME_BYTES)
		return close_frame(w, err);
	return RNA_OK;
}

/* A record too large for a frame: the block, whole in w->big, is cut into frames of RNA_FRAME_MAX. */
static enum rna_status
write_big(struct rna_writer *w, struct rna_err *err)
{
	size_t at, n;
	enum rna_status st;

	st = close_frame(w, err);
	if (st == RNA_OK)
		st = flush(w, err);
	w->digest = rna_blocks_digest(w->digest, w->big.data + RNA_BLOCK_HEAD, w->big.len - RNA_BLOCK_HEAD);
	w->records++;
	for (at = 0; st == RNA_OK && at < w->big.len; at += n) {
		n = w->big.len - at < RNA_FRAME_MAX ? w->big.len - at : RNA_FRAME_MAX;
		st = submit(w, w->big.data + at, n, err);
	}
	if (st == RNA_OK)
		st = flush(w, err);
	if (st == RNA_OK) /* else a thread may still read it */
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
	return is_big ? write_big(w, err) : count_record(w, err);
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
	st = hash_rest(w, err);
	if (st != RNA_OK)
		return st;
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
