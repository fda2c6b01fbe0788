/*
 * dirlock.h: one training at a time in a model directory.
 */
#ifndef RNA_DIRLOCK_H
#define RNA_DIRLOCK_H

#include "stream/status.h"

struct rna_dirlock {
	int fd;   /* -1: not held */
	int made; /* 1: dir was made for it */
	char path[4096];
};

/* Takes dir/.lock (dir is made if missing); RNA_EINVAL names the process that holds it.  The lock ends with the
 * process. */
enum rna_status rna_dirlock_take(struct rna_dirlock *l, const char *dir, struct rna_err *err) RNA_CHECK;
/* Removes dir, too, when it was made for the lock and nothing was put there. */
void rna_dirlock_release(struct rna_dirlock *l);

#endif
