/*
 * tool_misc.c: vocabulary of a stream, progress and the closing line.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"
#include "tool_private.h"

static const struct tool *json_tool;

static void *
json_memory(size_t n)
{
	void *p = malloc(n > 0 ? n : 1);

	if (p == NULL)
		tool_die(json_tool, "out of memory");
	return p;
}

/* jansson 2.14 loses letters of a key, or crashes, where its lexer's buffer cannot grow. */
void
tool_json_memory(const struct tool *t)
{
	json_tool = t;
	json_set_alloc_funcs(json_memory, free);
}

double
tool_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

void
tool_vocab(struct tool *t, const struct rna_header *h, struct rna_vocab *v)
{
	const char *digest = rna_header_vocab_digest(h);
	struct rna_err err = {.record = RNA_NOREC};
	char path[4096], *dir;

	if (digest[0] == '\0')
		tool_die(t, "no tokens in the stream; make them with: rna-tokenize");
	if (rna_vocab_init(v) != RNA_OK)
		tool_die(t, "out of memory");
	if (strcmp(v->digest, digest) == 0)
		return;
	rna_vocab_fini(v);
	if (t->model == NULL)
		tool_die(t, "the stream's vocabulary is %s, not the default one; name its model with -m DIR",
		    rna_header_vocab_name(h));
	dir = tool_model_path(t, t->model);
	snprintf(path, sizeof(path), "%s/vocab.txt", dir);
	free(dir);
	if (rna_vocab_load(v, path, &err) != RNA_OK)
		tool_die_err(t, &err);
	if (strcmp(v->digest, digest) != 0)
		tool_die(t, "%s: not the vocabulary of the stream (%s)", path, rna_header_vocab_name(h));
}

/* "1:02:03" or "2:03". */
static void
clock_text(double seconds, char *dst, size_t n)
{
	long s = seconds < 0 ? 0 : (long)(seconds + 0.5);

	if (s >= 3600)
		snprintf(dst, n, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(dst, n, "%ld:%02ld", s / 60, s % 60);
}

void
tool_progress_start(struct tool_progress *p, const struct tool *t, const char *unit, double total)
{
	double now = tool_now();

	*p = (struct tool_progress){t, unit, total, now, now, 0};
}

static void
draw(struct tool_progress *p, double done, double now, const char *detail)
{
	char left[32] = "", bar[21];
	double rate = now > p->begun ? done / (now - p->begun) : 0;
	int i, filled;

	if (p->total > 0 && rate > 0)
		clock_text((p->total - done) / rate, left, sizeof(left));
	filled = p->total > 0 ? (int)(20 * done / p->total) : 0;
	for (i = 0; i < 20; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[20] = '\0';
	if (p->total > 0)
		fprintf(stderr, "\r%s: [%s] %3.0f %%  %.4g %s/s  %s%s%s left\033[K", p->t->name, bar,
		    100 * done / p->total, rate, p->unit, detail, *detail != '\0' ? "  " : "", left);
	else
		fprintf(stderr, "\r%s: %.0f %s  %.4g/s  %s\033[K", p->t->name, done, p->unit, rate, detail);
	fflush(stderr);
	p->shown = 1;
}

void
tool_progress_at(struct tool_progress *p, double done, const char *detail)
{
	double now = tool_now(), rate;

	if (p->t->quiet)
		return;
	if (isatty(STDERR_FILENO)) {
		if (now - p->begun >= 2 && now - p->last >= 0.1) {
			p->last = now;
			draw(p, done, now, detail);
		}
	} else if (p->t->verbose > 0 && now - p->last >= 60) {
		p->last = now;
		rate = done / (now - p->begun);
		tool_note(p->t, 1, "%.0f%s%.0f %s, %.4g/s  %s", done, p->total > 0 ? " of " : " ", p->total, p->unit,
		    rate, detail);
	}
}

void
tool_progress_end(struct tool_progress *p)
{
	if (p->shown)
		fprintf(stderr, "\r\033[K");
	p->shown = 0;
}

void
tool_summary(const struct tool *t, const char *fmt, ...)
{
	char text[1024];
	struct rusage ru;
	va_list ap;

	if (t->quiet || t->verbose == 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	getrusage(RUSAGE_SELF, &ru);
	fprintf(stderr, "%s %s: %s; %.1f s wall, %.1f s CPU, %.0f MiB peak\n", t->name, RILL_VERSION, text,
	    tool_now() - t->start,
	    (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
		1e-6 * (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec),
	    (double)ru.ru_maxrss / 1024);
}
