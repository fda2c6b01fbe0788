/*
 * safetensors.c: reading.  A file is believed only after every size in it was checked against the bytes that are there.
 */
#include <sys/types.h>

#include <stdlib.h>
#include <string.h>
#include <sys/endian.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nn/replace.h"
#include "nn/safetensors.h"
#include "nn/sha256.h"

#define INDEX_MAX  (64u << 20) /* bytes of an index of shards that are read */
#define SHARDS_MAX 10000
#define DIGEST_PIECE (8u << 20) /* bytes of a file that a digest holds; a multiple of a page */

static const struct {
	const char *name;
	size_t item;
} dtypes[] = {
    {"F64", 8},
    {"F32", 4},
    {"F16", 2},
    {"BF16", 2},
    {"I64", 8},
    {"I32", 4},
    {"I16", 2},
    {"I8", 1},
    {"U64", 8},
    {"U32", 4},
    {"U16", 2},
    {"U8", 1},
    {"BOOL", 1},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"C64", 8},
};

size_t
rna_safetensors_item(const char *dtype)
{
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
		if (strcmp(dtypes[i].name, dtype) == 0)
			return dtypes[i].item;
	return 0;
}

/* A whole number >= 0 from JSON; 0 when it is none. */
static int
number(const json_t *v, uint64_t *dst)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return 0;
	*dst = (uint64_t)json_integer_value(v);
	return 1;
}

static enum rna_status
parse_shape(struct rna_tensor *t, const json_t *shape, struct rna_err *err)
{
	if (!json_is_array(shape))
		return rna_fail(err, RNA_EFORMAT, "tensor %s: no shape", t->name);
	if (json_array_size(shape) > RNA_SAFETENSORS_DIMS)
		return rna_fail(err, RNA_EFORMAT, "tensor %s: %zu dimensions, at most %d are read", t->name,
		    json_array_size(shape), RNA_SAFETENSORS_DIMS);
	t->ndim = (int)json_array_size(shape);
	t->count = 1;
	for (int i = 0; i < t->ndim; i++) {
		if (!number(json_array_get(shape, (size_t)i), &t->dims[i]))
			return rna_fail(err, RNA_EFORMAT, "tensor %s: a dimension is not a whole number", t->name);
		if (__builtin_mul_overflow(t->count, t->dims[i], &t->count))
			return rna_fail(err, RNA_EFORMAT, "tensor %s: shape overflows", t->name);
	}
	return RNA_OK;
}

/* One entry of the header; size: bytes of data in the file. */
static enum rna_status
parse_tensor(struct rna_tensor *t, const char *name, const json_t *v, uint64_t size, struct rna_err *err)
{
	const json_t *off = json_object_get(v, "data_offsets");
	const char *dtype = json_string_value(json_object_get(v, "dtype"));
	enum rna_status st;
	uint64_t bytes;

	t->name = strdup(name);
	if (!t->name)
		return rna_fail(err, RNA_EMEM, "no memory");
	if (!json_is_object(v) || !dtype)
		return rna_fail(err, RNA_EFORMAT, "tensor %s: no dtype", name);
	t->item = rna_safetensors_item(dtype);
	if (!t->item)
		return rna_fail(err, RNA_EFORMAT, "tensor %s: unknown dtype %.16s", name, dtype);
	memcpy(t->dtype, dtype, strlen(dtype) + 1);
	if ((st = parse_shape(t, json_object_get(v, "shape"), err)))
		return st;
	if (!json_is_array(off) || json_array_size(off) != 2 || !number(json_array_get(off, 0), &t->begin) ||
	    !number(json_array_get(off, 1), &t->end))
		return rna_fail(err, RNA_EFORMAT, "tensor %s: data_offsets are not two whole numbers", name);
	if (t->begin > t->end || t->end > size)
		return rna_fail(err, RNA_EFORMAT, "tensor %s: data_offsets lie outside the file", name);
	if (__builtin_mul_overflow(t->count, (uint64_t)t->item, &bytes) || bytes != t->end - t->begin)
		return rna_fail(err, RNA_EFORMAT, "tensor %s: shape and data_offsets disagree", name);
	return RNA_OK;
}

static int
by_offset(const void *a, const void *b)
{
	const struct rna_tensor *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct rna_tensor *)a)->name, ((const struct rna_tensor *)b)->name);
}

/* Every byte of the data belongs to one tensor: no overlap, no hole, nothing after the last. */
static enum rna_status
check_cover(struct rna_tensor *list, size_t n, uint64_t size, struct rna_err *err)
{
	uint64_t at = 0;

	if (n)
		qsort(list, n, sizeof(*list), by_offset);
	for (size_t i = 0; i < n; i++) {
		if (list[i].begin < at)
			return rna_fail(
			    err, RNA_EFORMAT, "tensor %s overlaps tensor %s", list[i].name, list[i - 1].name);
		if (list[i].begin > at)
			return rna_fail(err, RNA_EFORMAT, "bytes before tensor %s belong to no tensor", list[i].name);
		at = list[i].end;
	}
	if (at != size)
		return rna_fail(
		    err, RNA_EFORMAT, "%llu bytes at the end belong to no tensor", (unsigned long long)(size - at));
	return RNA_OK;
}

static enum rna_status
parse_metadata(struct rna_safetensors *s, json_t *meta, struct rna_err *err)
{
	const char *key;
	json_t *v;

	if (!json_is_object(meta))
		return rna_fail(err, RNA_EFORMAT, "__metadata__ is not an object");
	json_object_foreach(meta, key, v)
	{
		if (!json_is_string(v))
			return rna_fail(err, RNA_EFORMAT, "__metadata__: %.64s is not a string", key);
	}
	if (!s->metadata)
		s->metadata = json_incref(meta);
	return RNA_OK;
}

/* Adds the tensors of one parsed header to s. */
static enum rna_status
parse_header(struct rna_safetensors *s, json_t *root, const unsigned char *data, uint64_t size, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	struct rna_tensor *list, *first;
	const char *key;
	json_t *v;

	list = reallocarray(s->list, s->n + json_object_size(root) + 1, sizeof(*list));
	if (!list)
		return rna_fail(err, RNA_EMEM, "no memory for %zu tensors", json_object_size(root));
	s->list = list;
	first = list + s->n;
	json_object_foreach(root, key, v)
	{
		if (strcmp(key, "__metadata__") == 0) {
			if ((st = parse_metadata(s, v, err)))
				return st;
			continue;
		}
		memset(&s->list[s->n], 0, sizeof(*list));
		if ((st = parse_tensor(&s->list[s->n++], key, v, size, err)))
			return st;
	}
	if ((st = check_cover(first, (size_t)(s->list + s->n - first), size, err)))
		return st;
	for (; first < s->list + s->n; first++)
		first->data = data + first->begin;
	return RNA_OK;
}

static enum rna_status
parse_file(struct rna_safetensors *s, const unsigned char *p, size_t size, struct rna_err *err)
{
	enum rna_status st;
	json_error_t why;
	json_t *root;
	uint64_t n;

	if (size < 8)
		return rna_fail(err, RNA_EFORMAT, "not a safetensors file: %zu bytes", size);
	n = le64dec(p);
	if (n > RNA_SAFETENSORS_HEADER_MAX)
		return rna_fail(
		    err, RNA_EFORMAT, "not a safetensors file: a header of %llu bytes", (unsigned long long)n);
	if (n > size - 8)
		return rna_fail(err, RNA_EFORMAT, "truncated: a header of %llu bytes in a file of %zu",
		    (unsigned long long)n, size);
	if (!n || p[8] != '{')
		return rna_fail(err, RNA_EFORMAT, "not a safetensors file: the header does not begin with {");
	root = json_loadb((const char *)p + 8, n, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		return rna_fail(err, RNA_EFORMAT, "header: %s at byte %d", why.text, why.position);
	st = parse_header(s, root, p + 8 + n, size - 8 - n, err);
	json_decref(root);
	return st;
}

/* Maps path and adds its tensors; err names the file. */
static enum rna_status
add_file(struct rna_safetensors *s, const char *path, struct rna_err *err)
{
	struct rna_mapped *files;
	enum rna_status st;
	void *base;
	size_t size;
	int fd;

	fd = rna_replace_open_regular(path, &size, err);
	if (fd < 0)
		return err ? err->status : RNA_EIO;
	files = reallocarray(s->files, s->nfiles + 1, sizeof(*files));
	if (files)
		s->files = files;
	base = files && size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (!files) {
		st = rna_fail(err, RNA_EMEM, "no memory");
	} else if (!size) {
		st = rna_fail(err, RNA_EFORMAT, "not a safetensors file: 0 bytes");
	} else if (base == MAP_FAILED) {
		st = rna_fail_errno(err, "can't read");
	} else {
		s->files[s->nfiles++] = (struct rna_mapped){base, size};
		st = parse_file(s, base, size, err);
	}
	close(fd);
	if (st)
		rna_err_where(err, path, RNA_NOREC);
	return st;
}

/* The list by name; a name that is there twice (in two shards) is an error. */
static enum rna_status
finish(struct rna_safetensors *s, struct rna_err *err)
{
	if (s->n)
		qsort(s->list, s->n, sizeof(*s->list), by_name);
	for (size_t i = 1; i < s->n; i++)
		if (strcmp(s->list[i - 1].name, s->list[i].name) == 0)
			return rna_fail(err, RNA_EFORMAT, "tensor %s is in two shards", s->list[i].name);
	return RNA_OK;
}

enum rna_status
rna_safetensors_open(struct rna_safetensors *s, const char *path, struct rna_err *err)
{
	enum rna_status st;

	memset(s, 0, sizeof(*s));
	st = add_file(s, path, err);
	if (!st)
		st = finish(s, err);
	if (st)
		rna_safetensors_close(s);
	return st;
}

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The files that the map names, sorted, each once; pointers into map. */
static enum rna_status
shard_names(json_t *map, const char ***names, size_t *n, struct rna_err *err)
{
	const char *key, *file;
	size_t all = 0, k = 0;
	json_t *v;

	*names = calloc(json_object_size(map) + 1, sizeof(**names));
	if (!*names)
		return rna_fail(err, RNA_EMEM, "no memory");
	json_object_foreach(map, key, v)
	{
		file = json_string_value(v);
		if (!file || !*file || strchr(file, '/') || strcmp(file, ".") == 0 || strcmp(file, "..") == 0)
			return rna_fail(
			    err, RNA_EFORMAT, "weight_map: the file of %.200s is not a plain file name", key);
		(*names)[all++] = file;
	}
	if (all)
		qsort(*names, all, sizeof(**names), compare_strings);
	for (size_t i = 0; i < all; i++)
		if (!k || strcmp((*names)[k - 1], (*names)[i]) != 0)
			(*names)[k++] = (*names)[i];
	*n = k;
	if (!k || k > SHARDS_MAX)
		return rna_fail(err, RNA_EFORMAT, "weight_map names %zu files", k);
	return RNA_OK;
}

/* Every tensor is where the map says, and the map has every tensor. */
static enum rna_status
check_shard(const struct rna_safetensors *s, size_t first, const json_t *map, const char *file, struct rna_err *err)
{
	const char *said;

	for (size_t i = first; i < s->n; i++) {
		said = json_string_value(json_object_get(map, s->list[i].name));
		if (!said || strcmp(said, file) != 0)
			return rna_fail(err, RNA_EFORMAT, "tensor %s is in %s, the weight_map has it %s%s",
			    s->list[i].name, file, said ? "in " : "nowhere", said ? said : "");
	}
	return RNA_OK;
}

static enum rna_status
open_shards(struct rna_safetensors *s, const char *prefix, json_t *map, struct rna_err *err)
{
	const char **names = NULL;
	enum rna_status st;
	size_t n = 0, first;
	char *path;

	st = shard_names(map, &names, &n, err);
	for (size_t i = 0; !st && i < n; i++) {
		first = s->n;
		path = rna_replace_join(prefix, names[i]);
		st = path ? add_file(s, path, err) : rna_fail(err, RNA_EMEM, "no memory");
		free(path);
		if (!st)
			st = check_shard(s, first, map, names[i], err);
	}
	if (!st)
		st = finish(s, err);
	if (!st && s->n != json_object_size(map))
		st = rna_fail(
		    err, RNA_EFORMAT, "weight_map has %zu tensors, the shards %zu", json_object_size(map), s->n);
	free(names);
	return st;
}

static enum rna_status
open_index(struct rna_safetensors *s, const char *prefix, const char *path, struct rna_err *err)
{
	struct rna_buf buf = RNA_BUF_INIT;
	enum rna_status st;
	json_error_t why;
	json_t *root, *map;

	if ((st = rna_replace_slurp(path, INDEX_MAX, &buf, err))) {
		rna_buf_fini(&buf);
		return st;
	}
	root = json_loadb((const char *)buf.data, buf.len, JSON_REJECT_DUPLICATES, &why);
	rna_buf_fini(&buf);
	map = json_object_get(root, "weight_map");
	if (!root)
		st = rna_fail(err, RNA_EFORMAT, "%s at line %d", why.text, why.line);
	else if (!json_is_object(map))
		st = rna_fail(err, RNA_EFORMAT, "no weight_map");
	else
		st = open_shards(s, prefix, map, err);
	if (st)
		rna_err_where(err, path, RNA_NOREC);
	json_decref(root);
	return st;
}

enum rna_status
rna_safetensors_open_dir(struct rna_safetensors *s, const char *dir, struct rna_err *err)
{
	char *prefix = rna_replace_join(dir, "/"), *whole = NULL, *parts = NULL;
	enum rna_status st;

	memset(s, 0, sizeof(*s));
	if (prefix) {
		whole = rna_replace_join(prefix, "model.safetensors");
		parts = rna_replace_join(prefix, "model.safetensors.index.json");
	}
	if (!whole || !parts)
		st = rna_fail(err, RNA_EMEM, "no memory");
	else if (access(whole, F_OK) < 0 && access(parts, F_OK) == 0)
		st = open_index(s, prefix, parts, err);
	else
		st = rna_safetensors_open(s, whole, err);
	if (st)
		rna_safetensors_close(s);
	free(prefix);
	free(whole);
	free(parts);
	return st;
}

void
rna_safetensors_close(struct rna_safetensors *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].name);
	for (size_t i = 0; i < s->nfiles; i++)
		munmap(s->files[i].base, s->files[i].size);
	free(s->list);
	free(s->files);
	json_decref(s->metadata);
	memset(s, 0, sizeof(*s));
}

const struct rna_tensor *
rna_safetensors_find(const struct rna_safetensors *s, const char *name)
{
	size_t lo = 0, hi = s->n, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = strcmp(name, s->list[mid].name);
		if (!c)
			return &s->list[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* Gives back the whole pages of a mapped piece. */
static void
release(const unsigned char *p, size_t n)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t first = ((uintptr_t)p + page - 1) / page * page, end = ((uintptr_t)p + n) / page * page;

	if (end > first)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void
rna_safetensors_release(const struct rna_tensor *t)
{
	release(t->data, t->count * t->item);
}

void
rna_safetensors_digest(const struct rna_safetensors *s, char hex[65])
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	for (size_t i = 0; i < s->nfiles; i++)
		for (size_t at = 0, n; at < s->files[i].size; at += n) {
			const unsigned char *p = (const unsigned char *)s->files[i].base + at;

			n = s->files[i].size - at < DIGEST_PIECE ? s->files[i].size - at : DIGEST_PIECE;
			rna_sha256_update(&ctx, p, n);
			release(p, n);
		}
	SHA256End(&ctx, hex);
}
