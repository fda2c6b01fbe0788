/*
 * faults.h: memory and calls into the kernel that fail within a unit test.  A case is run undisturbed, then again with
 * its k-th allocation or call failing, once and from then on, for every k.  Each time it must come to the same end as
 * undisturbed, or fail with a status and a sentence, and leave neither memory nor descriptors behind.
 *
 * The functions below take the place of the C library's, for librna too.  Under a sanitizer, which has such of its own,
 * there are none, FAULTS is 0 and the main below, which skips, is the test's.
 */
#ifndef RNA_FAULTS_H
#define RNA_FAULTS_H

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <jansson.h>
#include "stream/status.h"
#include "tap.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define FAULTS 1
#else
#define FAULTS 0
#endif

enum fault_kind { FAULT_NONE, FAULT_MEMORY, FAULT_CALL, FAULT_WRITE_OR_READ };

static struct {
	enum fault_kind kind;
	unsigned long at, seen;
	int forever, error;
	int calls_alone; /* memory does not fail */
	int json;        /* JSON's memory fails, too: where none is parsed (jansson 2.14 crashes) */
	long live;       /* allocations */
	long forgiven;   /* so many may be left when memory fails, by others than librna */
} fault;

/* 1: the call at hand is the one. */
static inline int
fault_now(enum fault_kind kind)
{
	if (fault.kind != kind)
		return 0;
	fault.seen++;
	if (fault.seen != fault.at && !(fault.forever && fault.seen > fault.at))
		return 0;
	errno = kind == FAULT_MEMORY ? ENOMEM : fault.error;
	return 1;
}

#if FAULTS
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

static void *
fault_had(void *p)
{
	fault.live += p != NULL;
	return p;
}

void *
malloc(size_t n)
{
	return fault_now(FAULT_MEMORY) ? NULL : fault_had(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
	return fault_now(FAULT_MEMORY) ? NULL : fault_had(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t n)
{
	void *q = fault_now(FAULT_MEMORY) ? NULL : __libc_realloc(p, n);

	if (p == NULL)
		fault_had(q);
	return q;
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (!__builtin_mul_overflow(n, size, &all))
		return realloc(p, all);
	errno = ENOMEM;
	return NULL;
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fault_now(FAULT_MEMORY) ? NULL : fault_had(__libc_memalign(align, n));
}

/* libgomp's, which ends the process without it */
void *
memalign(size_t align, size_t n)
{
	return fault_had(__libc_memalign(align, n));
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	void *q = aligned_alloc(align, n);

	if (q == NULL)
		return ENOMEM;
	*p = q;
	return 0;
}

void
free(void *p)
{
	fault.live -= p != NULL;
	__libc_free(p);
}

/* Calls: CALL(what it returns, the C library's number, arguments) */
#define FAULTY(kind, ...) (fault_now(kind) ? -1L : syscall(__VA_ARGS__))

int
open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	return (int)FAULTY(FAULT_CALL, SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t
read(int fd, void *dst, size_t n)
{
	return fault_now(FAULT_WRITE_OR_READ) ? -1 : FAULTY(FAULT_CALL, SYS_read, fd, dst, n);
}

ssize_t
write(int fd, const void *src, size_t n)
{
	return fault_now(FAULT_WRITE_OR_READ) ? -1 : FAULTY(FAULT_CALL, SYS_write, fd, src, n);
}

ssize_t
pread(int fd, void *dst, size_t n, off_t at)
{
	return fault_now(FAULT_WRITE_OR_READ) ? -1 : FAULTY(FAULT_CALL, SYS_pread64, fd, dst, n, at);
}

ssize_t
pwrite(int fd, const void *src, size_t n, off_t at)
{
	return fault_now(FAULT_WRITE_OR_READ) ? -1 : FAULTY(FAULT_CALL, SYS_pwrite64, fd, src, n, at);
}

int
fstat(int fd, struct stat *st)
{
	return (int)FAULTY(FAULT_CALL, SYS_fstat, fd, st);
}

int
fsync(int fd)
{
	return (int)FAULTY(FAULT_CALL, SYS_fsync, fd);
}

int
ftruncate(int fd, off_t n)
{
	return (int)FAULTY(FAULT_CALL, SYS_ftruncate, fd, n);
}

off_t
lseek(int fd, off_t at, int from)
{
	return FAULTY(FAULT_CALL, SYS_lseek, fd, at, from);
}

int
rename(const char *from, const char *to)
{
	return (int)FAULTY(FAULT_CALL, SYS_rename, from, to);
}

int
flock(int fd, int how)
{
	return (int)FAULTY(FAULT_CALL, SYS_flock, fd, how);
}

int
fchmod(int fd, mode_t mode)
{
	return (int)FAULTY(FAULT_CALL, SYS_fchmod, fd, mode);
}

int
dup(int fd)
{
	return (int)FAULTY(FAULT_CALL, SYS_dup, fd);
}

int
mkdir(const char *path, mode_t mode)
{
	return (int)FAULTY(FAULT_CALL, SYS_mkdir, path, mode);
}

void *
mmap(void *addr, size_t n, int prot, int flags, int fd, off_t at)
{
	if (fault_now(FAULT_MEMORY))
		return MAP_FAILED;
	return (void *)syscall(SYS_mmap, addr, n, prot, flags, fd, at);
}

/* A close that fails has closed. */
int
close(int fd)
{
	int failed = fault_now(FAULT_CALL), saved = errno, r = (int)syscall(SYS_close, fd);

	if (!failed)
		return r;
	errno = saved;
	return -1;
}

static void *
fault_json(size_t n)
{
	return fault.json ? malloc(n) : fault_had(__libc_malloc(n));
}
#else
static inline void * /* not asked for by every test */
fault_json(size_t n)
{
	return malloc(n);
}
#endif

/* A case: the end that it comes to, in *digest, or how it failed, in *err. */
typedef enum rna_status (*fault_case)(const void *arg, uint64_t *digest, struct rna_err *err);

static int
fault_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* One run.  1: as promised. */
static int
fault_run(fault_case run, const void *arg, uint64_t want, int must)
{
	struct rna_err err = {.record = RNA_NOREC};
	long live = fault.live;
	uint64_t digest = 0;
	int fds = fault_fds();
	enum fault_kind kind = fault.kind;
	enum rna_status st = run(arg, &digest, &err);

	fault.kind = FAULT_NONE;
	if (fault.live - live > (kind == FAULT_MEMORY ? fault.forgiven : 0) || fault.live < live || fault_fds() != fds)
		diag("%ld allocations and %d descriptors are left", fault.live - live, fault_fds() - fds);
	else if (st == RNA_OK && digest != want)
		diag("another end, and no word of it");
	else if (st != RNA_OK && (must || err.status != st || err.text[0] == '\0' || strchr(err.text, '\n') != NULL))
		diag("status %d, said %d: %s", (int)st, (int)err.status, err.text);
	else {
		fault.kind = kind;
		return 1;
	}
	fault.kind = kind;
	return 0;
}

/* All runs of a case, as one test.  reset, if any, comes before each. */
__attribute__((unused)) static void
fault_try(const char *name, fault_case run, const void *arg, void (*reset)(const void *arg))
{
	static const struct {
		enum fault_kind kind;
		int forever, error;
	} ways[] = {{FAULT_MEMORY, 0, 0}, {FAULT_MEMORY, 1, 0}, {FAULT_CALL, 0, EIO}, {FAULT_CALL, 1, ENOSPC},
	    {FAULT_WRITE_OR_READ, 0, EIO}, {FAULT_WRITE_OR_READ, 0, EINTR}, {FAULT_WRITE_OR_READ, 0, EAGAIN}};
	struct rna_err err = {.record = RNA_NOREC};
	unsigned long cases = 0, bad = 0;
	uint64_t want = 0;
	size_t w;

	fault.kind = FAULT_NONE;
	if (reset != NULL)
		reset(arg);
	if (run(arg, &want, &err) != RNA_OK) { /* what is made once, is made */
		ok(0, "%s, undisturbed: %s", name, err.text);
		return;
	}
	for (w = fault.calls_alone ? 2 : 0; w < sizeof(ways) / sizeof(*ways); w++) {
		for (fault.at = 1;; fault.at++) {
			fault.kind = FAULT_NONE;
			if (reset != NULL)
				reset(arg);
			fault.kind = ways[w].kind;
			fault.forever = ways[w].forever;
			fault.error = ways[w].error;
			fault.seen = 0;
			if (!fault_run(run, arg, want, ways[w].error == EINTR)) {
				bad++;
				diag("%s: number %lu of kind %d, error %d%s", name, fault.at, (int)ways[w].kind,
				    ways[w].error, ways[w].forever ? " and later" : "");
			}
			if (fault.seen < fault.at || bad > 20)
				break;
			cases++;
		}
	}
	fault.kind = FAULT_NONE;
	ok(bad == 0 && cases > 0, "%s: %lu failures of memory and calls", name, cases);
}

/* In a case: goes to out unless the call does well. */
#define TRY(call)                                                                                                      \
	do                                                                                                             \
		if ((st = (call)) != RNA_OK)                                                                           \
			goto out;                                                                                      \
	while (0)

/* Where a function returns RNA_EMEM and has no word for it. */
__attribute__((unused)) static enum rna_status
mem(enum rna_status st, struct rna_err *err)
{
	return st == RNA_EMEM ? rna_fail(err, st, "no memory") : st;
}

#if !FAULTS
int
main(void)
{
	skip("memory and calls that fail", "a sanitizer has the allocator");
	return done();
}
#endif

#endif
