/*
 * cpu_plain.c: the level for any processor.
 */
#include "simd_plain.h"

#include "cpu_table.h"

const struct rk_backend rk_cpu_plain = CPU_TABLE("plain");
