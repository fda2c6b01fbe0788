/*
 * ref_f64.c: the reference in double.
 */
typedef double real;

#include "ref_ops.h"

const struct rk_backend rk_ref_f64 = REF_TABLE("ref64");
