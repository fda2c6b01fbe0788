/*
 * view_header.c: rna-view -H: the first header of each file, as JSON, with the command line that recreates the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/command.h"
#include "view_private.h"

/* JSON with every control code escaped: jansson lets DEL through. */
static void
print_json(const struct tool *t, FILE *fp, const json_t *json)
{
	char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENSURE_ASCII), *s, *del;

	if (text == NULL)
		tool_die(t, "out of memory");
	for (s = text; (del = strchr(s, 0x7f)) != NULL; s = del + 1)
		fprintf(fp, "%.*s\\u007f", (int)(del - s), s);
	fprintf(fp, "%s\n", s);
	free(text);
}

static void
print_header(const struct tool *t, FILE *fp, const struct rna_header *h)
{
	struct rna_buf command = RNA_BUF_INIT;
	json_t *copy;

	if ((copy = json_copy(h->json)) == NULL || rna_command_line(h, &command) != RNA_OK ||
	    (command.len > 0 && json_object_set_new(copy, "command", json_string((const char *)command.data)) != 0))
		tool_die(t, "out of memory");
	print_json(t, fp, copy);
	json_decref(copy);
	rna_buf_fini(&command);
}

int
view_header(struct view *v)
{
	struct rna_source_options opts = {.nthreads = 1};
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_source *source;
	struct rna_input *in;
	FILE *fp = tool_text_open(v->t);
	int i;

	for (i = 0; i < v->t->nfiles; i++) {
		if ((in = rna_input_open(v->t->files[i], &err)) == NULL ||
		    (source = rna_source_open(in, &opts, &err)) == NULL)
			tool_die_err(v->t, &err);
		if (!rna_source_is_stream(source))
			tool_die(v->t, "%s: is text, which has no header", rna_source_name(source));
		print_header(v->t, fp, rna_source_header(source));
		rna_source_close(source);
	}
	tool_text_close(v->t);
	return TOOL_DONE;
}
