/*
 * cpu_avx512.c: the level for x86 processors with AVX-512 (F, BW, VL, DQ).
 */
#include "rk_backend.h"

#if defined(__x86_64__)
#include "simd_avx512.h"

#include "cpu_table.h"

const struct rk_backend rk_cpu_avx512 = CPU_TABLE("avx512");
#endif
