/*
 * rk_memory.c: memory of a backend and what crosses between it and the caller.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rk_backend.h"
#include "rk_open.h"

void
rk_say(char *err, size_t size, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL || size == 0)
		return;
	va_start(ap, fmt);
	vsnprintf(err, size, fmt, ap);
	va_end(ap);
}

enum rk_status
rk_told(struct rk *rk, enum rk_status status)
{
	if (status != RK_OK)
		rk_say(rk->err, sizeof(rk->err), "%s", rk->table->error(rk->dev));
	return status;
}

/* Before every piece of host memory: how much of it was mapped; 0: it was taken by posix_memalign. */
struct head { size_t mapped; char fill[64 - sizeof(size_t)]; };

#if defined(__SANITIZE_ADDRESS__)
#define LARGE SIZE_MAX /* never: the sanitizer sees the ends of what its own allocator gives */
#else
#define LARGE ((size_t)1 << 20)
#endif

/*
 * n bytes of zeros behind a head.  Large pieces come from the system itself: what is never touched takes no memory, and
 * large pages are cleared and found faster.
 */
static struct head *
take(size_t n)
{
	struct head *h = NULL;
	void *p;

	n += sizeof(*h);
	if (n >= LARGE) {
		if ((p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
			return NULL;
#ifdef MADV_HUGEPAGE
		(void)madvise(p, n, MADV_HUGEPAGE);
#endif
		h = p;
		h->mapped = n;
		return h;
	}
	if (posix_memalign(&p, 64, n) != 0)
		return NULL;
	return memset(p, 0, n);
}

void *
rk_alloc(struct rk *rk, size_t bytes)
{
	struct head *h = NULL;
	void *p;

	if (rk->table != NULL) {
		if ((p = rk->table->alloc(rk->dev, bytes)) == NULL)
			rk_told(rk, RK_EMEM);
		return p;
	}
	if (bytes > SIZE_MAX / 2 || (h = take(rk_round_up(bytes + !bytes))) == NULL) {
		rk_say(rk->err, sizeof(rk->err), "out of memory (%zu bytes)", bytes);
		return NULL;
	}
	return h + 1;
}

void
rk_free(struct rk *rk, void *p, size_t bytes)
{
	(void)bytes;
	if (rk->table != NULL)
		rk->table->free(rk->dev, p);
	else if (p != NULL && ((struct head *)p)[-1].mapped > 0)
		munmap((struct head *)p - 1, ((struct head *)p)[-1].mapped);
	else if (p != NULL)
		free((struct head *)p - 1);
}

int
rk_discard(struct rk *rk, void *p, size_t bytes)
{
#ifdef MADV_DONTNEED
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t first = ((uintptr_t)p + page - 1) / page * page, end = ((uintptr_t)p + bytes) / page * page;

	if (rk->table != NULL)
		return 0;
	return bytes < page || end <= first || madvise((void *)first, end - first, MADV_DONTNEED) == 0;
#else
	(void)rk, (void)p, (void)bytes;
	return 0;
#endif
}

size_t
rk_taken(struct rk *rk)
{
	return rk->table != NULL ? rk->table->taken(rk->dev) : 0;
}

enum rk_status
rk_upload(struct rk *rk, void *dst, const void *src, size_t bytes)
{
	if (bytes > 0 && rk->table != NULL)
		return rk_told(rk, rk->table->upload(rk->dev, dst, src, bytes));
	if (bytes > 0)
		memcpy(dst, src, bytes);
	return RK_OK;
}

enum rk_status
rk_download(struct rk *rk, void *dst, const void *src, size_t bytes)
{
	if (bytes > 0 && rk->table != NULL)
		return rk_told(rk, rk->table->download(rk->dev, dst, src, bytes));
	if (bytes > 0)
		memcpy(dst, src, bytes);
	return RK_OK;
}

enum rk_status
rk_upload_f32(struct rk *rk, void *dst, const float *src, size_t n)
{
	double *d = dst;

	if (rk_real_size(rk) == sizeof(float))
		return rk_upload(rk, dst, src, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		d[i] = src[i];
	return RK_OK;
}

enum rk_status
rk_download_f32(struct rk *rk, float *dst, const void *src, size_t n)
{
	const double *s = src;

	if (rk_real_size(rk) == sizeof(float))
		return rk_download(rk, dst, src, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		dst[i] = (float)s[i];
	return RK_OK;
}

/* Values of an activation to or from the bf16 that a device stores; in pieces, so that nothing is allocated. */
enum { PIECE = 32768 };

enum rk_status
rk_upload_store(struct rk *rk, void *dst, const float *src, size_t n, enum rk_precision precision)
{
	uint16_t half[PIECE];
	enum rk_status status = RK_OK;
	uint32_t bits;

	if (rk_store_size(rk, precision) != sizeof(*half))
		return rk_upload_f32(rk, dst, src, n);
	for (size_t at = 0, k; at < n && status == RK_OK; at += k) {
		k = n - at < PIECE ? n - at : PIECE;
		for (size_t i = 0; i < k; i++) {
			memcpy(&bits, src + at + i, sizeof(bits));
			/* to nearest, ties to even; NaN stays one */
			half[i] = (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? bits >> 16 | 0x40 :
			    (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
		}
		status = rk_upload(rk, (char *)dst + at * sizeof(*half), half, k * sizeof(*half));
	}
	return status;
}

enum rk_status
rk_download_store(struct rk *rk, float *dst, const void *src, size_t n, enum rk_precision precision)
{
	uint16_t half[PIECE];
	enum rk_status status = RK_OK;
	uint32_t bits;

	if (rk_store_size(rk, precision) != sizeof(*half))
		return rk_download_f32(rk, dst, src, n);
	for (size_t at = 0, k; at < n && status == RK_OK; at += k) {
		k = n - at < PIECE ? n - at : PIECE;
		status = rk_download(rk, half, (const char *)src + at * sizeof(*half), k * sizeof(*half));
		for (size_t i = 0; i < k; i++) {
			bits = (uint32_t)half[i] << 16;
			memcpy(dst + at + i, &bits, sizeof(bits));
		}
	}
	return status;
}

enum rk_status
rk_sync(struct rk *rk)
{
	return rk->table != NULL ? rk_told(rk, rk->table->sync(rk->dev)) : RK_OK;
}
