/*
 * cuda_device.h: which CUDA backend a unit test runs on: the emulator of tests/emu in $B, or with RNA_GPU=1 the GPU.
 */
#ifndef CUDA_DEVICE_H
#define CUDA_DEVICE_H

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rk.h"
#include "tap.h"

/* 1 when "cuda" can be opened; 0, and a test skipped, when not. */
static int
cuda_device(void)
{
	const char *build = getenv("B");
	char lib[4096], err[256] = "";
	struct rk *rk;

	snprintf(lib, sizeof(lib), "%s/lib/rill/librna-cuda-emu.so", build != NULL ? build : "build");
	if (getenv("RNA_GPU") == NULL)
		setenv("RILL_CUDA_LIB", lib, 1);
	/* no file of algorithms: nothing is timed */
	setenv("XDG_CACHE_HOME", "/dev/null", 1);
	if ((rk = rk_open("cuda", 1, err, sizeof(err))) == NULL) {
		skip("the CUDA backend", err);
		return 0;
	}
	diag("%s", rk_name(rk));
	rk_close(rk);
	return 1;
}

/* How often the host has waited for the emulated GPU to work or to copy; 0 on one that can't tell. */
__attribute__((unused)) static unsigned long
cuda_waits(void)
{
	const char *lib = getenv("RILL_CUDA_LIB");
	void *so = lib != NULL ? dlopen(lib, RTLD_NOW | RTLD_NOLOAD) : NULL,
	     *symbol = so != NULL ? dlsym(so, "emu_waits") : NULL;
	unsigned long (*waits)(void), n;

	if (symbol == NULL)
		return 0;
	memcpy(&waits, &symbol, sizeof(waits));
	n = waits();
	dlclose(so);
	return n;
}

#endif
