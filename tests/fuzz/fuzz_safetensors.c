/*
 * fuzz_safetensors.c: any bytes as a safetensors file.  What is accepted is read to the last byte.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_safetensors.c librna.a
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nn/names.h"
#include "nn/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rna_safetensors s;
	struct rna_err err = {0};
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (rna_safetensors_open(&s, path, &err) == RNA_OK) {
		read_all(&s);
		rna_safetensors_close(&s);
	} else if (!err.text[0]) {
		abort(); /* a refusal has a sentence */
	}
	close(fd);
	return 0;
}
