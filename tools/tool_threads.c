/*
 * tool_threads.c: how threads wait for each other.
 *
 * libgomp's threads spin at a barrier until all are there.  On a machine that does other work too they spin while the
 * one they wait for is not running, and a step takes thirty times as long.  A short spin and then sleep costs next to
 * nothing on a quiet machine.  libgomp reads that choice from the environment when it is loaded and offers no call for
 * it, so a program that is about to use threads starts itself once more with the variable set.  What the user has set
 * stands.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tool_private.h"

#define SPINS "10000"

void
tool_settle_threads(const struct tool *t, char **argv)
{
	if (t->threads < 2 || getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL)
		return;
	if (setenv("GOMP_SPINCOUNT", SPINS, 1) == 0)
		(void)execv("/proc/self/exe", argv); /* where that can't be done, threads spin long */
}
