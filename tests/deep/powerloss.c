/*
 * powerloss.c: what a power cut may leave, at every moment of a program.
 *
 *	powerloss [-n MOST] FOLDER CHECK PROGRAM ARGUMENTS...
 *
 * Runs PROGRAM, which changes FOLDER, and watches what it creates, writes, syncs and renames.  Before each of these
 * calls and at the end it works out which states of FOLDER a disk may be in: names that were not synced with their
 * folder may be there or not, in any mixture; bytes that were not synced may be there, be missing, end half-way or be
 * zeros.  Each state that is new is laid out in a folder of its own and CHECK FOLDER must end with 0.
 *
 * -n: at most so many states are checked, spread over all.  Prints "CASES cases, FAILURES failures".
 */
#include "trace.h"
#include "disk.h"

/* The last name of a file goes: its number on the disk may come back as another file's. */
static void
forget(const char *path)
{
	struct stat st;
	int f;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 || (f = same_ino(path)) < 0)
		return;
	files[f].ino = 0;
	files[f].path[0] = '\0';
}

/* What the call at hand is about. */
static char from_path[PATH_MAX], to_path[PATH_MAX];
static const char *from, *to;
static int was;

static int
enter(struct trace *t, pid_t pid, struct user_regs_struct *r, int *changed)
{
	char path[PATH_MAX];

	(void)t;
	(void)changed;
	from = to = NULL;
	switch (r->orig_rax) {
	case SYS_openat:
		to = (r->rdx & O_CREAT) ? named(pid, (int)r->rdi, r->rsi, to_path, sizeof(to_path)) : NULL;
		was = to != NULL ? same_ino(to_path) : GONE;
		if (was != GONE)
			to = NULL;
		break;
	case SYS_rename:
	case SYS_link:
		from = named(pid, AT_FDCWD, r->rdi, from_path, sizeof(from_path));
		to = named(pid, AT_FDCWD, r->rsi, to_path, sizeof(to_path));
		was = from != NULL ? same_ino(from_path) : GONE;
		break;
	case SYS_unlink:
	case SYS_rmdir:
		from = named(pid, AT_FDCWD, r->rdi, from_path, sizeof(from_path));
		break;
	case SYS_mkdir:
		to = named(pid, AT_FDCWD, r->rdi, to_path, sizeof(to_path));
		was = IS_DIR;
		break;
	default:
		trace_fd_path(pid, (int)r->rdi, path, sizeof(path));
		snprintf(from_path, sizeof(from_path), "%s", path);
		from = within(from_path);
		break;
	}
	if (from == NULL && to == NULL)
		return 0;
	check_all(r->orig_rax == SYS_fsync || r->orig_rax == SYS_fdatasync ? "a sync" : "a change of names");
	if (r->orig_rax == SYS_unlink)
		forget(from_path);
	else if (r->orig_rax == SYS_rename && to != NULL && strcmp(from_path, to_path) != 0)
		forget(to_path);
	return 1;
}

/* A renamed folder takes its files with it. */
static void
move_below(const char *a, const char *b)
{
	char path[sizeof(synced[0].path)];
	size_t n = strlen(a);
	int i, count = nsynced;

	for (i = 0; i < count; i++) {
		if (strncmp(synced[i].path, a, n) != 0 || synced[i].path[n] != '/' || synced[i].file == GONE)
			continue;
		if (snprintf(path, sizeof(path), "%s%s", b, synced[i].path + n) >= (int)sizeof(path))
			errx(2, "path too long");
		/* seen under both names: lay_out drops those whose folder is not there */
		set_name(synced, &nsynced, path, synced[i].file);
	}
	for (i = 0; i < nfiles; i++)
		if (strncmp(files[i].path, from_path, strlen(from_path)) == 0 &&
		    files[i].path[strlen(from_path)] == '/') {
			snprintf(path, sizeof(path), "%s", files[i].path + strlen(from_path));
			if (snprintf(files[i].path, sizeof(files[i].path), "%s%s", to_path, path) >= PATH_MAX)
				errx(2, "path too long");
		}
}

static void
leave(struct trace *t, pid_t pid, const struct user_regs_struct *r)
{
	int f;

	(void)t;
	(void)pid;
	if ((long long)r->rax < 0)
		return;
	switch (r->orig_rax) {
	case SYS_fsync:
	case SYS_fdatasync:
		f = same_ino(from_path);
		if (f >= 0)
			child_file(from_path, &files[f].synced);
		else if (f == IS_DIR)
			sync_names(from);
		break;
	case SYS_openat:
	case SYS_mkdir:
		add_op(NULL, to, same_ino(to_path));
		break;
	case SYS_link:
		add_op(NULL, to, was);
		break;
	case SYS_rename:
		add_op(from, to, was);
		if (was == IS_DIR)
			move_below(from, to);
		else
			same_ino(to_path);
		break;
	default:
		add_op(from, NULL, GONE);
		break;
	}
}

int
main(int argc, char **argv)
{
	static const int calls[] = {
	    SYS_openat, SYS_rename, SYS_link, SYS_unlink, SYS_rmdir, SYS_mkdir, SYS_fsync, SYS_fdatasync};
	struct trace t = {.enter = enter, .leave = leave, .seconds = 7200}; /* checks included */
	struct child run;
	int c, i;

	while ((c = getopt(argc, argv, "+n:")) != -1) {
		if (c != 'n')
			return 2;
		most = strtoul(optarg, NULL, 10);
	}
	if (argc - optind < 3)
		errx(2, "usage: powerloss [-n MOST] FOLDER CHECK PROGRAM ARGUMENTS...");
	if (realpath(argv[optind], folder) == NULL || (seen = calloc(STATES, sizeof(*seen))) == NULL)
		err(2, "%s", argv[optind]);
	snprintf(scratch, sizeof(scratch), "%s/powerloss.%ld", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp",
	    (long)getpid());
	checker = argv[optind + 1];
	for (i = 0; i < (int)(sizeof(calls) / sizeof(*calls)); i++)
		t.calls[t.ncalls++] = calls[i];
	scan(folder);
	child_init(&run);
	trace_run(&t, &run, argv + optind + 2);
	if (child_exit(&run) != 0)
		errx(2, "undisturbed: %s, %s", child_end(&run), run.stderr_text.data);
	check_all("the end");
	printf("%lu cases, %lu failures\n", cases, failures);
	return failures > 0;
}
