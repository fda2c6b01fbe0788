/*
 * cpu_avx2.c: the level for x86 processors with AVX2 and FMA.
 */
#include "rk_backend.h"

#if defined(__x86_64__)
#include "simd_avx2.h"

#include "cpu_table.h"

const struct rk_backend rk_cpu_avx2 = CPU_TABLE("avx2");
#endif
