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
	int fd;

	memset(r, 0, sizeof(*r));
	r->path = strdup(path);
	r->part = rna_replace_join(path, ".tmp");
	if (!r->path || !r->part) {
		rna_replace_abort(r);
		return rna_fail(err, RNA_EMEM, "no memory");
	}
	fd = open(r->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
	r->fp = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!r->fp) {
		rna_fail_errno(err, "can't write");
		rna_err_where(err, r->part, RNA_NOREC);
		if (fd >= 0)
			close(fd);
		rna_replace_abort(r);
		return RNA_EIO;
	}
	return RNA_OK;
}

/* Makes a rename in the folder of path last. */
static int
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int fd, rc;

	dir = !slash ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (!dir)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	if (rc < 0 && (errno == EINVAL || errno == EROFS))
		rc = 0; /* a file system without fsync on folders */
	close(fd);
	return rc;
}

enum rna_status
rna_replace_commit(struct rna_replace *r, struct rna_err *err)
{
	int bad;

	bad = fflush(r->fp) == EOF || ferror(r->fp) || fsync(fileno(r->fp)) < 0;
	if (!bad) {
		bad = fclose(r->fp) == EOF;
		r->fp = NULL;
	}
	if (bad || rename(r->part, r->path) < 0 || sync_folder(r->path) < 0) {
		rna_fail_errno(err, "can't write");
		rna_err_where(err, r->path, RNA_NOREC);
		rna_replace_abort(r);
		return RNA_EIO;
	}
	free(r->part);
	free(r->path);
	memset(r, 0, sizeof(*r));
	return RNA_OK;
}

void
rna_replace_abort(struct rna_replace *r)
{
	if (r->fp) {
		fclose(r->fp);
		unlink(r->part);
	}
	free(r->part);
	free(r->path);
	memset(r, 0, sizeof(*r));
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
