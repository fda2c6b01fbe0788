/*
 * cuda_warp.h: the few instructions that C++ has no word for, each behind a function, so that the kernels' text
 * compiles for the CPU too: tests/emu/emu_warp.h has the same functions in C++ (RILL_EMU).
 */
#ifndef CUDA_WARP_H
#define CUDA_WARP_H

#ifdef RILL_EMU
#include <emu_warp.h>

#define SHARED_MEMORY(name) unsigned char *name = emu_shared()
#define LAUNCH(kernel, grid, block, shared, stream, ...) emu_launch(kernel, grid, block, shared, stream, __VA_ARGS__)

#else

#include <stdint.h>

#define SHARED_MEMORY(name) extern __shared__ __align__(128) unsigned char name[]
#define LAUNCH(kernel, grid, block, shared, stream, ...) (kernel)<<<grid, block, shared, stream>>>(__VA_ARGS__)

__device__ __forceinline__ uint32_t
shared_address(const void *p)
{
	return (uint32_t)__cvta_generic_to_shared(p);
}

/* Four 8x8 matrices of 16-bit elements: lane 8 i + r gives the address of row r of matrix i. */
__device__ __forceinline__ void
load_matrix(uint32_t (&r)[4], uint32_t at)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
		     : "r"(at)
		     : "memory");
}

__device__ __forceinline__ void
load_matrix_transposed(uint32_t (&r)[4], uint32_t at)
{
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
		     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
		     : "r"(at)
		     : "memory");
}

/* c += a b: 16x16 by 16x8, bf16 into fp32. */
__device__ __forceinline__ void
multiply(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1)
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
		     "{%0,%1,%2,%3};"
		     : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
		     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/* 16 bytes to shared memory, or zeros. */
__device__ __forceinline__ void
copy_async(uint32_t to, const void *from, bool there)
{
	asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(__cvta_generic_to_global(from)),
		     "r"(there ? 16 : 0)
		     : "memory");
}

__device__ __forceinline__ void
copy_commit(void)
{
	asm volatile("cp.async.commit_group;" ::: "memory");
}

/* Until at most N groups are under way. */
template <int N>
__device__ __forceinline__ void
copy_wait(void)
{
	asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

/* Four values as e4m3, the first in the lowest byte: to nearest, ties to even, 448 at most (sm_89 and later). */
__device__ __forceinline__ uint32_t
four_e4m3(float a, float b, float c, float d)
{
	uint16_t low = 0, high = 0;

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
	asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
	asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
#endif
	return (uint32_t)high << 16 | low;
}

__device__ __forceinline__ void
store_shared(uint32_t at, uint32_t v)
{
	asm volatile("st.shared.b32 [%0], %1;" ::"r"(at), "r"(v) : "memory");
}

#endif
#endif
