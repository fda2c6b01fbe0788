/*
 * preload.c: memory that fails.  A library for LD_PRELOAD: counts the program's allocations once it has started and
 * lets number k fail, or all from k on.  Driven by outofmemory.c through a shared page:
 *
 *	RILL_FAIL=FILE, a struct fail_page
 *	RILL_CLOCK=back: the wall clock runs backwards, ten seconds at each look
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <sys/mman.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "preload.h"

static struct fail_page *page;

static void
disarm(void)
{
	page = NULL;
}

/*
 * Libraries have been set up when this runs, as the last of its kind, and are taken down after disarm: what fails is
 * the program.
 */
__attribute__((constructor)) static void
arm(void)
{
	const char *path = getenv("RILL_FAIL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p != MAP_FAILED && atexit(disarm) == 0)
		page = p;
}

static int
fails(void)
{
	unsigned long n;

	if (page == NULL || page->at == 0)
		return 0;
	n = __atomic_add_fetch(&page->count, 1, __ATOMIC_RELAXED);
	if (n != page->at && !(page->forever && n > page->at))
		return 0;
	errno = ENOMEM;
	return 1;
}

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	void *got = fails() ? NULL : __libc_memalign(align, n);

	if (got == NULL)
		return ENOMEM;
	*p = got;
	return 0;
}

void *
mmap(void *addr, size_t n, int prot, int flags, int fd, off_t at)
{
	static void *(*real)(void *, size_t, int, int, int, off_t);

	if (real == NULL)
		real = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	return fails() ? MAP_FAILED : real(addr, n, prot, flags, fd, at);
}

int
clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	static long back;
	int r;

	if (real == NULL)
		real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	r = real(clock, t);
	if (r == 0 && clock == CLOCK_REALTIME && getenv("RILL_CLOCK") != NULL)
		t->tv_sec -= __atomic_add_fetch(&back, 10, __ATOMIC_RELAXED);
	return r;
}

time_t
time(time_t *to)
{
	struct timespec t = {0, 0};

	clock_gettime(CLOCK_REALTIME, &t);
	if (to != NULL)
		*to = t.tv_sec;
	return t.tv_sec;
}
