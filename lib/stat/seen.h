/*
 * seen.h: a set of ids, so that a group that comes back is noticed.
 */
#ifndef RNA_SEEN_H
#define RNA_SEEN_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

struct rna_seen {
	uint64_t *id; /* [cap], 0: free */
	size_t n, cap;
	int zero; /* id 0 is in it */
};

#define RNA_SEEN_INIT                                                                                                  \
	{                                                                                                              \
		NULL, 0, 0, 0                                                                                          \
	}

/* Adds id; *was: 1 when it was there before.  RNA_EMEM. */
enum rna_status rna_seen_add(struct rna_seen *s, uint64_t id, int *was) RNA_CHECK;
/* Empties the set. */
void rna_seen_fini(struct rna_seen *s);

#endif
