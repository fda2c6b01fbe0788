/*
 * fuzz.h: what the fuzz targets share.  A target is fuzz_input: it aborts when a promise of the library is
 * broken; the sanitizers see the rest.  With clang libFuzzer drives it (make fuzz), else driver.c, which replays
 * files and tries a fixed number of mutations of them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, memrchr */
#endif
#ifndef RNA_FUZZ_H
#define RNA_FUZZ_H

#include <sys/mman.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "stream/buf.h"
#include "stream/status.h"

void fuzz_input(const uint8_t *data, size_t n);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);
/* The engine's own mutation of n bytes in place, up to max; the new length. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

/* Puts the bytes where a path leads to them; the path holds until the next call. */
__attribute__((unused)) static const char *
fuzz_file(const void *data, size_t n)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		abort();
	return path;
}

/* A refusal has a status and one line. */
__attribute__((unused)) static void
fuzz_refused(const struct rna_err *err)
{
	if (err->status <= RNA_NEXT || err->text[0] == '\0' || strchr(err->text, '\n') != NULL)
		abort();
}

/* Some number that the input alone decides. */
__attribute__((unused)) static unsigned
fuzz_choice(const uint8_t *data, size_t n)
{
	return n > 0 ? data[n / 2] * 31u + data[n - 1] + (unsigned)n : 0;
}

#endif
