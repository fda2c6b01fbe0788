/*
 * child.h: runs a program many times over: its output and messages in memory, its end as one word.  What the checkers
 * of tests/deep share.
 */
#ifndef RNA_CHILD_H
#define RNA_CHILD_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHILD_SECONDS 120 /* a run that takes longer hangs */

extern char **environ;

struct child_text {
	char *data; /* NUL-ended */
	size_t n, cap;
};

struct child {
	int out, err; /* memory files */
	int status;   /* of waitpid; -1: killed because it hung */
	struct child_text stdout_text, stderr_text;
};

static inline void
child_init(struct child *c)
{
	memset(c, 0, sizeof(*c));
	c->out = memfd_create("out", MFD_CLOEXEC);
	c->err = memfd_create("err", MFD_CLOEXEC);
	if (c->out < 0 || c->err < 0)
		err(2, "memfd_create");
}

static inline void
child_slurp(int fd, struct child_text *t)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		err(2, "fstat");
	t->n = (size_t)st.st_size;
	if (t->n + 1 > t->cap) {
		t->cap = 2 * t->n + 4096;
		if ((t->data = realloc(t->data, t->cap)) == NULL)
			err(2, NULL);
	}
	if (pread(fd, t->data, t->n, 0) != (ssize_t)t->n)
		err(2, "pread");
	t->data[t->n] = '\0';
}

/* Waits for pid, at most CHILD_SECONDS. */
static inline void
child_wait(struct child *c, pid_t pid)
{
	struct timespec nap = {0, 200000};
	time_t begun = time(NULL);
	pid_t got;

	while ((got = waitpid(pid, &c->status, WNOHANG)) == 0) {
		nanosleep(&nap, NULL);
		if (time(NULL) - begun > CHILD_SECONDS) {
			kill(pid, SIGKILL);
			waitpid(pid, &c->status, 0);
			c->status = -1;
			break;
		}
	}
	if (got < 0)
		err(2, "waitpid");
	child_slurp(c->out, &c->stdout_text);
	child_slurp(c->err, &c->stderr_text);
}

static inline void
child_clear(struct child *c)
{
	if (ftruncate(c->out, 0) != 0 || ftruncate(c->err, 0) != 0 || lseek(c->out, 0, SEEK_SET) != 0 ||
	    lseek(c->err, 0, SEEK_SET) != 0)
		err(2, "ftruncate");
}

/* Runs argv with no input. */
static inline void
child_run(struct child *c, char *const *argv)
{
	posix_spawn_file_actions_t fa;
	pid_t pid;
	int e;

	child_clear(c);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, c->out, 1);
	posix_spawn_file_actions_adddup2(&fa, c->err, 2);
	if ((e = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ)) != 0)
		errx(2, "%s: %s", argv[0], strerror(e));
	posix_spawn_file_actions_destroy(&fa);
	child_wait(c, pid);
}

static inline int
child_exit(const struct child *c)
{
	return c->status != -1 && WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
}

/* The end as text. */
static inline const char *
child_end(const struct child *c)
{
	static char text[64];

	if (c->status == -1)
		return "hangs";
	if (WIFSIGNALED(c->status))
		snprintf(text, sizeof(text), "killed by signal %d", WTERMSIG(c->status));
	else
		snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(c->status));
	return text;
}

/* 1 when the messages are exactly one line. */
static inline int
child_one_line(const struct child *c)
{
	const struct child_text *t = &c->stderr_text;

	return t->n > 1 && memchr(t->data, '\n', t->n) == t->data + t->n - 1;
}

/* The whole file at path; n (size_t)-1: there is none. */
static inline void
child_file(const char *path, struct child_text *t)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		t->n = (size_t)-1;
		return;
	}
	child_slurp(fd, t);
	close(fd);
}

static inline int
child_same(const struct child_text *a, const struct child_text *b)
{
	return a->n == b->n && (a->n == (size_t)-1 || memcmp(a->data, b->data, a->n) == 0);
}

#endif
