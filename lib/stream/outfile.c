/*
 * outfile.c: a stdio face of output.c.  stdio gives up at a write that a signal interrupts, so what it writes goes
 * through rna_output_write.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/outfile.h"
#include "stream/output.h"

struct rna_outfile {
	struct rna_output *out;
	FILE *fp;
	struct rna_err failed; /* the first write that did */
};

static int
read_out(void *arg, char *dst, int n)
{
	const struct rna_outfile *o = arg;

	return (int)read(rna_output_fd(o->out), dst, (size_t)n);
}

static int
write_out(void *arg, const char *src, int n)
{
	struct rna_outfile *o = arg;

	if (o->failed.status == RNA_OK && rna_output_write(o->out, src, (size_t)n, &o->failed) == RNA_OK)
		return n;
	errno = o->failed.saved_errno;
	return 0; /* a failure for glibc's stdio and for BSD's */
}

static off_t
seek_out(void *arg, off_t to, int from)
{
	const struct rna_outfile *o = arg;

	return lseek(rna_output_fd(o->out), to, from);
}

/* Where a file may be sought in: all of it is ours to write. */
static int
may_seek(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_APPEND) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

struct rna_outfile *
rna_outfile_open(const char *path, struct rna_err *err)
{
	struct rna_outfile *o = calloc(1, sizeof(*o));
	int fd;

	if (o == NULL) {
		rna_fail(err, RNA_EMEM, "out of memory");
		return NULL;
	}
	if ((o->out = rna_output_open(path, 0, err)) == NULL) {
		free(o);
		return NULL;
	}
	fd = rna_output_fd(o->out);
	o->fp = funopen(
	    o, rna_output_part(o->out) != NULL ? read_out : NULL, write_out, may_seek(fd) ? seek_out : NULL, NULL);
	if (o->fp != NULL && setvbuf(o->fp, NULL, isatty(fd) ? _IOLBF : _IOFBF, 1 << 16) == 0)
		return o;
	rna_fail_errno(err, "cannot open");
	rna_err_where(err, rna_output_name(o->out), RNA_NOREC);
	rna_outfile_abort(o);
	return NULL;
}

FILE *
rna_outfile_fp(const struct rna_outfile *o)
{
	return o->fp;
}

enum rna_status
rna_outfile_close(struct rna_outfile *o, struct rna_err *err)
{
	struct rna_output *out = o->out;
	struct rna_err failed;
	int bad = ferror(o->fp) != 0, saved = errno;

	if (fclose(o->fp) == EOF && !bad) {
		bad = 1;
		saved = errno;
	}
	failed = o->failed;
	free(o);
	if (!bad)
		return rna_output_commit(out, err);
	if (failed.status == RNA_OK) { /* stdio's own: no memory, a failed seek */
		errno = saved;
		rna_fail_errno(&failed, "cannot write");
		rna_err_where(&failed, rna_output_name(out), RNA_NOREC);
	}
	if (err != NULL)
		*err = failed;
	rna_output_abort(out, 0);
	return failed.status;
}

void
rna_outfile_abort(struct rna_outfile *o)
{
	if (o == NULL)
		return;
	if (o->fp != NULL)
		fclose(o->fp);
	rna_output_abort(o->out, 0);
	free(o);
}
