/*
 * fuzz_tables.c: any bytes as vocab.txt, table of RNA types, list of motifs and file of energy parameters.
 */
#include "fuzz.h"
#include "fold/energy.h"
#include "seq/motif.h"
#include "seq/types.h"

static void
energies(const char *path)
{
	static struct rna_energy set; /* large */
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_energy_file *f = rna_energy_file_open(path, &e);

	if (f == NULL) {
		fuzz_refused(&e);
		return;
	}
	if (rna_energy_init(&set, f, 25, 2, &e) != RNA_OK)
		fuzz_refused(&e);
	rna_energy_file_close(f);
}

static void
motifs(const char *path)
{
	struct rna_motifs list = RNA_MOTIFS_INIT;
	struct rna_err e = {.record = RNA_NOREC};
	struct rna_automaton a;

	if (rna_motifs_load(&list, path, NULL, &e) != RNA_OK) {
		fuzz_refused(&e);
	} else if (rna_automaton_init(&a, &list, 0) == RNA_OK) {
		rna_automaton_fini(&a);
	}
	rna_motifs_fini(&list);
}

void
fuzz_input(const uint8_t *data, size_t n)
{
	struct rna_err e = {.record = RNA_NOREC};
	const char *path = fuzz_file(data, n);
	struct rna_vocab v, other;
	struct rna_types types;

	if (rna_vocab_init(&v) != RNA_OK)
		abort();
	if (rna_vocab_load(&other, path, &e) == RNA_OK)
		rna_vocab_fini(&other);
	else
		fuzz_refused(&e);
	rna_err_clear(&e);
	if (rna_types_load(&types, &v, path, &e) == RNA_OK)
		rna_types_fini(&types);
	else
		fuzz_refused(&e);
	motifs(path);
	energies(path);
	rna_vocab_fini(&v);
}
