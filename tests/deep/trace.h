/*
 * trace.h: runs a program under ptrace and shows each system call of a chosen kind, at its entry and, if wanted, at its
 * end, once the program proper has started (after the dynamic loader).  All threads are followed.  Linux on x86-64.
 */
#ifndef RNA_TRACE_H
#define RNA_TRACE_H

#include "child.h"
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define TRACE_CALLS 32

struct trace {
	int calls[TRACE_CALLS]; /* numbers of the system calls that are shown */
	int ncalls;
	/*
	 * At the entry of a call.  Returns 0: it goes on; 1: as 0, and leave is called at its end; -1: it is not made
	 * and returns r->rax (a negative errno).  May change the arguments in *r and, to have them used, set *changed.
	 */
	int (*enter)(struct trace *t, pid_t pid, struct user_regs_struct *r, int *changed);
	void (*leave)(struct trace *t, pid_t pid, const struct user_regs_struct *r); /* r->rax: what it returned */
	int seconds; /* a run that takes longer hangs; 0: CHILD_SECONDS */
	/* private */
	uintptr_t entry;
	long saved;
	int started;
};

static inline void
trace_child(const struct trace *t, char *const *argv, int out, int errors)
{
	struct sock_filter f[TRACE_CALLS + 3];
	struct sock_fprog prog = {0, f};
	int i, n = 0, null = open("/dev/null", O_RDONLY);

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < t->ncalls; i++)
		f[n++] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, (unsigned)t->calls[i], (unsigned char)(t->ncalls - i), 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	prog.len = (unsigned short)n;
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(errors, 2) < 0 ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

/* After exec: a breakpoint where the loader hands over. */
static inline void
trace_break(struct trace *t, pid_t pid)
{
	Elf64_auxv_t aux[64];
	char name[64];
	ssize_t got;
	int fd;

	snprintf(name, sizeof(name), "/proc/%ld/auxv", (long)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	got = fd >= 0 ? read(fd, aux, sizeof(aux)) : -1;
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(*aux); i++)
		if (aux[i].a_type == AT_ENTRY)
			t->entry = aux[i].a_un.a_val;
	if (t->entry == 0)
		errx(2, "no entry point");
	errno = 0;
	t->saved = ptrace(PTRACE_PEEKTEXT, pid, (void *)t->entry, NULL);
	if (errno != 0 || ptrace(PTRACE_POKETEXT, pid, (void *)t->entry, (void *)((t->saved & ~0xffL) | 0xcc)) != 0)
		err(2, "ptrace");
}

/* Whether the stop is the breakpoint; then it is taken away and the program has started. */
static inline int
trace_begins(struct trace *t, pid_t pid)
{
	struct user_regs_struct r;

	if (t->started || ptrace(PTRACE_GETREGS, pid, NULL, &r) != 0 || r.rip != t->entry + 1)
		return 0;
	r.rip--;
	ptrace(PTRACE_POKETEXT, pid, (void *)t->entry, (void *)t->saved);
	ptrace(PTRACE_SETREGS, pid, NULL, &r);
	t->started = 1;
	return 1;
}

/* At a seccomp stop.  1: the end of the call is wanted. */
static inline int
trace_enter(struct trace *t, pid_t pid)
{
	struct user_regs_struct r;
	int what, changed = 0;

	if (!t->started || ptrace(PTRACE_GETREGS, pid, NULL, &r) != 0)
		return 0;
	what = t->enter(t, pid, &r, &changed);
	if (what < 0)
		r.orig_rax = (unsigned long long)-1;
	if (what < 0 || changed)
		ptrace(PTRACE_SETREGS, pid, NULL, &r);
	return what > 0;
}

/* Runs argv with its output in c; c->status is how it ended. */
static inline void
trace_run(struct trace *t, struct child *c, char *const *argv)
{
	long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
	    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD;
	struct user_regs_struct r;
	int status, event, signo, request;
	time_t begun = time(NULL);
	pid_t root, pid;

	t->started = 0;
	t->entry = 0;
	child_clear(c);
	if ((root = fork()) == 0)
		trace_child(t, argv, c->out, c->err);
	if (root < 0 || waitpid(root, &status, 0) != root ||
	    ptrace(PTRACE_SETOPTIONS, root, NULL, (void *)options) != 0)
		err(2, "cannot trace");
	ptrace(PTRACE_CONT, root, NULL, NULL);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (time(NULL) - begun > (t->seconds > 0 ? t->seconds : CHILD_SECONDS)) {
			kill(root, SIGKILL);
			begun = time(NULL);
			c->status = -1;
			continue;
		}
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == root && c->status != -1)
				c->status = status;
			if (pid == root)
				break;
			continue;
		}
		event = status >> 16;
		signo = WSTOPSIG(status);
		request = PTRACE_CONT;
		if (event == PTRACE_EVENT_EXEC)
			trace_break(t, pid);
		else if (event == PTRACE_EVENT_SECCOMP)
			request = trace_enter(t, pid) ? PTRACE_SYSCALL : PTRACE_CONT;
		else if (signo == (SIGTRAP | 0x80) && ptrace(PTRACE_GETREGS, pid, NULL, &r) == 0)
			t->leave(t, pid, &r);
		else if (event == 0 && signo == SIGTRAP && trace_begins(t, pid))
			signo = 0;
		ptrace(request, pid, NULL, (void *)(long)(event != 0 || signo == (SIGTRAP | 0x80) ||
						       signo == SIGSTOP ? 0 : signo));
	}
	child_slurp(c->out, &c->stdout_text);
	child_slurp(c->err, &c->stderr_text);
}

/* The file behind a descriptor of the program; "" when it has none. */
static inline void
trace_fd_path(pid_t pid, int fd, char *dst, size_t size)
{
	char name[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%ld/fd/%d", (long)pid, fd);
	n = readlink(name, dst, size - 1);
	dst[n > 0 ? n : 0] = '\0';
}

/* A string of the program. */
static inline void
trace_string(pid_t pid, unsigned long long at, char *dst, size_t size)
{
	char name[64];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/proc/%ld/mem", (long)pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? pread(fd, dst, size - 1, (off_t)at) : -1;
	if (fd >= 0)
		close(fd);
	dst[n > 0 ? n : 0] = '\0';
}

#endif
