/*
 * energy_set.c: the parameter set at a temperature (energy.h).
 */
#include <string.h>

#include "fold/energy_private.h"

#define KELVIN   273.15
#define MEASURED (37 + KELVIN)

struct scale {
	const struct rna_energy_file *f;
	double t; /* absolute temperature over that of measurement */
};

static int
at_temperature(int energy, int enthalpy, double t)
{
	if (energy >= RNA_FOLD_INF || t == 1)
		return energy;
	return (int)(enthalpy - (enthalpy - energy) * t);
}

static int
value(const struct scale *s, enum block b, int at)
{
	return at_temperature(s->f->energy[b][at], s->f->enthalpy[b][at], s->t);
}

static int
min_zero(int x)
{
	return x < 0 ? x : 0;
}

/* Tables over one pair and its neighbours.  Those of branches never cost energy, and are 0 without dangles. */
static void
fill_mismatches(struct rna_energy *e, const struct scale *s)
{
	int p, x, y, at;

	for (p = 1; p < RNA_NPAIRS; p++) {
		for (x = 0; x < 5; x++) {
			at = (p - 1) * 5 + x;
			e->raw_dangle5[p][x] = e->dangles ? value(s, DANGLE5, at) : 0;
			e->raw_dangle3[p][x] = e->dangles ? value(s, DANGLE3, at) : 0;
			e->dangle5[p][x] = min_zero(e->raw_dangle5[p][x]);
			e->dangle3[p][x] = min_zero(e->raw_dangle3[p][x]);
			for (y = 0; y < 5; y++) {
				at = ((p - 1) * 5 + x) * 5 + y;
				e->mismatch_hairpin[p][x][y] = value(s, MM_HAIRPIN, at);
				e->mismatch_interior[p][x][y] = value(s, MM_INTERIOR, at);
				e->mismatch_1n[p][x][y] = value(s, MM_1N, at);
				e->mismatch_23[p][x][y] = value(s, MM_23, at);
				e->raw_multi[p][x][y] = e->dangles ? value(s, MM_MULTI, at) : 0;
				e->raw_exterior[p][x][y] = e->dangles ? value(s, MM_EXTERIOR, at) : 0;
				e->mismatch_multi[p][x][y] = min_zero(e->raw_multi[p][x][y]);
				e->mismatch_exterior[p][x][y] = min_zero(e->raw_exterior[p][x][y]);
			}
		}
	}
}

static void
fill_pairs(struct rna_energy *e, const struct scale *s)
{
	int p, q, x, y, z, at;

	for (p = 1; p < RNA_NPAIRS; p++) {
		for (q = 1; q < RNA_NPAIRS; q++) {
			e->stack[p][q] = value(s, STACK, (p - 1) * 7 + q - 1);
			for (x = 0; x < 5; x++) {
				for (y = 0; y < 5; y++) {
					at = (((p - 1) * 7 + q - 1) * 5 + x) * 5 + y;
					e->int11[p][q][x][y] = value(s, INT11, at);
					for (z = 0; z < 5; z++)
						e->int21[p][q][x][y][z] = value(s, INT21, at * 5 + z);
				}
			}
		}
	}
}

/* int22 of real bases, and for an unknown base the worst of the four, in energy and in enthalpy (spec A.1). */
static int
int22(const struct scale *s, int p, int q, const int *base)
{
	int at[4], first[4], last[4], worst = -RNA_FOLD_INF, worst_h = -RNA_FOLD_INF, i, n;

	for (i = 0; i < 4; i++) {
		first[i] = base[i] > 0 ? base[i] - 1 : 0;
		last[i] = base[i] > 0 ? base[i] - 1 : 3;
	}
	for (at[0] = first[0]; at[0] <= last[0]; at[0]++) {
		for (at[1] = first[1]; at[1] <= last[1]; at[1]++) {
			for (at[2] = first[2]; at[2] <= last[2]; at[2]++) {
				for (at[3] = first[3]; at[3] <= last[3]; at[3]++) {
					n = (((((p - 1) * 6 + q - 1) * 4 + at[0]) * 4 + at[1]) * 4 + at[2]) * 4 + at[3];
					worst = s->f->energy[INT22][n] > worst ? s->f->energy[INT22][n] : worst;
					worst_h =
					    s->f->enthalpy[INT22][n] > worst_h ? s->f->enthalpy[INT22][n] : worst_h;
				}
			}
		}
	}
	return at_temperature(worst, worst_h, s->t);
}

static void
fill_int22(struct rna_energy *e, const struct scale *s)
{
	int p, q, p6, q6, n, base[4];

	for (p = 1; p < RNA_NPAIRS; p++) {
		for (q = 1; q < RNA_NPAIRS; q++) {
			p6 = p < 7 ? p : 6; /* the file has no int22 for non-canonical pairs: taken as UA */
			q6 = q < 7 ? q : 6;
			for (n = 0; n < 625; n++) {
				base[0] = n / 125;
				base[1] = n / 25 % 5;
				base[2] = n / 5 % 5;
				base[3] = n % 5;
				e->int22[p][q][base[0]][base[1]][base[2]][base[3]] = int22(s, p6, q6, base);
			}
		}
	}
}

static void
fill_scalars(struct rna_energy *e, const struct scale *s)
{
	const int *ml = s->f->energy[ML], *ninio = s->f->energy[NINIO], *misc = s->f->energy[MISC];
	int i;

	for (i = 0; i <= RNA_MAXLOOP; i++) {
		e->hairpin[i] = value(s, HAIRPIN, i);
		e->bulge[i] = value(s, BULGE, i);
		e->interior[i] = value(s, INTERIOR, i);
	}
	e->ml_base = at_temperature(ml[0], ml[1], s->t);
	e->ml_closing = at_temperature(ml[2], ml[3], s->t);
	e->ml_branch = at_temperature(ml[4], ml[5], s->t);
	e->ninio = at_temperature(ninio[0], ninio[1], s->t);
	e->ninio_max = ninio[2];
	e->terminal_au = at_temperature(misc[2], misc[3], s->t);
	e->lxc = s->f->lxc * s->t;
	for (i = 0; i < s->f->nspecial; i++) {
		memcpy(e->special[i].loop, s->f->special[i].loop, sizeof(e->special[i].loop));
		e->special[i].energy = at_temperature(s->f->special[i].energy, s->f->special[i].enthalpy, s->t);
	}
	e->nspecial = s->f->nspecial;
}

enum rna_status
rna_energy_init(
    struct rna_energy *e, const struct rna_energy_file *f, double temperature, int dangles, struct rna_err *err)
{
	struct scale s = {f, (temperature + KELVIN) / MEASURED};

	if (!(temperature > -KELVIN && temperature <= 200))
		return rna_fail(err, RNA_EINVAL, "temperature %g C is out of range (-273 to 200)", temperature);
	if (dangles != 0 && dangles != 2)
		return rna_fail(err, RNA_EINVAL, "dangles %d: only 0 and 2 are there", dangles);
	memset(e, 0, sizeof(*e));
	e->temperature = temperature;
	e->dangles = dangles;
	if (temperature == 37)
		s.t = 1;
	fill_mismatches(e, &s);
	fill_pairs(e, &s);
	fill_int22(e, &s);
	fill_scalars(e, &s);
	return RNA_OK;
}
