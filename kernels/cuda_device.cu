/*
 * cuda_device.cu: the plug-in's table: opening the GPU or saying what is missing, memory, copies.
 *
 * Everything but the images of feeds (cuda_feed.cu) goes on one stream.  Uploads pass through pinned memory and do not
 * wait for the GPU; downloads do.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cuda_feed.h"
#include "cuda_fold.h"
#include "cuda_list.h"

enum { RING = 8 << 20, HALF = RING / 2, OLDEST = 80, UNIT_TOKENS = 65536, TOKENS_A_PROCESSOR = 512 };

/* 1. Opening */

static void
close_device(void *p)
{
	struct cuda_device *dev = (struct cuda_device *)p;

	if (dev == NULL)
		return;
	if (dev->stream != NULL)
		cudaStreamSynchronize(dev->stream);
	cuda_linear_destroy(dev->linear);
	for (int i = 0; i < 2; i++)
		if (dev->ring_free[i] != NULL)
			cudaEventDestroy(dev->ring_free[i]);
	if (dev->ring != NULL)
		cudaFreeHost(dev->ring);
	if (dev->fault != NULL)
		cudaFreeHost(dev->fault);
	if (dev->copies != NULL)
		cudaStreamDestroy(dev->copies);
	if (dev->stream != NULL)
		cudaStreamDestroy(dev->stream);
	free(dev);
}

/* Why there is no GPU; NULL: there is one, and prop says which. */
static const char *
probe(struct cudaDeviceProp *prop, char *text, size_t size)
{
	int n = 0, runtime = 0;
	const cudaError_t e = cudaGetDeviceCount(&n);

	cudaRuntimeGetVersion(&runtime);
	if (e == cudaErrorInsufficientDriver)
		snprintf(
		    text, size, "no NVIDIA driver, or one too old for CUDA %d.%d", runtime / 1000, runtime % 1000 / 10);
	else if (e == cudaErrorNoDevice || (e == cudaSuccess && n == 0))
		snprintf(text, size, "no CUDA device (see nvidia-smi and CUDA_VISIBLE_DEVICES)");
	else if (e != cudaSuccess)
		snprintf(text, size, "CUDA can't be started: %s", cudaGetErrorString(e));
	else if (cudaGetDeviceProperties(prop, 0) != cudaSuccess || cudaSetDevice(0) != cudaSuccess)
		snprintf(text, size, "the CUDA device can't be opened: %s", cudaGetErrorString(cudaGetLastError()));
	else if (prop->major * 10 + prop->minor < OLDEST)
		snprintf(text, size, "%s has compute capability %d.%d; %d.%d or later is needed", prop->name,
		    prop->major, prop->minor, OLDEST / 10, OLDEST % 10);
	else
		return NULL;
	return text;
}

static int
make(struct cuda_device *dev, const struct cudaDeviceProp *prop)
{
	size_t all;

	dev->arch = prop->major * 10 + prop->minor;
	dev->processors = prop->multiProcessorCount;
	dev->shared_max = (int)prop->sharedMemPerBlockOptin;
	if (cudaMemGetInfo(&dev->free_at_open, &all) != cudaSuccess ||
	    cudaStreamCreateWithFlags(&dev->stream, cudaStreamNonBlocking) != cudaSuccess ||
	    cudaStreamCreateWithFlags(&dev->copies, cudaStreamNonBlocking) != cudaSuccess ||
	    cudaMallocHost((void **)&dev->ring, RING) != cudaSuccess ||
	    cudaEventCreateWithFlags(&dev->ring_free[0], cudaEventDisableTiming) != cudaSuccess ||
	    cudaEventCreateWithFlags(&dev->ring_free[1], cudaEventDisableTiming) != cudaSuccess ||
	    cudaMallocHost((void **)&dev->fault, sizeof(*dev->fault)) != cudaSuccess) {
		snprintf(dev->err, sizeof(dev->err), "the CUDA device can't be opened: %s",
		    cudaGetErrorString(cudaGetLastError()));
		return -1;
	}
	*dev->fault = 0;
	return (dev->linear = cuda_linear_create(dev, prop->name)) != NULL ? 0 : -1;
}

static void *
open_device(char *level, size_t levelsize, char *err, size_t errsize)
{
	struct cuda_device *dev;
	struct cudaDeviceProp prop;

	if (probe(&prop, err, errsize) != NULL)
		return NULL;
	if ((dev = (struct cuda_device *)calloc(1, sizeof(*dev))) == NULL) {
		snprintf(err, errsize, "out of memory");
		return NULL;
	}
	if (make(dev, &prop) != 0) {
		snprintf(err, errsize, "%s", dev->err);
		close_device(dev);
		return NULL;
	}
	snprintf(level, levelsize, "sm_%d%d", prop.major, prop.minor);
	return dev;
}

static const char *
error_of(const void *p)
{
	return ((const struct cuda_device *)p)->err;
}

enum rk_status
cuda_status(struct cuda_device *dev, cudaError_t e, const char *what)
{
	if (e == cudaSuccess)
		return RK_OK;
	snprintf(dev->err, sizeof(dev->err), "%s: %s", what, cudaGetErrorString(e));
	return e == cudaErrorMemoryAllocation ? RK_EMEM : RK_EDEVICE;
}

/* Enough tokens for every multiprocessor, but no more than 64k, where a step of any model is long. */
static int
unit_tokens(const void *p)
{
	const int n = ((const struct cuda_device *)p)->processors * TOKENS_A_PROCESSOR;

	return n < UNIT_TOKENS ? n : UNIT_TOKENS;
}

static const char *
lacks(const void *p, enum rk_precision precision)
{
	return precision == RK_FP8 && ((const struct cuda_device *)p)->arch < 89
	           ? "it takes compute capability 8.9 or later"
	           : NULL;
}

static size_t
store_size(enum rk_precision precision)
{
	return precision == RK_FP32 ? sizeof(float) : sizeof(bf16);
}

/* The backward pass uses the same weights: cuBLASLt turns them. */
static size_t
pack_size(int n, int k, enum rk_precision precision, int backward)
{
	if (precision == RK_FP32 || backward)
		return 0;
	return precision == RK_FP8 && rk_fp8_takes(n, k) ? cuda_fp8_pack_size(n, k) : (size_t)n * k * sizeof(bf16);
}

/* 2. Memory */

static void *
alloc(void *p, size_t bytes)
{
	struct cuda_device *dev = (struct cuda_device *)p;
	const size_t n = (bytes + !bytes + 63) / 64 * 64;
	void *m = NULL;

	if (cuda_status(dev, cudaMalloc(&m, n), "memory of the GPU") != RK_OK)
		return NULL;
	if (cuda_status(dev, cudaMemsetAsync(m, 0, n, dev->stream), "memory of the GPU") == RK_OK)
		return m;
	cudaFree(m);
	return NULL;
}

static void
free_memory(void *, void *m)
{
	cudaFree(m);
}

/* Room in the ring for some of these bytes; what was copied from there before has left it. */
static char *
ring_room(struct cuda_device *dev, size_t *bytes)
{
	char *room;

	if (dev->ring_at == HALF) {
		if (cudaEventRecord(dev->ring_free[dev->ring_half], dev->stream) != cudaSuccess)
			return NULL;
		dev->ring_used[dev->ring_half] = 1;
		dev->ring_half = !dev->ring_half;
		dev->ring_at = 0;
		if (dev->ring_used[dev->ring_half] &&
		    cudaEventSynchronize(dev->ring_free[dev->ring_half]) != cudaSuccess)
			return NULL;
	}
	*bytes = *bytes < HALF - dev->ring_at ? *bytes : HALF - dev->ring_at;
	room = dev->ring + (dev->ring_half ? HALF : 0) + dev->ring_at;
	dev->ring_at += *bytes;
	return room;
}

static enum rk_status
upload(void *p, void *dst, const void *src, size_t bytes)
{
	struct cuda_device *dev = (struct cuda_device *)p;

	for (size_t at = 0; at < bytes;) {
		size_t n = bytes - at;
		char *room;

		if ((room = ring_room(dev, &n)) == NULL)
			return cuda_status(dev, cudaErrorUnknown, "a copy to the GPU");
		memcpy(room, (const char *)src + at, n);
		if (cuda_status(dev, cudaMemcpyAsync((char *)dst + at, room, n, cudaMemcpyHostToDevice, dev->stream),
			"a copy to the GPU") != RK_OK)
			return RK_EDEVICE;
		at += n;
	}
	return RK_OK;
}

enum rk_status
cuda_checked(struct cuda_device *dev, cudaError_t e)
{
	if (cuda_status(dev, e, "the GPU") != RK_OK)
		return RK_EDEVICE;
	if (*dev->fault == 0)
		return RK_OK;
	snprintf(dev->err, sizeof(dev->err), "live count %d is more than a call has room for", (int)*dev->fault - 1);
	*dev->fault = 0;
	return RK_EINVAL;
}

static enum rk_status
sync(void *p)
{
	struct cuda_device *dev = (struct cuda_device *)p;

	return cuda_checked(dev, cudaStreamSynchronize(dev->stream));
}

static enum rk_status
download(void *p, void *dst, const void *src, size_t bytes)
{
	struct cuda_device *dev = (struct cuda_device *)p;

	if (cuda_status(dev, cudaMemcpyAsync(dst, src, bytes, cudaMemcpyDeviceToHost, dev->stream),
		"a copy from the GPU") != RK_OK)
		return RK_EDEVICE;
	return sync(p);
}

static size_t
taken(void *p)
{
	const struct cuda_device *dev = (const struct cuda_device *)p;
	size_t now, all;

	return cudaMemGetInfo(&now, &all) == cudaSuccess && now < dev->free_at_open ? dev->free_at_open - now : 0;
}

extern "C" __attribute__((visibility("default"))) const struct rk_device *
rk_device_v2(void)
{
	static const struct rk_device table = {RK_NOPS, sizeof(struct rk_call), sizeof(struct rk_device),
	    1u << RK_FP32 | 1u << RK_BF16 | 1u << RK_FP8, 1u << RK_FP32 | 1u << RK_BF16, open_device, close_device,
	    error_of, unit_tokens, lacks, store_size, pack_size, alloc, free_memory, upload, download, sync, taken,
	    cuda_list_create, cuda_list_run, cuda_list_destroy, cuda_fold_create, cuda_fold_longest, cuda_fold_run,
	    cuda_fold_destroy, cuda_feed_create, cuda_feed_destroy, cuda_feed_image, cuda_feed_send, cuda_reply_create,
	    cuda_reply_destroy, cuda_reply_ask, cuda_reply_wait};

	return &table;
}
