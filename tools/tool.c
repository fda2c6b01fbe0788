/*
 * tool.c: options, messages and values, for every program.
 *
 * 1. Messages   2. Values   3. Help   4. The command line
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <omp.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#include "tool.h"
#include "tool_private.h"

enum { OPT_HELP_OPTIONS = 1 << 20 };

#define HELP_LINES 24

/* Common options; the letters of struct tool.common choose among them. */
static const struct tool_option common_options[] = {
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

/* 1. Messages */

static void
say(const struct tool *t, const char *fmt, va_list ap)
{
	flockfile(stderr);
	fprintf(stderr, "%s: ", t->name);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

void
tool_usage(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	tool_abort_outputs();
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s: try '%s -h'\n", t->name, t->name);
	exit(TOOL_USAGE);
}

void
tool_die(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	tool_abort_outputs();
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
	exit(TOOL_FAILED);
}

void
tool_die_err(const struct tool *t, const struct rna_err *e)
{
	char record[40] = "";

	if (e->record != RNA_NOREC && e->record != 0)
		snprintf(record, sizeof(record), "record %llu: ", (unsigned long long)e->record);
	tool_die(t, "%s%s%s%s", e->file, e->file[0] != '\0' ? ": " : "", record, e->text);
}

void
tool_warn(const struct tool *t, const char *fmt, ...)
{
	va_list ap;

	if (t->quiet)
		return;
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
}

void
tool_note(const struct tool *t, int level, const char *fmt, ...)
{
	va_list ap;

	if (t->quiet || t->verbose < level)
		return;
	va_start(ap, fmt);
	say(t, fmt, ap);
	va_end(ap);
}

/* 2. Values */

long long
tool_int(const struct tool *t, const char *option, const char *s, long long min, long long max)
{
	const char *why;
	long long n;

	n = strtonum(s, min, max, &why);
	if (why != NULL)
		tool_usage(t, "%s %s: %s (%lld to %lld)", option, s, why, min, max);
	return n;
}

double
tool_float(const struct tool *t, const char *option, const char *s, double min, double max)
{
	char *end;
	double x;

	errno = 0;
	x = strtod(s, &end);
	if (end == s || *end != '\0' || isspace((unsigned char)*s) || errno == ERANGE || !isfinite(x))
		tool_usage(t, "%s %s: not a number", option, s);
	if (x < min || x > max)
		tool_usage(t, "%s %s: out of range (%g to %g)", option, s, min, max);
	return x;
}

uint64_t
tool_size(const struct tool *t, const char *option, const char *s)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *u;
	char *end;
	int shift = 0;

	errno = 0;
	n = strtoull(s, &end, 10);
	if (end == s || !isdigit((unsigned char)*s) || errno == ERANGE)
		tool_usage(t, "%s %s: not a size (as 65536, 512M, 2G)", option, s);
	if (*end != '\0') {
		u = strchr(units, toupper((unsigned char)*end));
		if (u == NULL || (strcmp(end + 1, "") != 0 && strcasecmp(end + 1, "B") != 0 &&
		    strcasecmp(end + 1, "iB") != 0))
			tool_usage(t, "%s %s: not a size (as 65536, 512M, 2G)", option, s);
		shift = 10 * (int)(u - units + 1);
	}
	if (n == 0 || n > UINT64_MAX >> shift)
		tool_usage(t, "%s %s: out of range", option, s);
	return n << shift;
}

int
tool_choice(const struct tool *t, const char *option, const char *s, const char *const *choices)
{
	char list[512] = "";
	int i;

	for (i = 0; choices[i] != NULL; i++) {
		if (strcmp(s, choices[i]) == 0)
			return i;
		if (i > 0)
			strlcat(list, ", ", sizeof(list));
		strlcat(list, choices[i], sizeof(list));
	}
	tool_usage(t, "%s %s: not one of %s", option, s, list);
}

char **
tool_list(const struct tool *t, const char *option, const char *s, size_t *n)
{
	char *copy, *word, **list;
	size_t cap = 2;

	for (word = (char *)s; (word = strchr(word, ',')) != NULL; word++)
		cap++;
	if ((copy = strdup(s)) == NULL || (list = calloc(cap, sizeof(*list))) == NULL)
		tool_die(t, "out of memory");
	*n = 0;
	while ((word = strsep(&copy, ",")) != NULL) {
		if (*word == '\0')
			tool_usage(t, "%s %s: an empty word in the list", option, s);
		list[(*n)++] = word;
	}
	return list;
}

/* 3. Help */

static int
has_common(const struct tool *t, int code)
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
	return snprintf(dst, n, "  %s--%s%s%s", letter, o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
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
		n = snprintf(word, sizeof(word), " --%s%s%s", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
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
	for (o = common_options; o->name != NULL; o++) {
		if (!has_common(t, o->code))
			continue;
		col += fprintf(fp, " -%c%s%s", o->code, o->arg != NULL ? " " : "", o->arg == NULL ? "" : o->arg);
	}
	fprintf(fp, "\nSee man %s for what each does, its default and its range.\n", t->name);
}

/* At most HELP_LINES lines, the example first; the options that come first in the tool's table get a line each. */
static void
help(FILE *fp, const struct tool *t)
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
static void
help_options(const struct tool *t)
{
	const struct tool_option *tables[2] = {t->options, common_options}, *o;
	int i;

	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !has_common(t, o->code))
				continue;
			if (o->code <= CHAR_MAX)
				putchar(o->code);
			printf("\t%s\t%s\t%s\n", o->name, o->arg != NULL ? o->arg : "", o->help);
		}
	}
}

static void
version(const struct tool *t)
{
	printf("%s %s\n", t->name, RILL_VERSION);
	printf("zstd %s, OpenMP %d\n", ZSTD_versionString(), _OPENMP);
}

/* 4. The command line */

/* Levenshtein distance, at most 64 letters a side. */
static int
distance(const char *a, const char *b)
{
	int row[66], i, j, diag, up, n = (int)strlen(b);

	if (strlen(a) > 64 || n > 64)
		return 64;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; a[i - 1] != '\0'; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			up = row[j];
			row[j] = diag + (a[i - 1] != b[j - 1]);
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (up + 1 < row[j])
				row[j] = up + 1;
			diag = up;
		}
	}
	return row[n];
}

static void
unknown_option(const struct tool *t, const char *word)
{
	const struct tool_option *tables[2] = {t->options, common_options}, *o;
	const char *best = NULL;
	char name[80];
	int i, d, least = 3;

	if (strncmp(word, "--", 2) != 0)
		tool_usage(t, "unknown option %s", word);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !has_common(t, o->code))
				continue;
			if ((d = distance(name, o->name)) < least) {
				least = d;
				best = o->name;
			}
		}
	}
	if (best != NULL)
		tool_usage(t, "unknown option --%s; did you mean --%s?", name, best);
	tool_usage(t, "unknown option --%s", name);
}

static const struct tool_option *
find_option(const struct tool *t, int code)
{
	const struct tool_option *o;

	for (o = t->options; o->name != NULL; o++) {
		if (o->code == code)
			return o;
	}
	for (o = common_options; o->name != NULL; o++) {
		if (o->code == code)
			return o;
	}
	return NULL;
}

/* Adds an option to the provenance unless it can't change a record. Directories of files are left out. */
static void
remember(struct tool *t, const struct tool_option *o, const char *value)
{
	const char *const *hide;
	const char *slash;
	char **args, name[80];

	if (o->code <= CHAR_MAX && strchr("hVo@qvflsd", o->code) != NULL)
		return;
	for (hide = t->hidden; hide != NULL && *hide != NULL; hide++) {
		if (strcmp(*hide, o->name) == 0)
			return;
	}
	if ((args = reallocarray(t->args, (size_t)t->nargs + 2, sizeof(*args))) == NULL)
		tool_die(t, "out of memory");
	t->args = args;
	snprintf(name, sizeof(name), "--%s", o->name);
	if ((args[t->nargs++] = strdup(name)) == NULL)
		tool_die(t, "out of memory");
	if (value == NULL)
		return;
	if (o->arg != NULL && (strstr(o->arg, "FILE") != NULL || strstr(o->arg, "DIR") != NULL) &&
	    (slash = strrchr(value, '/')) != NULL && slash[1] != '\0')
		value = slash + 1;
	if ((args[t->nargs++] = strdup(value)) == NULL)
		tool_die(t, "out of memory");
}

static void
common_option(struct tool *t, int code, const char *value)
{
	static const char *const devices[] = {"cpu", "cuda", "auto", NULL};

	switch (code) {
	case '@':
		t->threads = (int)tool_int(t, "-@", value, 0, 4096);
		if (t->threads == 0)
			t->threads = omp_get_num_procs();
		break;
	case 'V':
		version(t);
		exit(fflush(stdout) == 0 ? TOOL_DONE : TOOL_FAILED);
	case 'd':
		tool_choice(t, "-d", value, devices);
		t->device = value;
		break;
	case 'f':
		t->force = 1;
		break;
	case 'h':
		help(stdout, t);
		exit(fflush(stdout) == 0 ? TOOL_DONE : TOOL_FAILED);
	case 'l':
		t->level = (int)tool_int(t, "-l", value, 0, 19);
		break;
	case 'm':
		t->model = value;
		break;
	case 'o':
		t->output = value;
		break;
	case 'q':
		t->quiet = 1;
		break;
	case 's':
		t->seed = (uint64_t)tool_int(t, "-s", value, 0, LLONG_MAX);
		break;
	case 'v':
		t->verbose++;
		break;
	case OPT_HELP_OPTIONS:
		help_options(t);
		exit(fflush(stdout) == 0 ? TOOL_DONE : TOOL_FAILED);
	}
}

/* getopt's two tables from ours; both are freed by the caller. */
static struct option *
getopt_tables(const struct tool *t, char **letters)
{
	const struct tool_option *tables[2] = {t->options, common_options}, *o;
	struct option *longs;
	size_t n = 0;
	char *p;
	int i;

	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++)
			n++;
	}
	longs = calloc(n + 2, sizeof(*longs));
	p = *letters = calloc(2 * n + 2, 1);
	if (longs == NULL || p == NULL)
		tool_die(t, "out of memory");
	*p++ = ':';     /* a missing value is told apart from an unknown option */
	n = 0;
	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !has_common(t, o->code))
				continue;
			longs[n].name = o->name;
			longs[n].has_arg = o->arg != NULL ? required_argument : no_argument;
			longs[n++].val = o->code;
			if (o->code <= CHAR_MAX) {
				*p++ = (char)o->code;
				if (o->arg != NULL)
					*p++ = ':';
			}
		}
	}
	longs[n].name = "help-options";
	longs[n].val = OPT_HELP_OPTIONS;
	return longs;
}

static void
operands(struct tool *t, int argc, char **argv)
{
	static char dash[] = "-";
	static char *standard_input[] = {dash, NULL};

	t->files = argv;
	t->nfiles = argc;
	if (!t->operands && argc > 0)
		tool_usage(t, "%s: takes no operands", argv[0]);
	if (!t->operands || argc > 0)
		return;
	if (isatty(STDIN_FILENO)) {
		help(stderr, t);
		exit(TOOL_USAGE);
	}
	t->files = standard_input;
	t->nfiles = 1;
}

void
tool_hide(struct tool *t, const char *const *names)
{
	t->hidden = names;
}

void
tool_parse(struct tool *t, int argc, char **argv, int (*own)(int, const char *, void *), void *arg)
{
	const struct tool_option *o;
	struct option *longs;
	char *letters, shown[3] = "-?";
	int code, at;

	t->start = tool_now();
	t->threads = 1;
	t->level = 1;
	t->seed = 1;
	t->device = "cpu";
	longs = getopt_tables(t, &letters);
	opterr = 0;
	for (;;) {
		at = optind;
		if ((code = getopt_long(argc, argv, letters, longs, NULL)) == -1)
			break;
		if (code == ':')
			tool_usage(t, "%s: needs a value", argv[optind - 1]);
		if (code == '?') {
			shown[1] = (char)optopt;
			if (optopt > CHAR_MAX || (optopt != 0 && find_option(t, optopt) != NULL))
				tool_usage(t, "%s: takes no value", argv[optind - 1]);
			unknown_option(t, optopt != 0 ? shown : argv[optind > at ? optind - 1 : at]);
		}
		if (code == OPT_HELP_OPTIONS) {
			common_option(t, code, NULL);
			continue;
		}
		o = find_option(t, code);
		remember(t, o, optarg);
		if (o >= common_options && o < common_options + sizeof(common_options) / sizeof(common_options[0]))
			common_option(t, code, optarg);
		else if (own(code, optarg, arg) != 0)
			tool_usage(t, "--%s %s: not understood", o->name, optarg != NULL ? optarg : "");
	}
	free(longs);
	free(letters);
	operands(t, argc - optind, argv + optind);
}
