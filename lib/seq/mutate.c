/*
 * mutate.c: compensatory changes in stems, substitutions in loops (mutate.h).
 */
#include <sys/endian.h>

#include <stdlib.h>
#include <string.h>

#include "seq/folded.h"
#include "seq/mutate.h"
#include "stream/rng.h"

static const char bases[] = "ACGU";
static const char pairs[6][3] = {"AU", "CG", "GC", "GU", "UA", "UG"};

/* What is written for U in the sequence: T where there is a T and no U. */
static char
letter_of_u(const char *seq, size_t n)
{
	int t = 0, u = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		t |= seq[i] == 'T' || seq[i] == 't';
		u |= seq[i] == 'U' || seq[i] == 'u';
	}
	return t && !u ? 'T' : 'U';
}

static char
base_of(char c)
{
	c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	return c == 'T' ? 'U' : c;
}

/* The base in the place of the letter there, in its case. */
static void
put_base(char *seq, char base, char u)
{
	int lower = *seq >= 'a' && *seq <= 'z';

	base = base == 'U' ? u : base;
	*seq = lower ? (char)(base - 'A' + 'a') : base;
}

static void
mutate_base(char *seq, char u, struct rna_rng *rng)
{
	const char *p = strchr(bases, base_of(*seq));

	if (p != NULL && *p != '\0')
		put_base(seq, bases[((size_t)(p - bases) + 1 + rna_rng_below(rng, 3)) % 4], u);
}

static void
mutate_pair(char *a, char *b, char u, struct rna_rng *rng)
{
	unsigned k = 0, other;

	while (k < 6 && (pairs[k][0] != base_of(*a) || pairs[k][1] != base_of(*b)))
		k++;
	if (k == 6)
		return;
	other = (k + 1 + rna_rng_below(rng, 5)) % 6;
	put_base(a, pairs[other][0], u);
	put_base(b, pairs[other][1], u);
}

/* Each base has draws of its own, so that what becomes of it does not depend on the others. */
static void
mutate(char *seq, const int32_t *partner, size_t n, double rate, uint64_t key)
{
	char u = letter_of_u(seq, n);
	struct rna_rng rng;
	size_t i;

	for (i = 0; i < n; i++) {
		rna_rng_init(&rng, key);
		rng.counter = 16 * i;
		if (partner[i] >= 0 && partner[i] < (int32_t)i)
			continue;
		if (rna_rng_double(&rng) >= rate)
			continue;
		if (partner[i] < 0)
			mutate_base(&seq[i], u, &rng);
		else
			mutate_pair(&seq[i], &seq[partner[i]], u, &rng);
	}
}

static enum rna_status
copy_fields(const struct rna_record *rec, struct rna_record *out)
{
	static const char *const kept[] = {"name", "desc", "label", "type", "pair", "structure"};
	const struct rna_field *f;
	enum rna_status st = RNA_OK;
	size_t i;

	for (i = 0; i < sizeof(kept) / sizeof(kept[0]) && st == RNA_OK; i++) {
		if ((f = rna_record_find(rec, kept[i])) != NULL)
			st = rna_record_set(out, f->name, f->dtype, f->ndim, f->dims, rna_record_data(rec, f));
	}
	return st;
}

enum rna_status
rna_mutate(
    const struct rna_record *rec, uint64_t seed, uint32_t k, double rate, struct rna_record *out, struct rna_err *err)
{
	unsigned char bytes[12];
	struct rna_folded r;
	enum rna_status st;
	uint64_t rid = 0;
	char *seq = NULL;

	rna_record_reuse(out);
	if ((st = rna_folded_get(&r, rec, 1, err)) != RNA_OK)
		goto out;
	if (rna_record_find(rec, "seq_b") != NULL || rna_record_find(rec, "chunk") != NULL) {
		st = rna_fail(err, RNA_EFORMAT, "is a pair of RNAs or a chunk of one: no copies are made of those");
		goto out;
	}
	rna_record_get_u64(rec, "rid", &rid);
	if ((seq = malloc(r.n + 1)) == NULL) {
		st = rna_fail(err, RNA_EMEM, "out of memory");
		goto out;
	}
	memcpy(seq, r.seq, r.n);
	mutate(seq, r.partner, r.n, rate, rna_rng_key(seed, k, rid, 0, RNA_RNG_MUTATE));
	le64enc(bytes, rid);
	le32enc(bytes + 8, k);
	if ((st = rna_record_set_u64(out, "rid", rna_hash(bytes, sizeof(bytes), 0))) != RNA_OK ||
	    (st = rna_record_set_str(out, "seq", seq, r.n)) != RNA_OK || (st = copy_fields(rec, out)) != RNA_OK ||
	    (st = rna_record_set(out, "copy", RNA_U32, 0, NULL, &k)) != RNA_OK)
		rna_fail(err, st, "out of memory");
	out->number = rec->number;
out:
	free(seq);
	rna_folded_fini(&r);
	return st;
}
