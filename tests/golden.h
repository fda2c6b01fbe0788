/*
 * golden.h: reading the golden tables of $DATA (default ../shared/data): text, one line a sequence.
 */
#ifndef RNA_GOLDEN_H
#define RNA_GOLDEN_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/buf.h"
#include "stream/input.h"

#define GOLDEN_MAX_N 4000 /* bases of the longest sequence */

/* The file under $DATA, NUL-terminated; NULL: it is not there. */
__attribute__((unused)) static inline char *
golden_slurp(const char *name)
{
	const char *data = getenv("DATA") ? getenv("DATA") : "../shared/data";
	struct rna_buf buf = RNA_BUF_INIT;
	struct rna_input *in;
	struct rna_err err;
	char path[1024];
	size_t got = 1;

	snprintf(path, sizeof(path), "%s/energy/%s", data, name);
	if ((in = rna_input_open(path, &err)) == NULL)
		return NULL;
	while (got > 0) {
		if (rna_buf_reserve(&buf, 1 << 20) != RNA_OK ||
		    rna_input_read(in, buf.data + buf.len, (1 << 20) - 1, &got, &err) != RNA_OK)
			abort();
		buf.len += got;
	}
	buf.data[buf.len] = '\0';
	rna_input_close(in);
	return (char *)buf.data;
}

/* Fields of the next line that is no comment; 0 at the end. */
__attribute__((unused)) static inline int
golden_row(char **text, char **field, int most)
{
	char *line;
	int n;

	do {
		if ((line = strsep(text, "\n")) == NULL || (*line == '\0' && *text == NULL))
			return 0;
	} while (*line == '#' || *line == '\0');
	for (n = 0; n < most && line != NULL; n++)
		field[n] = strsep(&line, "\t");
	return n;
}

/* A field that is a whole number; any other ends the test. */
__attribute__((unused)) static inline long long
golden_int(const char *field)
{
	const char *why;
	const long long n = strtonum(field, LLONG_MIN, LLONG_MAX, &why);

	if (why != NULL) {
		fprintf(stderr, "golden file: %s: %s\n", field, why);
		exit(1);
	}
	return n;
}

/* A dot-bracket string as partners or -1; its length. */
__attribute__((unused)) static inline int
golden_pairs(const char *structure, int32_t *pair)
{
	int open[GOLDEN_MAX_N], depth = 0, i;

	for (i = 0; structure[i] != '\0'; i++) {
		pair[i] = -1;
		if (structure[i] == '(')
			open[depth++] = i;
		else if (structure[i] == ')') {
			pair[i] = open[--depth];
			pair[pair[i]] = i;
		}
	}
	return i;
}

#endif
