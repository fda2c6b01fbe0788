/*
 * safetensors_value.c: the elements of a tensor as float.
 */
#include <string.h>
#include <sys/endian.h>

#include "nn/safetensors.h"

static float
from_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

static float
from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 1023;

	if (exp == 31)
		return from_bits(sign | 0x7f800000u | man << 13);
	if (exp)
		return from_bits(sign | (exp + 112) << 23 | man << 13);
	return (sign ? -1.0f : 1.0f) * (float)man * 0x1p-24f; /* subnormal, or zero with its sign */
}

enum rna_status
rna_safetensors_read(const struct rna_tensor *t, uint64_t first, uint64_t n, float *dst)
{
	const unsigned char *p;
	uint64_t bits;
	double d;

	if (first > t->count || n > t->count - first)
		return RNA_EINVAL;
	p = t->data + first * t->item;
	if (strcmp(t->dtype, "F32") == 0 && BYTE_ORDER == LITTLE_ENDIAN) {
		memcpy(dst, p, n * sizeof(*dst));
	} else if (strcmp(t->dtype, "F32") == 0) {
		for (uint64_t i = 0; i < n; i++)
			dst[i] = from_bits(le32dec(p + 4 * i));
	} else if (strcmp(t->dtype, "BF16") == 0) {
		for (uint64_t i = 0; i < n; i++)
			dst[i] = from_bits((uint32_t)le16dec(p + 2 * i) << 16);
	} else if (strcmp(t->dtype, "F16") == 0) {
		for (uint64_t i = 0; i < n; i++)
			dst[i] = from_half(le16dec(p + 2 * i));
	} else if (strcmp(t->dtype, "F64") == 0) {
		for (uint64_t i = 0; i < n; i++) {
			bits = le64dec(p + 8 * i);
			memcpy(&d, &bits, sizeof(d));
			dst[i] = (float)d;
		}
	} else {
		return RNA_EINVAL;
	}
	return RNA_OK;
}
