/*
 * energy_set.c: the parameter set at a temperature (energy.h).
 */
#include <string.h>

#include "fold/energy_private.h"

#define KELVIN 273.15
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

/*
 * int22 of one couple of pairs over five bases, from the file's four: for an unknown base the worst of the four, in
 * energy and in enthalpy (spec A.1).
 */
static void
widen(const int *real, int *all)
{
	static const int stride[4] = {125, 25, 5, 1};
	int d, a, b, n, step, *x;

	for (n = 0; n < 64; n++) /* rows of four */
		memcpy(all + (n / 16 + 1) * 125 + (n / 4 % 4 + 1) * 25 + (n % 4 + 1) * 5 + 1, real + 4 * n,
		    4 * sizeof(*all));
	for (d = 3; d >= 0; d--) { /* what is still unknown to the left of d is filled in later */
		step = stride[d];
		for (a = 0; a < 625; a += 5 * step) {
			for (b = 0; b < step; b++) {
				x = all + a + b;
				x[0] = x[step];
				for (n = 2; n <= 4; n++)
					x[0] = x[n * step] > x[0] ? x[n * step] : x[0];
			}
		}
	}
}

static void
fill_int22(struct rna_energy *e, const struct scale *s)
{
	int p, q, n, at, energy[625] = {0}, enthalpy[625] = {0}, *out;

	for (p = 1; p < RNA_NPAIRS; p++) {
		for (q = 1; q < RNA_NPAIRS; q++) {
			/* the file has no int22 for non-canonical pairs: taken as UA */
			at = (((p < 7 ? p : 6) - 1) * 6 + (q < 7 ? q : 6) - 1) * 256;
			out = &e->int22[p][q][0][0][0][0];
			widen(s->f->energy[INT22] + at, s->t == 1 ? out : energy);
			if (s->t == 1) /* as measured */
				continue;
			widen(s->f->enthalpy[INT22] + at, enthalpy);
			for (n = 0; n < 625; n++)
				out[n] = at_temperature(energy[n], enthalpy[n], s->t);
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
