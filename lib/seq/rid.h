/*
 * rid.h: the identity of an RNA: a hash of name, sequence (upper case, T as U) and how many equal ones came before.
 */
#ifndef RNA_RID_H
#define RNA_RID_H

#include <stdint.h>
#include "stream/buf.h"

struct rna_rid_slot {
	uint64_t key;            /* 0: free */
	uint32_t count;
};

struct rna_rid {                 /* how often each (name, sequence) was seen: an open-addressed table */
	struct rna_rid_slot *slot;
	size_t n, cap;           /* cap a power of two */
};

void rna_rid_init(struct rna_rid *r);
void rna_rid_fini(struct rna_rid *r);
/*
 * The identity of an RNA depends on it and on the number of equal ones before, never on the others.  It is found in two
 * steps: a hash of name and letters, chained on that of the first of a pair (else 0); then the identity, which counts
 * the RNA as seen.  16 bytes of memory for each, doubled at most.
 */
enum rna_status rna_rid_hash(struct rna_buf *scratch, const char *name, size_t n_name, const void *seq, size_t n_seq,
    uint64_t before, uint64_t *hash) RNA_CHECK;
/* Makes room for one more, and has its memory fetched; call it for each, some time before it is counted. */
enum rna_status rna_rid_expect(struct rna_rid *r, uint64_t hash) RNA_CHECK;
uint64_t rna_rid_count(struct rna_rid *r, uint64_t hash);

#endif
