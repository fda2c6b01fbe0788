/*
 * buf.h: a byte buffer that grows by what is put in, never by what is promised.
 */
#ifndef RNA_BUF_H
#define RNA_BUF_H

#include <stddef.h>
#include "stream/status.h"

struct rna_buf {
	unsigned char *data;
	size_t len;  /* bytes in use */
	size_t cap;  /* bytes allocated */
};

#define RNA_BUF_INIT {NULL, 0, 0}

/* Makes room for n more bytes beyond len.  RNA_OK or RNA_EMEM (size overflow included). */
enum rna_status rna_buf_reserve(struct rna_buf *buf, size_t n) RNA_CHECK;
enum rna_status rna_buf_add(struct rna_buf *buf, const void *data, size_t n) RNA_CHECK;
enum rna_status rna_buf_str(struct rna_buf *buf, const char *s) RNA_CHECK;
enum rna_status rna_buf_printf(struct rna_buf *buf, const char *fmt, ...) RNA_CHECK
    __attribute__((format(printf, 2, 3)));
void rna_buf_reuse(struct rna_buf *buf);  /* len = 0, memory kept */
void rna_buf_fini(struct rna_buf *buf);   /* memory freed, as RNA_BUF_INIT */

#endif
