/*
 * status.c: the one place through which every failure of librna passes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "stream/status.h"

/* Names and sentences end up on terminals: control codes that come from data are made harmless. */
static void
clean(char *s)
{
	unsigned char *p;

	for (p = (unsigned char *)s; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* C1 controls in UTF-8 */
			p[0] = p[1] = '?';
	}
}

static void
set(struct rna_err *err, enum rna_status status, int saved_errno)
{
	err->status = status;
	err->saved_errno = saved_errno;
	err->record = RNA_NOREC;
	err->file[0] = '\0';
}

enum rna_status
rna_fail(struct rna_err *err, enum rna_status status, const char *fmt, ...)
{
	va_list ap;

	if (err == NULL)
		return status;
	set(err, status, 0);
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	clean(err->text);
	return status;
}

enum rna_status
rna_fail_errno(struct rna_err *err, const char *fmt, ...)
{
	int saved = errno;
	char why[128];
	size_t n;
	va_list ap;

	if (err == NULL)
		return RNA_EIO;
	set(err, RNA_EIO, saved);
	va_start(ap, fmt);
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	va_end(ap);
	if (strerror_r(saved, why, sizeof(why)) != 0)
		snprintf(why, sizeof(why), "error %d", saved);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", why);
	clean(err->text);
	return RNA_EIO;
}

void
rna_err_where(struct rna_err *err, const char *file, uint64_t record)
{
	if (err == NULL)
		return;
	if (err->file[0] == '\0' && file != NULL) {
		snprintf(err->file, sizeof(err->file), "%s", file);
		clean(err->file);
	}
	if (err->record == RNA_NOREC)
		err->record = record;
}

void
rna_err_clear(struct rna_err *err)
{
	if (err == NULL)
		return;
	set(err, RNA_OK, 0);
	err->text[0] = '\0';
}
