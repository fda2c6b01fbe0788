/*
 * cuda_lt.cu: the functions of libcublasLt.so.13, from the loader's places or the toolkit's folder.
 */
#include <dlfcn.h>
#include <stddef.h>

#include "cuda_lt.h"

const char *
rk_lt_load(struct lt_api *api)
{
	static const char *const places[] = {"libcublasLt.so.13", "/usr/local/cuda/lib64/libcublasLt.so.13"};
	void *lib = NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && lib == NULL; i++)
		lib = dlopen(places[i], RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL)
		return "libcublasLt.so.13 is missing: install the CUDA 13 toolkit's cublas, or set LD_LIBRARY_PATH to "
		       "it";
#define LT_FIND(name)                                                                                                  \
	if ((api->name = (decltype(api->name))dlsym(lib, "cublasLt" #name)) == NULL)                                   \
		return "libcublasLt.so.13 lacks cublasLt" #name;
	LT_FUNCTIONS(LT_FIND)
#undef LT_FIND
	return NULL;
}
