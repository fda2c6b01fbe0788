/*
 * rk_fold.h: folding many RNAs at once on a backend that can: structures of least energy, the same integers and the
 * same structures as lib/fold finds (the recurrences are in lib/fold/mfe.h).  What the backend needs to know of the
 * energy model comes as plain tables.
 *
 * Conventions of the tables: bases 0 unknown, A 1, C 2, G 3, U 4; pair types 1..6, 0 none; energies in dcal/mol, at or
 * above RK_FOLD_NONE: impossible.  A neighbour that is not there has base 5.
 */
#ifndef RK_FOLD_H
#define RK_FOLD_H

#include "rk.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
	RK_FOLD_LONGEST = 512,  /* most nt of an RNA */
	RK_FOLD_LOOP = 30,      /* unpaired bases of an interior loop */
	RK_FOLD_SPECIAL = 192,  /* hairpins with energies of their own */
	RK_FOLD_INF = 10000000, /* no structure */
	RK_FOLD_NONE = RK_FOLD_INF / 2
};

struct rk_fold_tables {
	int32_t stack[8][8]; /* [type(i,j)][type(l,k)], so int11, int21 and int22 */
	int32_t int11[8][8][5][5], int21[8][8][5][5][5], int22[8][8][5][5][5][5];
	int32_t mismatch_hairpin[8][5][5], mismatch_interior[8][5][5], mismatch_1n[8][5][5], mismatch_23[8][5][5];
	int32_t multi[8][6][6], exterior[8][6][6]; /* a branch, by the bases before and after it */
	int32_t closing[8][5][5];                  /* the pair that closes a multiloop, seen from inside */
	int32_t hairpin[RK_FOLD_LONGEST + 1];      /* by unpaired bases */
	int32_t bulge[RK_FOLD_LOOP + 1], interior[RK_FOLD_LOOP + 1], asymmetry[RK_FOLD_LOOP + 1];
	int32_t loop_23; /* what all interior loops of 2 and 3 bases share */
	int32_t terminal_au, ml_base;
	int32_t special_energy[RK_FOLD_SPECIAL]; /* of hairpins of 3, 4 and 6 nt: all of their energy */
	uint32_t special_key[RK_FOLD_SPECIAL];   /* rk_fold_key of the closing pair and what it encloses */
	int32_t nspecial, max_span;              /* max_span: most bases of a pair, both and what is between; 0: any */
	uint8_t pair_type[5][5];
};

/* The key of a hairpin of n bases, 8 at most, the closing pair included. */
static RK_EVERYWHERE inline uint32_t
rk_fold_key(const uint8_t *code, int n)
{
	uint32_t key = 1;

	for (int i = 0; i < n; i++)
		key = key << 3 | code[i];
	return key;
}

struct rk_folder;

/* Takes a copy of the tables.  NULL: rk_error says why; a host backend folds nothing. */
struct rk_folder *rk_folder_create(struct rk *rk, const struct rk_fold_tables *tables);
void rk_folder_destroy(struct rk_folder *f);
int rk_folder_longest(const struct rk_folder *f); /* nt that it takes: RK_FOLD_LONGEST or less */
/*
 * Folds n RNAs: RNA b has the bases code[first[b]] .. code[first[b+1] - 1]; RK_EINVAL: one is too long.  energy[n];
 * partner[first[n]]: place of the other base of the pair within the RNA, or -1.  All in the host's memory; waits.
 */
enum rk_status
rk_folder_run(struct rk_folder *f, const uint8_t *code, const int32_t *first, int n, int32_t *energy, int16_t *partner);

#ifdef __cplusplus
}
#endif
#endif
