/*
 * plugin.c: finding and opening the CUDA plug-in, librna-cuda.so, at run time: one build of the programs serves
 * machines with and without a GPU.
 *
 * It is looked for where RILL_CUDA_LIB says, and nowhere else when that is set; else beside the programs
 * (bin/../lib/rill); else where the loader looks.  Once open it stays: the CUDA runtime does not survive unloading.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rk_device.h"

enum { PATH = 4096 };

static const char soname[] = "librna-cuda.so";

/* lib/rill/librna-cuda.so beside the folder of the running program; empty when that is not known. */
static void
beside(char *path, size_t size)
{
	char program[PATH / 2];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

	program[n > 0 ? n : 0] = '\0';
	*path = '\0';
	if (strrchr(program, '/') == NULL)
		return;
	*strrchr(program, '/') = '\0';
	snprintf(path, size, "%s/../lib/rill/%s", program, soname);
}

/* The loaded plug-in, or NULL and the reason. */
static void *
load(char *err, size_t errsize)
{
	const char *named = getenv("RILL_CUDA_LIB");
	char path[PATH];
	void *lib;

	/* a name without a slash would be looked for elsewhere */
	if (named != NULL && *named != '\0')
		snprintf(path, sizeof(path), "%s%s", strchr(named, '/') != NULL ? "" : "./", named);
	else
		beside(path, sizeof(path));
	if (*path != '\0' && access(path, F_OK) == 0) {
		if ((lib = dlopen(path, RTLD_NOW | RTLD_LOCAL)) == NULL)
			snprintf(err, errsize, "can't load the CUDA plug-in: %s", dlerror());
		return lib;
	}
	if (named != NULL && *named != '\0') {
		snprintf(err, errsize, "RILL_CUDA_LIB=%s: no such file", named);
		return NULL;
	}
	if ((lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL)) == NULL)
		snprintf(err, errsize, "there is no CUDA plug-in (%s); make cuda builds it", soname);
	return lib;
}

const struct rk_device *
rk_plugin_open(void **dev, char *level, size_t levelsize, char *err, size_t errsize)
{
	const struct rk_device *table;
	rk_device_entry *entry;
	void *lib = load(err, errsize), *symbol;

	if (lib == NULL)
		return NULL;
	symbol = dlsym(lib, RK_DEVICE_ENTRY);
	memcpy(&entry, &symbol, sizeof(entry));
	table = entry != NULL ? entry() : NULL;
	if (table == NULL || table->nops != RK_NOPS || table->call_size != sizeof(struct rk_call) ||
	    table->size != sizeof(struct rk_device)) {
		snprintf(err, errsize, "the CUDA plug-in is of another version of rill; make cuda builds it anew");
		return NULL;
	}
	if ((*dev = table->open(level, levelsize, err, errsize)) == NULL)
		return NULL;
	return table;
}
