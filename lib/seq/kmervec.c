/*
 * kmervec.c: an RNA as the relative frequencies of its k-mers.
 */
#include "seq/kmervec.h"

static int
base(char c)
{
	switch (c) {
	case 'A':
	case 'a':
		return 0;
	case 'C':
	case 'c':
		return 1;
	case 'G':
	case 'g':
		return 2;
	case 'U':
	case 'u':
	case 'T':
	case 't':
		return 3;
	}
	return -1;
}

/* Frequencies of the k-mers of n letters into freq, which is all zero. */
static void
count(const char *seq, size_t n, int k, float *freq)
{
	const size_t words = (size_t)1 << (2 * k);
	uint32_t word = 0, mask = (uint32_t)(words - 1);
	uint64_t total = 0;
	int run = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		int b = base(seq[i]);

		run = b < 0 ? 0 : run + 1;
		word = (word << 2 | (uint32_t)(b < 0 ? 0 : b)) & mask;
		if (run < k)
			continue;
		freq[word]++; /* exact up to 16 million of one k-mer */
		total++;
	}
	for (i = 0; total > 0 && i < words; i++)
		freq[i] = (float)((double)freq[i] / (double)total);
}

enum rna_status
rna_kmervec_add(struct rna_record *rec, int k, struct rna_err *err)
{
	const size_t words = (size_t)1 << (2 * k);
	uint64_t dims[1] = {words};
	const char *seq, *seq_b;
	size_t n, n_b;
	float *freq;

	if (rna_record_get_str(rec, "seq", &n) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq to count k-mers in");
	if (rna_record_get_str(rec, "seq_b", &n_b) != NULL)
		dims[0] = 2 * words;
	if ((freq = rna_record_put(rec, "kmer", RNA_F32, 1, dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	seq = rna_record_get_str(rec, "seq", &n);
	seq_b = rna_record_get_str(rec, "seq_b", &n_b);
	count(seq, n, k, freq);
	if (seq_b != NULL)
		count(seq_b, n_b, k, freq + words);
	return RNA_OK;
}
