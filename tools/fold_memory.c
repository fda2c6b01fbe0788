/*
 * fold_memory.c: how much memory can be had, asked before a long RNA is folded.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fold.h"

/* What the kernel can give without swapping. */
static uint64_t
system_memory(void)
{
	uint64_t bytes = UINT64_MAX;
	unsigned long long kib;
	char line[128];
	FILE *fp = fopen("/proc/meminfo", "r");

	if (fp == NULL)
		return bytes;
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			bytes = (uint64_t)kib << 10;
	}
	fclose(fp);
	return bytes;
}

/* What is left of a limit on the address space (ulimit -v). */
static uint64_t
limit_memory(void)
{
	unsigned long long pages = 0;
	struct rlimit limit;
	uint64_t used;
	FILE *fp;

	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	if ((fp = fopen("/proc/self/statm", "r")) == NULL)
		return UINT64_MAX;
	if (fscanf(fp, "%llu", &pages) != 1)
		pages = 0;
	fclose(fp);
	used = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

uint64_t
fold_memory(void)
{
	uint64_t a = system_memory(), b = limit_memory();

	return a < b ? a : b;
}
