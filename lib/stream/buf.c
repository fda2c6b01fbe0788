/*
 * buf.c: a byte buffer that grows by what is put in.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "stream/buf.h"

enum rna_status
rna_buf_reserve(struct rna_buf *buf, size_t n)
{
	unsigned char *p;
	size_t want, cap;

	if (__builtin_add_overflow(buf->len, n, &want))
		return RNA_EMEM;
	/* also for 0 bytes there is a place that pointers may be reckoned from */
	if (want <= buf->cap && buf->data != NULL)
		return RNA_OK;
	cap = buf->cap + buf->cap / 2;
	if (cap < want)
		cap = want;
	if (cap < 64)
		cap = 64;
	p = realloc(buf->data, cap);
	if (p == NULL && cap > want) {
		cap = want; /* the geometric surplus is a wish, not a need */
		p = realloc(buf->data, cap);
	}
	if (p == NULL)
		return RNA_EMEM;
	buf->data = p;
	buf->cap = cap;
	return RNA_OK;
}

enum rna_status
rna_buf_add(struct rna_buf *buf, const void *data, size_t n)
{
	enum rna_status st;

	if (n == 0)
		return RNA_OK;
	st = rna_buf_reserve(buf, n);
	if (st != RNA_OK)
		return st;
	memcpy(buf->data + buf->len, data, n);
	buf->len += n;
	return RNA_OK;
}

enum rna_status
rna_buf_str(struct rna_buf *buf, const char *s)
{
	return rna_buf_add(buf, s, strlen(s));
}

enum rna_status
rna_buf_printf(struct rna_buf *buf, const char *fmt, ...)
{
	enum rna_status st;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return RNA_EINVAL;
	st = rna_buf_reserve(buf, (size_t)n + 1);
	if (st != RNA_OK)
		return st;
	va_start(ap, fmt);
	n = vsnprintf((char *)buf->data + buf->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return RNA_EINVAL;
	buf->len += (size_t)n;
	return RNA_OK;
}

void
rna_buf_reuse(struct rna_buf *buf)
{
	buf->len = 0;
}

void
rna_buf_fini(struct rna_buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
}
