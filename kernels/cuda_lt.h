/*
 * cuda_lt.h: cuBLASLt, opened at run time: it is 540 MB and not everywhere.  What is missing is said in a sentence.
 */
#ifndef CUDA_LT_H
#define CUDA_LT_H

#include <cublasLt.h>

#define LT_FUNCTIONS(X)                                                                                                \
	X(Create)                                                                                                      \
	X(Destroy) X(GetVersion) X(MatmulDescCreate) X(MatmulDescDestroy) X(MatmulDescSetAttribute)                    \
	    X(MatrixLayoutCreate) X(MatrixLayoutDestroy) X(MatmulPreferenceCreate) X(MatmulPreferenceDestroy)          \
		X(MatmulPreferenceSetAttribute) X(MatmulAlgoGetHeuristic) X(MatmulAlgoCheck) X(Matmul)

struct lt_api {
#define LT_DECLARE(name) decltype(&cublasLt##name) name;
	LT_FUNCTIONS(LT_DECLARE)
#undef LT_DECLARE
};

/* Fills api; NULL, or why it can't. */
const char *rk_lt_load(struct lt_api *api);

#endif
