/*
 * fuzz_bulk.c: any bytes as FASTA, read in bulk and RNA by RNA: what comes out is the same.
 */
#include "fuzz.h"
#include "../bulk_compare.h"

void
fuzz_input(const uint8_t *data, size_t n)
{
	unsigned choice = fuzz_choice(data, n);
	struct rna_framing f = {choice & 1, choice >> 1 & 3, 5 + choice % 13, 0};
	struct rna_annotate a = {NULL, NULL, NULL, choice >> 3 & 1, -1, NULL};
	struct rna_vocab v;
	struct rna_bulk_options o = {&f, &v, &a, choice >> 4 & 1 ? 40 : 0, 1 + (int)(choice % 3)};

	if (rna_vocab_init(&v) != RNA_OK)
		abort();
	a.vocab = &v;
	if (f.policy == RNA_LONG_KEEP)
		f.max = 0;
	if (bulk_compare(fuzz_file(data, n), &o) < 0)
		abort();
	rna_vocab_fini(&v);
}
