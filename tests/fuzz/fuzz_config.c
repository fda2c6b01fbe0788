/*
 * fuzz_config.c: any bytes as config.json.  What is accepted is within its ranges and is written and read again.
 */
#include "fuzz.h"
#include "nn/config.h"
#include "seq/frame.h"

/* A copy written to a scratch file says the same. */
static void
write_again(const struct rna_config *c)
{
	struct rna_err e = {.record = RNA_NOREC};
	const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct rna_config d;
	char path[64];

	snprintf(path, sizeof(path), "%s/fuzz_config.%ld", dir, (long)getpid());
	if (rna_config_save(c, path, &e) != RNA_OK || rna_config_load(&d, path, &e) != RNA_OK)
		abort();
	if (d.hidden != c->hidden || d.layers != c->layers || d.max != c->max || d.frame != c->frame ||
	    d.act != c->act || d.eps != c->eps || d.mlm_act != c->mlm_act || d.mlm_eps != c->mlm_eps ||
	    d.type_head != c->type_head || rna_config_classes(&d) != rna_config_classes(c))
		abort();
	rna_config_fini(&d);
	unlink(path);
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_framing f;
	struct rna_config c;
	const char *path = fuzz_file(data, n);

	if (rna_frame_config(&f, path, &e) == RNA_OK) {
		if (f.max > 0 && f.max < 5)
			abort();
	} else {
		fuzz_refused(&e);
	}
	rna_err_clear(&e);
	if (rna_config_load(&c, path, &e) == RNA_OK) {
		if (rna_config_check(&c, &e) != RNA_OK)
			abort();
		write_again(&c);
		rna_config_fini(&c);
	} else {
		fuzz_refused(&e);
	}
}
