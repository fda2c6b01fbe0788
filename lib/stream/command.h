/*
 * command.h: the command line that recreates a stream, from the provenance in its header.
 */
#ifndef RNA_COMMAND_H
#define RNA_COMMAND_H

#include "stream/buf.h"
#include "stream/header.h"

/*
 * Appends "rna-tokenize --frame type INPUT | rna-mask -s 1 --rate 0.15" and the like, quoted for a shell,
 * NUL-terminated (the NUL is not counted in len).  INPUT stands for the operands of the first tool, which a header does
 * not keep. Nothing is appended when there is no provenance.
 */
enum rna_status rna_command_line(const struct rna_header *h, struct rna_buf *out) RNA_CHECK;

#endif
