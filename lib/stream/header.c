/*
 * header.c: the JSON header of a stream (formats/stream.md, section 3).
 */
#include <stdio.h>
#include <string.h>
#include "stream/header.h"
#include "stream/stream.h"

#define DEPTH_MAX 64
#define MARKS_MAX 262144 /* of { [ , : bounds the memory that a hostile header can claim */

enum rna_status
rna_header_init(struct rna_header *h)
{
	h->json = json_pack("{s:i}", "rill", RNA_STREAM_VERSION);
	return h->json != NULL ? RNA_OK : RNA_EMEM;
}

void
rna_header_fini(struct rna_header *h)
{
	json_decref(h->json);
	h->json = NULL;
}

enum rna_status
rna_header_copy(struct rna_header *dst, const struct rna_header *src)
{
	dst->json = json_deep_copy(src->json);
	return dst->json != NULL ? RNA_OK : RNA_EMEM;
}

/* Looks at nesting and number of values before the parser, which recurses and allocates, sees the text. */
static int
tame(const char *s, size_t n)
{
	size_t i, depth = 0, marks = 0;
	int quoted = 0;

	for (i = 0; i < n; i++) {
		if (quoted) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				quoted = 0;
			continue;
		}
		quoted = s[i] == '"';
		if (s[i] == '{' || s[i] == '[') {
			marks++;
			if (++depth > DEPTH_MAX)
				return 0;
		} else if (s[i] == '}' || s[i] == ']') {
			if (depth > 0)
				depth--;
		} else if (s[i] == ',') {
			marks++;
		}
		if (marks > MARKS_MAX)
			return 0;
	}
	return 1;
}

static int
total_ok(const json_t *v)
{
	return v == NULL || (json_is_integer(v) && json_integer_value(v) >= 0);
}

/* The known keys have the types the format gives them. */
static enum rna_status
check(const json_t *json, struct rna_err *err)
{
	const json_t *v = json_object_get(json, "rill"), *entry;
	size_t i;

	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return rna_fail(err, RNA_EFORMAT, "header has no format version");
	if (json_integer_value(v) > RNA_STREAM_VERSION)
		return rna_fail(err, RNA_EVERSION, "format version %lld, and this program knows up to %d",
		    (long long)json_integer_value(v), RNA_STREAM_VERSION);
	v = json_object_get(json, "vocab");
	if (v != NULL && (!json_is_string(json_object_get(v, "name")) || !json_is_string(json_object_get(v, "digest"))))
		return rna_fail(err, RNA_EFORMAT, "header: vocab is not {name, digest}");
	if (!total_ok(json_object_get(json, "records")) || !total_ok(json_object_get(json, "tokens")))
		return rna_fail(err, RNA_EFORMAT, "header: a total is not a number of things");
	v = json_object_get(json, "provenance");
	if (v != NULL && !json_is_array(v))
		return rna_fail(err, RNA_EFORMAT, "header: provenance is not an array");
	for (i = 0; i < json_array_size(v); i++) {
		entry = json_array_get(v, i);
		if (!json_is_object(entry))
			return rna_fail(err, RNA_EFORMAT, "header: a provenance entry is not an object");
	}
	return RNA_OK;
}

enum rna_status
rna_header_parse(struct rna_header *h, const char *json, size_t n, struct rna_err *err)
{
	json_error_t why;
	enum rna_status st;

	h->json = NULL;
	if (n > RNA_HEADER_MAX)
		return rna_fail(err, RNA_EFORMAT, "header of %zu bytes", n);
	while (n > 0 && json[n - 1] == ' ')
		n--;
	if (n == 0 || json[n - 1] != '}')
		return rna_fail(err, RNA_EFORMAT, "header is not a JSON object");
	if (!tame(json, n))
		return rna_fail(err, RNA_EFORMAT, "header is nested too deeply or has too many values");
	h->json = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
	if (h->json == NULL) {
		if (json_error_code(&why) == json_error_out_of_memory)
			return rna_fail(err, RNA_EMEM, "no memory for the header");
		return rna_fail(err, RNA_EFORMAT, "header: %s", why.text);
	}
	st = json_is_object(h->json) ? check(h->json, err) : rna_fail(err, RNA_EFORMAT, "header is not a JSON object");
	if (st != RNA_OK)
		rna_header_fini(h);
	return st;
}

static int
add_text(const char *s, size_t n, void *arg)
{
	return rna_buf_add(arg, s, n) == RNA_OK ? 0 : -1;
}

enum rna_status
rna_header_dump(const struct rna_header *h, struct rna_buf *out)
{
	return json_dump_callback(h->json, add_text, out, JSON_COMPACT) == 0 ? RNA_OK : RNA_EMEM;
}

/* A JSON string of any bytes: those that are not UTF-8 are spelled \xNN. */
static json_t *
any_string(const char *s)
{
	json_t *v = json_string(s);
	struct rna_buf buf = RNA_BUF_INIT;
	enum rna_status st = RNA_OK;

	if (v != NULL)
		return v;
	for (; st == RNA_OK && *s != '\0'; s++) {
		if ((unsigned char)*s < 0x80)
			st = rna_buf_add(&buf, s, 1);
		else
			st = rna_buf_printf(&buf, "\\x%02x", (unsigned)(unsigned char)*s);
	}
	if (st == RNA_OK)
		v = json_stringn((char *)buf.data, buf.len);
	rna_buf_fini(&buf);
	return v;
}

enum rna_status
rna_header_set_vocab(struct rna_header *h, const char *name, const char *digest)
{
	if (*name == '\0' && *digest == '\0') {
		json_object_del(h->json, "vocab");
		return RNA_OK;
	}
	return json_object_set_new(h->json, "vocab", json_pack("{s:o, s:o}", "name", any_string(name),
	    "digest", any_string(digest))) == 0 ? RNA_OK : RNA_EMEM;
}

static const char *
vocab_text(const struct rna_header *h, const char *key)
{
	const char *s = json_string_value(json_object_get(json_object_get(h->json, "vocab"), key));

	return s != NULL ? s : "";
}

const char *
rna_header_vocab_name(const struct rna_header *h)
{
	return vocab_text(h, "name");
}

const char *
rna_header_vocab_digest(const struct rna_header *h)
{
	return vocab_text(h, "digest");
}

static enum rna_status
set_total(struct rna_header *h, const char *key, uint64_t n)
{
	if (n > INT64_MAX) { /* not known */
		json_object_del(h->json, key);
		return RNA_OK;
	}
	return json_object_set_new(h->json, key, json_integer((json_int_t)n)) == 0 ? RNA_OK : RNA_EMEM;
}

enum rna_status
rna_header_set_totals(struct rna_header *h, uint64_t records, uint64_t tokens)
{
	enum rna_status st = set_total(h, "records", records);

	return st != RNA_OK ? st : set_total(h, "tokens", tokens);
}

static uint64_t
total(const struct rna_header *h, const char *key)
{
	const json_t *v = json_object_get(h->json, key);

	return json_is_integer(v) ? (uint64_t)json_integer_value(v) : RNA_TOTAL_UNKNOWN;
}

uint64_t
rna_header_records(const struct rna_header *h)
{
	return total(h, "records");
}

uint64_t
rna_header_tokens(const struct rna_header *h)
{
	return total(h, "tokens");
}

/* json_object_update_missing says nothing when memory ends. */
static int
add_missing(json_t *to, const json_t *from)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)from, key, value)
	{
		if (json_object_get(to, key) == NULL && json_object_set(to, key, value) != 0)
			return -1;
	}
	return 0;
}

static json_t *
provenance_entry(const char *tool, const char *version, int nargs, char *const *args, const json_t *extra)
{
	json_t *list = json_array(), *entry;
	int i;

	for (i = 0; i < nargs; i++) {
		if (json_array_append_new(list, any_string(args[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	entry = json_pack("{s:s, s:s, s:o}", "tool", tool, "version", version, "args", list);
	if (entry != NULL && extra != NULL && add_missing(entry, extra) != 0) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

enum rna_status
rna_header_add_provenance(struct rna_header *h, const char *tool, const char *version, int nargs, char *const *args,
    const json_t *extra)
{
	json_t *list = json_object_get(h->json, "provenance");

	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(h->json, "provenance", list) != 0)
			return RNA_EMEM;
	}
	if (json_array_append_new(list, provenance_entry(tool, version, nargs, args, extra)) != 0)
		return RNA_EMEM;
	return RNA_OK;
}
