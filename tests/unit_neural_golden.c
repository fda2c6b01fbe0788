/*
 * unit_neural_golden.c: the neural fold against MXfold2's dynamic programme, where the golden files of $DATA are:
 * random scores alone, with Turner's energies, with helices of at most 3, with margins, and with the structure given.
 */
#include <math.h>

#include "fold/neural.h"
#include "golden.h"
#include "tap.h"

enum { ID, LENGTH, OFFSET, SEQ, MODE, MAX_INTERNAL, MAX_HELIX, REFERENCE, SCORE, STRUCTURE, NFIELDS };

static const char *const modes[] = {
    "turner", "positional", "mix", "mix_h3", "mix_lossaug", "mix_lossaug_u", "mix_constraint"};
#define NMODES ((int)(sizeof(modes) / sizeof(modes[0])))

static struct rna_energy turner;

/* The maps, which have a row and a column for what is before the first base, and the lengths behind them. */
static void
scores_at(const char *bytes, size_t n, float *maps, float *lengths)
{
	size_t row = (n + 1) * sizeof(float), map, i;

	for (map = 0; map < 3; map++) {
		for (i = 0; i < n; i++)
			memcpy(maps + (map * n + i) * n, bytes + (map * (n + 1) + i + 1) * row + sizeof(float),
			    n * sizeof(float));
	}
	memcpy(lengths, bytes + 3 * (n + 1) * row, RNA_LENGTHS * sizeof(float));
}

static int
near(double x, double want)
{
	return fabs(x - want) <= 1e-4 * fabs(want) + 1e-6; /* six decimals are written */
}

/* What the margins take from or give to a structure. */
static double
margins_of(const int32_t *pair, const int32_t *reference, size_t n, const struct rna_margins *m)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (pair[i] != reference[i])
			sum += (double)((reference[i] < 0 ? m->pos_unpaired : m->pos_paired / 2) +
					(pair[i] < 0 ? m->neg_unpaired : m->neg_paired / 2));
	}
	return sum;
}

/* 0 when the row's score is found and its structure has it. */
static int
check_row(char **f, int mode, const char *bytes)
{
	static const struct rna_margins margins[] = {{0.5f, 0.005f, 0, 0}, {0.5f, 0.005f, 0.1f, 0.02f}};
	struct rna_neural *w = rna_neural_create(mode == 1 ? NULL : &turner, (int)golden_int(f[MAX_HELIX]));
	size_t n = strlen(f[SEQ]), i;
	float *maps = malloc((3 * n * n + 1) * sizeof(*maps)), lengths[RNA_LENGTHS];
	struct rna_neural_scores scores = {mode == 0 ? NULL : maps, mode == 0 ? NULL : lengths};
	int32_t *pair = calloc(n + 1, sizeof(*pair)), *reference = calloc(n + 1, sizeof(*reference));
	const struct rna_margins *m = mode == 4 || mode == 5 ? &margins[mode - 4] : NULL;
	double score = NAN, again = NAN, golden = NAN;
	char *rest = f[REFERENCE], *word;
	enum rna_status s;
	struct rna_err err;

	scores_at(bytes + golden_int(f[OFFSET]), n, maps, lengths);
	for (i = 0; *rest != '-' && (word = strsep(&rest, ",")) != NULL; i++) {
		if (i > 0)
			reference[i - 1] = (int32_t)golden_int(word) - 1;
		if (rest == NULL)
			break;
	}
	if (mode == 6)
		s = rna_neural_evaluate(
		    w, f[SEQ], n, &scores, memcpy(pair, reference, n * sizeof(*pair)), &score, NULL, &err);
	else if (m != NULL)
		s = rna_neural_fold_augmented(w, f[SEQ], n, &scores, reference, m, pair, &score, &err);
	else
		s = rna_neural_fold(w, f[SEQ], n, &scores, NULL, pair, &score, &err);
	if (s == RNA_OK)
		s = rna_neural_evaluate(w, f[SEQ], n, &scores, pair, &again, NULL, &err);
	again += m != NULL ? margins_of(pair, reference, n, m) : 0;
	/* of a helix of more than max_helix pairs MXfold2 writes one too few */
	golden_pairs(f[STRUCTURE], pair);
	if (s == RNA_OK && mode != 3)
		s = rna_neural_evaluate(w, f[SEQ], n, &scores, pair, &golden, NULL, &err);
	golden += m != NULL ? margins_of(pair, reference, n, m) : 0;
	if (s != RNA_OK || !near(score, atof(f[SCORE])) || !near(again, score) || (mode != 3 && !near(golden, score))) {
		diag("%s %s: %.6f, not %s; its structure %.6f, the golden one %.6f", f[ID], f[MODE], score, f[SCORE],
		    again, golden);
		s = RNA_EINVAL;
	}
	free(maps);
	free(pair);
	free(reference);
	rna_neural_destroy(w);
	return s != RNA_OK;
}

int
main(void)
{
	char *text = golden_slurp("golden/mxdp.tsv"), *bytes = golden_slurp("golden/mxdp_scores.bin.zst"), *rest = text;
	int rows[NMODES] = {0}, bad[NMODES] = {0}, k;
	struct rna_energy_file *file;
	char *f[NFIELDS];
	struct rna_err err;

	file = rna_energy_file_open(NULL, &err);
	if (file == NULL || rna_energy_init(&turner, file, 37, 2, &err) != RNA_OK) {
		ok(0, "energies: %s", err.text);
		return done();
	}
	rna_energy_file_close(file);
	rna_energy_neural(&turner);
	if (text == NULL || bytes == NULL) {
		skip("MXfold2's scores", "no golden file");
		return done();
	}
	while (golden_row(&rest, f, NFIELDS) == NFIELDS) {
		for (k = 0; k < NMODES; k++) {
			if (strcmp(f[MODE], modes[k]) != 0)
				continue;
			rows[k]++;
			bad[k] += check_row(f, k, bytes);
		}
	}
	for (k = 0; k < NMODES; k++)
		ok(rows[k] == 60 && bad[k] == 0, "%s: %d scores, %d off", modes[k], rows[k], bad[k]);
	free(text);
	free(bytes);
	return done();
}
