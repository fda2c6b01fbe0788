/*
 * inject.c: lets each call of a kind into the kernel fail in turn, or be short, or be the last one.
 *
 *	inject [-e EVERY] [-o FILE] CALL ERROR PROGRAM ARGUMENTS...
 *	inject [-o FILE] CALL short PROGRAM ARGUMENTS...
 *	inject -k K CALLS kill PROGRAM ARGUMENTS...
 *	inject CALLS count PROGRAM ARGUMENTS...
 *
 * CALL is read, write, fsync, close, rename, openat, ftruncate and their kin; ERROR EIO, ENOSPC, EINTR, EAGAIN.
 * A run passes when it ends with 1, one line and no FILE or FILE.part, or with 0 and the output of an undisturbed run;
 * with 0 it must end when a read or a write was interrupted, and when all calls take one byte at a time (short).
 * With -k the program is killed at its K-th call of CALLS (read,write ...); the exit status is 0 when it was, 3 when
 * it ended before.  count prints how many of CALLS there are.
 */
#include "trace.h"
#include <limits.h>

static const struct {
	const char *name;
	int calls[4];
} kinds[] = {
    {"read", {SYS_read, SYS_pread64, SYS_readv, -1}},
    {"write", {SYS_write, SYS_pwrite64, SYS_writev, -1}},
    {"fsync", {SYS_fsync, SYS_fdatasync, -1, -1}},
    {"close", {SYS_close, -1, -1, -1}},
    {"rename", {SYS_rename, SYS_renameat, SYS_renameat2, -1}},
    {"openat", {SYS_openat, SYS_open, -1, -1}},
    {"ftruncate", {SYS_ftruncate, -1, -1, -1}},
    {"unlink", {SYS_unlink, SYS_rmdir, SYS_unlinkat, -1}},
    {"mkdir", {SYS_mkdir, SYS_link, SYS_linkat, -1}},
};
static const struct {
	const char *name;
	int number;
} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN}};

enum { FAIL, SHORT, KILL, COUNT };

static struct trace t;
static struct child run;
static struct child_text good, good_file, file;
static const char *output;
static char part[4096];
static unsigned long at, seen; /* the call that fails, and how many there were */
static int how = FAIL, error;
static unsigned long cases, failures;

/* 1: the call is about a profile, which a program built to measure coverage writes when it is done. */
static int
is_profile(pid_t pid, const struct user_regs_struct *r)
{
	char path[PATH_MAX];

	if (r->orig_rax == SYS_openat)
		trace_string(pid, r->rsi, path, sizeof(path));
	else
		trace_fd_path(pid, (int)r->rdi, path, sizeof(path));
	return strstr(path, ".gcda") != NULL;
}

static int
enter(struct trace *tr, pid_t pid, struct user_regs_struct *r, int *changed)
{
	(void)tr;
	/* messages may go out, and what is no data: closing standard streams at the end */
	if (how < KILL && r->orig_rax != SYS_openat && r->orig_rax != SYS_rename && r->orig_rax != SYS_mkdir &&
	    (int)r->rdi == STDERR_FILENO)
		return 0;
	if (how == FAIL && is_profile(pid, r))
		return 0;
	seen++;
	if (how == SHORT && at > 0 && r->rdx > 1) {
		r->rdx = 1;
		*changed = 1;
	}
	if (how == SHORT || how == COUNT || seen != at)
		return 0;
	if (how == KILL) {
		kill(pid, SIGKILL);
		return 0;
	}
	r->rax = (unsigned long long)(long long)-error;
	return -1;
}

static void
start(char *const *argv, unsigned long k)
{
	at = k;
	seen = 0;
	if (output != NULL) {
		unlink(output);
		unlink(part);
	}
	trace_run(&t, &run, argv);
}

static int
passes(int must_succeed)
{
	if (output != NULL)
		child_file(output, &file);
	if (child_exit(&run) == 0)
		return child_same(&run.stdout_text, &good) && (output == NULL || child_same(&file, &good_file));
	if (must_succeed || child_exit(&run) != 1 || !child_one_line(&run))
		return 0;
	if (strstr(run.stderr_text.data, "complete, but") != NULL) /* the folder's own sync, after the rename */
		return output != NULL && child_same(&file, &good_file);
	return output == NULL || (file.n == (size_t)-1 && access(part, F_OK) != 0);
}

static void
add_kind(const char *name)
{
	size_t i;
	int k;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds) && strcmp(kinds[i].name, name) != 0; i++)
		;
	if (i == sizeof(kinds) / sizeof(*kinds))
		errx(2, "%s: unknown call", name);
	for (k = 0; k < 4 && kinds[i].calls[k] >= 0; k++)
		t.calls[t.ncalls++] = kinds[i].calls[k];
}

static void
set_how(const char *word)
{
	size_t i;

	how = strcmp(word, "short") == 0   ? SHORT
	      : strcmp(word, "kill") == 0  ? KILL
	      : strcmp(word, "count") == 0 ? COUNT
	                                   : FAIL;
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strcmp(word, errors[i].name) == 0)
			error = errors[i].number;
	if (how == FAIL && error == 0)
		errx(2, "%s: unknown error", word);
}

int
main(int argc, char **argv)
{
	unsigned long every = 1, k = 0;
	char *name, *rest;
	int c, must;

	while ((c = getopt(argc, argv, "+e:k:o:")) != -1) {
		if (c == 'e')
			every = strtoul(optarg, NULL, 10);
		else if (c == 'k')
			k = strtoul(optarg, NULL, 10);
		else if (c == 'o')
			output = optarg;
		else
			return 2;
	}
	if (argc - optind < 3 || every == 0)
		errx(2, "usage: inject [-e EVERY] [-o FILE] CALL ERROR|short|kill PROGRAM ARGUMENTS...");
	for (rest = argv[optind]; (name = strsep(&rest, ",")) != NULL;)
		add_kind(name);
	must = strcmp(argv[optind + 1], "EINTR") == 0 &&
	       (strcmp(argv[optind], "read") == 0 || strcmp(argv[optind], "write") == 0);
	set_how(argv[optind + 1]);
	argv += optind + 2;
	snprintf(part, sizeof(part), "%s.part", output != NULL ? output : "");
	t.enter = enter;
	t.seconds = how >= KILL ? 600 : 0;
	child_init(&run);
	start(argv, how == KILL ? k : 0);
	if (how == KILL) {
		fwrite(run.stderr_text.data, 1, run.stderr_text.n, stderr);
		return WIFSIGNALED(run.status) ? 0 : child_exit(&run) == 0 ? 3 : 1;
	}
	if (how == COUNT)
		return printf("%lu\n", seen) < 0;
	if (child_exit(&run) != 0)
		errx(2, "undisturbed: %s, %s", child_end(&run), run.stderr_text.data);
	if (output != NULL)
		child_file(output, &good_file);
	good = run.stdout_text;
	run.stdout_text = (struct child_text){NULL, 0, 0};
	for (k = 1;; k += every) {
		start(argv, k);
		if (seen < k || (how == SHORT && k > 1))
			break;
		cases++;
		if (passes(must || how == SHORT))
			continue;
		if (++failures <= 20)
			printf("call %lu: %s, %.300s\n", k, child_end(&run), run.stderr_text.data);
	}
	printf("%lu cases, %lu failures\n", cases, failures);
	return failures > 0;
}
