/*
 * tool_private.h: between the files of tool_*.c; programs include tool.h only.
 */
#ifndef RNA_TOOL_PRIVATE_H
#define RNA_TOOL_PRIVATE_H

#include <stdio.h>
#include "tool.h"

/* The options that all programs share, ended by a zeroed entry (tool_help.c). */
extern const struct tool_option tool_common[];
int tool_is_common(const struct tool_option *o);     /* 1: o is one of them */
int tool_has_common(const struct tool *t, int code); /* 1: this program takes that common option */
void tool_help(FILE *fp, const struct tool *t);      /* at most 24 lines, the example first */
void tool_help_options(const struct tool *t);        /* "letter TAB name TAB value TAB help" lines on standard output */
void tool_version(const struct tool *t);

/* Threads that wait sleep soon (tool_threads.c): may start the program anew, so before anything is read. */
void tool_settle_threads(const struct tool *t, char **argv);

/* JSON that gets no memory ends the process with 1 (tool_misc.c): before any is read. */
void tool_json_memory(const struct tool *t);

/* Removes the unfinished files of all outputs that are open: before the process ends with a failure. */
void tool_abort_outputs(void);

#endif
