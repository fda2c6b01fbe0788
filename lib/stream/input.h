/*
 * input.h: bytes in, whatever they are packed in, told by the first bytes.
 */
#ifndef RNA_INPUT_H
#define RNA_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

enum rna_input_kind {
	RNA_INPUT_RILL,    /* a record stream: the bytes handed out are the compressed frames, as they are */
	RNA_INPUT_TEXT     /* anything else, decompressed (plain, gzip, bgzf, zstd) */
};

struct rna_input;

/*
 * path NULL or "-": standard input.  Looks at the first bytes: a zstd frame whose content begins with the stream's
 * magic is RILL, all else TEXT.  An empty file is TEXT with no bytes.  A folder is refused.
 */
struct rna_input *rna_input_open(const char *path, struct rna_err *err);
enum rna_input_kind rna_input_kind(const struct rna_input *in);
const char *rna_input_name(const struct rna_input *in);   /* as given; "(standard input)" */
/* Up to n bytes into dst; *got = 0 only at the end.  Truncated or damaged compression is an error, never an end. */
enum rna_status rna_input_read(struct rna_input *in, void *dst, size_t n, size_t *got, struct rna_err *err) RNA_CHECK;
/*
 * The next line without its end (LF, CRLF or lone CR at the very end), any length, NULs kept; RNA_END when there is
 * none.  *line holds until the next call.
 */
enum rna_status rna_input_line(struct rna_input *in, const char **line, size_t *n, struct rna_err *err) RNA_CHECK;
/* The bytes at hand without consuming them: at least min(n, rest of input). */
enum rna_status rna_input_peek(struct rna_input *in, size_t n, const unsigned char **p, size_t *got,
    struct rna_err *err) RNA_CHECK;
/* Consumes n of the bytes at hand. */
void rna_input_skip(struct rna_input *in, size_t n);
/* 1 when a read would not wait: bytes are at hand, or come at once, or the end is there. */
int rna_input_ready(const struct rna_input *in);
uint64_t rna_input_line_number(const struct rna_input *in);
void rna_input_close(struct rna_input *in);                /* NULL is fine */

#endif
