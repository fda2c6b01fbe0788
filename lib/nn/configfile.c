/*
 * configfile.c: config.json read, written, and told from another model's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sha2.h>

#include "nn/configfile.h"
#include "nn/replace.h"

#define MOST (16u << 20) /* bytes */

json_t *
rna_configfile_load(const char *path, struct rna_err *err)
{
	struct rna_buf buf = RNA_BUF_INIT;
	json_error_t why;
	json_t *o = NULL;

	if (rna_replace_slurp(path, MOST, &buf, err) == RNA_OK) {
		o = json_loadb((const char *)buf.data, buf.len, JSON_REJECT_DUPLICATES, &why);
		if (o == NULL || !json_is_object(o)) {
			if (o == NULL)
				rna_fail(err, RNA_EFORMAT, "%s at line %d", why.text, why.line);
			else
				rna_fail(err, RNA_EFORMAT, "not a JSON object");
			rna_err_where(err, path, RNA_NOREC);
			json_decref(o);
			o = NULL;
		}
	}
	rna_buf_fini(&buf);
	return o;
}

json_t *
rna_configfile_real(float x)
{
	char text[32];

	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)x);
		if (strtof(text, NULL) == x)
			break;
	}
	return json_real(strtod(text, NULL));
}

enum rna_status
rna_configfile_mark(json_t *o, char id[RNA_CONFIG_ID], struct rna_err *err)
{
	char hex[SHA256_DIGEST_STRING_LENGTH], *text;
	json_t *rill = json_object_get(o, "rill");

	if (!json_is_object(rill) && json_object_set_new(o, "rill", rill = json_object()) < 0)
		return rna_fail(err, RNA_EMEM, "no memory");
	json_object_del(rill, "id");
	if ((text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15))) == NULL)
		return rna_fail(err, RNA_EMEM, "no memory");
	SHA256Data((const uint8_t *)text, strlen(text), hex);
	free(text);
	strlcpy(id, hex, RNA_CONFIG_ID);
	return json_object_set_new(rill, "id", json_string(id)) < 0 ? rna_fail(err, RNA_EMEM, "no memory") : RNA_OK;
}

enum rna_status
rna_configfile_save(const json_t *o, const char *path, struct rna_err *err)
{
	struct rna_replace out;
	enum rna_status st = rna_replace_open(&out, path, err);

	if (st != RNA_OK)
		return st;
	if (json_dumpf(o, out.fp, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15)) == 0 &&
	    fputc('\n', out.fp) != EOF)
		return rna_replace_commit(&out, err);
	st = rna_fail_errno(err, "can't write");
	rna_err_where(err, path, RNA_NOREC);
	rna_replace_abort(&out);
	return st;
}

enum rna_status
rna_configfile_compare(const json_t *o, const json_t *metadata, struct rna_err *err)
{
	const char *own = json_string_value(json_object_get(json_object_get(o, "rill"), "id"));
	const char *weights = json_string_value(json_object_get(metadata, "rill.id"));

	if (own != NULL && weights != NULL && strcmp(own, weights) != 0)
		return rna_fail(err, RNA_EFORMAT,
		    "config.json and model.safetensors are of two models: "
		    "the writing of one was interrupted; write it again");
	return RNA_OK;
}
