/*
 * rid.h: the identity of an RNA: a hash of name, sequence (upper case, T as U) and how many equal ones came before.
 */
#ifndef RNA_RID_H
#define RNA_RID_H

#include "seq/entry.h"

struct rna_rid_slot {
	uint64_t key;            /* 0: free */
	uint32_t count;
};

struct rna_rid {                 /* how often each (name, sequence) was seen: an open-addressed table */
	struct rna_rid_slot *slot;
	size_t n, cap;           /* cap a power of two */
	struct rna_buf scratch;
};

void rna_rid_init(struct rna_rid *r);
void rna_rid_fini(struct rna_rid *r);
/*
 * The identity of an entry depends on it and on the number of equal entries before, never on the others.  It is found
 * in two steps, between which the memory for the second is fetched: *hash of e, whose name is the n_name bytes at name;
 * then the identity, which counts the entry as seen.  16 bytes of memory for each entry, doubled at most.
 */
enum rna_status rna_rid_hash(struct rna_rid *r, const char *name, size_t n_name, const struct rna_entry *e,
    uint64_t *hash) RNA_CHECK;
uint64_t rna_rid_count(struct rna_rid *r, uint64_t hash);

#endif
