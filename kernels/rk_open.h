/*
 * rk_open.h: the inside of an open backend and of a list, between rk.c and rk_memory.c.  Private to kernels/.
 */
#ifndef RK_OPEN_H
#define RK_OPEN_H

#include "rk_backend.h"
#include "rk_device.h"

struct rk {
	const struct rk_backend *be;     /* of a host backend, or NULL */
	const struct rk_device *table;   /* of a plug-in, or NULL */
	void *dev;                       /* what the plug-in opened */
	int threads;
	char name[64], level[32];
	char err[256];
};

struct rk_list {
	struct rk *rk;
	void *dev;                       /* the plug-in's list; then nothing below is used */
	struct rk_call *calls;
	size_t n;
	const int32_t *live;
	char *scratch;
	struct rk_need need;
};

/* A size rounded up to the alignment that rk_alloc promises. */
static inline size_t
rk_round_up(size_t n)
{
	return (n + 63) / 64 * 64;
}

/* rk_memory.c: a sentence into err, which may be NULL. */
void rk_say(char *err, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What a function of the plug-in returned; its sentence is kept. */
enum rk_status rk_told(struct rk *rk, enum rk_status status);

#endif
