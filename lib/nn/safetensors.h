/*
 * safetensors.h: the safetensors format, read as the work of a stranger, written the same for the same tensors.
 *
 * A file is: 8 bytes little-endian length of the header, the header (a JSON object, at most 100,000,000 bytes), the
 * data. Accepted only when every byte of the data belongs to exactly one tensor.
 */
#ifndef RNA_SAFETENSORS_H
#define RNA_SAFETENSORS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

#define RNA_SAFETENSORS_HEADER_MAX 100000000u
#define RNA_SAFETENSORS_DIMS       32

struct rna_tensor {
	char *name;
	char dtype[8]; /* "F32", "BF16", ... as in the file */
	size_t item;   /* bytes of an element */
	int ndim;
	uint64_t dims[RNA_SAFETENSORS_DIMS];
	uint64_t count;            /* elements; 1 for a scalar */
	uint64_t begin, end;       /* bytes within its file's data */
	const unsigned char *data; /* count * item bytes in the mapped file, any alignment */
};

struct rna_safetensors {
	struct rna_tensor *list; /* by name */
	size_t n;
	json_t *metadata; /* __metadata__ of the (first) file: strings; NULL: none */
	struct rna_mapped {
		void *base;
		size_t size;
	} * files;
	size_t nfiles;
};

/* Maps one file.  Data is read when it is asked for. */
enum rna_status rna_safetensors_open(struct rna_safetensors *st, const char *path, struct rna_err *err) RNA_CHECK;
/* dir/model.safetensors or, without it, the shards that dir/model.safetensors.index.json names. */
enum rna_status rna_safetensors_open_dir(struct rna_safetensors *st, const char *dir, struct rna_err *err) RNA_CHECK;
void rna_safetensors_close(struct rna_safetensors *st); /* a zeroed st is fine */
const struct rna_tensor *rna_safetensors_find(const struct rna_safetensors *st, const char *name);
/* SHA-256 (hex) of the file, or of the shards in the order of their names. */
void rna_safetensors_digest(const struct rna_safetensors *st, char hex[65]);
/* n elements from element first, as float.  RNA_EINVAL when t is not F64 F32 F16 BF16 or is shorter. */
enum rna_status rna_safetensors_read(const struct rna_tensor *t, uint64_t first, uint64_t n, float *dst) RNA_CHECK;

/* The data of t is not needed for now: its pages leave this process's memory. */
void rna_safetensors_release(const struct rna_tensor *t);

/* What is written: data, or NULL and fetch fills size bytes when their turn comes. */
struct rna_tensor_out {
	const char *name;
	const char *dtype; /* F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL */
	int ndim;
	uint64_t dims[RNA_SAFETENSORS_DIMS];
	const void *data; /* little-endian elements */
	void *arg;        /* for fetch */
};

typedef enum rna_status (*rna_fetch)(
    const struct rna_tensor_out *t, void *dst, size_t size, void *ctx, struct rna_err *err);

/*
 * Writes path by temporary file, fsync, rename, fsync of the folder.  Tensors are ordered by size of element, then
 * name, so that each is aligned.  metadata: strings to strings, or NULL.  Duplicate names, unknown dtypes: RNA_EINVAL.
 */
enum rna_status rna_safetensors_write(const char *path, const struct rna_tensor_out *list, size_t n,
    const json_t *metadata, rna_fetch fetch, void *ctx, struct rna_err *err) RNA_CHECK;

/* Bytes of an element; 0: unknown dtype. */
size_t rna_safetensors_item(const char *dtype);

#endif
