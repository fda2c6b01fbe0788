/*
 * foldnet_work.h: what a folding network computes of one RNA.
 */
#ifndef FOLDNET_WORK_H
#define FOLDNET_WORK_H

#include "nn/foldnet.h"

/* Multiply-adds times 2 of an RNA of n letters: convolutions, LSTM, attention, linear maps. */
static double
operations(const struct rna_foldnet_config *c, size_t n)
{
	const double side = (double)n + 1, cells = side * side, units = c->lstm_units, wide = 2 * units;
	const double images = c->lower_constant ? 1 : 2;
	double row = 0, cell = 0, in = c->embed;

	for (int i = 0; i < c->convs; i++, in = c->filters)
		row += in * c->filters * c->width[i];
	for (int i = 0; i < c->lstm_layers; i++, in = wide)
		row += 2 * 4 * units * (in + units);
	row += 4 * wide * wide + 2 * wide * side; /* of attention: in, out; scores and sums */
	for (int i = 0; i < c->pair_convs; i++)
		cell += wide * wide * c->pair_width[i] * c->pair_width[i];
	return 2 * (side * row + images * cells * cell + cells * (wide * c->hidden + 3.0 * c->hidden));
}

#endif
