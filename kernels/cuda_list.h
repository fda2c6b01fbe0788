/*
 * cuda_list.h: lists of calls on the GPU, and errors in words; between cuda_device.cu and cuda_list.cu.
 */
#ifndef CUDA_LIST_H
#define CUDA_LIST_H

#include "cuda_common.h"

void *
cuda_list_create(void *dev, const struct rk_call *calls, size_t n, const int32_t *live, const int32_t most[RK_NLIVE]);
enum rk_status cuda_list_run(void *list);
void cuda_list_destroy(void *list);
/* The status of an error, with a sentence for it in dev. */
enum rk_status cuda_status(struct cuda_device *dev, cudaError_t e, const char *what);
/* What a wait for the GPU ended with; also what lists found wrong with their counts. */
enum rk_status cuda_checked(struct cuda_device *dev, cudaError_t e);

#endif
