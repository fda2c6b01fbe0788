/*
 * emu_device.cpp: the CUDA runtime's memory, streams, events and graphs on the CPU.
 *
 * Device memory is one region that the host may not touch: it is opened while queued work runs.  Work runs when
 * something waits for it, and no more than that: neither what comes later on the stream nor another stream, but for
 * what the work itself waits for.  So a wait that is missing shows: host memory changed before it was copied ends the
 * program, results read too early are what was there before.  Pinned memory is poisoned when it is given out.  Every
 * allocation is followed by bytes that nobody may change.
 *
 * EMU_GPU: absent (no driver), none (no device), old (compute capability 7.5), ampere (8.0), ada (8.9), or empty.
 * EMU_AHEAD=N: stream N, by the order of their creation, runs at once what it need not wait for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <deque>
#include <vector>

#include "cuda_runtime.h"

enum { ALIGN = 256, CANARY = 256, CANARY_BYTE = 0xa5 };
static const size_t REGION = (size_t)4 << 30;

struct emu_graph {
	std::vector<std::function<void()>> work;
};
/* A piece of work, or a wait for another stream to have done as much as `until`. */
struct item {
	std::function<void()> work;
	struct emu_stream *on;
	unsigned long until;
};
struct emu_stream {
	std::deque<struct item> work;
	unsigned long queued, done; /* items since the stream was made */
	struct emu_graph *capture;
};
struct emu_event {
	double at;
	struct emu_stream *stream; /* of the last record, and its place there */
	unsigned long place;
};
struct block {
	size_t at, size;
};
struct pinned {
	const char *p;
	size_t n;
};

static unsigned char *region;
static std::vector<struct block> blocks; /* by address */
static std::vector<struct emu_stream *> streams;
static std::vector<struct pinned> pinned;
static unsigned long waits;

[[noreturn]] static void
stop(const char *what)
{
	fprintf(stderr, "emulator: %s\n", what);
	abort();
}

static bool
gpu_is(const char *what)
{
	const char *gpu = getenv("EMU_GPU");

	return gpu != NULL && strcmp(gpu, what) == 0;
}

/* 1. The device */

cudaError_t
cudaGetDeviceCount(int *n)
{
	*n = gpu_is("absent") || gpu_is("none") ? 0 : 1;
	return gpu_is("absent") ? cudaErrorInsufficientDriver : gpu_is("none") ? cudaErrorNoDevice : cudaSuccess;
}

cudaError_t
cudaSetDevice(int)
{
	return cudaSuccess;
}

cudaError_t
cudaGetDeviceProperties(cudaDeviceProp *p, int)
{
	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "emulator");
	p->major = gpu_is("old") ? 7 : gpu_is("ampere") || gpu_is("ada") ? 8 : 9;
	p->minor = gpu_is("old") ? 5 : gpu_is("ada") ? 9 : 0;
	p->multiProcessorCount = 1;
	p->sharedMemPerBlockOptin = 227 * 1024;
	return cudaSuccess;
}

cudaError_t
cudaRuntimeGetVersion(int *v)
{
	*v = 13000;
	return cudaSuccess;
}

const char *
cudaGetErrorString(cudaError_t e)
{
	return e == cudaSuccess ? "no error" : e == cudaErrorMemoryAllocation ? "out of memory" : "unknown error";
}

cudaError_t
cudaGetLastError(void)
{
	return cudaSuccess;
}

/* 2. Memory */

static void
access_region(int may)
{
	size_t end = blocks.empty() ? 0 : blocks.back().at + blocks.back().size + CANARY;

	if (end > 0 && mprotect(region, (end + 4095) / 4096 * 4096, may ? PROT_READ | PROT_WRITE : PROT_NONE) != 0)
		stop("mprotect");
}

static bool
inside(const void *p)
{
	return region != NULL && p >= region && p < region + REGION;
}

cudaError_t
cudaMalloc(void **p, size_t n)
{
	const size_t size = (n + ALIGN - 1) / ALIGN * ALIGN;
	size_t at = 0, i = 0;

	if (region == NULL && (region = (unsigned char *)mmap(NULL, REGION, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) == MAP_FAILED)
		stop("mmap");
	for (; i < blocks.size() && blocks[i].at < at + size + CANARY; i++)
		at = blocks[i].at + (blocks[i].size + ALIGN - 1) / ALIGN * ALIGN + CANARY;
	if (size > REGION || at + size + CANARY > REGION)
		return cudaErrorMemoryAllocation;
	blocks.insert(blocks.begin() + i, {at, n});
	access_region(1);
	memset(region + at, 0xff, n);
	memset(region + at + n, CANARY_BYTE, size - n + CANARY);
	access_region(0);
	*p = region + at;
	return cudaSuccess;
}

static void
check_canary(const struct block &b)
{
	for (size_t i = b.size; i < (b.size + ALIGN - 1) / ALIGN * ALIGN + CANARY; i++)
		if (region[b.at + i] != CANARY_BYTE)
			stop("a write past the end of an allocation");
}

static void
run_one(struct emu_stream *s)
{
	const struct item i = s->work.front();

	s->work.pop_front();
	while (i.on != NULL && i.on->done < i.until)
		run_one(i.on);
	if (i.on == NULL)
		i.work();
	s->done++;
}

/* What the host waits for: s up to an item. */
static void
run_until(struct emu_stream *s, unsigned long until)
{
	waits += s->done < until;
	access_region(1);
	while (s->done < until)
		run_one(s);
	for (const struct block &b : blocks)
		check_canary(b);
	access_region(0);
}

/*
 * For tests: how often the host has waited for work that was still to be done, or asked for a copy of memory that is
 * not pinned, for which CUDA waits.
 */
extern "C" __attribute__((visibility("default"))) unsigned long
emu_waits(void)
{
	return waits;
}

static void
flush(void)
{
	for (struct emu_stream *s : streams)
		run_until(s, s->queued);
}

/* EMU_AHEAD */
static void
run_ahead(void)
{
	const char *ahead = getenv("EMU_AHEAD");
	const size_t n = ahead != NULL && *ahead != '\0' ? strtoul(ahead, NULL, 10) : streams.size();

	if (n >= streams.size() || streams[n]->work.empty())
		return;
	access_region(1);
	for (struct emu_stream *s = streams[n]; !s->work.empty();) {
		const struct item &i = s->work.front();

		if (i.on != NULL && i.on->done < i.until)
			break;
		run_one(s);
	}
	access_region(0);
}

cudaError_t
cudaFree(void *p)
{
	if (p == NULL)
		return cudaSuccess;
	flush();
	for (size_t i = 0; i < blocks.size(); i++)
		if (region + blocks[i].at == p) {
			blocks.erase(blocks.begin() + i);
			return cudaSuccess;
		}
	stop("cudaFree of what was not allocated");
}

cudaError_t
cudaMemGetInfo(size_t *left, size_t *all)
{
	*left = *all = REGION;
	for (const struct block &b : blocks)
		*left -= b.size;
	return cudaSuccess;
}

cudaError_t
cudaMallocHost(void **p, size_t n)
{
	if ((*p = malloc(n)) == NULL)
		return cudaErrorMemoryAllocation;
	memset(*p, 0xff, n);
	pinned.push_back({(const char *)*p, n});
	return cudaSuccess;
}

static bool
is_pinned(const void *p)
{
	for (const struct pinned &m : pinned)
		if (p >= m.p && p < m.p + m.n)
			return true;
	return false;
}

cudaError_t
cudaFreeHost(void *p)
{
	flush();
	for (size_t i = 0; i < pinned.size(); i++)
		if (pinned[i].p == p) {
			pinned.erase(pinned.begin() + i);
			free(p);
			return cudaSuccess;
		}
	stop("cudaFreeHost of what was not allocated");
}

/* FNV-1a, so that a change of host memory on its way shows. */
static uint64_t
digest(const void *p, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ ((const unsigned char *)p)[i]) * 1099511628211u;
	return h;
}

cudaError_t
cudaMemcpyAsync(void *dst, const void *src, size_t n, cudaMemcpyKind kind, cudaStream_t s)
{
	if (inside(dst) != (kind != cudaMemcpyDeviceToHost) || inside(src) != (kind != cudaMemcpyHostToDevice))
		stop("a copy between host and device has its kind wrong");
	waits += kind != cudaMemcpyDeviceToDevice && !is_pinned(kind == cudaMemcpyHostToDevice ? src : dst);
	if (kind == cudaMemcpyHostToDevice) {
		const uint64_t was = digest(src, n);

		emu_queue(s, [=] {
			if (digest(src, n) != was)
				stop("host memory was changed before its copy to the device was made");
			memcpy(dst, src, n);
		});
	} else
		emu_queue(s, [=] { memcpy(dst, src, n); });
	return cudaSuccess;
}

cudaError_t
cudaMemsetAsync(void *p, int value, size_t n, cudaStream_t s)
{
	if (!inside(p))
		stop("cudaMemset of host memory");
	emu_queue(s, [=] { memset(p, value, n); });
	return cudaSuccess;
}

/* 3. Streams, graphs, events */

void
emu_queue(cudaStream_t s, std::function<void()> work)
{
	if (s->capture != NULL) {
		s->capture->work.push_back(work);
		return;
	}
	s->work.push_back({work, NULL, 0});
	s->queued++;
	run_ahead();
}

cudaError_t
cudaStreamCreateWithFlags(cudaStream_t *s, unsigned)
{
	*s = new struct emu_stream();
	streams.push_back(*s);
	return cudaSuccess;
}

cudaError_t
cudaStreamDestroy(cudaStream_t s)
{
	flush();
	for (size_t i = 0; i < streams.size(); i++)
		if (streams[i] == s)
			streams.erase(streams.begin() + i);
	delete s;
	return cudaSuccess;
}

cudaError_t
cudaStreamSynchronize(cudaStream_t s)
{
	if (s->capture != NULL)
		stop("a stream is waited for while it is captured");
	run_until(s, s->queued);
	return cudaSuccess;
}

cudaError_t
cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode)
{
	s->capture = new struct emu_graph();
	return cudaSuccess;
}

cudaError_t
cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *g)
{
	*g = s->capture;
	s->capture = NULL;
	return cudaSuccess;
}

cudaError_t
cudaGraphInstantiate(cudaGraphExec_t *e, cudaGraph_t g, unsigned long long)
{
	*e = new struct emu_graph(*g);
	return cudaSuccess;
}

cudaError_t
cudaGraphLaunch(cudaGraphExec_t e, cudaStream_t s)
{
	for (auto &f : e->work)
		emu_queue(s, f);
	return cudaSuccess;
}

cudaError_t
cudaGraphDestroy(cudaGraph_t g)
{
	delete g;
	return cudaSuccess;
}

cudaError_t
cudaGraphExecDestroy(cudaGraphExec_t e)
{
	flush();
	delete e;
	return cudaSuccess;
}

cudaError_t
cudaEventCreateWithFlags(cudaEvent_t *e, unsigned)
{
	*e = new struct emu_event();
	return cudaSuccess;
}

cudaError_t
cudaEventRecord(cudaEvent_t e, cudaStream_t s)
{
	e->stream = s;
	e->place = s->queued + 1;
	emu_queue(s, [=] {
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		e->at = 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
	});
	return cudaSuccess;
}

cudaError_t
cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned)
{
	if (s->capture != NULL)
		stop("a wait for an event in a graph");
	if (e->stream == NULL || e->stream == s)
		return cudaSuccess;
	s->work.push_back({nullptr, e->stream, e->place});
	s->queued++;
	run_ahead();
	return cudaSuccess;
}

cudaError_t
cudaEventSynchronize(cudaEvent_t e)
{
	if (e->stream != NULL)
		run_until(e->stream, e->place);
	return cudaSuccess;
}

cudaError_t
cudaEventElapsedTime(float *ms, cudaEvent_t a, cudaEvent_t b)
{
	*ms = (float)(b->at - a->at);
	return cudaSuccess;
}

cudaError_t
cudaEventDestroy(cudaEvent_t e)
{
	flush();
	delete e;
	return cudaSuccess;
}
