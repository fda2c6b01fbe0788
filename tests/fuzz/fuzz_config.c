/*
 * fuzz_config.c: any bytes as config.json.  What is accepted is within its ranges and is written and read again.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_config.c librna.a
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nn/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy written to the scratch file says the same. */
static void
write_again(const struct rna_config *c)
{
	char path[64];
	struct rna_config d;
	struct rna_err err = {0};

	snprintf(path, sizeof(path), "/tmp/fuzz_config.%ld", (long)getpid());
	if (rna_config_save(c, path, &err) != RNA_OK || rna_config_load(&d, path, &err) != RNA_OK)
		abort();
	if (d.hidden != c->hidden || d.layers != c->layers || d.max != c->max || d.frame != c->frame ||
	    d.act != c->act || d.eps != c->eps || d.mlm_act != c->mlm_act || d.mlm_eps != c->mlm_eps ||
	    d.type_head != c->type_head)
		abort();
	rna_config_fini(&d);
	unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rna_config c;
	struct rna_err err = {0};
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (rna_config_load(&c, path, &err) == RNA_OK) {
		if (rna_config_check(&c, &err) != RNA_OK)
			abort();
		write_again(&c);
		rna_config_fini(&c);
	} else if (!err.text[0]) {
		abort(); /* a refusal has a sentence */
	}
	close(fd);
	return 0;
}
