/*
 * replace.c: files that are written whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/replace.h"

char *
rna_replace_join(const char *a, const char *b)
{
	size_t n = strlen(a), k = strlen(b);
	char *s = malloc(n + k + 1);

	if (s) {
		memcpy(s, a, n);
		memcpy(s + n, b, k + 1);
	}
	return s;
}

enum rna_status
rna_replace_open(struct rna_replace *r, const char *path, struct rna_err *err)
{
	struct rna_err why = {.record = RNA_NOREC};

	r->fp = NULL;
	if ((r->out = rna_outfile_open(path, &why)) == NULL) {
		if (err != NULL)
			*err = why;
		return why.status;
	}
	r->fp = rna_outfile_fp(r->out);
	return RNA_OK;
}

enum rna_status
rna_replace_commit(struct rna_replace *r, struct rna_err *err)
{
	struct rna_outfile *out = r->out;

	*r = (struct rna_replace){NULL, NULL};
	return rna_outfile_close(out, err);
}

void
rna_replace_abort(struct rna_replace *r)
{
	rna_outfile_abort(r->out);
	*r = (struct rna_replace){NULL, NULL};
}

int
rna_replace_open_regular(const char *path, size_t *size, struct rna_err *err)
{
	struct stat sb;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &sb) < 0) {
		rna_fail_errno(err, "can't read");
	} else if (!S_ISREG(sb.st_mode)) {
		rna_fail(err, RNA_EFORMAT, "not a regular file");
	} else {
		*size = (size_t)sb.st_size;
		return fd;
	}
	rna_err_where(err, path, RNA_NOREC);
	if (fd >= 0)
		close(fd);
	return -1;
}

enum rna_status
rna_replace_slurp(const char *path, size_t max, struct rna_buf *buf, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	size_t size;
	ssize_t got;
	int fd;

	fd = rna_replace_open_regular(path, &size, err);
	if (fd < 0)
		return err ? err->status : RNA_EIO;
	buf->len = 0;
	if (size > max)
		st = rna_fail(err, RNA_EFORMAT, "%zu bytes, at most %zu are read", size, max);
	else
		st = rna_buf_reserve(buf, size + 1);
	if (st == RNA_EMEM)
		st = rna_fail(err, RNA_EMEM, "no memory");
	while (!st && buf->len < size) {
		got = read(fd, buf->data + buf->len, size - buf->len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			st = rna_fail_errno(err, "can't read");
		if (got <= 0)
			break;
		buf->len += (size_t)got;
	}
	close(fd);
	if (!st)
		buf->data[buf->len] = '\0';
	else
		rna_err_where(err, path, RNA_NOREC);
	return st;
}
