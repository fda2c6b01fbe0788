/*
 * limit.c: what the engine calls: the target, which may take a second of the processor for an input and no more.  The
 * engine's own limit is of the clock, which a busy machine reaches without a fault of ours.
 */
#include "fuzz.h"
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	clock_t begun = clock();

	fuzz_input(data, n);
	if (clock() - begun > CLOCKS_PER_SEC)
		abort();
	return 0;
}
