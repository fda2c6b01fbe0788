/*
 * accepts.c: which files the reader of safetensors takes.  Reads paths, one a line; prints 1 or 0 for each.
 */
#include <stdio.h>
#include <string.h>
#include "nn/safetensors.h"

int
main(void)
{
	struct rna_safetensors s;
	struct rna_err e;
	char path[4096];
	int took;

	while (fgets(path, sizeof(path), stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		took = rna_safetensors_open(&s, path, &e) == RNA_OK;
		if (took)
			rna_safetensors_close(&s);
		printf("%d\n", took);
	}
	return 0;
}
