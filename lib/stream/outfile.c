/*
 * outfile.c: a stdio face of output.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "stream/outfile.h"
#include "stream/output.h"

struct rna_outfile {
	struct rna_output *out;
	FILE *fp;
};

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
	if (rna_output_fd(o->out) == STDOUT_FILENO) {
		o->fp = stdout;
		return o;
	}
	/* stdio closes its own descriptor; the other holds the lock until the rename */
	fd = fcntl(rna_output_fd(o->out), F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && (o->fp = fdopen(fd, rna_output_part(o->out) != NULL ? "w+" : "w")) != NULL)
		return o;
	rna_fail_errno(err, "cannot open");
	rna_err_where(err, rna_output_name(o->out), RNA_NOREC);
	if (fd >= 0)
		close(fd);
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
	int bad = ferror(o->fp) != 0, saved = errno;

	if (fflush(o->fp) == EOF) {
		bad = 1;
		saved = errno;
	}
	if (o->fp != stdout && fclose(o->fp) == EOF && !bad) {
		bad = 1;
		saved = errno;
	}
	free(o);
	if (!bad)
		return rna_output_commit(out, err);
	errno = saved;
	rna_fail_errno(err, "cannot write");
	rna_err_where(err, rna_output_name(out), RNA_NOREC);
	rna_output_abort(out, 0);
	return RNA_EIO;
}

void
rna_outfile_abort(struct rna_outfile *o)
{
	if (o == NULL)
		return;
	if (o->fp != NULL && o->fp != stdout)
		fclose(o->fp);
	rna_output_abort(o->out, 0);
	free(o);
}
