/*
 * tap.h: what a unit test needs: ok() prints one TAP line, done() the plan.
 *
 *	int main(void) { ok(1 + 1 == 2, "sum of %d and %d", 1, 1); return done(); }
 *
 * One main per test program, so the counts are static to it.
 */
#ifndef RNA_TAP_H
#define RNA_TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_run, tap_failed;

/* One test: "ok N - name", or "not ok N - name" when cond is 0. */
__attribute__((format(printf, 2, 3), unused)) static inline void
ok(int cond, const char *fmt, ...)
{
	va_list ap;

	tap_failed += !cond;
	printf("%sok %d - ", cond ? "" : "not ", ++tap_run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);	/* a crash must not take lines with it */
}

/* A test that cannot run here, and why. */
__attribute__((unused)) static inline void
skip(const char *name, const char *reason)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_run, name, reason);
	fflush(stdout);
}

/* A line for the reader of a failure; no test. */
__attribute__((format(printf, 1, 2), unused)) static inline void
diag(const char *fmt, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The plan, and the exit status of the program: 1 when a test failed or none ran. */
__attribute__((unused)) static inline int
done(void)
{
	printf("1..%d\n", tap_run);
	if (tap_failed)
		fprintf(stderr, "%d of %d failed\n", tap_failed, tap_run);
	return tap_failed || !tap_run;
}

#endif
