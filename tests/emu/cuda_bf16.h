/*
 * cuda_bf16.h: the bf16 of CUDA for the emulator: rounding to nearest, ties to even, as the hardware does.
 */
#ifndef EMU_CUDA_BF16_H
#define EMU_CUDA_BF16_H

#include <stdint.h>
#include <string.h>

struct __nv_bfloat16 {
	uint16_t bits;
};

static inline float
__bfloat162float(__nv_bfloat16 b)
{
	uint32_t u = (uint32_t)b.bits << 16;
	float f;

	memcpy(&f, &u, 4);
	return f;
}

static inline __nv_bfloat16
__float2bfloat16_rn(float f)
{
	uint32_t u;

	memcpy(&u, &f, 4);
	if ((u & 0x7fffffff) > 0x7f800000)
		return __nv_bfloat16{0x7fff};
	return __nv_bfloat16{(uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16)};
}

#endif
