/*
 * energy.h: the nearest-neighbour energy model of RNA secondary structure (Turner 2004, as RNAfold 2.7 evaluates it),
 * and the evaluator that adds up a structure loop by loop.  Spec: formats/energy.md.
 *
 * Energies are integers in dcal/mol: 0.01 kcal/mol.  Bases are coded A 1, C 2, G 3, U 4 (T is U, case folded) and 0 for
 * anything else, which never pairs.  Pair types: CG 1, GC 2, GU 3, UG 4, AU 5, UA 6, none 0, non-canonical 7 (evaluator
 * only). Positions are 1-based inside lib/fold, as in the equations; structures in records are 0-based.
 */
#ifndef RNA_ENERGY_H
#define RNA_ENERGY_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

#define RNA_FOLD_INF    10000000 /* no structure; sums of a few stay far below 2^31 */
#define RNA_MAXLOOP     30       /* unpaired bases of an interior loop in folding; lengths in the tables */
#define RNA_NPAIRS      8
#define RNA_SPECIAL_MAX 64 /* special hairpins of each length */

struct rna_special {
	char loop[10];
	int energy;
}; /* closing pair and loop, as "CUUCGG" */

/* One parameter set at one temperature.  Index 0 of bases is "unknown"; pair type 0 is not used. */
struct rna_energy {
	int stack[RNA_NPAIRS][RNA_NPAIRS]; /* [type(i,j)][type(l,k)] */
	int mismatch_hairpin[RNA_NPAIRS][5][5], mismatch_interior[RNA_NPAIRS][5][5], mismatch_1n[RNA_NPAIRS][5][5];
	int mismatch_23[RNA_NPAIRS][5][5], mismatch_multi[RNA_NPAIRS][5][5], mismatch_exterior[RNA_NPAIRS][5][5];
	int dangle5[RNA_NPAIRS][5], dangle3[RNA_NPAIRS][5];
	int int11[RNA_NPAIRS][RNA_NPAIRS][5][5], int21[RNA_NPAIRS][RNA_NPAIRS][5][5][5];
	int int22[RNA_NPAIRS][RNA_NPAIRS][5][5][5][5];
	int hairpin[RNA_MAXLOOP + 1], bulge[RNA_MAXLOOP + 1], interior[RNA_MAXLOOP + 1];
	int ml_closing, ml_branch, ml_base; /* multiloop: closing, per branch, per unpaired base */
	int terminal_au, ninio, ninio_max;
	double lxc;                                      /* per ln(length / 30) beyond the tables */
	struct rna_special special[RNA_SPECIAL_MAX * 3]; /* hairpins of 3, 4 and 6 nt: total energies */
	int nspecial;
	double temperature; /* Celsius */
	int dangles;        /* 0 or 2 */
	/* as mismatch_multi ... dangle3 before what costs energy was made 0: the ensemble smooths that step */
	int raw_multi[RNA_NPAIRS][5][5], raw_exterior[RNA_NPAIRS][5][5];
	int raw_dangle5[RNA_NPAIRS][5], raw_dangle3[RNA_NPAIRS][5];
};

struct rna_energy_file; /* a parameter file: energies at 37 C and enthalpies */

/* Reads a file in the ViennaRNA 2.0 parameter format; path NULL: the compiled-in Turner 2004 (formats/turner2004.par).
 */
struct rna_energy_file *rna_energy_file_open(const char *path, struct rna_err *err);
void rna_energy_file_close(struct rna_energy_file *f);
/* The set at a temperature: dG(T) = dH - (dH - dG37) (T + 273.15) / 310.15, rounded as RNAfold does. dangles 0 or 2. */
enum rna_status rna_energy_init(struct rna_energy *e, const struct rna_energy_file *f, double temperature, int dangles,
    struct rna_err *err) RNA_CHECK;

/* letters [n] -> code [n + 2]: code[1..n], code[0] = code[n+1] = 0. */
void rna_fold_encode(const char *letters, size_t n, uint8_t *code);
/* Pair type of two base codes. */
extern const uint8_t rna_pair_types[5][5];
static inline int
rna_pair_type(int x, int y)
{
	return rna_pair_types[x][y];
}

/* Energy of a loop of n nt by a table of 0..30, extrapolated by lxc ln(n / 30). */
int rna_energy_length(const struct rna_energy *e, const int *table, int n);

/* Loop energies (spec A.2); code as rna_fold_encode makes it. */
int rna_energy_hairpin(const struct rna_energy *e, const uint8_t *code, int i, int j);
int rna_energy_interior(
    const struct rna_energy *e, const uint8_t *code, int i, int j, int k, int l); /* stack, bulge, interior */
/* One branch (p,q) of a multiloop or the exterior loop; x5, x3: codes of the neighbours outside, -1 where there is
 * none. */
int rna_energy_multi_stem(const struct rna_energy *e, int type, int x5, int x3);
int rna_energy_exterior_stem(const struct rna_energy *e, int type, int x5, int x3);

enum rna_loop_kind { RNA_LOOP_EXTERIOR, RNA_LOOP_HAIRPIN, RNA_LOOP_INTERIOR, RNA_LOOP_MULTI };
struct rna_loop {
	enum rna_loop_kind kind;
	int i, j, k, l;
	int energy;
}; /* i..j closing pair, k..l inner pair (interior); 1-based */

/*
 * Energy of a structure, and its loops into loop (called in order 5' to 3', outer before inner; NULL: not wanted).
 * pair[n]: partner or -1, 0-based, nested.  Pseudoknotted, too short or non-canonical pairs: RNA_EINVAL with a sentence
 * (non-canonical ones are type 7 and evaluated when lenient).
 */
enum rna_status
rna_energy_evaluate(const struct rna_energy *e, const char *letters, size_t n, const int32_t *pair, int lenient,
    void (*loop)(const struct rna_loop *loop, void *arg), void *arg, int *total, struct rna_err *err) RNA_CHECK;

#endif
