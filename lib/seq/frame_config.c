/*
 * frame_config.c: the frame and length limit that a model directory's config.json asks for.
 */
#include <jansson.h>
#include <string.h>

#include "seq/frame.h"

#define RNAERNIE_ROWS 513 /* position rows of RNAErnie, which takes 512 tokens */

enum rna_status
rna_frame_config(struct rna_framing *f, const char *path, struct rna_err *err)
{
	json_error_t why;
	json_t *config = json_load_file(path, JSON_REJECT_DUPLICATES, &why), *rill, *max;
	const char *frame;
	enum rna_status st = RNA_OK;

	if (config == NULL) {
		st = rna_fail(err, RNA_EFORMAT, "line %d: %s", why.line, why.text);
		rna_err_where(err, path, RNA_NOREC);
		return st;
	}
	rill = json_object_get(config, "rill");
	frame = json_string_value(json_object_get(rill, "frame"));
	f->frame = frame != NULL && strcmp(frame, "type") == 0 ? RNA_FRAME_TYPE : RNA_FRAME_PLAIN;
	if ((max = json_object_get(rill, "max")) == NULL)
		max = json_object_get(config, "max_position_embeddings");
	f->max = 0;
	if (json_is_integer(max) && json_integer_value(max) > 4 && json_integer_value(max) <= UINT32_MAX)
		f->max = (uint32_t)json_integer_value(max);
	else if (max != NULL)
		st = rna_fail(err, RNA_EFORMAT, "the limit of tokens is not a number from 5 to 4294967295");
	if (json_object_get(rill, "max") == NULL && f->max == RNAERNIE_ROWS)
		f->max = RNAERNIE_ROWS - 1;
	if (frame != NULL && strcmp(frame, "type") != 0 && strcmp(frame, "plain") != 0)
		st = rna_fail(err, RNA_EFORMAT, "rill.frame is neither plain nor type");
	json_decref(config);
	if (st != RNA_OK)
		rna_err_where(err, path, RNA_NOREC);
	return st;
}
