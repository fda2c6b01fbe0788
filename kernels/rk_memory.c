/*
 * rk_memory.c: memory of a backend and what crosses between it and the caller.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void *
rk_alloc(struct rk *rk, size_t bytes)
{
	void *p = NULL;

	if (rk->table != NULL) {
		if ((p = rk->table->alloc(rk->dev, bytes)) == NULL)
			rk_told(rk, RK_EMEM);
		return p;
	}
	if (bytes > SIZE_MAX - 64 || posix_memalign(&p, 64, rk_round_up(bytes + !bytes)) != 0) {
		rk_say(rk->err, sizeof(rk->err), "out of memory (%zu bytes)", bytes);
		return NULL;
	}
	memset(p, 0, rk_round_up(bytes + !bytes));
	return p;
}

void
rk_free(struct rk *rk, void *p, size_t bytes)
{
	(void)bytes;
	if (rk->table != NULL)
		rk->table->free(rk->dev, p);
	else
		free(p);
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
