/*
 * unit_pool.c: tasks of a pool: each runs once, waiting is in any order, and what is not begun is dropped.
 */
#include <stdint.h>
#include <unistd.h>

#include "stream/pool.h"
#include "tap.h"

#define TASKS 2000

static struct job {
	struct rna_task task;
	int runs, number;
	uint64_t sum;
} jobs[TASKS];

static void
run(void *arg)
{
	struct job *j = arg;
	int i;

	for (i = 0; i < 100 * (j->number % 7); i++)
		j->sum += (uint64_t)i;
	j->runs++;
}

static void
add(struct rna_pool *p, int i)
{
	jobs[i].task = (struct rna_task){.run = run, .arg = &jobs[i]};
	jobs[i].number = i;
	jobs[i].runs = 0;
	rna_pool_submit(p, &jobs[i].task);
}

/* Submits all, some ahead of those that are waited for, forwards or from the end. */
static void
all_run(int nthreads, int ahead, int backwards)
{
	struct rna_pool *p = rna_pool_create(nthreads);
	int i, good = 1;

	if (p == NULL)
		return;
	for (i = 0; i < TASKS + ahead; i++) {
		if (i < TASKS)
			add(p, i);
		if (i >= ahead && !backwards) {
			rna_pool_wait(p, &jobs[i - ahead].task);
			good &= jobs[i - ahead].runs == 1 && rna_pool_done(p, &jobs[i - ahead].task);
		}
	}
	for (i = TASKS; backwards && i-- > 0;)
		rna_pool_wait(p, &jobs[i].task);
	for (i = 0; i < TASKS; i++)
		good &= jobs[i].runs == 1;
	ok(good, "%d threads, %d tasks ahead%s: each runs once", nthreads, ahead,
	    backwards ? ", the last waited for first" : "");
	rna_pool_destroy(p);
}

int
main(void)
{
	struct rna_pool *p;
	int n, i, good = 1;

	for (n = 1; n <= 4; n++) {
		all_run(n, 0, 0);
		all_run(n, 5, 0);
		all_run(n, 0, 1);
	}
	for (n = 0; n < 50; n++) {
		if ((p = rna_pool_create(3)) == NULL)
			return 2;
		for (i = 0; i < 20; i++)
			add(p, i);
		rna_pool_destroy(p);
		for (i = 0; i < 20; i++)
			good &= jobs[i].runs <= 1;
	}
	ok(good, "destroyed with tasks in it: none runs twice, none later");
	if ((p = rna_pool_create(1)) == NULL)
		return 2;
	add(p, 0);
	ok(jobs[0].runs == 0 && !rna_pool_done(p, &jobs[0].task), "one thread: a task runs when it is waited for");
	rna_pool_destroy(p);
	return done();
}
