/*
 * layout.h: places in the plane for the bases of a secondary structure, for pictures.
 *
 * Stems are ladders, hairpin loops circles; a stem goes on straight through the interior loops in it.  The loops that
 * join three stems or more are circles from which the stems go out; where two of the parts that hang on such a circle
 * would touch, the circle is made larger between them.  y grows downwards, as on a screen; from 5' to 3' a loop is
 * walked counterclockwise.  The unit is the distance of neighbours in a stem.
 */
#ifndef RNA_LAYOUT_H
#define RNA_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include "stream/status.h"

#define RNA_LAYOUT_PAIR 1.45 /* distance of the two bases of a pair */

struct rna_point {
	double x, y;
};

/*
 * at[n]: places; away[n]: unit vectors that point out of the drawing, for labels.  pair[n]: 0-based partners or -1,
 * mutual and nested; a crossing pair is RNA_EINVAL.  RNA_EMEM.
 */
enum rna_status rna_layout(const int32_t *pair, size_t n, struct rna_point *at, struct rna_point *away) RNA_CHECK;

#endif
