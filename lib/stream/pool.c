/*
 * pool.c: a queue of tasks and the threads that take from it.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "stream/pool.h"

struct rna_pool {
	pthread_mutex_t lock;
	pthread_cond_t given, ran;      /* a task is in the queue, or no more will come; one has run */
	struct rna_task *first, **last; /* the queue */
	pthread_t *thread;
	int nthreads, wanted; /* running; to be had, 0 once it was tried */
	int stop;
};

/* With the lock held: takes the first task, runs it without the lock. */
static void
run_first(struct rna_pool *p)
{
	struct rna_task *t = p->first;

	p->first = t->next;
	if (p->first == NULL)
		p->last = &p->first;
	pthread_mutex_unlock(&p->lock);
	t->run(t->arg);
	pthread_mutex_lock(&p->lock);
	t->done = 1;
	pthread_cond_broadcast(&p->ran);
}

static void *
work(void *arg)
{
	struct rna_pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		if (p->first != NULL)
			run_first(p);
		else
			pthread_cond_wait(&p->given, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals stay with the threads that were there before. */
static void
start_threads(struct rna_pool *p)
{
	sigset_t all, old;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0)
		return;
	while (p->nthreads < p->wanted && pthread_create(&p->thread[p->nthreads], NULL, work, p) == 0)
		p->nthreads++;
	p->wanted = 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct rna_pool *
rna_pool_create(int nthreads)
{
	struct rna_pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->wanted = nthreads - 1;
	p->thread = calloc(nthreads > 1 ? (size_t)nthreads : 1, sizeof(*p->thread));
	if (p->thread == NULL) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->given, NULL);
	pthread_cond_init(&p->ran, NULL);
	p->last = &p->first;
	return p;
}

void
rna_pool_submit(struct rna_pool *p, struct rna_task *t)
{
	if (p->wanted > 0)
		start_threads(p);
	t->done = 0;
	t->next = NULL;
	pthread_mutex_lock(&p->lock);
	*p->last = t;
	p->last = &t->next;
	pthread_cond_signal(&p->given);
	pthread_mutex_unlock(&p->lock);
}

int
rna_pool_done(struct rna_pool *p, const struct rna_task *t)
{
	int done;

	pthread_mutex_lock(&p->lock);
	done = t->done;
	pthread_mutex_unlock(&p->lock);
	return done;
}

void
rna_pool_wait(struct rna_pool *p, struct rna_task *t)
{
	pthread_mutex_lock(&p->lock);
	while (!t->done) {
		if (p->first != NULL)
			run_first(p);
		else
			pthread_cond_wait(&p->ran, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

void
rna_pool_destroy(struct rna_pool *p)
{
	int i;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = 1;
	pthread_cond_broadcast(&p->given);
	pthread_mutex_unlock(&p->lock);
	for (i = 0; i < p->nthreads; i++)
		pthread_join(p->thread[i], NULL);
	pthread_cond_destroy(&p->ran);
	pthread_cond_destroy(&p->given);
	pthread_mutex_destroy(&p->lock);
	free(p->thread);
	free(p);
}
