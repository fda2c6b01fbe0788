/*
 * dirlock.c: a record lock (fcntl), because it knows the pid of its holder and ends with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/dirlock.h"

/* 1 when the locked file is still the one that path names: the holder before may have removed it in between. */
static int
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static enum rna_status
held(int fd, const char *dir, struct rna_err *err)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK)
		return rna_fail(err, RNA_EINVAL, "%s: in use by another rna-train, pid %ld", dir, (long)fl.l_pid);
	return rna_fail(err, RNA_EINVAL, "%s: in use by another rna-train", dir);
}

enum rna_status
rna_dirlock_take(struct rna_dirlock *l, const char *dir, struct rna_err *err)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum rna_status s;

	l->fd = -1;
	if (snprintf(l->path, sizeof(l->path), "%s/.lock", dir) >= (int)sizeof(l->path))
		return rna_fail(err, RNA_EINVAL, "the path of the model directory is too long");
	l->made = mkdir(dir, 0777) == 0;
	if (!l->made && errno != EEXIST)
		return rna_fail_errno(err, "%s", dir);
	for (;;) {
		if ((l->fd = open(l->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666)) < 0)
			return rna_fail_errno(err, "%s", l->path);
		if (fcntl(l->fd, F_SETLK, &fl) != 0) {
			s = errno == EACCES || errno == EAGAIN ? held(l->fd, dir, err)
			                                       : rna_fail_errno(err, "%s", l->path);
			close(l->fd);
			l->fd = -1;
			return s;
		}
		if (still_there(l->fd, l->path))
			return RNA_OK;
		close(l->fd);
	}
}

void
rna_dirlock_release(struct rna_dirlock *l)
{
	if (l->fd < 0)
		return;
	unlink(l->path);
	close(l->fd);
	l->fd = -1;
	if (l->made) {
		*strrchr(l->path, '/') = '\0';
		rmdir(l->path);
	}
}
