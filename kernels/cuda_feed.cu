/*
 * cuda_feed.cu: feeds and replies (rk_feed.h).
 *
 * An image goes from pinned memory to its slot on the GPU on a stream of its own, beside the kernels of earlier lists;
 * from there to its place on the stream of the lists, in order with them.  Two waits of streams and one of the host
 * keep them apart:
 *	`sent`: the place is written after the slot is, and the host fills the pinned memory anew after it has left;
 *	`used`: the slot is written anew after the place was.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cuda_feed.h"
#include "cuda_list.h"
#include "rk_feed.h"

struct slot {
	char *host, *device;
	cudaEvent_t sent, used;
	int filled; /* was sent at least once */
};

struct cuda_feed {
	struct cuda_device *dev;
	void *dst;
	size_t bytes;
	int slots, at; /* the slot of the next image */
	struct slot slot[RK_FEED_SLOTS];
	char *host, *device; /* of all slots */
};

struct cuda_reply {
	struct cuda_device *dev;
	char *host;
	cudaEvent_t done;
};

/* A piece of memory of the host and of the GPU that begins where no other's line does. */
static size_t
whole(size_t n)
{
	return (n + 63) / 64 * 64;
}

static void *
no_memory(struct cuda_device *dev)
{
	snprintf(dev->err, sizeof(dev->err), "out of memory");
	return NULL;
}

/* 1. Feeds */

void
cuda_feed_destroy(void *feed)
{
	struct cuda_feed *f = (struct cuda_feed *)feed;

	cudaStreamSynchronize(f->dev->copies);
	cudaStreamSynchronize(f->dev->stream);
	for (int i = 0; i < f->slots; i++) {
		if (f->slot[i].sent != NULL)
			cudaEventDestroy(f->slot[i].sent);
		if (f->slot[i].used != NULL)
			cudaEventDestroy(f->slot[i].used);
	}
	cudaFree(f->device);
	if (f->host != NULL)
		cudaFreeHost(f->host);
	free(f);
}

void *
cuda_feed_create(void *device, void *dst, size_t bytes, int slots)
{
	struct cuda_device *dev = (struct cuda_device *)device;
	struct cuda_feed *f = (struct cuda_feed *)calloc(1, sizeof(*f));
	const size_t each = whole(bytes + !bytes);
	cudaError_t e;

	if (f == NULL)
		return no_memory(dev);
	f->dev = dev;
	f->dst = dst;
	f->bytes = bytes;
	f->slots = slots < 1 ? 1 : slots < RK_FEED_SLOTS ? slots : RK_FEED_SLOTS;
	e = cudaMallocHost((void **)&f->host, f->slots * each);
	if (e == cudaSuccess)
		e = cudaMalloc((void **)&f->device, f->slots * each);
	for (int i = 0; i < f->slots && e == cudaSuccess; i++) {
		f->slot[i].host = f->host + i * each;
		f->slot[i].device = f->device + i * each;
		e = cudaEventCreateWithFlags(&f->slot[i].sent, cudaEventDisableTiming);
		if (e == cudaSuccess)
			e = cudaEventCreateWithFlags(&f->slot[i].used, cudaEventDisableTiming);
	}
	if (cuda_status(dev, e, "memory for copies to the GPU") == RK_OK) {
		memset(f->host, 0, f->slots * each);
		return f;
	}
	cuda_feed_destroy(f);
	return NULL;
}

void *
cuda_feed_image(void *feed)
{
	struct cuda_feed *f = (struct cuda_feed *)feed;
	struct slot *s = &f->slot[f->at];

	if (s->filled && cuda_status(f->dev, cudaEventSynchronize(s->sent), "a copy to the GPU") != RK_OK)
		return NULL;
	return s->host;
}

enum rk_status
cuda_feed_send(void *feed)
{
	struct cuda_feed *f = (struct cuda_feed *)feed;
	struct slot *s = &f->slot[f->at];
	const cudaStream_t lists = f->dev->stream, copies = f->dev->copies;
	cudaError_t e = s->filled ? cudaStreamWaitEvent(copies, s->used, 0) : cudaSuccess;

	if (e == cudaSuccess)
		e = cudaMemcpyAsync(s->device, s->host, f->bytes, cudaMemcpyHostToDevice, copies);
	if (e == cudaSuccess)
		e = cudaEventRecord(s->sent, copies);
	if (e == cudaSuccess)
		e = cudaStreamWaitEvent(lists, s->sent, 0);
	if (e == cudaSuccess)
		e = cudaMemcpyAsync(f->dst, s->device, f->bytes, cudaMemcpyDeviceToDevice, lists);
	if (e == cudaSuccess)
		e = cudaEventRecord(s->used, lists);
	s->filled = 1;
	f->at = (f->at + 1) % f->slots;
	return cuda_status(f->dev, e, "a copy to the GPU");
}

/* 2. Replies */

void
cuda_reply_destroy(void *reply)
{
	struct cuda_reply *r = (struct cuda_reply *)reply;

	cudaStreamSynchronize(r->dev->stream);
	if (r->done != NULL)
		cudaEventDestroy(r->done);
	if (r->host != NULL)
		cudaFreeHost(r->host);
	free(r);
}

void *
cuda_reply_create(void *device, size_t bytes, void **host)
{
	struct cuda_device *dev = (struct cuda_device *)device;
	struct cuda_reply *r = (struct cuda_reply *)calloc(1, sizeof(*r));
	cudaError_t e;

	if (r == NULL)
		return no_memory(dev);
	r->dev = dev;
	e = cudaMallocHost((void **)&r->host, whole(bytes + !bytes));
	if (e == cudaSuccess)
		e = cudaEventCreateWithFlags(&r->done, cudaEventDisableTiming);
	if (cuda_status(dev, e, "memory for copies from the GPU") == RK_OK) {
		*host = r->host;
		return r;
	}
	cuda_reply_destroy(r);
	return NULL;
}

enum rk_status
cuda_reply_ask(void *reply, size_t at, const void *src, size_t bytes)
{
	struct cuda_reply *r = (struct cuda_reply *)reply;
	cudaError_t e = cudaMemcpyAsync(r->host + at, src, bytes, cudaMemcpyDeviceToHost, r->dev->stream);

	if (e == cudaSuccess)
		e = cudaEventRecord(r->done, r->dev->stream);
	return cuda_status(r->dev, e, "a copy from the GPU");
}

enum rk_status
cuda_reply_wait(void *reply)
{
	struct cuda_reply *r = (struct cuda_reply *)reply;

	return cuda_checked(r->dev, cudaEventSynchronize(r->done));
}
