/*
 * safetensors_write.c: writing.  The same tensors give the same bytes.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>

#include "nn/replace.h"
#include "nn/safetensors.h"

static int
by_item_and_name(const void *a, const void *b)
{
	const struct rna_tensor_out *x = *(const struct rna_tensor_out *const *)a,
				    *y = *(const struct rna_tensor_out *const *)b;
	size_t i = rna_safetensors_item(x->dtype), j = rna_safetensors_item(y->dtype);

	if (i != j)
		return i > j ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Bytes of a tensor; -1 when it can't be written. */
static int
tensor_size(const struct rna_tensor_out *t, size_t *size)
{
	*size = rna_safetensors_item(t->dtype);
	if (!*size || t->ndim < 0 || t->ndim > RNA_SAFETENSORS_DIMS)
		return -1;
	for (int i = 0; i < t->ndim; i++)
		if (__builtin_mul_overflow(*size, t->dims[i], size))
			return -1;
	return 0;
}

static json_t *
tensor_entry(const struct rna_tensor_out *t, size_t begin, size_t end)
{
	json_t *shape = json_array();
	int bad = !shape;

	for (int i = 0; i < t->ndim; i++)
		bad |= json_array_append_new(shape, json_integer((json_int_t)t->dims[i]));
	if (bad) {
		json_decref(shape);
		return NULL;
	}
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", t->dtype, "shape", shape, "data_offsets", (json_int_t)begin,
	    (json_int_t)end);
}

/* The header, padded with spaces to a multiple of 8, in malloc'ed memory. */
static char *
make_header(
    const struct rna_tensor_out *const *order, size_t n, const json_t *metadata, size_t *len, struct rna_err *err)
{
	json_t *root = json_object();
	size_t at = 0, size, text;
	char *dump, *padded;
	int bad = !root;

	if (metadata)
		bad |= json_object_set_new(root, "__metadata__", json_deep_copy(metadata));
	for (size_t i = 0; !bad && i < n; i++) {
		if (tensor_size(order[i], &size) < 0 || (i && by_item_and_name(&order[i - 1], &order[i]) == 0) ||
		    json_object_get(root, order[i]->name)) {
			json_decref(root);
			rna_fail(err, RNA_EINVAL, "tensor %s can't be written", order[i]->name);
			return NULL;
		}
		bad |= json_object_set_new(root, order[i]->name, tensor_entry(order[i], at, at + size));
		at += size;
	}
	dump = bad ? NULL : json_dumps(root, JSON_COMPACT);
	json_decref(root);
	text = dump ? strlen(dump) : 0;
	*len = (text + 7) / 8 * 8;
	padded = dump ? realloc(dump, *len + 1) : NULL;
	if (!padded) {
		free(dump);
		rna_fail(err, RNA_EMEM, "no memory");
		return NULL;
	}
	memset(padded + text, ' ', *len - text);
	return padded;
}

static enum rna_status
write_tensor(FILE *fp, const struct rna_tensor_out *t, rna_fetch fetch, void *ctx, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	const void *data = t->data;
	void *own = NULL;
	size_t size = 0;

	if (tensor_size(t, &size) < 0)
		return rna_fail(err, RNA_EINVAL, "tensor %s can't be written", t->name);
	if (size && !data) {
		own = fetch ? malloc(size) : NULL;
		if (!own)
			return rna_fail(err, RNA_EMEM, "no memory for tensor %s", t->name);
		st = fetch(t, own, size, ctx, err);
		data = own;
	}
	if (!st && size && fwrite(data, 1, size, fp) != size)
		st = rna_fail_errno(err, "can't write");
	free(own);
	return st;
}

enum rna_status
rna_safetensors_write(const char *path, const struct rna_tensor_out *list, size_t n, const json_t *metadata,
    rna_fetch fetch, void *ctx, struct rna_err *err)
{
	const struct rna_tensor_out **order;
	struct rna_replace out;
	enum rna_status st;
	unsigned char size[8];
	size_t len = 0;
	char *header = NULL;

	order = calloc(n + 1, sizeof(*order));
	if (!order)
		return rna_fail(err, RNA_EMEM, "no memory");
	for (size_t i = 0; i < n; i++)
		order[i] = &list[i];
	if (n)
		qsort(order, n, sizeof(*order), by_item_and_name);
	header = make_header(order, n, metadata, &len, err);
	st = header ? rna_replace_open(&out, path, err) : err ? err->status : RNA_EINVAL;
	if (st)
		goto out;
	le64enc(size, len);
	if (fwrite(size, 1, 8, out.fp) != 8 || fwrite(header, 1, len, out.fp) != len)
		st = rna_fail_errno(err, "can't write");
	for (size_t i = 0; !st && i < n; i++)
		st = write_tensor(out.fp, order[i], fetch, ctx, err);
	if (st) {
		rna_err_where(err, path, RNA_NOREC);
		rna_replace_abort(&out);
	} else {
		st = rna_replace_commit(&out, err);
	}
out:
	free(header);
	free(order);
	return st;
}
