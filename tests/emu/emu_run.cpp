/*
 * emu_run.cpp: runs a grid on the CPU: the threads of a block are fibers, one block after the other.  A fiber runs
 * until it comes to a barrier or a collective of its warp; the last to come lets the others go on.  Shared memory is
 * poisoned before every block.  A copy to shared memory (cp.async) is made when its thread waits for it.
 * EMU_ORDER=reverse runs blocks and threads backwards, and makes such copies at once: results may not differ.
 */
#include <stdio.h>
#include <stdlib.h>
#include <deque>

#include "cuda_bf16.h"
#include "cuda_runtime.h"
#include "emu_warp.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

extern "C" {
__attribute__((weak)) void *__tsan_get_current_fiber(void);
__attribute__((weak)) void *__tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_switch_to_fiber(void *fiber, unsigned flags);
__attribute__((weak)) void __tsan_acquire(void *at);
__attribute__((weak)) void __tsan_release(void *at);
}

enum { STACK = 64 * 1024, THREADS = 1024, SHARED = 228 * 1024, NO_SYNC = 1 };
enum state { RUNNABLE, AT_BLOCK, AT_WARP, DONE };
enum kind { NONE, SHUFFLE, SHIFT, BALLOT, MATRIX, MMA, SYNC };

/* A copy that is on its way, of the thread's group of that number. */
struct copy {
	uint32_t to;
	const void *from;
	int group;
};

struct fiber : emu_thread {
#if defined(__x86_64__)
	void *sp;
#else
	ucontext_t context;
#endif
	void *tsan;
	unsigned char *stack;
	enum state state;
	std::deque<struct copy> copies;
	int groups; /* that were closed */
};

struct warp {
	enum kind kind;
	int arrived, mask, transposed;
	uint32_t in[32][6], out[32][4];
	float c[32][4];
};

struct emu_thread *emu_now;
struct dim3 emu_block_index, emu_block_size, emu_grid_size;

static struct fiber fibers[THREADS], home;
static struct warp warps[THREADS / 32];
alignas(1024) static unsigned char shared_memory[SHARED];
static size_t shared_size;
static const std::function<void()> *running;
static int nthreads, at_block, alive, backwards;
static char block_sync, kernel_sync, warp_sync[THREADS / 32];

[[noreturn]] static void
stop(const char *what)
{
	fprintf(stderr, "emulator: %s (block %u %u, thread %u)\n", what, emu_block_index.x, emu_block_index.y,
	    emu_now != NULL ? emu_now->tid.x : 0);
	abort();
}

/* 1. Fibers */

#if defined(__x86_64__)
extern "C" void emu_switch(void **save, void *to);
__asm__(".text\n.p2align 4\n.globl emu_switch\n.hidden emu_switch\n.type emu_switch,@function\nemu_switch:\n"
	"pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
	"movq %rsp, (%rdi)\nmovq %rsi, %rsp\n"
	"popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
	".size emu_switch,.-emu_switch\n");
#endif

static void
go(struct fiber *from, struct fiber *to)
{
	if (__tsan_switch_to_fiber)
		__tsan_switch_to_fiber(to->tsan, NO_SYNC);
#if defined(__x86_64__)
	emu_switch(&from->sp, to->sp);
#else
	swapcontext(&from->context, &to->context);
#endif
}

static struct fiber *
self(void)
{
	return static_cast<struct fiber *>(emu_now);
}

static void
body(void)
{
	if (__tsan_acquire)
		__tsan_acquire(&kernel_sync);
	(*running)();
	if (__tsan_release)
		__tsan_release(&kernel_sync);
	self()->state = DONE;
	alive--;
	if (at_block > 0)
		stop("a thread ended while others wait at __syncthreads");
	go(self(), &home);
	stop("an ended thread ran");
}

static void
make(struct fiber *f)
{
	if (f->stack == NULL) {
		if ((f->stack = (unsigned char *)aligned_alloc(64, STACK)) == NULL)
			stop("out of memory");
		f->tsan = __tsan_create_fiber ? __tsan_create_fiber(0) : NULL;
	}
#if defined(__x86_64__)
	void **sp = (void **)(f->stack + STACK) - 2; /* as after a call: the stack is 8 past a multiple of 16 */

	*sp = (void *)body;
	f->sp = sp - 6;
#else
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK;
	makecontext(&f->context, body, 0);
#endif
	f->state = RUNNABLE;
	f->copies.clear();
	f->groups = 0;
}

static void
wait_as(enum state state)
{
	struct fiber *f = self();

	f->state = state;
	go(f, &home);
}

/* 2. Blocks and grids */

static void
run_block(void)
{
	memset(shared_memory, 0xff, shared_size);
	memset(warps, 0, sizeof(warps[0]) * ((nthreads + 31) / 32));
	if (__tsan_release) /* what was poisoned here is seen by the fibers */
		__tsan_release(&kernel_sync);
	at_block = 0;
	alive = nthreads;
	for (int i = 0; i < nthreads; i++) {
		fibers[i].tid = dim3(i % emu_block_size.x, i / emu_block_size.x % emu_block_size.y,
		    i / (emu_block_size.x * emu_block_size.y));
		make(&fibers[i]);
	}
	for (int ran = 1; alive > 0 && ran;) {
		ran = 0;
		for (int k = 0; k < nthreads; k++) {
			struct fiber *f = &fibers[backwards ? nthreads - 1 - k : k];

			if (f->state != RUNNABLE)
				continue;
			ran = 1;
			emu_now = f;
			go(&home, f);
		}
	}
	emu_now = NULL;
	if (alive > 0)
		stop("threads wait for others that never come");
}

void
emu_grid(dim3 grid, dim3 block, size_t shared, const std::function<void()> &kernel)
{
	const char *order = getenv("EMU_ORDER");
	const size_t n = (size_t)grid.x * grid.y * grid.z;

	backwards = order != NULL && strcmp(order, "reverse") == 0;
	nthreads = block.x * block.y * block.z;
	if (n == 0 || nthreads == 0 || nthreads > THREADS || shared > SHARED || grid.y > 65535 || grid.z > 65535)
		stop("a launch that CUDA refuses");
	if (__tsan_get_current_fiber)
		home.tsan = __tsan_get_current_fiber();
	emu_grid_size = grid;
	emu_block_size = block;
	shared_size = shared;
	running = &kernel;
	for (size_t i = 0; i < n; i++) {
		const size_t b = backwards ? n - 1 - i : i;

		emu_block_index = dim3(b % grid.x, b / grid.x % grid.y, b / ((size_t)grid.x * grid.y));
		run_block();
		if (__tsan_acquire)
			__tsan_acquire(&kernel_sync);
	}
}

/* 3. Barriers and collectives */

unsigned char *
emu_shared(void)
{
	return shared_memory;
}

void
emu_check_shared(uint32_t at, size_t n, size_t align)
{
	if (at % align != 0 || at + n > shared_size)
		stop("shared memory: an access that is not aligned or past the end");
}

static void
make_copy(uint32_t to, const void *from)
{
	if (from != NULL)
		memcpy(shared_memory + to, from, 16);
	else
		memset(shared_memory + to, 0, 16);
}

void
emu_copy(uint32_t to, const void *from)
{
	if (backwards)
		make_copy(to, from);
	else
		self()->copies.push_back({to, from, self()->groups});
}

void
emu_copy_commit(void)
{
	self()->groups++;
}

/* All groups but the last n. */
void
emu_copy_wait(int n)
{
	std::deque<struct copy> &c = self()->copies;

	for (; !c.empty() && c.front().group + n < self()->groups; c.pop_front())
		make_copy(c.front().to, c.front().from);
}

static int
index_of_thread(void)
{
	return (int)(self() - fibers);
}

void
__syncthreads(void)
{
	if (__tsan_release)
		__tsan_release(&block_sync);
	if (alive < nthreads)
		stop("__syncthreads after a thread ended");
	if (++at_block < alive)
		wait_as(AT_BLOCK);
	else {
		at_block = 0;
		for (int i = 0; i < nthreads; i++)
			if (fibers[i].state == AT_BLOCK)
				fibers[i].state = RUNNABLE;
	}
	if (__tsan_acquire)
		__tsan_acquire(&block_sync);
}

static void
halves(uint32_t v, float *lo, float *hi)
{
	*lo = __bfloat162float(__nv_bfloat16{(uint16_t)v});
	*hi = __bfloat162float(__nv_bfloat16{(uint16_t)(v >> 16)});
}

/* m16n8k16, row by column: the layout of PTX. */
static void
finish_mma(struct warp *w)
{
	float a[16][16], b[16][8];

	for (int l = 0; l < 32; l++) {
		const int g = l / 4, t = l % 4;

		for (int i = 0; i < 4; i++)
			halves(w->in[l][i], &a[g + (i & 1) * 8][t * 2 + (i >> 1) * 8],
			    &a[g + (i & 1) * 8][t * 2 + 1 + (i >> 1) * 8]);
		for (int i = 0; i < 2; i++)
			halves(w->in[l][4 + i], &b[t * 2 + i * 8][g], &b[t * 2 + 1 + i * 8][g]);
	}
	for (int l = 0; l < 32; l++)
		for (int q = 0; q < 4; q++) {
			const int row = l / 4 + (q >> 1) * 8, col = l % 4 * 2 + (q & 1);
			float s = 0;

			for (int k = 0; k < 16; k++)
				s += a[row][k] * b[k][col];
			w->c[l][q] += s;
		}
}

/* ldmatrix x4: lane 8 i + r brought row r of matrix i. */
static void
finish_matrix(struct warp *w)
{
	for (int l = 0; l < 32; l++)
		for (int i = 0; i < 4; i++) {
			const uint16_t *row[2];

			for (int e = 0; e < 2; e++)
				row[e] = (const uint16_t *)w->in[8 * i + (w->transposed ? l % 4 * 2 + e : l / 4)];
			w->out[l][i] = w->transposed ? row[0][l / 4] | (uint32_t)row[1][l / 4] << 16
			                             : row[0][l % 4 * 2] | (uint32_t)row[1][l % 4 * 2 + 1] << 16;
		}
}

static void
finish(struct warp *w)
{
	uint32_t votes = 0;

	switch (w->kind) {
	case SHUFFLE:
		for (int l = 0; l < 32; l++)
			w->out[l][0] = w->in[l ^ w->mask][0];
		break;
	case SHIFT:
		for (int l = 0; l < 32; l++)
			w->out[l][0] = w->in[l < w->mask ? l : l - w->mask][0];
		break;
	case BALLOT:
		for (int l = 0; l < 32; l++)
			votes |= (uint32_t)(w->in[l][0] != 0) << l;
		for (int l = 0; l < 32; l++)
			w->out[l][0] = votes;
		break;
	case MATRIX:
		finish_matrix(w);
		break;
	case MMA:
		finish_mma(w);
		break;
	default:
		break;
	}
}

/* The caller has put its part into the warp; returns when all 32 lanes have. */
static void
meet(enum kind kind, int arg)
{
	const int first = index_of_thread() / 32 * 32;
	struct warp *w = &warps[first / 32];

	if (w->arrived == 0) {
		w->kind = kind;
		w->mask = w->transposed = arg;
	} else if (w->kind != kind || w->mask != arg)
		stop("lanes of a warp are at different collectives");
	if (++w->arrived < 32) {
		wait_as(AT_WARP);
		return;
	}
	w->arrived = 0;
	finish(w);
	for (int i = first; i < first + 32; i++)
		if (fibers[i].state == AT_WARP)
			fibers[i].state = RUNNABLE;
}

static struct warp *
mine(int *lane)
{
	*lane = index_of_thread() % 32;
	return &warps[index_of_thread() / 32];
}

void
__syncwarp(unsigned)
{
	const int i = index_of_thread() / 32;

	if (__tsan_release)
		__tsan_release(&warp_sync[i]);
	meet(SYNC, 0);
	if (__tsan_acquire)
		__tsan_acquire(&warp_sync[i]);
}

uint32_t
emu_shuffle_xor(uint32_t v, int mask)
{
	int lane;
	struct warp *w = mine(&lane);

	w->in[lane][0] = v;
	meet(SHUFFLE, mask);
	return w->out[lane][0];
}

uint32_t
emu_shuffle_up(uint32_t v, int lanes)
{
	int lane;
	struct warp *w = mine(&lane);

	w->in[lane][0] = v;
	meet(SHIFT, lanes);
	return w->out[lane][0];
}

uint32_t
__ballot_sync(unsigned, int set)
{
	int lane;
	struct warp *w = mine(&lane);

	w->in[lane][0] = set;
	meet(BALLOT, 0);
	return w->out[lane][0];
}

void
emu_matrix(const uint32_t row[4], int transposed, uint32_t r[4])
{
	int lane;
	struct warp *w = mine(&lane);

	memcpy(w->in[lane], row, 16);
	meet(MATRIX, transposed);
	memcpy(r, w->out[lane], 16);
}

void
emu_mma(float c[4], const uint32_t a[4], uint32_t b0, uint32_t b1)
{
	int lane;
	struct warp *w = mine(&lane);

	memcpy(w->in[lane], a, 16);
	w->in[lane][4] = b0;
	w->in[lane][5] = b1;
	memcpy(w->c[lane], c, 16);
	meet(MMA, 0);
	memcpy(c, w->c[lane], 16);
}
