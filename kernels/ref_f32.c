/*
 * ref_f32.c: the reference in float.
 */
typedef float real;

#include "ref_ops.h"

const struct rk_backend rk_ref_f32 = REF_TABLE("ref");
