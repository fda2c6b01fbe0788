/*
 * output.c: a file grows as path.part, locked, and is synced and renamed when it is complete, so that whoever finds
 * path finds all of it.  The file is private (0600) until then.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sync_file_range, where there is one */
#endif
#include <sys/file.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream/output.h"

#define LOCK_TRIES 100
#define EARLY (8u << 20)   /* bytes whose way to the disk begins before the end, which waits for all */

struct rna_output {
	int fd;
	char *name;
	char *path;      /* to be renamed to; NULL: written directly */
	char *part;
	mode_t mode;     /* of the finished file */
	uint64_t at;     /* bytes written to part ... */
	uint64_t begun;  /* ... and how many of them are on their way to the disk */
};

/* Names of this process's standard output. */
static int
is_stdout(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 ||
	    strcmp(path, "/dev/fd/1") == 0 || strcmp(path, "/proc/self/fd/1") == 0;
}

static char *
part_name(const char *path)
{
	size_t n = strlen(path) + sizeof(".part");
	char *s = malloc(n);

	if (s != NULL)
		snprintf(s, n, "%s.part", path);
	return s;
}

/* Opens and locks path.part.  RNA_NEXT: its former writer renamed or removed it meanwhile, so try again. */
static enum rna_status
open_part(struct rna_output *o, struct rna_err *err)
{
	struct stat mine, there;

	o->fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (o->fd < 0)
		return rna_fail_errno(err, "cannot create %s", o->part);
	if (flock(o->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return rna_fail(err, RNA_EIO, "%s is being written by another program", o->part);
		if (errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOLCK) /* file systems without locks */
			return rna_fail_errno(err, "cannot lock %s", o->part);
	}
	if (fstat(o->fd, &mine) != 0)
		return rna_fail_errno(err, "cannot stat %s", o->part);
	if (!S_ISREG(mine.st_mode))
		return rna_fail(err, RNA_EIO, "%s is in the way and is no regular file", o->part);
	if (lstat(o->part, &there) == 0 && there.st_dev == mine.st_dev && there.st_ino == mine.st_ino)
		return RNA_OK;
	close(o->fd);
	o->fd = -1;
	return RNA_NEXT;
}

/* A file that is replaced hands its mode on; a new one gets what the umask leaves. */
static mode_t
final_mode(const struct stat *old)
{
	mode_t mask;

	if (old != NULL)
		return old->st_mode & 0777;
	mask = umask(077);
	umask(mask);
	return 0666 & ~mask;
}

static enum rna_status
open_path(struct rna_output *o, const char *path, int keep, struct rna_err *err)
{
	enum rna_status st = RNA_NEXT;
	struct stat old;
	int i, there = stat(path, &old) == 0;

	if (there && S_ISDIR(old.st_mode))
		return rna_fail(err, RNA_EIO, "is a folder");
	if (there && !S_ISREG(old.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		return o->fd >= 0 ? RNA_OK : rna_fail_errno(err, "cannot open");
	}
	o->path = there ? realpath(path, NULL) : strdup(path); /* a link goes on leading to the file */
	o->part = o->path != NULL ? part_name(o->path) : NULL;
	if (o->part == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	o->mode = final_mode(there ? &old : NULL);
	for (i = 0; st == RNA_NEXT && i < LOCK_TRIES; i++)
		st = open_part(o, err);
	if (st == RNA_NEXT)
		st = rna_fail(err, RNA_EIO, "%s is being written by another program", o->part);
	if (st == RNA_OK && !keep) {
		st = rna_output_cut(o, 0, err);
		if (st != RNA_OK)
			unlink(o->part); /* locked, so ours */
	}
	return st;
}

struct rna_output *
rna_output_open(const char *path, int keep, struct rna_err *err)
{
	struct rna_output *o = calloc(1, sizeof(*o));
	enum rna_status st;

	if (o != NULL) {
		o->fd = -1;
		o->name = strdup(path == NULL || strcmp(path, "-") == 0 ? "(standard output)" : path);
	}
	if (o == NULL || o->name == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		free(o);
		return NULL;
	}
	if (is_stdout(path)) {
		o->fd = STDOUT_FILENO;
		return o;
	}
	st = open_path(o, path, keep, err);
	if (st == RNA_OK)
		return o;
	rna_err_where(err, path, RNA_NOREC);
	rna_output_abort(o, 1); /* it is not ours to remove */
	return NULL;
}

const char *
rna_output_name(const struct rna_output *o)
{
	return o->name;
}

const char *
rna_output_part(const struct rna_output *o)
{
	return o->part;
}

int
rna_output_fd(const struct rna_output *o)
{
	return o->fd;
}

enum rna_status
rna_output_cut(struct rna_output *o, uint64_t n, struct rna_err *err)
{
	if (ftruncate(o->fd, (off_t)n) != 0 || lseek(o->fd, (off_t)n, SEEK_SET) < 0)
		return rna_fail_errno(err, "cannot cut %s", o->part);
	o->at = o->begun = n;
	return RNA_OK;
}

/* n bytes more are written.  What goes wrong on the way to the disk is told by the sync at the end. */
static void
begin_sync(struct rna_output *o, size_t n)
{
	o->at += n;
	if (o->path == NULL || o->at - o->begun < EARLY)
		return;
#ifdef SYNC_FILE_RANGE_WRITE
	(void)sync_file_range(o->fd, (off_t)o->begun, (off_t)(o->at - o->begun), SYNC_FILE_RANGE_WRITE);
#endif
	o->begun = o->at;
}

enum rna_status
rna_output_write(struct rna_output *o, const void *data, size_t n, struct rna_err *err)
{
	struct pollfd p = {.fd = o->fd, .events = POLLOUT};
	const unsigned char *s = data;
	ssize_t r;

	while (n > 0) {
		r = write(o->fd, s, n);
		if (r > 0) {
			s += r;
			n -= (size_t)r;
			begin_sync(o, (size_t)r);
			continue;
		}
		/* EAGAIN: someone made the pipe non-blocking */
		if (r < 0 && errno != EINTR && (errno != EAGAIN || (poll(&p, 1, -1) < 0 && errno != EINTR))) {
			rna_fail_errno(err, "cannot write");
			rna_err_where(err, o->name, RNA_NOREC);
			return RNA_EIO;
		}
	}
	return RNA_OK;
}

static int
sync_fd(int fd)
{
	int r;

	do
		r = fsync(fd);
	while (r != 0 && errno == EINTR);
	return r;
}

/* Renames part to path.  It is safe from a power cut once the folder is synced; not every file system lets one be. */
static enum rna_status
rename_part(const struct rna_output *o, struct rna_err *err)
{
	enum rna_status st = RNA_OK;
	char *copy = strdup(o->path);
	int fd;

	if (copy == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (fd < 0 && errno != EACCES) /* a folder that may be written and not be read */
		return rna_fail_errno(err, "cannot open its folder");
	if (rename(o->part, o->path) != 0)
		st = rna_fail_errno(err, "cannot rename %s", o->part);
	else if (fd >= 0 && sync_fd(fd) != 0 && errno != EINVAL && errno != EBADF)
		st = rna_fail_errno(err, "complete, but its folder cannot be synced");
	if (fd >= 0)
		close(fd);
	return st;
}

static enum rna_status
commit(struct rna_output *o, struct rna_err *err)
{
	int fd;

	if (o->path == NULL) {
		fd = dup(o->fd); /* some file systems report a failed write only when a descriptor is closed */
		if (fd >= 0 && close(fd) != 0)
			return rna_fail_errno(err, "cannot write");
		return RNA_OK;
	}
	if (fchmod(o->fd, o->mode) != 0)
		return rna_fail_errno(err, "cannot set the mode of %s", o->part);
	if (sync_fd(o->fd) != 0)
		return rna_fail_errno(err, "cannot write");
	return rename_part(o, err);
}

enum rna_status
rna_output_commit(struct rna_output *o, struct rna_err *err)
{
	enum rna_status st = commit(o, err);

	if (st != RNA_OK)
		rna_err_where(err, o->name, RNA_NOREC);
	rna_output_abort(o, st == RNA_OK);
	return st;
}

void
rna_output_abort(struct rna_output *o, int keep)
{
	if (o == NULL)
		return;
	if (!keep && o->part != NULL)
		unlink(o->part);
	if (o->fd > STDERR_FILENO || (o->fd >= 0 && o->path != NULL))
		close(o->fd);
	free(o->name);
	free(o->path);
	free(o->part);
	free(o);
}
