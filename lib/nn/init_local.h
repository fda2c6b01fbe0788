/*
 * init_local.h: a start for small models in which attention sees neighbours.
 *
 * From N(0, 0.02) a small post-norm encoder spends most of a short run before any head attends to a fixed distance.
 * Here positions start as sines and cosines of evenly spaced frequencies, w_m = pi (m + 1/2) / (hidden/2), whose inner
 * products are sharp in the distance, and the queries of each head as their rotation by the head's own distance: -1,
 * +1, -2, +2 ... counted through heads and layers.  Only the starting values differ: the architecture and all training
 * are the same.
 */
#ifndef RNA_INIT_LOCAL_H
#define RNA_INIT_LOCAL_H

#include "nn/config.h"

/* dst [positions, hidden]: root mean square of twice init_range, so that position outweighs letter at first. */
void rna_init_local_positions(const struct rna_config *c, float *dst);
/* qkv [3 hidden, hidden] of a layer, drawn already: halves queries and keys, and adds the rotations. */
void rna_init_local_attention(const struct rna_config *c, int layer, float *qkv);

#endif
