/*
 * tool.c: messages, values and the command line, for every program.
 *
 * 1. Messages   2. Values   3. The command line
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

#include "tool.h"
#include "tool_private.h"

enum { OPT_HELP_OPTIONS = 1 << 20 };

/* 1. Messages */

/* One line, whatever stands in the names it quotes: control characters become '?'. */
static void
say(const struct tool *t, const char *fmt, va_list ap)
{
	char text[2048], *c;

	vsnprintf(text, sizeof(text), fmt, ap);
	for (c = text; *c != '\0'; c++) {
		if (iscntrl((unsigned char)*c))
			*c = '?';
	}
	fprintf(stderr, "%s: %s\n", t->name, text);
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
		if (u == NULL ||
		    (strcmp(end + 1, "") != 0 && strcasecmp(end + 1, "B") != 0 && strcasecmp(end + 1, "iB") != 0))
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

/* 3. The command line */

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
	const struct tool_option *tables[2] = {t->options, tool_common}, *o;
	const char *best = NULL;
	char name[80];
	int i, d, least = 3;

	if (strncmp(word, "--", 2) != 0)
		tool_usage(t, "unknown option %s", word);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !tool_has_common(t, o->code))
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
	for (o = tool_common; o->name != NULL; o++) {
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

/* Ends after -h or -V. */
static _Noreturn void
end_of_answer(const struct tool *t)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		tool_die(t, "standard output: can't write: %s", strerror(errno));
	exit(TOOL_DONE);
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
		tool_version(t);
		end_of_answer(t);
	case 'd':
		tool_choice(t, "-d", value, devices);
		t->device = value;
		break;
	case 'f':
		t->force = 1;
		break;
	case 'h':
		tool_help(stdout, t);
		end_of_answer(t);
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
		tool_help_options(t);
		end_of_answer(t);
	}
}

/* getopt's two tables from ours; both are freed by the caller. */
static struct option *
getopt_tables(const struct tool *t, char **letters)
{
	const struct tool_option *tables[2] = {t->options, tool_common}, *o;
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
	*p++ = ':'; /* a missing value is told apart from an unknown option */
	n = 0;
	for (i = 0; i < 2; i++) {
		for (o = tables[i]; o->name != NULL; o++) {
			if (i == 1 && !tool_has_common(t, o->code))
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
	int i;

	t->files = argv;
	t->nfiles = argc;
	if (!t->operands && argc > 0)
		tool_usage(t, "%s: takes no operands", argv[0]);
	for (i = 0; i < argc; i++) {
		if (*argv[i] == '\0')
			tool_usage(t, "operand %d is empty", i + 1);
	}
	if (!t->operands || argc > 0)
		return;
	if (t->operands == 1 && isatty(STDIN_FILENO)) {
		tool_help(stderr, t);
		exit(TOOL_USAGE);
	}
	t->files = standard_input;
	t->nfiles = 1;
}

int
tool_objective(struct tool *t, const char *const *names)
{
	char list[256] = "", **args;
	int i;

	for (i = 0; names[i] != NULL; i++) {
		if (strcmp(t->files[0], names[i]) == 0)
			break;
		if (i > 0)
			strlcat(list, ", ", sizeof(list));
		strlcat(list, names[i], sizeof(list));
	}
	if (names[i] == NULL && strcmp(t->files[0], "-") == 0)
		tool_usage(t, "name one of: %s", list);
	if (names[i] == NULL)
		tool_usage(t, "%s: not one of %s", t->files[0], list);
	if ((args = reallocarray(t->args, (size_t)t->nargs + 1, sizeof(*args))) == NULL)
		tool_die(t, "out of memory");
	memmove(args + 1, args, (size_t)t->nargs * sizeof(*args));
	args[0] = t->files[0];
	t->args = args;
	t->nargs++;
	operands(t, t->nfiles - 1, t->files + 1);
	return i;
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

	tool_json_memory(t);
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
		/* as of a script's variable that is not set */
		if (optarg != NULL && *optarg == '\0')
			tool_usage(t, "--%s: its value is empty", o->name);
		remember(t, o, optarg);
		if (tool_is_common(o))
			common_option(t, code, optarg);
		else if (own(code, optarg, arg) != 0)
			tool_usage(t, "--%s %s: not understood", o->name, optarg != NULL ? optarg : "");
	}
	free(longs);
	free(letters);
	tool_settle_threads(t, argv);
	operands(t, argc - optind, argv + optind);
}
