/*
 * pool.h: tasks that a few threads run while their giver goes on, and that it waits for one by one, in its own order.
 * Who waits helps, and nobody spins.
 */
#ifndef RNA_POOL_H
#define RNA_POOL_H

struct rna_pool;

struct rna_task {
	void (*run)(void *arg);
	void *arg;
	/* private */
	struct rna_task *next;
	int done;
};

/*
 * nthreads: the giver's own included.  With one, tasks run when they are waited for, as they do where no thread can be
 * had.  Threads begin with the first task.  NULL: no memory.
 */
struct rna_pool *rna_pool_create(int nthreads);
/* t is the caller's, who leaves it alone until it has waited for it. */
void rna_pool_submit(struct rna_pool *p, struct rna_task *t);
/* 1: t has run, and need not be waited for. */
int rna_pool_done(struct rna_pool *p, const struct rna_task *t);
/* Returns when t has run.  t must have been submitted. */
void rna_pool_wait(struct rna_pool *p, struct rna_task *t);
/* Tasks that nobody has begun are dropped; those that run are waited for.  NULL is fine. */
void rna_pool_destroy(struct rna_pool *p);

#endif
