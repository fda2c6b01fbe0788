/*
 * outfile.c: a text or foreign file that is complete or absent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/outfile.h"

struct rna_outfile {
	FILE *fp;
	char *path, *part; /* NULL: standard output */
};

static char *
join(const char *a, const char *b)
{
	size_t n = strlen(a) + strlen(b) + 1;
	char *s = malloc(n);

	if (s != NULL)
		snprintf(s, n, "%s%s", a, b);
	return s;
}

static enum rna_status
open_part(struct rna_outfile *o, struct rna_err *err)
{
	struct stat st;
	int fd;

	if (stat(o->path, &st) == 0 && S_ISDIR(st.st_mode))
		return rna_fail(err, RNA_EINVAL, "is a folder");
	if ((fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666)) < 0)
		return rna_fail_errno(err, "can't create %s", o->part);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		free(o->part); /* another writer's: not ours to remove */
		o->part = NULL;
		return rna_fail(err, RNA_EIO, "another program is writing it");
	}
	if (ftruncate(fd, 0) != 0 || (o->fp = fdopen(fd, "w+")) == NULL) {
		rna_fail_errno(err, "can't write %s", o->part);
		close(fd);
		return RNA_EIO;
	}
	return RNA_OK;
}

/* A device or a named pipe is written as it is: it can't be renamed onto. */
static int
is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

struct rna_outfile *
rna_outfile_open(const char *path, struct rna_err *err)
{
	struct rna_outfile *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if (path == NULL || strcmp(path, "-") == 0) {
		o->fp = stdout;
		return o;
	}
	if ((o->path = strdup(path)) == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		goto out;
	}
	if (is_special(path)) {
		if ((o->fp = fopen(path, "w")) != NULL)
			return o;
		rna_fail_errno(err, "can't write");
		goto out;
	}
	if ((o->part = join(path, ".part")) == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		goto out;
	}
	if (open_part(o, err) == RNA_OK)
		return o;
out:
	rna_err_where(err, path, RNA_NOREC);
	rna_outfile_abort(o);
	return NULL;
}

FILE *
rna_outfile_fp(const struct rna_outfile *o)
{
	return o->fp;
}

const char *
rna_outfile_name(const struct rna_outfile *o)
{
	return o->path != NULL ? o->path : "standard output";
}

enum rna_status
rna_outfile_close(struct rna_outfile *o, struct rna_err *err)
{
	int bad = ferror(o->fp), saved = errno;

	if (fflush(o->fp) != 0) {
		bad = 1;
		saved = errno;
	} else if (!bad && o->part != NULL && (fsync(fileno(o->fp)) != 0 || rename(o->part, o->path) != 0)) {
		bad = 1;
		saved = errno;
	}
	if (!bad) {
		free(o->part);
		o->part = NULL; /* it has its name: nothing to remove */
	} else {
		errno = saved;
		rna_fail_errno(err, "can't write");
		rna_err_where(err, rna_outfile_name(o), RNA_NOREC);
	}
	rna_outfile_abort(o);
	return bad ? RNA_EIO : RNA_OK;
}

void
rna_outfile_abort(struct rna_outfile *o)
{
	if (o == NULL)
		return;
	if (o->part != NULL && o->fp != NULL)
		unlink(o->part);
	if (o->fp != NULL && o->fp != stdout)
		fclose(o->fp);
	free(o->path);
	free(o->part);
	free(o);
}
