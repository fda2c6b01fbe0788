/*
 * unpack.h: private to lib/stream: bytes from a descriptor, and the decompressors that input.c puts behind them.
 */
#ifndef RNA_UNPACK_H
#define RNA_UNPACK_H

#include <stddef.h>
#include "stream/buf.h"
#include "stream/status.h"

/* Bytes as they come from a descriptor; those from pos on are not yet used. */
struct rna_raw {
	int fd;
	int eof;
	struct rna_buf buf;
	size_t pos;
};

/* Reads until at least n unused bytes are there, or the end; what is there may be more. */
enum rna_status rna_raw_want(struct rna_raw *raw, size_t n, struct rna_err *err) RNA_CHECK;
/* One read(2), EINTR handled; *got = 0 at the end. */
enum rna_status rna_raw_read(int fd, void *dst, size_t n, size_t *got, struct rna_err *err) RNA_CHECK;

enum rna_packing { RNA_PACK_GZIP, RNA_PACK_ZSTD };

struct rna_unpack;

struct rna_unpack *rna_unpack_open(enum rna_packing packing);   /* NULL: no memory */
/* Appends at most room bytes to out.  RNA_OK: at least one came; RNA_END: whole and over. */
enum rna_status rna_unpack_more(struct rna_unpack *u, struct rna_raw *raw, struct rna_buf *out, size_t room,
    struct rna_err *err) RNA_CHECK;
void rna_unpack_close(struct rna_unpack *u);   /* NULL is fine */

/* Reads ahead in raw, using nothing up, and says whether zstd frames hold content that begins with the n bytes. */
enum rna_status rna_unpack_begins(struct rna_raw *raw, const unsigned char *magic, size_t n, int *yes,
    struct rna_err *err) RNA_CHECK;

#endif
