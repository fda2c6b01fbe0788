/*
 * unit_rid.c: identities of many sequences: all different, the same on every way to them, copies numbered.
 */
#include <stdlib.h>
#include "seq/rid.h"
#include "stream_util.h"
#include "tap.h"

#define MANY 200000 /* the table grows past what calloc gives it */

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t
identity(struct rna_rid *r, const char *name, const char *seq)
{
	static struct rna_buf scratch;
	uint64_t hash = 0;

	must(rna_rid_hash(&scratch, name, strlen(name), seq, strlen(seq), 0, &hash));
	must(rna_rid_expect(r, hash));
	return rna_rid_count(r, hash);
}

int
main(void)
{
	uint64_t *id = malloc(MANY * sizeof(*id)), one, two;
	struct rna_rid r, again;
	size_t i, same = 0;
	char name[24];
	int good = 1;

	rna_rid_init(&r);
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		id[i] = identity(&r, name, "ACGU");
	}
	one = identity(&r, "n7", "ACGU");
	two = identity(&r, "n7", "acgt");
	rna_rid_init(&again);
	good = identity(&again, "n7", "acgt") == id[7] && identity(&again, "n7", "ACGU") == one &&
	       identity(&again, "n7", "AcGt") == two;
	ok(good && one != id[7] && two != one && two != id[7], "copies are told apart by their number alone");
	ok(identity(&again, "n8", "ACGU") == id[8] && identity(&again, "n8", "ACGG") != id[8],
	    "an identity depends on name and sequence, not on the others");
	qsort(id, MANY, sizeof(*id), compare);
	for (i = 1; i < MANY; i++)
		same += id[i] == id[i - 1];
	ok(same == 0, "%d sequences, %d identities", MANY, MANY - (int)same);
	rna_rid_fini(&r);
	rna_rid_fini(&again);
	free(id);
	return done();
}
