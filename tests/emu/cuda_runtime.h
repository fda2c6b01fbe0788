/*
 * cuda_runtime.h: stands in for CUDA's header when the kernels' text is compiled for the CPU (tests/emu/README.md).
 * Only what kernels/cuda_*.cu use.  Device memory is out of the host's reach except through the calls below, work on a
 * stream runs when the host waits for it, and what CUDA leaves undefined ends the program with a sentence.
 */
#ifndef EMU_CUDA_RUNTIME_H
#define EMU_CUDA_RUNTIME_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <functional>
#include <tuple>

/* 1. Host */

typedef enum {
	cudaSuccess = 0,
	cudaErrorMemoryAllocation = 2,
	cudaErrorInsufficientDriver = 35,
	cudaErrorNoDevice = 100,
	cudaErrorUnknown = 999
} cudaError_t;
typedef enum { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 } cudaMemcpyKind;
typedef enum { cudaStreamCaptureModeThreadLocal = 1 } cudaStreamCaptureMode;
typedef enum { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 } cudaFuncAttribute;
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
typedef struct emu_stream *cudaStream_t;
typedef struct emu_event *cudaEvent_t;
typedef struct emu_graph *cudaGraph_t;
typedef struct emu_graph *cudaGraphExec_t;

struct cudaDeviceProp {
	char name[256];
	int major, minor, multiProcessorCount;
	size_t sharedMemPerBlockOptin;
};

struct dim3 {
	unsigned x, y, z;
	dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_)
	{
	}
};

cudaError_t cudaGetDeviceCount(int *n);
cudaError_t cudaSetDevice(int i);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *p, int i);
cudaError_t cudaRuntimeGetVersion(int *v);
const char *cudaGetErrorString(cudaError_t e);
cudaError_t cudaGetLastError(void);
cudaError_t cudaMalloc(void **p, size_t n);
cudaError_t cudaFree(void *p);
cudaError_t cudaMemGetInfo(size_t *left, size_t *all);
cudaError_t cudaMallocHost(void **p, size_t n);
cudaError_t cudaFreeHost(void *p);
cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t n, cudaMemcpyKind kind, cudaStream_t s);
cudaError_t cudaMemsetAsync(void *p, int value, size_t n, cudaStream_t s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s);
cudaError_t cudaGraphDestroy(cudaGraph_t g);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t e);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned flags);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned flags);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b);
cudaError_t cudaEventDestroy(cudaEvent_t e);
template <class K>
cudaError_t
cudaFuncSetAttribute(K *, cudaFuncAttribute, int)
{
	return cudaSuccess;
}

void emu_queue(cudaStream_t s, std::function<void()> work);
void emu_grid(dim3 grid, dim3 block, size_t shared, const std::function<void()> &kernel);

template <class... P, class... A>
void
emu_launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, cudaStream_t s, A... args)
{
	std::tuple<P...> all(args...);

	emu_queue(s, [=] { emu_grid(grid, block, shared, [&] { std::apply(kernel, all); }); });
}

/* 2. Device */

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

struct float2 {
	float x, y;
};
struct alignas(16) float4 {
	float x, y, z, w;
};
struct alignas(16) uint4 {
	unsigned x, y, z, w;
};
struct alignas(8) int2 {
	int x, y;
};

struct emu_thread {
	dim3 tid;
};
extern struct emu_thread *emu_now;
extern struct dim3 emu_block_index, emu_block_size, emu_grid_size;
#define threadIdx (emu_now->tid)
#define blockIdx emu_block_index
#define blockDim emu_block_size
#define gridDim emu_grid_size

void __syncthreads(void);
void __syncwarp(unsigned mask = ~0u);
uint32_t emu_shuffle_xor(uint32_t v, int mask);
uint32_t emu_shuffle_up(uint32_t v, int lanes);
uint32_t __ballot_sync(unsigned mask, int set);
unsigned char *emu_shared(void);

static inline float
__shfl_xor_sync(unsigned, float v, int mask)
{
	uint32_t bits;

	memcpy(&bits, &v, 4);
	bits = emu_shuffle_xor(bits, mask);
	memcpy(&v, &bits, 4);
	return v;
}

static inline int
__shfl_xor_sync(unsigned, int v, int mask)
{
	return (int)emu_shuffle_xor((uint32_t)v, mask);
}

static inline int
__shfl_up_sync(unsigned, int v, int lanes)
{
	return (int)emu_shuffle_up((uint32_t)v, lanes);
}

static inline int
__popc(uint32_t v)
{
	return __builtin_popcount(v);
}
static inline int
__ffs(int v)
{
	return __builtin_ffs(v);
}
static inline float
rsqrtf(float x)
{
	return 1 / sqrtf(x);
}
template <class T>
static inline T
min(T a, T b)
{
	return b < a ? b : a;
}
template <class T>
static inline T
max(T a, T b)
{
	return a < b ? b : a;
}

#endif
