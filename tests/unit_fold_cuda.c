/*
 * unit_fold_cuda.c: folding many RNAs at once on the CUDA backend against lib/fold: the same energy and the same
 * structure, whose loops add up to it.  Without a GPU the kernels' text runs in the emulator (tests/emu); RNA_GPU=1
 * asks for the GPU.
 *
 * make check-quick takes a few short RNAs, make check lengths to 130, check-deep to 512.
 */
#include <stdlib.h>
#include <string.h>

#include "cuda_device.h"
#include "fold/mfe.h"
#include "fold/mfe_device.h"
#include "below.h"

enum { MOST = 4000, LONGEST = 512 };

static char seq[MOST][LONGEST + 1];
static size_t nseq;

static void
add_random(size_t n, const char *letters)
{
	size_t i;

	for (i = 0; i < n; i++)
		seq[nseq][i] = letters[below((unsigned)strlen(letters))];
	seq[nseq++][n] = '\0';
}

static struct rna_energy
energies(double temperature, int dangles)
{
	struct rna_err err;
	struct rna_energy_file *f = rna_energy_file_open(NULL, &err);
	struct rna_energy e;

	if (f == NULL || rna_energy_init(&e, f, temperature, dangles, &err) != RNA_OK)
		exit(1);
	rna_energy_file_close(f);
	return e;
}

/* 1 when RNA k has its energy and structure. */
static int
same(struct rna_mfe *m, const struct rna_energy *e, int max_span, size_t k, const int16_t *partner, int energy)
{
	const struct rna_fold_options opts = {max_span, 0, NULL};
	const size_t n = strlen(seq[k]);
	int32_t pair[LONGEST], got[LONGEST];
	struct rna_err err;
	int want, total = 0, good;
	size_t i;

	if (rna_mfe_fold(m, seq[k], n, &opts, pair, &want, &err) != RNA_OK)
		exit(1);
	good = want == energy;
	for (i = 0; i < n; i++) {
		got[i] = partner[i];
		good &= got[i] == pair[i];
	}
	good &=
	    n == 0 || (rna_energy_evaluate(e, seq[k], n, got, 0, NULL, NULL, &total, &err) == RNA_OK && total == want);
	if (!good)
		diag("%s: %d, not %d; the structure has %d", seq[k], energy, want, total);
	return good;
}

/* All RNAs in one batch, in both orders of blocks and threads. */
static void
check(struct rk *rk, const struct rna_energy *e, int max_span, const char *what)
{
	static const char *const orders[] = {"forward", "reverse"};
	struct rna_err err = {.record = RNA_NOREC};
	struct rna_mfe_device *d = rna_mfe_device_create(rk, e, max_span, &err);
	struct rna_mfe *m = rna_mfe_create(e);
	size_t i, bad = 0;
	int k, energy;

	if (d == NULL || m == NULL) {
		ok(0, "%s: %s", what, err.text);
		exit(done());
	}
	for (k = 0; k < 2 && bad == 0; k++) {
		setenv("EMU_ORDER", orders[k], 1);
		rna_mfe_device_reset(d);
		for (i = 0; i < nseq; i++)
			if (rna_mfe_device_add(d, seq[i], strlen(seq[i]), &err) != RNA_OK)
				exit(1);
		if (rna_mfe_device_fold(d, &err) != RNA_OK) {
			diag("%s", err.text);
			bad = nseq;
		}
		for (i = 0; i < nseq && bad < nseq; i++) {
			const int16_t *partner = rna_mfe_device_answer(d, i, &energy);

			bad += !same(m, e, max_span, i, partner, energy);
		}
	}
	ok(bad == 0, "%s: %zu RNAs have the energies and structures that lib/fold finds", what, nseq);
	unsetenv("EMU_ORDER");
	rna_mfe_device_destroy(d);
	rna_mfe_destroy(m);
}

/* Lengths at the edges of vectors, warps and blocks, of several compositions; empty RNAs between them. */
static void
fill(size_t longest, size_t more)
{
	static const char *const letters[] = {"ACGU", "GC", "GGCU", "AU", "ACGUN", "GGGGCCCCAU"};
	static const size_t edges[] = {0, 1, 4, 5, 6, 8, 9, 10, 15, 17, 31, 32, 33, 40, 63, 64, 65, 77, 96, 127, 128,
	    129, 130, 191, 192, 193, 255, 257, 300, 383, 385, 447, 449, 511, 512};
	static const char *const known[] = {"GGGGCUUCGGCCCC", "CAACGAAACAUUUUGGCUUCGGCC",
	    "GGGAAACCCUUUGGGAAACCCAAAGGGUUUCCC",
	    "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"};
	size_t i;

	nseq = 0;
	for (i = 0; i < sizeof(edges) / sizeof(*edges) && edges[i] <= longest; i++)
		add_random(edges[i], letters[i % 6]);
	for (i = 0; i < more; i++)
		add_random(below(90), letters[below(6)]);
	/* special hairpins, and a multiloop */
	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		strlcpy(seq[nseq++], known[i], sizeof(seq[0]));
}

int
main(void)
{
	const char *test = getenv("RNA_TEST");
	const int quick = test != NULL && strcmp(test, "quick") == 0, deep = test != NULL && strcmp(test, "deep") == 0;
	struct rna_energy e;
	char err[256] = "";
	struct rk *rk;

	if (!cuda_device())
		return done();
	if ((rk = rk_open("cuda", 1, err, sizeof(err))) == NULL) {
		ok(0, "%s", err);
		return done();
	}
	fill(quick ? 40 : deep ? LONGEST : 130, quick ? 4 : deep ? 200 : 30);
	e = energies(37, 2);
	check(rk, &e, 0, "37 C, dangles 2");
	fill(quick ? 33 : 65, 4);
	e = energies(37, 0);
	check(rk, &e, 0, "37 C, dangles 0");
	e = energies(65.5, 2);
	check(rk, &e, 30, "65.5 C, spans of 30 at most");
	e = energies(37, 2);
	e.ml_base = 30;
	check(rk, &e, 0, "unpaired bases of multiloops cost something");
	e.ml_base = -20;
	check(rk, &e, 0, "unpaired bases of multiloops are a gain");
	if (getenv("RNA_GPU") != NULL) {
		/* enough of them to fill the GPU, and its memory of triangles more than once */
		for (nseq = 0; nseq < MOST;)
			add_random(nseq < 1200 ? LONGEST - below(9) : below(400), "ACGU");
		check(rk, &e, 0, "4000 RNAs");
	}
	rk_close(rk);
	return done();
}
