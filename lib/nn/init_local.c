/*
 * init_local.c: positions as waves, heads that look at fixed distances (init_local.h).
 */
#include <math.h>
#include <stddef.h>

#include "nn/init_local.h"

#define PI 3.14159265358979323846

static double
frequency(const struct rna_config *c, int wave)
{
	return PI * (wave + 0.5) / (c->hidden / 2);
}

void
rna_init_local_positions(const struct rna_config *c, float *dst)
{
	double a = 2 * sqrt(2) * (double)c->init_range;
	int p, m, waves = c->hidden / 2;

	for (p = 0; p < c->positions; p++, dst += c->hidden) {
		for (m = 0; m < waves; m++) {
			dst[2 * m] = (float)(a * sin(p * frequency(c, m)));
			dst[2 * m + 1] = (float)(a * cos(p * frequency(c, m)));
		}
	}
}

/*
 * Two rows of a head, for one wave: keys are (sin wj, cos wj), queries (sin w(i+d), cos w(i+d)), so that their product
 * is cos w(i+d-j), largest over all waves at j = i + d.
 */
static void
add_wave(const struct rna_config *c, float *query, float *key, int wave, int distance, double scale)
{
	double s = scale * sin(distance * frequency(c, wave)), k = scale * cos(distance * frequency(c, wave));
	float *q0 = query + 2 * wave, *q1 = q0 + c->hidden, *k0 = key + 2 * wave, *k1 = k0 + c->hidden;

	k0[0] += (float)scale;
	k1[1] += (float)scale;
	q0[0] += (float)k;
	q0[1] += (float)s;
	q1[0] -= (float)s;
	q1[1] += (float)k;
}

void
rna_init_local_attention(const struct rna_config *c, int layer, float *qkv)
{
	size_t hidden = (size_t)c->hidden, i;
	int dim = c->hidden / c->heads, h, m, number, distance;
	double scale = 1 + 0.5 * layer; /* positions fade from layer to layer */
	float *row;

	for (i = 0; i < 2 * hidden * hidden; i++)
		qkv[i] *= 0.5f;
	for (h = 0; h < c->heads; h++) {
		number = layer * c->heads + h;
		distance = (number / 2 + 1) * (number % 2 ? 1 : -1);
		row = qkv + (size_t)(h * dim) * hidden;
		for (m = 0; m < dim / 2; m++, row += 2 * hidden)
			add_wave(c, row, row + hidden * hidden, m * c->heads + h, distance, scale);
	}
}
