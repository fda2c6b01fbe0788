/*
 * rid.h: the identity of an RNA: a hash of name, sequence (upper case, T as U) and how many equal ones came before.
 */
#ifndef RNA_RID_H
#define RNA_RID_H

#include "seq/entry.h"

struct rna_rid {                 /* how often each (name, sequence) was seen: an open-addressed table */
	uint64_t *key;           /* 0: free */
	uint32_t *count;
	size_t n, cap;           /* cap a power of two */
	struct rna_buf scratch;
};

void rna_rid_init(struct rna_rid *r);
void rna_rid_fini(struct rna_rid *r);
/*
 * The identity of e, whose name is the n_name bytes at name; counts it as seen.  It depends on e and on the
 * number of equal entries before, never on the others.  12 bytes of memory for each entry, doubled at most.
 */
enum rna_status rna_rid_next(struct rna_rid *r, const char *name, size_t n_name, const struct rna_entry *e,
    uint64_t *rid) RNA_CHECK;

#endif
