/*
 * params_save.c: parameters as tensors of a file, under their own names.
 */
#include <string.h>
#include <sys/endian.h>

#include "nn/params.h"
#include "nn/safetensors.h"

size_t
rna_params_list(const struct rna_params *p, struct rna_tensor_out *out)
{
	for (int i = 0; i < p->n; i++) {
		out[i] = (struct rna_tensor_out){
		    .name = p->list[i].name, .dtype = "F32", .ndim = p->list[i].ndim, .arg = &p->list[i]};
		for (int d = 0; d < p->list[i].ndim; d++)
			out[i].dims[d] = (uint64_t)p->list[i].dims[d];
	}
	return (size_t)p->n;
}

enum rna_status
rna_params_fetch(const struct rna_params *p, const struct rna_param *of, void *dst, size_t size, struct rna_err *err)
{
	unsigned char *bytes = dst;
	uint32_t bits;

	if (rk_download_f32(p->rk, dst, rna_params_value(p, (int)(of - p->list)), of->n) != RK_OK)
		return rna_fail(err, RNA_EDEVICE, "%s", rk_error(p->rk));
	for (size_t i = 0; i + 4 <= size; i += 4) {
		memcpy(&bits, bytes + i, 4);
		le32enc(bytes + i, bits);
	}
	return RNA_OK;
}
