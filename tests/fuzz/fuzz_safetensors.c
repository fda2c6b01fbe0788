/*
 * fuzz_safetensors.c: any bytes as a safetensors file.  What is accepted is read to the last byte.  The mutator gives
 * the header its true length most of the time, and now and then lengthens the data.
 */
#include "fuzz.h"
#include <sys/endian.h>
#include "nn/names.h"
#include "nn/safetensors.h"

/* Every element of every tensor, and its name in stock spelling. */
static void
read_all(const struct rna_safetensors *s)
{
	char name[RNA_NAMES_SIZE];
	enum rna_naming naming;
	struct rna_err err;
	float x[64];
	uint64_t n;
	int known;

	known = rna_names_detect(s, &naming, &err) == RNA_OK;
	for (size_t i = 0; i < s->n; i++) {
		if (known)
			rna_names_stock(naming, s->list[i].name, name);
		for (uint64_t at = 0; at < s->list[i].count; at += n) {
			n = s->list[i].count - at < 64 ? s->list[i].count - at : 64;
			if (rna_safetensors_read(&s->list[i], at, n, x) != RNA_OK)
				break;
		}
		if (rna_safetensors_find(s, s->list[i].name) != &s->list[i])
			abort();
	}
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_safetensors s;

	if (rna_safetensors_open(&s, fuzz_file(data, n), &e) == RNA_OK) {
		read_all(&s);
		rna_safetensors_close(&s);
	} else {
		fuzz_refused(&e);
	}
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	uint8_t *close;

	n = LLVMFuzzerMutate(data, n, max);
	if (n < 16 || seed % 4 == 0)
		return n;
	close = memrchr(data + 8, '}', n - 8);
	if (close != NULL)
		le64enc(data, (uint64_t)(close + 1 - (data + 8)));
	if (seed % 16 == 1 && n + 64 < max) {
		memset(data + n, 0, 64);
		n += (seed >> 4) % 64;
	}
	return n;
}
