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

enum rna_status
rna_kmervec_add(struct rna_record *rec, int k, struct rna_err *err)
{
	uint64_t dims[1] = {(uint64_t)1 << (2 * k)}, total = 0, i;
	uint32_t word = 0, mask = (uint32_t)(dims[0] - 1);
	const char *seq;
	int run = 0;
	float *freq;
	size_t n;

	if (rna_record_get_str(rec, "seq", &n) == NULL)
		return rna_fail(err, RNA_EFORMAT, "no field seq to count k-mers in");
	if ((freq = rna_record_put(rec, "kmer", RNA_F32, 1, dims)) == NULL)
		return rna_fail(err, RNA_EMEM, "out of memory");
	seq = rna_record_get_str(rec, "seq", &n);
	for (i = 0; i < n; i++) {
		int b = base(seq[i]);

		run = b < 0 ? 0 : run + 1;
		word = (word << 2 | (uint32_t)(b < 0 ? 0 : b)) & mask;
		if (run < k)
			continue;
		freq[word]++; /* exact up to 16 million of one k-mer */
		total++;
	}
	for (i = 0; total > 0 && i < dims[0]; i++)
		freq[i] = (float)((double)freq[i] / (double)total);
	return RNA_OK;
}
