/*
 * tool_private.h: between the files of tool_*.c; programs include tool.h only.
 */
#ifndef RNA_TOOL_PRIVATE_H
#define RNA_TOOL_PRIVATE_H

/* Removes the unfinished files of all outputs that are open: before the process ends with a failure. */
void tool_abort_outputs(void);

/* Seconds of the monotonic clock. */
double tool_now(void);

#endif
