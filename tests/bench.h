/*
 * bench.h: what benches share: numbers on the command line, clocks, medians.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A whole number of min to max; any other text ends the bench with 2. */
static inline int
bench_int(const char *what, const char *text, int min, int max)
{
	const char *why;
	const int n = (int)strtonum(text, min, max, &why);

	if (why != NULL) {
		fprintf(stderr, "%s: %s: %s\n", what, text, why);
		exit(2);
	}
	return n;
}

/* Argument i, or what it is where there are fewer. */
__attribute__((unused)) static inline int
bench_argument(int argc, char **argv, int i, const char *what, int otherwise, int min, int max)
{
	return i < argc ? bench_int(what, argv[i], min, max) : otherwise;
}

static inline double
bench_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of processor, which other programs disturb less, and seconds on the wall. */
__attribute__((unused)) static inline double
bench_cpu(void)
{
	return bench_clock(CLOCK_PROCESS_CPUTIME_ID);
}
__attribute__((unused)) static inline double
bench_wall(void)
{
	return bench_clock(CLOCK_MONOTONIC);
}

static inline int
bench_by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of n > 0 numbers, which are put in order. */
__attribute__((unused)) static inline double
bench_median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof(*x), bench_by_value);
	return x[n / 2];
}

#endif
