/*
 * tool_help.c: the options that all programs share, --help, --version and the option table for completions.
 */
#include <limits.h>
#include <omp.h>
#include <string.h>
#include <zstd.h>

#include "tool.h"
#include "tool_private.h"

#define HELP_LINES 24

/* Common options; the letters of struct tool.common choose among them. */
const struct tool_option tool_common[] = {
    {'o', "output", "FILE", "write to FILE (default: standard output)"},
    {'@', "threads", "N", "worker threads, 0 = all CPUs (default 1)"},
    {'l', "level", "N", "zstd level of the output, 0 fastest .. 19 (default 1)"},
    {'s', "seed", "N", "seed of all randomness (default 1)"},
    {'m', "model", "DIR", "model folder, or org/name in the Hugging Face cache"},
    {'d', "device", "cpu|cuda|auto", "where to compute (default cpu)"},
    {'f', "force", NULL, "write binary to a terminal; overwrite"},
    {'q', "quiet", NULL, "no warnings"},
    {'v', "verbose", NULL, "say what was done; twice: more"},
    {'h', "help", NULL, "this help"},
    {'V', "version", NULL, "version and features"},
    {0, NULL, NULL, NULL},
};

int
tool_has_common(const struct tool *t, int code)
{
	return strchr("hVo@qvfl", code) != NULL || strchr(t->common, code) != NULL;
}

/* "  -s, --seed N" into dst; returns its length. */
static int
option_head(const struct tool_option *o, char *dst, size_t n)
{
	char letter[5] = "    ";

	if (o->code <= CHAR_MAX)
		snprintf(letter, sizeof(letter), "-%c, ", o->code);
	return snprintf(
	    dst, n, "  %s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
}

/* Options without a line of their own, several to a line; returns the number of lines. */
static int
help_packed(FILE *fp, const struct tool_option *o, const char *head)
{
	char word[128];
	int col, n, lines = 1;

	col = (int)strlen(head);
	if (fp != NULL)
		fputs(head, fp);
	for (; o->name != NULL; o++) {
		n = snprintf(
		    word, sizeof(word), " --%s%s%s", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
		if (col + n > 100) {
			if (fp != NULL)
				fputs("\n       ", fp);
			col = 7;
			lines++;
		}
		if (fp != NULL)
			fputs(word, fp);
		col += n;
	}
	if (fp != NULL)
		fputc('\n', fp);
	return lines;
}

static void
help_common(FILE *fp, const struct tool *t)
{
	const struct tool_option *o;
	int col = 8;

	fputs("Common:", fp);
	for (o = tool_common; o->name != NULL; o++) {
		if (!tool_has_common(t, o->code))
			continue;
		col += fprintf(fp, " -%c%s%s", o->code, o->arg != NULL ? " " : "", o->arg == NULL ? "" : o->arg);
	}
	fprintf(fp, "\nSee man %s for what each does, its default and its range.\n", t->name);
}

/* At most HELP_LINES lines, the example first; the options that come first in the tool's table get a line each. */
void
tool_help(FILE *fp, const struct tool *t)
{
	char head[128];
	const struct tool_option *o;
	int room = HELP_LINES - 6, n = 0, i;

	for (o = t->options; o->name != NULL; o++)
		n++;
	fprintf(fp, "Example: %s\n\n", t->example);
	fprintf(fp, "Usage: %s %s\n%s\n", t->name, t->usage, t->summary);
	i = n;
	while (i > 0 && i + (i < n ? help_packed(NULL, t->options + i, "  Also:") : 0) > room)
		i--;
	for (o = t->options; o < t->options + i; o++) {
		option_head(o, head, sizeof(head));
		fprintf(fp, "%-30s %s\n", head, o->help);
	}
	if (i < n)
		help_packed(fp, t->options + i, "  Also:");
	help_common(fp, t);
}

/* The option table, for completions and for the test that compares it with the man page. */
void
tool_help_options(const struct tool *t)
{
	const struct tool_option *tables[2] = {t->options, tool_common}, *o;
	int i;

	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !tool_has_common(t, o->code))
				continue;
			if (o->code <= CHAR_MAX)
				putchar(o->code);
			printf("\t%s\t%s\t%s\n", o->name, o->arg != NULL ? o->arg : "", o->help);
		}
	}
}

void
tool_version(const struct tool *t)
{
	printf("%s %s\n", t->name, RILL_VERSION);
	printf("zstd %s, OpenMP %d\n", ZSTD_versionString(), _OPENMP);
}

int
tool_is_common(const struct tool_option *o)
{
	return o >= tool_common && o < tool_common + sizeof(tool_common) / sizeof(tool_common[0]);
}
