/*
 * unit_fold_golden.c: folding against RNAfold's answers: a table of its own, and the golden files of $DATA where they
 * are.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fold/partition.h"
#include "golden.h"
#include "tap.h"

static struct rna_energy energies[3]; /* [dangles] */

/* 1. RNAfold's answers: energies at 37 C with dangles 2 and 0, at 20.5 C, without lonely pairs; ensembles, 2 and 0 */

static const struct {
	const char *seq;
	int d2, d0, cold, lonely;
	double ensemble2, ensemble0;
} table[] = {
    {"GCUAA", 0, 0, 0, 0, -0.00000, -0.00000},
    {"AGACAAUU", 0, 0, 0, 0, -0.00094, -0.00064},
    {"GGGCGGGGCGGG", 0, 0, -83, 0, -0.36423, -0.03997},
    {"GUUGGUGGGUGGGGUUU", 0, 0, 0, 0, -0.02216, -0.00764},
    {"UUUUAAAAUUUUUAAUAUAUUAA", 0, 0, 0, 0, -0.17501, -0.05858},
    {"NNGGGNUNUAAGUAAGNUGUGAUGCNAUAC", 0, 0, -83, 0, -0.24191, -0.08072},
    {"CGUGCCCGGCCACGCACUCCUCGGGGGGUGGCAGCCGGCACAAC", -2290, -2140, -2981, -2270, -24.08778, -22.59419},
    {"CAUUUUUAUUACACUCAGAAACAGAACUCGGGUAAUUUUGACAGGUCACGCAGAGGCGCG", -560, -440, -1074, -560, -7.18263, -5.79662},
    {"CCCUCCUGAAGUGCGUGGACACUCGCUAUGAAUCUCUGAUUUACCCACUCUGCCAAACUCCAGCGCGGUCAGUUC", -1500, -1400, -2255, -1500,
	-15.89172, -14.88245},
    {"GGCGGGGGCGGCCGGGGCGGCGGCCGCCCGCGCGCGCCCGGCGGCGGCGCGCGGCCGGGCCCCGCCGCGCCCGCCCGGGGGCCGGCGCCC", -7620, -7540, -9306,
	-7620, -77.03583, -76.13268},
    {"GUUGUGGUGUGGUGGGUGUGUUUGGGGGUGGGUUGUUGUUGUGGGGUGUGUUUUGGUGGUUGGGGUUGGGUUGUGUGGUUGUUUUGGUGUGGUUGUUGGG"
     "GUGGUGUGUU",
	0, 0, -669, 0, -0.97147, -0.40215},
    {"AAAUUUAUAAUAAAAAAAUAUUAAAUUAUAAAUUAUAAAUUUAUUAAAAUUUAAUAUUAAUUUUUUAAUAUAUUAUUUAAAAAUUAUAUAUUUAAAUUUU"
     "AUUUUAUAUUUAAAUUUAUUAUUUAUAAUAAUUUAUUAUA",
	-1890, -1870, -3421, -1890, -22.56546, -22.21363},
    {"AAUUN", 0, 0, 0, 0, -0.00000, -0.00000},
    {"GUCCGAGG", 0, 0, 0, 0, -0.00467, -0.00288},
    {"UUGGGGGUCGUU", 0, 0, 0, 0, -0.04491, -0.01062},
    {"ACCACUCUGUUCCCACG", 0, 0, 0, 0, -0.09687, -0.03548},
    {"GCGCCGGCCCGCCCGCCCGGGCG", -960, -870, -1332, -960, -10.49974, -9.43620},
    {"UUUUUGGGUUUGGUUUGGGGGGUGGGGGGU", 0, 0, -454, 0, -0.76739, -0.31472},
    {"AUUAAAUAUUAAAUUUUAUAAAUUAAAUUAUAUUAUAUUUUAAU", -30, 0, -343, -30, -2.41023, -1.93524},
    {"NACUCGCCUCGGANUNCCUUANCUACANCUAACUUGAACGCCNUAGUGGUCAAAGAGUAN", -600, -330, -1018, -600, -6.92277, -4.59690},
    {"GCCCCGGUCGCACGCCUCGUCGUCGCGCGGCGUGACCCCAGCUUUCCCGUAUGGGGCUCCCCCGCGGUCUGAGCC", -3060, -2850, -4102, -3060,
	-31.85761, -29.66872},
    {"UGACUCCUAAUGCUAAGACAUUUCCCUUCAGGGGGGGCUCCCCCGCGAUGCCAUAAAUCUGAGCAACCAGCUGAAGCAGGCACGACAGUG", -2050, -1840, -3007,
	-2050, -22.44163, -20.21114},
    {"CGACAUUAUAUCACUGUGGUAGGUUAGCUUCAUCUAAUGUCCAACUAGCCGGCCAAUUCGCAUGAUACCUCUCCAUCUGACCCAAGAUUGUGCUUGUUCA"
     "AUUCUUCUUA",
	-1620, -1460, -2541, -1620, -18.95926, -17.19697},
    {"GGCCCGCGGGGCGGCGGGGGGCCGGGCCGCCCGCCGCGCCGGGCGCCCGCGGCCGCCCCCCGCCGCGGGCCCCGGGGCCCCGGCGGGGGCCGCGCCGGCC"
     "GGGGGCGGGCCCGGCCCGGGGGGCGGGGGGGGCGCGCGCG",
	-11970, -11860, -14676, -11970, -121.85725, -119.58597},
    {"UGUUU", 0, 0, 0, 0, -0.00000, -0.00000},
    {"AUAAAUAA", 0, 0, 0, 0, -0.00039, -0.00015},
    {"AGGAGNUNGGCA", 0, 0, 0, 0, -0.03922, -0.00374},
    {"AGGCGUGGUCGCCAGCU", -660, -510, -910, -660, -6.62275, -5.15807},
    {"UUAAUCGCUACCAAAACGCAAAC", 0, 0, -100, 0, -0.43074, -0.06382},
    {"AAAAGCAUACCCAAAAGUACACGGGUGAGG", -560, -430, -832, -460, -5.78697, -4.79172},
    {"CGCCCCGCGCGCCGGGCGCGGCGGCCGCGCCCGCGGCGGGCGCC", -3640, -3530, -4457, -3640, -37.03958, -36.17299},
    {"GUUGUGUGUUUGUGUGGUUGUUGUUUGGUUGGUUGGGUUGGUGUGGGGUGGUUUUGGGUG", 0, 0, -55, 0, -0.28997, -0.10350},
    {"UUAAUUAUUAAUUAAUUAAAAUUUUAUAUAUUUUAUAUAUUAAUAAAUAUAUAUUUUAAUAUAUUUUAAAUUUUA", -760, -740, -1596, -760, -9.77012,
	-8.84290},
    {"CGUNCUUCCCACUNCCGUUGNCUGCGUGUCUAGGCGGUUUNAGCGUAANGCNGNAACAGGNANCCCUGCCUNCNNANGCUCNAUANAGUC", -1010, -800, -1498,
	-1010, -11.14990, -8.99909},
    {"GCCAGCCGUCGCGAAUGGCCUACUCCCCCUGGUCUUGGAGUUCGACCGGGUCUGCGUCCCAAGCCCCCAGCCCCCCACACGUCGCGCUCGAUGGCUACAA"
     "GCCGGGGCAU",
	-3280, -3130, -4630, -3280, -35.45524, -33.57506},
    {"AUCACAUCACAUAAGCGGGCUAGAUAUAAUUUAAUCUUAAUCCAUAAAACACUAGCUCAGCAGUUGAAAAAAUGGCUAGGUUCCAGCUUUUGGGGAGACG"
     "UCUUUCUGAGGGUCAGCCGUGAUUCCGAUUCGAUUAGACU",
	-2840, -2610, -4345, -2840, -30.57212, -27.88380},
    {"GGUCC", 0, 0, 0, 0, -0.00010, -0.00010},
    {"GGGGCCCC", 0, 0, 0, 0, -0.22919, -0.18402},
    {"GGGUUGUUGGUG", 0, 0, 0, 0, -0.00783, -0.00263},
    {"UUAAAAUAUUUAUAUAU", 0, 0, 0, 0, -0.12618, -0.06051},
    {"CCUAAAANGUUANUAAGGNCANU", 0, 0, -77, 0, -0.35863, -0.20460},
    {"GCGCGUGGGCCGAGGCAUUUCGGGCGGUUC", -830, -680, -1249, -830, -9.06510, -7.89396},
};
#define NTABLE ((int)(sizeof(table) / sizeof(table[0])))

static int
answer(const struct rna_energy *e, const char *seq, int no_lonely)
{
	struct rna_fold_options opts = {0, no_lonely, NULL};
	struct rna_mfe *m = rna_mfe_create(e);
	int32_t pair[GOLDEN_MAX_N];
	struct rna_err err;
	int energy;

	if (rna_mfe_fold(m, seq, strlen(seq), &opts, pair, &energy, &err) != RNA_OK)
		energy = RNA_FOLD_INF;
	rna_mfe_destroy(m);
	return energy;
}

static double
ensemble_of(const struct rna_energy *e, const char *seq, int mfe)
{
	struct rna_partition *q = rna_partition_create(e);
	struct rna_err err;
	double ensemble;

	if (rna_partition_fold(q, seq, strlen(seq), NULL, mfe, &ensemble, &err) != RNA_OK)
		ensemble = NAN;
	rna_partition_destroy(q);
	return ensemble;
}

static void
test_table(const struct rna_energy *cold)
{
	int bad[4] = {0}, k, off = 0;

	for (k = 0; k < NTABLE; k++) {
		bad[0] += answer(&energies[2], table[k].seq, 0) != table[k].d2;
		bad[1] += answer(&energies[0], table[k].seq, 0) != table[k].d0;
		bad[2] += answer(cold, table[k].seq, 0) != table[k].cold;
		bad[3] += answer(&energies[2], table[k].seq, 1) != table[k].lonely;
		off += !(fabs(ensemble_of(&energies[2], table[k].seq, table[k].d2) - table[k].ensemble2) < 1e-3);
		/* a scale that is far off is found again */
		off += !(fabs(ensemble_of(&energies[0], table[k].seq, 100) - table[k].ensemble0) < 1e-3);
	}
	ok(bad[0] == 0, "RNAfold's energies");
	ok(bad[1] == 0, "RNAfold's energies without dangles");
	ok(bad[2] == 0, "RNAfold's energies at 20.5 C");
	ok(bad[3] == 0, "RNAfold's energies without lonely pairs");
	ok(off == 0, "RNAfold's ensemble energies");
}

/* 2. Golden files: tables of text, one line a sequence */

/* Energy of the fold of seq, which its structure must have; RNA_FOLD_INF otherwise. */
static int
fold_of(const struct rna_energy *e, const char *seq, const struct rna_fold_options *opts)
{
	struct rna_mfe *m = rna_mfe_create(e);
	int energy, total = 1, good;
	struct rna_err err;
	int32_t pair[GOLDEN_MAX_N];

	good = rna_mfe_fold(m, seq, strlen(seq), opts, pair, &energy, &err) == RNA_OK &&
	       rna_energy_evaluate(e, seq, strlen(seq), pair, 0, NULL, NULL, &total, &err) == RNA_OK && total == energy;
	rna_mfe_destroy(m);
	return good ? energy : RNA_FOLD_INF;
}

static void
golden_mfe(const char *name, int every)
{
	char *text = golden_slurp(name), *rest = text, *f[9];
	int n, rows = 0, bad = 0, wide = strcmp(name, "golden/mfe.tsv.zst") == 0;

	if (text == NULL) {
		skip(name, "no golden file");
		return;
	}
	while ((n = golden_row(&rest, f, 9)) > 0) {
		if (rows++ % every != 0)
			continue;
		bad += fold_of(&energies[2], f[2], NULL) != golden_int(f[4]);
		bad += wide && fold_of(&energies[0], f[2], NULL) != golden_int(f[6]);
	}
	ok(rows > 0 && bad == 0, "%s: %d rows, every %d", name, rows, every);
	free(text);
}

struct loops {
	char text[200000];
	size_t n;
};

static void
add_loop(const struct rna_loop *loop, void *arg)
{
	struct loops *l = arg;
	char *p = l->text + l->n;
	size_t room = sizeof(l->text) - l->n;

	if (l->n > sizeof(l->text) - 100)
		return;
	if (loop->kind == RNA_LOOP_EXTERIOR)
		l->n += (size_t)snprintf(p, room, "E:%d;", loop->energy);
	else if (loop->kind == RNA_LOOP_INTERIOR)
		l->n +=
		    (size_t)snprintf(p, room, "I:%d:%d:%d:%d:%d;", loop->i, loop->j, loop->k, loop->l, loop->energy);
	else
		l->n += (size_t)snprintf(p, room, "%c:%d:%d:%d;", loop->kind == RNA_LOOP_HAIRPIN ? 'H' : 'M', loop->i,
		    loop->j, loop->energy);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Loops in another order are the same loops. */
static int
same_loops(char *a, char *b)
{
	static char *x[20000], *y[20000];
	size_t n = 0, m = 0, i;

	while (n < 20000 && (x[n] = strsep(&a, ";")) != NULL)
		n += *x[n] != '\0';
	while (m < 20000 && (y[m] = strsep(&b, "; ")) != NULL)
		m += *y[m] != '\0';
	qsort(x, n, sizeof(*x), by_text);
	qsort(y, m, sizeof(*y), by_text);
	for (i = 0; i < n && i < m; i++) {
		if (strcmp(x[i], y[i]) != 0)
			return 0;
	}
	return n == m && n > 0;
}

static void
golden_eval(int every)
{
	char *text = golden_slurp("golden/eval.tsv.zst"), *rest = text, *f[8];
	int d, rows = 0, bad = 0, total;
	static struct loops loops;
	static int32_t pair[GOLDEN_MAX_N];
	struct rna_err err;

	if (text == NULL) {
		skip("loop energies", "no golden file");
		return;
	}
	while (golden_row(&rest, f, 8) == 8) {
		if (rows++ % every != 0)
			continue;
		for (d = 0; d <= 2; d += 2) {
			loops.n = 0;
			bad += rna_energy_evaluate(&energies[d], f[2], (size_t)golden_pairs(f[3], pair), pair, 0,
				   add_loop, &loops, &total, &err) != RNA_OK ||
			       total != golden_int(f[d ? 4 : 5]) || !same_loops(loops.text, f[d ? 6 : 7]);
		}
	}
	ok(rows > 0 && bad == 0, "loop energies of %d structures, every %d", rows, every);
	free(text);
}

/* Largest difference of a probability. */
static double
worst_pair(const struct rna_pair_prob *pairs, size_t npairs, size_t n, char *golden)
{
	double *p = calloc(n * n + 1, sizeof(*p)), worst = 0, x;
	char *word;
	size_t k;
	int i, j;

	for (k = 0; k < npairs; k++)
		p[(size_t)pairs[k].i * n + (size_t)pairs[k].j] = pairs[k].p;
	while ((word = strsep(&golden, ";")) != NULL) {
		if (sscanf(word, "%d:%d:%lf", &i, &j, &x) == 3)
			p[(size_t)(i - 1) * n + (size_t)(j - 1)] -= x;
	}
	for (k = 0; k < n * n; k++)
		worst = fabs(p[k]) > worst ? fabs(p[k]) : worst;
	free(p);
	return worst;
}

static void
golden_ensemble(int every)
{
	struct rna_partition *q[3] = {rna_partition_create(&energies[0]), NULL, rna_partition_create(&energies[2])};
	char *text = golden_slurp("golden/pf.tsv.zst"), *rest = text, *f[9];
	const struct rna_pair_prob *pairs;
	int rows = 0, off = 0, bad = 0, d, mfe;
	struct rna_err err;
	double ensemble;
	size_t npairs;

	while (text != NULL && golden_row(&rest, f, 9) == 9) {
		if (rows++ % every != 0)
			continue;
		d = (int)golden_int(f[3]);
		mfe = (int)golden_int(f[4]);
		off += rna_partition_fold(q[d], f[2], strlen(f[2]), NULL, mfe, &ensemble, &err) != RNA_OK ||
		       !(fabs(ensemble - atof(f[5])) < 1e-3);
		bad += rna_partition_pairs(q[d], 0, &pairs, &npairs, &err) != RNA_OK ||
		       !(worst_pair(pairs, npairs, strlen(f[2]), f[8]) < 1e-4);
	}
	if (text == NULL)
		skip("ensembles", "no golden file");
	else {
		ok(rows > 0 && off == 0, "ensemble energies of %d sequences, every %d", rows, every);
		ok(rows > 0 && bad == 0, "probabilities of their pairs");
	}
	free(text);
	rna_partition_destroy(q[0]);
	rna_partition_destroy(q[2]);
}

/* 3. RNAfold's own tests: sequence lines, each with a structure line "((..)) (-1.20)" */

static void
vienna(const char *name, double temperature, int dangles, const char *params, struct rna_fold_options opts)
{
	static struct rna_energy e;
	char file[256], path[1024], *text, *rest, *line, *seq = NULL;
	const char *data = getenv("DATA") ? getenv("DATA") : "../shared/data";
	struct rna_energy_file *f;
	int rows = 0, bad = 0;
	struct rna_err err;

	snprintf(file, sizeof(file), "viennarna_gold/%s%s", strncmp(name, "rnafold.", 8) ? "rnafold.small." : "", name);
	snprintf(path, sizeof(path), "%s/energy/%s", data, params != NULL ? params : "");
	if ((text = rest = golden_slurp(file)) == NULL) {
		skip(name, "no golden file");
		return;
	}
	if ((f = rna_energy_file_open(params != NULL ? path : NULL, &err)) == NULL ||
	    rna_energy_init(&e, f, temperature, dangles, &err) != RNA_OK)
		abort();
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line >= 'A' && *line <= 'Z')
			seq = line;
		else if (seq != NULL && (*line == '.' || *line == '(')) {
			rows++;
			bad += fold_of(&e, seq, &opts) != (int)lround(100 * atof(strrchr(line, '(') + 1));
			seq = NULL;
		}
	}
	ok(rows >= 3 && bad == 0, "RNAfold's test %s: %d RNAs", name, rows);
	rna_energy_file_close(f);
	free(text);
}

/* RNAfold -p --MEA: ensemble energy, centroid with its distance, MEA structure with its accuracy; two digits each. */
static void
vienna_ensemble(void)
{
	char *text = golden_slurp("viennarna_gold/rnafold.small.pf.gold"), *rest = text;
	char *line, *seq = NULL, *p;
	struct rna_partition *q = rna_partition_create(&energies[2]);
	const struct rna_pair_prob *pairs = NULL;
	double ensemble, figure, energy;
	int rows = 0, off = 0, d = 0, mea = 0;
	static int32_t pair[GOLDEN_MAX_N];
	struct rna_err err;
	size_t npairs = 0;

	while (text != NULL && (line = strsep(&rest, "\n")) != NULL) {
		if (*line >= 'A' && *line <= 'Z')
			seq = line;
		else if (seq != NULL && (p = strrchr(line, '[')) != NULL && sscanf(p, "[%lf]", &energy) == 1) {
			rows++;
			off += rna_partition_fold(q, seq, strlen(seq), NULL, (int)(100 * energy), &ensemble, &err) !=
				   RNA_OK ||
			       rna_partition_pairs(q, 1e-9, &pairs, &npairs, &err) != RNA_OK ||
			       fabs(ensemble - energy) > 0.0051;
		} else if (seq != NULL && (p = strstr(line, "d=")) != NULL) {
			rna_fold_centroid(pairs, npairs, strlen(seq), pair, &figure);
			d += fabs(figure - atof(p + 2)) > 0.0101;
		} else if (seq != NULL && (p = strstr(line, "MEA=")) != NULL) {
			/* RNAfold leaves rare pairs out of this sum */
			mea += rna_partition_pairs(q, 1e-4 / 2, &pairs, &npairs, &err) != RNA_OK ||
			       rna_fold_mea(pairs, npairs, strlen(seq), 1, pair, &figure, &err) != RNA_OK ||
			       fabs(figure - atof(p + 4)) > 0.0101;
		}
	}
	if (text == NULL)
		skip("RNAfold's test pf", "no golden file");
	else
		ok(rows == 50 && off + d + mea == 0, "RNAfold's test pf: %d ensembles, %d centroids, %d MEA off", off,
		    d, mea);
	free(text);
	rna_partition_destroy(q);
}

int
main(void)
{
	static struct rna_energy cold;
	const struct rna_fold_options none = {0, 0, NULL}, lonely = {0, 1, NULL}, span = {30, 0, NULL};
	const char *level = getenv("RNA_TEST");
	int every = level != NULL && strcmp(level, "deep") == 0 ? 1 : 20;
	struct rna_energy_file *f;
	struct rna_err err;

	f = rna_energy_file_open(NULL, &err);
	if (f == NULL || rna_energy_init(&energies[0], f, 37, 0, &err) != RNA_OK ||
	    rna_energy_init(&energies[2], f, 37, 2, &err) != RNA_OK ||
	    rna_energy_init(&cold, f, 20.5, 2, &err) != RNA_OK) {
		ok(0, "energies: %s", err.text);
		return done();
	}
	rna_energy_file_close(f);
	test_table(&cold);
	golden_eval(every);
	golden_mfe("golden/mfe.tsv.zst", every);
	golden_mfe("golden/mfe_long.tsv", every == 1 ? 1 : 5);
	golden_ensemble(every);
	vienna("T25.mfe.gold", 25, 2, NULL, none);
	vienna("T40.mfe.gold", 40, 2, NULL, none);
	vienna("d0.mfe.gold", 37, 0, NULL, none);
	vienna("d2.mfe.gold", 37, 2, NULL, none);
	vienna("noLP.mfe.gold", 37, 2, NULL, lonely);
	vienna("span30.gold", 37, 2, NULL, span);
	vienna_ensemble();
	vienna("rnafold.seq.mfe.gold", 37, 2, NULL, none);
	vienna("rnafold.fasta.mfe.gold", 37, 2, NULL, none);
	vienna("rna_turner1999.par.mfe.gold", 37, 2, "rna_turner1999.par", none);
	vienna("rna_andronescu2007.par.mfe.gold", 37, 2, "rna_andronescu2007.par", none);
	vienna("dna_mathews2004.par.mfe.gold", 37, 2, "dna_mathews2004.par", none);
	return done();
}
