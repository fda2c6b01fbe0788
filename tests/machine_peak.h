/*
 * machine_peak.h: what this machine can do, for benches: operations a second of loops that live in registers alone,
 * and bytes a second of memory.  The loops are whole in assembly; tests/spill.bats checks their disassembly.
 */
#ifndef MACHINE_PEAK_H
#define MACHINE_PEAK_H

#include <string.h>

#include "bench.h"
#include "rk.h"

enum { PEAK_CHAINS = 12, PEAK_PASSES = 200000 };

#if defined(__x86_64__)
#define PEAK_LINK(op, reg, i) op " %%" reg "12, %%" reg "13, %%" reg #i "\n\t"
#define PEAK_EACH(op, reg) \
	PEAK_LINK(op, reg, 0) PEAK_LINK(op, reg, 1) PEAK_LINK(op, reg, 2) PEAK_LINK(op, reg, 3) \
	PEAK_LINK(op, reg, 4) PEAK_LINK(op, reg, 5) PEAK_LINK(op, reg, 6) PEAK_LINK(op, reg, 7) \
	PEAK_LINK(op, reg, 8) PEAK_LINK(op, reg, 9) PEAK_LINK(op, reg, 10) PEAK_LINK(op, reg, 11)
#define PEAK_CLEAR(i) "vxorps %%xmm" #i ", %%xmm" #i ", %%xmm" #i "\n\t"
#define PEAK_CLEAR_ALL \
	PEAK_CLEAR(0) PEAK_CLEAR(1) PEAK_CLEAR(2) PEAK_CLEAR(3) PEAK_CLEAR(4) PEAK_CLEAR(5) PEAK_CLEAR(6) \
	PEAK_CLEAR(7) PEAK_CLEAR(8) PEAK_CLEAR(9) PEAK_CLEAR(10) PEAK_CLEAR(11) PEAK_CLEAR(12) PEAK_CLEAR(13)
#define PEAK_CLOBBERS \
	"cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", \
	    "xmm12", "xmm13"

/* n passes over PEAK_CHAINS independent chains of one instruction. */
#define PEAK_LOOP(name, clear, body) \
static __attribute__((noinline)) void \
name(long n) \
{ \
	__asm__ volatile(clear "1:\n\t" body "dec %0\n\tjnz 1b" : "+r"(n) : : PEAK_CLOBBERS); \
}

PEAK_LOOP(peak_fp32_zmm, PEAK_CLEAR_ALL, PEAK_EACH("vfmadd231ps", "zmm"))
PEAK_LOOP(peak_fp32_ymm, PEAK_CLEAR_ALL, PEAK_EACH("vfmadd231ps", "ymm"))
PEAK_LOOP(peak_bf16_zmm, PEAK_CLEAR_ALL, PEAK_EACH("vdpbf16ps", "zmm"))
PEAK_LOOP(peak_int8_zmm, PEAK_CLEAR_ALL, PEAK_EACH("vpdpbusd", "zmm"))
/* half of them multiply, half add: SSE2 has no multiply-add */
PEAK_LOOP(peak_fp32_sse, "",
    "mulps %%xmm12, %%xmm0\n\taddps %%xmm13, %%xmm6\n\tmulps %%xmm12, %%xmm1\n\taddps %%xmm13, %%xmm7\n\t"
    "mulps %%xmm12, %%xmm2\n\taddps %%xmm13, %%xmm8\n\tmulps %%xmm12, %%xmm3\n\taddps %%xmm13, %%xmm9\n\t"
    "mulps %%xmm12, %%xmm4\n\taddps %%xmm13, %%xmm10\n\tmulps %%xmm12, %%xmm5\n\taddps %%xmm13, %%xmm11\n\t")

/* The loop of a level and precision, and the operations of one of its instructions. */
static inline void (*
peak_loop(const char *level, enum rk_precision p, int *ops))(long)
{
	const int wide = strncmp(level, "avx512", 6) == 0, dots = strcmp(level, "avx512bf16") == 0;

	*ops = wide ? 32 : strcmp(level, "avx2") == 0 ? 16 : 4;
	if (dots)
		*ops *= p == RK_INT8 ? 4 : p == RK_BF16 ? 2 : 1;
	if (dots && p != RK_FP32)
		return p == RK_INT8 ? peak_int8_zmm : peak_bf16_zmm;
	return wide ? peak_fp32_zmm : strcmp(level, "avx2") == 0 ? peak_fp32_ymm : peak_fp32_sse;
}
#else
static void peak_none(long n) { (void)n; }
static inline void (*
peak_loop(const char *level, enum rk_precision p, int *ops))(long)
{
	(void)level, (void)p;
	*ops = 0;
	return peak_none;
}
#endif

/*
 * Operations a processor-second of one core while `threads` of them do the same: the best of what this run has measured
 * so far; 0: no loop for it.
 */
static inline double
machine_peak(const char *level, enum rk_precision p, int threads)
{
	static double best[RK_FP8 + 1][2];
	double *top = &best[p][threads > 1];
	void (*loop)(long);
	int ops;

	loop = peak_loop(level, p, &ops);
	for (int i = 0; ops > 0 && i < (*top > 0 ? 3 : 30); i++) {
		double t = 0, rate;

#pragma omp parallel num_threads(threads) reduction(+ : t)
		{
			double begin = bench_clock(CLOCK_THREAD_CPUTIME_ID);

			loop(PEAK_PASSES);
			t += bench_clock(CLOCK_THREAD_CPUTIME_ID) - begin;
		}
		rate = (double)threads * ops * PEAK_CHAINS * PEAK_PASSES / t;
		*top = rate > *top ? rate : *top;
	}
	return *top;
}

/* Bytes a second of memory: two arrays read, one written, far larger than the caches.  By the clock on the wall. */
static inline double
machine_memory(int threads)
{
	enum { N = 1 << 24 };
	float *a = malloc(N * sizeof(*a)), *b = malloc(N * sizeof(*b)), *c = malloc(N * sizeof(*c));
	double best = 0;

	for (int i = 0; a != NULL && b != NULL && c != NULL && i < 6; i++) {
		double t = bench_wall(), rate;

#pragma omp parallel for simd num_threads(threads) schedule(static)
		for (int j = 0; j < N; j++)
			a[j] = i == 0 ? (b[j] = 1, c[j] = 2) : b[j] + 3 * c[j];
		rate = 3.0 * sizeof(*a) * N / (bench_wall() - t);
		best = i > 0 && rate > best ? rate : best;
	}
	free(a), free(b), free(c);
	return best;
}

#endif
