/*
 * energy_private.h: what a parameter file holds, between energy_file.c (reading) and energy_set.c (temperature).
 */
#ifndef RNA_ENERGY_PRIVATE_H
#define RNA_ENERGY_PRIVATE_H

#include "fold/energy.h"

enum block {
	STACK,
	MM_HAIRPIN,
	MM_INTERIOR,
	MM_1N,
	MM_23,
	MM_MULTI,
	MM_EXTERIOR,
	DANGLE5,
	DANGLE3,
	INT11,
	INT21,
	INT22,
	HAIRPIN,
	BULGE,
	INTERIOR,
	ML,
	NINIO,
	MISC,
	NBLOCKS
};

struct fold_special {
	char loop[10];
	int energy, enthalpy;
};

struct rna_energy_file {
	int *energy[NBLOCKS], *enthalpy[NBLOCKS];
	double lxc;
	struct fold_special special[RNA_SPECIAL_MAX * 3];
	int nspecial;
};

#endif
