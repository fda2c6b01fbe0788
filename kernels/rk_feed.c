/*
 * rk_feed.c: feeds and replies (rk_feed.h): the plug-in's, or a host backend's, whose memory is the caller's own.
 */
#include <stdlib.h>
#include <string.h>

#include "rk_feed.h"
#include "rk_open.h"

struct rk_feed {
	struct rk *rk;
	void *dev; /* the plug-in's; then dst is not used */
	void *dst;
};

struct rk_reply {
	struct rk *rk;
	void *dev; /* the plug-in's, whose memory host is; else host is the reply's own */
	char *host;
};

/* 1. Feeds */

struct rk_feed *
rk_feed_create(struct rk *rk, void *dst, size_t bytes, int slots)
{
	struct rk_feed *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		rk_say(rk->err, sizeof(rk->err), "out of memory");
		return NULL;
	}
	f->rk = rk;
	f->dst = dst;
	if (rk->table == NULL || (f->dev = rk->table->feed_create(rk->dev, dst, bytes, slots)) != NULL)
		return f;
	rk_told(rk, RK_EMEM);
	free(f);
	return NULL;
}

void
rk_feed_destroy(struct rk_feed *f)
{
	if (f != NULL && f->dev != NULL)
		f->rk->table->feed_destroy(f->dev);
	free(f);
}

void *
rk_feed_image(struct rk_feed *f)
{
	void *image = f->dst;

	if (f->dev != NULL && (image = f->rk->table->feed_image(f->dev)) == NULL)
		rk_told(f->rk, RK_EDEVICE);
	return image;
}

enum rk_status
rk_feed_send(struct rk_feed *f)
{
	return f->dev != NULL ? rk_told(f->rk, f->rk->table->feed_send(f->dev)) : RK_OK;
}

size_t
rk_feed_bytes(const struct rk *rk, size_t bytes, int slots)
{
	return rk->table != NULL ? (size_t)slots * rk_round_up(bytes) : 0;
}

/* 2. Replies */

struct rk_reply *
rk_reply_create(struct rk *rk, size_t bytes)
{
	struct rk_reply *r = calloc(1, sizeof(*r));
	void *host = NULL;

	if (r == NULL) {
		rk_say(rk->err, sizeof(rk->err), "out of memory");
		return NULL;
	}
	r->rk = rk;
	if (rk->table == NULL)
		host = calloc(1, bytes + !bytes);
	else if ((r->dev = rk->table->reply_create(rk->dev, bytes, &host)) == NULL)
		rk_told(rk, RK_EMEM);
	if ((r->host = host) != NULL)
		return r;
	if (rk->table == NULL)
		rk_say(rk->err, sizeof(rk->err), "out of memory");
	free(r);
	return NULL;
}

void
rk_reply_destroy(struct rk_reply *r)
{
	if (r == NULL)
		return;
	if (r->dev != NULL)
		r->rk->table->reply_destroy(r->dev);
	else
		free(r->host);
	free(r);
}

enum rk_status
rk_reply_ask(struct rk_reply *r, size_t at, const void *src, size_t bytes)
{
	if (bytes > 0 && r->dev != NULL)
		return rk_told(r->rk, r->rk->table->reply_ask(r->dev, at, src, bytes));
	if (bytes > 0)
		memcpy(r->host + at, src, bytes);
	return RK_OK;
}

enum rk_status
rk_reply_read(struct rk_reply *r, size_t at, void *dst, size_t bytes)
{
	const enum rk_status s = r->dev != NULL ? rk_told(r->rk, r->rk->table->reply_wait(r->dev)) : RK_OK;

	if (s == RK_OK && bytes > 0)
		memcpy(dst, r->host + at, bytes);
	return s;
}

enum rk_status
rk_reply_read_f32(struct rk_reply *r, size_t at, float *dst, size_t n)
{
	if (rk_real_size(r->rk) == sizeof(float))
		return rk_reply_read(r, at, dst, n * sizeof(float));
	for (size_t i = 0; i < n; i++) {
		double v;

		memcpy(&v, r->host + at + i * sizeof(v), sizeof(v));
		dst[i] = (float)v;
	}
	return RK_OK;
}
