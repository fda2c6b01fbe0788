/*
 * view_private.h: between the files of rna-view.
 */
#ifndef RNA_VIEW_PRIVATE_H
#define RNA_VIEW_PRIVATE_H

#include "tool.h"

enum view_mode {
	VIEW_TEXT,
	VIEW_SVG,
	VIEW_DOTPLOT,
	VIEW_SAFETENSORS,
	VIEW_NPY,
	VIEW_CHECK,
	VIEW_COUNT,
	VIEW_HEADER,
	VIEW_SELFTEST
};

struct view {
	struct tool *t;
	enum view_mode mode;
	const char *mode_option; /* as the user wrote it; NULL: the default */
	struct rna_text_options text;
	char **fields;          /* --fields; text.fields is the same list */
	const char *field;      /* --npy */
	int rename, fix_square; /* --names, --fix-square */
};

/* Each returns the exit status; failures of input and output end the process. */
int view_records(struct view *v);  /* text, npy, safetensors, check, count (view_records.c) */
void view_refuse_terminal(const struct view *v);   /* binary does not reach a terminal without -f */
int view_header(struct view *v);   /* the first header of each file (view_header.c) */
int view_rename(struct view *v);   /* weights of a model folder under other names (view_rename.c) */
int view_selftest(struct view *v); /* view_selftest.c */

#endif
