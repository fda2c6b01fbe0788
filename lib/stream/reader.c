/*
 * reader.c: records out of a stream.
 *
 * Frames are gathered one after the other, as many as the pipe has ready and there is room for, and unpacked while
 * the records of those before are handed out.  What goes wrong with a later frame is reported when its turn comes, so
 * the records before it are the same for every number of threads.
 */
#include <stdlib.h>
#include "stream/blocks.h"
#include "stream/pool.h"
#include "stream/stream.h"
#include "stream/zframe.h"

struct rna_inframe {
	struct rna_zframe z;
	struct rna_task task;
};

struct rna_reader {
	struct rna_input *in;
	struct rna_pool *pool;
	struct rna_inframe *frames;  /* a ring: the nbusy frames that are being unpacked, then one gathered in part */
	int nframes, first, nbusy;
	enum rna_status after;       /* what follows the gathered frames: RNA_OK, RNA_END or an error ... */
	struct rna_err after_err;    /* ... described here */
	struct rna_blocks blocks;
	uint64_t number;             /* records handed out */
	enum rna_status ended;       /* not RNA_OK: all that further reads return */
	struct rna_err ended_err;
};

static void
unpack(void *arg)
{
	rna_zframe_unpack(arg);
}

/* Gathers frames and has them unpacked; at least one is on its way then, unless the input is over or bad. */
static void
gather(struct rna_reader *r)
{
	struct rna_inframe *f;
	enum rna_status st;

	while (r->nbusy < r->nframes && r->after == RNA_OK) {
		f = &r->frames[(r->first + r->nbusy) % r->nframes];
		st = rna_zframe_pull(&f->z, r->in, r->nbusy == 0, &r->after_err);
		if (st == RNA_NEXT)
			break;
		if (st != RNA_OK) {
			r->after = st;
			break;
		}
		rna_pool_submit(r->pool, &f->task);
		r->nbusy++;
	}
}

/* Puts the next frame before blocks.  RNA_END: there is none, and the input may end here. */
static enum rna_status
next_frame(struct rna_reader *r, struct rna_err *err)
{
	struct rna_inframe *f = &r->frames[r->first];

	gather(r);
	if (r->nbusy > 0) {
		rna_pool_wait(r->pool, &f->task);
		r->first = (r->first + 1) % r->nframes;
		r->nbusy--;
		if (f->z.status == RNA_OK)
			return rna_blocks_frame(&r->blocks, f->z.content.data, f->z.content.len, err);
		*err = f->z.err;
		return f->z.status;
	}
	if (r->after == RNA_END)
		return rna_blocks_finish(&r->blocks, err);
	*err = r->after_err;
	return r->after;
}

/* The next header or record. */
static enum rna_status
next_block(struct rna_reader *r, struct rna_block *block, struct rna_err *err)
{
	enum rna_status st;

	do {
		st = rna_blocks_next(&r->blocks, block, err);
		while (st == RNA_END) {
			st = next_frame(r, err);
			if (st != RNA_OK)
				return st;
			st = rna_blocks_next(&r->blocks, block, err);
		}
	} while (st == RNA_OK && block->kind == RNA_KIND_END);
	return st;
}

static enum rna_status
step(struct rna_reader *r, struct rna_record *rec, struct rna_err *err)
{
	struct rna_block block;
	enum rna_status st;

	st = next_block(r, &block, err);
	if (st != RNA_OK)
		return st;
	if (block.kind == RNA_KIND_HEADER)
		return RNA_NEXT;
	r->number++;
	st = rna_record_decode(rec, block.payload, block.size, err);
	if (st != RNA_OK)
		rna_err_where(err, NULL, r->number);
	rec->number = r->number;
	return st;
}

enum rna_status
rna_reader_read(struct rna_reader *r, struct rna_record *rec, struct rna_err *err)
{
	struct rna_err why = {.record = RNA_NOREC};
	enum rna_status st;

	if (r->ended != RNA_OK) {
		if (err != NULL)
			*err = r->ended_err;
		return r->ended;
	}
	st = step(r, rec, &why);
	if (st == RNA_OK || st == RNA_NEXT)
		return st;
	if (st != RNA_END)
		rna_err_where(&why, rna_input_name(r->in),
		    st == RNA_ETRUNC || st == RNA_EIO || st == RNA_EMEM ? RNA_NOREC : r->number + 1);
	r->ended = st;
	r->ended_err = why;
	if (err != NULL)
		*err = why;
	return st;
}

static enum rna_status
first_header(struct rna_reader *r, struct rna_err *err)
{
	const unsigned char *p;
	struct rna_block block;
	enum rna_status st;
	size_t got;

	if (rna_input_kind(r->in) != RNA_INPUT_RILL) {
		st = rna_input_peek(r->in, 1, &p, &got, err);
		if (st != RNA_OK)
			return st;
		return got == 0 ? rna_fail(err, RNA_ETRUNC, "empty: there is no header") :
		    rna_fail(err, RNA_EFORMAT, "not a record stream");
	}
	return next_block(r, &block, err); /* the first block is a header, or out of order */
}

struct rna_reader *
rna_reader_open(struct rna_input *in, int nthreads, struct rna_err *err)
{
	struct rna_err why = {.record = RNA_NOREC};
	struct rna_reader *r = calloc(1, sizeof(*r));
	enum rna_status st = RNA_EMEM;
	int i;

	nthreads = nthreads < 1 ? 1 : nthreads;
	if (r != NULL) {
		r->in = in;
		rna_blocks_init(&r->blocks);
		r->nframes = nthreads > 1 ? nthreads + 1 : 1;
		r->frames = calloc((size_t)r->nframes, sizeof(*r->frames));
		r->pool = rna_pool_create(nthreads);
	}
	if (r == NULL || r->frames == NULL || r->pool == NULL) {
		rna_fail(&why, RNA_EMEM, "out of memory");
	} else {
		for (i = 0; i < r->nframes; i++) {
			rna_zframe_init(&r->frames[i].z);
			r->frames[i].task = (struct rna_task){.run = unpack, .arg = &r->frames[i].z};
		}
		st = first_header(r, &why);
	}
	if (st == RNA_OK)
		return r;
	rna_err_where(&why, rna_input_name(in), RNA_NOREC);
	if (err != NULL)
		*err = why;
	if (r == NULL)
		rna_input_close(in);
	rna_reader_close(r);
	return NULL;
}

const struct rna_header *
rna_reader_header(const struct rna_reader *r)
{
	return &r->blocks.header;
}

void
rna_reader_close(struct rna_reader *r)
{
	int i;

	if (r == NULL)
		return;
	rna_pool_destroy(r->pool);
	for (i = 0; r->frames != NULL && i < r->nframes; i++)
		rna_zframe_fini(&r->frames[i].z);
	free(r->frames);
	rna_blocks_fini(&r->blocks);
	rna_input_close(r->in);
	free(r);
}
