/*
 * partition_weights.c: Boltzmann weights of the energies (spec: formats/energy.md, "Ensembles").
 */
#include <math.h>
#include <stdlib.h>

#include "fold/partition_private.h"

#define GAS_CONSTANT 0.198717 /* dcal/(mol K) */
#define KELVIN 273.15

/*
 * Neighbours of a stem never cost energy: where the energy crosses 0 the step is smoothed, so that the ensemble is a
 * smooth function of temperature, as RNAfold has it.  Returns what the neighbours give, in dcal/mol.
 */
static double
smooth(int energy)
{
	double x = -energy / 10.0, y;

	if (x < -1.2283697)
		return 0;
	if (x > 0.8660254)
		return -energy;
	y = sin(x - 0.34242663) + 1;
	return 10 * 0.38490018 * y * y;
}

double
rna_weight_far(const struct fold_weights *w, int energy)
{
	return energy >= RNA_FOLD_INF / 2 ? 0 : exp(-energy / w->kt);
}

/* x5, x3: codes or FOLD_NO_BASE. */
static double
neighbours(const struct fold_weights *w, const struct rna_energy *e, const int mismatch[RNA_NPAIRS][5][5], int type,
    int x5, int x3)
{
	int raw;

	if (!e->dangles || (x5 == FOLD_NO_BASE && x3 == FOLD_NO_BASE))
		return 1;
	if (x5 != FOLD_NO_BASE && x3 != FOLD_NO_BASE)
		raw = mismatch[type][x5][x3];
	else
		raw = x5 != FOLD_NO_BASE ? e->raw_dangle5[type][x5] : e->raw_dangle3[type][x3];
	return exp(smooth(raw) / w->kt);
}

static void
set_stems(struct fold_weights *w, const struct rna_energy *e)
{
	int t, x, y;

	for (t = 1; t < RNA_NPAIRS; t++) {
		w->terminal[t] = t > 2 ? rna_weight(w, e->terminal_au) : 1;
		for (x = 0; x < 6; x++) {
			for (y = 0; y < 6; y++) {
				w->multi[t][x][y] = rna_weight(w, e->ml_branch) * w->terminal[t] *
				                    neighbours(w, e, e->raw_multi, t, x, y);
				w->exterior[t][x][y] = w->terminal[t] * neighbours(w, e, e->raw_exterior, t, x, y);
			}
		}
	}
}

static void
set_mismatches(struct fold_weights *w, const struct rna_energy *e)
{
	int t, x, y;

	for (t = 1; t < RNA_NPAIRS; t++) {
		for (x = 0; x < 5; x++) {
			for (y = 0; y < 5; y++) {
				w->mismatch_1n[t][x][y] = rna_weight(w, e->mismatch_1n[t][x][y]);
				w->mismatch_interior[t][x][y] = rna_weight(w, e->mismatch_interior[t][x][y]);
				w->mismatch_hairpin[t][x][y] = rna_weight(w, e->mismatch_hairpin[t][x][y]);
			}
		}
	}
}

enum rna_status
rna_weights_set(struct fold_weights *w, const struct rna_energy *e)
{
	int x;

	w->kt = GAS_CONSTANT * (e->temperature + KELVIN);
	if (!(w->kt > 0))
		return RNA_EINVAL;
	for (x = WEIGHT_LOW; x <= WEIGHT_HIGH; x++)
		w->table[x - WEIGHT_LOW] = exp(-x / w->kt);
	for (x = 0; x <= RNA_MAXLOOP; x++)
		w->ninio[x] = rna_weight(w, x * e->ninio < e->ninio_max ? x * e->ninio : e->ninio_max);
	set_stems(w, e);
	set_mismatches(w, e);
	return RNA_OK;
}

/* Hairpins by length: beyond the table the logarithm is not cut off to an integer. */
static enum rna_status
set_hairpins(struct fold_weights *w, const struct rna_energy *e, size_t n, struct rna_err *err)
{
	double energy;
	size_t u;

	if (w->hairpin == NULL || w->nhairpin < n) {
		free(w->hairpin);
		w->nhairpin = n;
		if ((w->hairpin = malloc((n + 1) * sizeof(*w->hairpin))) == NULL)
			return rna_fail(err, RNA_EMEM, "out of memory");
	}
	for (u = 0; u <= n; u++) {
		energy =
		    u <= RNA_MAXLOOP ? e->hairpin[u] : e->hairpin[RNA_MAXLOOP] + e->lxc * log((double)u / RNA_MAXLOOP);
		w->hairpin[u] = exp(-energy / w->kt - (double)(u + 2) * w->log_scale);
	}
	return RNA_OK;
}

enum rna_status
rna_weights_scale(struct fold_weights *w, const struct rna_energy *e, double log_scale, size_t n, struct rna_err *err)
{
	int s;

	w->log_scale = log_scale;
	w->unpaired = exp(-log_scale);
	w->base = rna_weight(w, e->ml_base) * w->unpaired;
	w->closing = rna_weight(w, e->ml_closing) * exp(-2 * log_scale);
	for (s = 0; s <= RNA_MAXLOOP; s++) {
		w->small[s] = exp(-(s + 2) * log_scale);
		w->bulge[s] = rna_weight(w, e->bulge[s]) * w->small[s];
		w->generic[s] = rna_weight(w, e->interior[s]) * w->small[s];
		w->one_n[s] = s >= 2 ? w->generic[s] * w->ninio[s - 2] : 0;
	}
	return set_hairpins(w, e, n, err);
}

double
rna_hairpin_weight(const struct rna_partition *q, int i, int j, int type)
{
	const uint8_t *code = q->in.code;
	int u = j - i - 1;

	if (u < LONG_LOOP)
		return rna_weight(&q->w, rna_energy_hairpin(q->e, code, i, j)) * q->w.small[u];
	return q->w.hairpin[u] * q->w.mismatch_hairpin[type][code[i + 1]][code[j - 1]];
}
