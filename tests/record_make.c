/*
 * record_make.c: lines of JSON in, a stream out: what tests need that no program makes yet.
 *
 *	printf '%s\n' '{"rill":1}' '{"rid:u64":5, "label":"tRNA", "prob:f32":[0.25,0.75], "scores:f32:3,1,1":[1,2,3]}' |
 *		record_make > x.rill
 *
 * A line that has the key "rill" begins a stream and is its header.  Strings are str; numbers need the dtype in the key
 * (u8 i32 u32 u64 f32), lists are vectors unless dims follow.
 */
#include <jansson.h>
#include <stdlib.h>

#include "maker.h"

static void
put_number(void *to, size_t i, enum rna_dtype type, const json_t *v)
{
	switch (type) {
	case RNA_U8:
		((uint8_t *)to)[i] = (uint8_t)json_integer_value(v);
		break;
	case RNA_I32:
	case RNA_U32:
		((uint32_t *)to)[i] = (uint32_t)json_integer_value(v);
		break;
	case RNA_U64:
		((uint64_t *)to)[i] = (uint64_t)json_integer_value(v);
		break;
	case RNA_F32:
		((float *)to)[i] = (float)json_number_value(v);
		break;
	default:
		errx(1, "a dtype that is not made here");
	}
}

static void
put_field(struct rna_record *rec, const char *key, const json_t *v)
{
	uint64_t dims[RNA_MAX_DIMS] = {json_array_size(v)};
	int d, ndim = json_is_array(v) ? 1 : 0;
	char name[128], *type, *shape, *end;
	void *to;
	size_t i;

	if (json_is_string(v)) {
		must(rna_record_set_str(rec, key, json_string_value(v), json_string_length(v)));
		return;
	}
	snprintf(name, sizeof(name), "%s", key);
	if ((type = strchr(name, ':')) == NULL)
		errx(1, "%s: no dtype", key);
	*type++ = '\0';
	if ((shape = strchr(type, ':')) != NULL) {
		*shape++ = '\0';
		for (ndim = 0; ndim < RNA_MAX_DIMS && *shape != '\0'; shape = *end == ',' ? end + 1 : end)
			dims[ndim++] = strtoull(shape, &end, 10);
	}
	for (d = RNA_U8; d < RNA_STR && strcmp(rna_dtype_name((enum rna_dtype)d), type) != 0; d++)
		;
	if ((to = rna_record_put(rec, name, (enum rna_dtype)d, ndim, dims)) == NULL)
		errx(1, "%s: can't be put", key);
	if (json_is_array(v) && rna_record_find(rec, name)->count != json_array_size(v))
		errx(1, "%s: dims and values differ", key);
	if (!json_is_array(v))
		put_number(to, 0, (enum rna_dtype)d, v);
	for (i = 0; i < json_array_size(v); i++)
		put_number(to, i, (enum rna_dtype)d, json_array_get(v, i));
}

static void
put_line(struct maker *m, json_t *o, int first)
{
	struct rna_record rec;
	const char *key;
	json_t *v;
	char *text;

	if (json_object_get(o, "rill") != NULL) {
		if (!first)
			make_end(m);
		text = json_dumps(o, JSON_COMPACT);
		make_header(m, text);
		free(text);
		return;
	}
	rna_record_init(&rec);
	json_object_foreach(o, key, v) put_field(&rec, key, v);
	make_rec(m, &rec);
	rna_record_fini(&rec);
}

int
main(void)
{
	struct maker m = {0};
	char *line = NULL;
	size_t cap = 0;
	json_error_t e;
	json_t *o;
	int n;

	for (n = 1; getline(&line, &cap, stdin) > 0; n++) {
		if ((o = json_loads(line, 0, &e)) == NULL)
			errx(1, "line %d: %s", n, e.text);
		put_line(&m, o, n == 1);
		json_decref(o);
	}
	free(line);
	make_end(&m);
	make_frame(&m, 0);
	if (fwrite(m.out.data, 1, m.out.len, stdout) != m.out.len || fflush(stdout) != 0)
		err(1, "standard output");
	make_fini(&m);
	return 0;
}
