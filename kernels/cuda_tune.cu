/*
 * cuda_tune.cu: the algorithm of a product.  cuBLASLt proposes; a product that is large for the device is timed with
 * each proposal, fused and not, and the choice is kept in a file, so that later runs compute the same bits.  Where the
 * file can't be written nothing is timed: the first proposal is taken.
 *
 * File: $XDG_CACHE_HOME/rill (or ~/.cache/rill) /cublaslt-GPU-VERSION; a line a product: its key, fused, the algorithm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cuda_linear.h"

enum { REPEATS = 5 };

/* 1. The file */

void
cuda_tune_open(struct cuda_linear *l, const char *gpu)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char root[256], dir[300];
	FILE *fp;

	if (cache != NULL && *cache != '\0')
		snprintf(root, sizeof(root), "%s", cache);
	else
		snprintf(root, sizeof(root), "%s/.cache", home != NULL ? home : "");
	snprintf(dir, sizeof(dir), "%s/rill", root);
	(void)mkdir(root, 0777);
	(void)mkdir(dir, 0777);
	snprintf(l->cache, sizeof(l->cache), "%s/cublaslt-%.64s-%zu", dir, gpu, l->api.GetVersion());
	for (char *p = l->cache + strlen(dir) + 1; *p != '\0'; p++)
		if (*p == ' ' || *p == '/')
			*p = '_';
	if ((fp = fopen(l->cache, "a")) != NULL)
		fclose(fp);
	else
		l->cache[0] = '\0';
}

/* The start of the line of a key. */
static void
name_of(const struct product_key *k, char *dst, size_t n)
{
	static const char *const kinds[] = {"forward", "back_x", "back_w"};

	snprintf(dst, n, "%s %d %d %d %s %d %d %d ", kinds[k->kind], k->rows, k->n, k->k,
	    k->fp8                ? "fp8"
	    : k->store == RK_BF16 ? "bf16"
				  : "fp32",
	    k->bias, k->relu, k->accumulate);
}

static int
read_choice(const struct cuda_linear *l, const struct product_key *k, int *fused, cublasLtMatmulAlgo_t *algo)
{
	FILE *fp = l->cache[0] != '\0' ? fopen(l->cache, "r") : NULL;
	char name[96], line[512];
	int found = 0;

	name_of(k, name, sizeof(name));
	while (fp != NULL && !found && fgets(line, sizeof(line), fp) != NULL) {
		unsigned long long w[8];

		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		found = sscanf(line + strlen(name), "%d %llx %llx %llx %llx %llx %llx %llx %llx", fused, &w[0], &w[1],
			    &w[2], &w[3], &w[4], &w[5], &w[6], &w[7]) == 9;
		for (int i = 0; found && i < 8; i++)
			algo->data[i] = w[i];
	}
	if (fp != NULL)
		fclose(fp);
	return found;
}

static void
write_choice(const struct cuda_linear *l, const struct product *p)
{
	FILE *fp = fopen(l->cache, "a");
	char name[96], line[512];
	int n;

	if (fp == NULL)
		return;
	name_of(&p->key, name, sizeof(name));
	n = snprintf(line, sizeof(line), "%s%d", name, p->fused);
	for (int i = 0; i < 8; i++)
		n += snprintf(line + n, sizeof(line) - n, " %llx", (unsigned long long)p->algo.data[i]);
	snprintf(line + n, sizeof(line) - n, "\n");
	/* one write: lines of two processes do not mix */
	setvbuf(fp, NULL, _IOFBF, 1024);
	fputs(line, fp);
	fclose(fp);
}

/* 2. Timing */

/* Values as activations have them, so that power is as in earnest; bytes of each: 4, 2 (bf16) or 1 (e4m3). */
static __global__ void __launch_bounds__(256) fill(uint32_t *p, size_t words, int bytes)
{
	for (size_t i = (size_t)blockIdx.x * 256 + threadIdx.x; i < words; i += (size_t)gridDim.x * 256) {
		const uint32_t h = rk_drop_bits(i, 1, 2);
		const float a = (float)(h & 0xffff) / 32768 - 1, b = (float)(h >> 16) / 32768 - 1;
		uint32_t bits;

		memcpy(&bits, &a, 4);
		p[i] = bytes == 1 ? h & 0xb7b7b7b7 : bytes == 2 ? pair(a, b) : bits;
	}
}

/* Milliseconds of one candidate as an op runs it: the product and what is left to do after it. */
static float
time_candidate(
    struct cuda_device *dev, struct product *p, const struct product_data *at, const int32_t *live, cudaEvent_t *e)
{
	struct rk_linear o;
	struct cuda_run x = {dev, dev->stream, live, NULL, NULL, NULL};
	float ms = -1;

	memset(&o, 0, sizeof(o));
	o.cap = p->key.rows;
	o.w.n = p->key.n;
	o.w.k = p->key.k;
	o.act = p->key.relu ? RK_RELU : RK_NONE;
	o.bias = at->bias;
	o.y = at->d;
	for (int i = 0; i <= REPEATS; i++) {
		if (i == 1)
			cudaEventRecord(e[0], dev->stream);
		if (cuda_product(dev->linear, p, at, dev->stream) != cudaSuccess)
			return -1;
		if (p->key.fp8 && !p->fused)
			cuda_fp8_finish(&o, at, &x);
		else if (p->key.kind == PRODUCT_FORWARD && !p->fused && (p->key.bias || p->key.relu))
			cuda_finish_linear(&o, p->key.store, p->key.bias, &x);
	}
	cudaEventRecord(e[1], dev->stream);
	if (cudaEventSynchronize(e[1]) != cudaSuccess || cudaEventElapsedTime(&ms, e[0], e[1]) != cudaSuccess)
		return -1;
	return ms / REPEATS;
}

/* Proposals for p as it is described; their number. */
static int
propose(struct cuda_linear *l, struct product *p, cublasLtMatmulHeuristicResult_t *r, int most)
{
	const uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_NONE | CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE, align = 64;
	static const cublasLtMatmulPreferenceAttributes_t aligned[] = {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
	    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
	    CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
	cublasLtMatmulPreference_t pref;
	const struct lt_api *t = &l->api;
	int found = 0, good;

	if (t->MatmulPreferenceCreate(&pref) != CUBLAS_STATUS_SUCCESS)
		return 0;
	/* partial sums of split products stay in fp32 and are added in order */
	good = t->MatmulPreferenceSetAttribute(pref, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &l->workspace_size,
		   sizeof(l->workspace_size)) == CUBLAS_STATUS_SUCCESS &&
	       t->MatmulPreferenceSetAttribute(pref, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes,
		   sizeof(schemes)) == CUBLAS_STATUS_SUCCESS;
	for (int i = 0; good && i < 4; i++)
		good =
		    t->MatmulPreferenceSetAttribute(pref, aligned[i], &align, sizeof(align)) == CUBLAS_STATUS_SUCCESS;
	if (!good || t->MatmulAlgoGetHeuristic(l->handle, p->desc, p->a, p->b, p->d, p->d, pref, most, r, &found) !=
			 CUBLAS_STATUS_SUCCESS)
		found = 0;
	t->MatmulPreferenceDestroy(pref);
	return found;
}

/* Memory for the operands of a product, and counts that say it is full. */
struct bench {
	void *a, *b, *d, *bias;
	float *scales; /* of fp8 [n + rows] */
	int32_t *live;
	cudaEvent_t event[2];
};

static void
bench_close(struct bench *m)
{
	cudaFree(m->a), cudaFree(m->b), cudaFree(m->d), cudaFree(m->bias), cudaFree(m->scales), cudaFree(m->live);
	for (int i = 0; i < 2; i++)
		if (m->event[i] != NULL)
			cudaEventDestroy(m->event[i]);
}

static int
bench_open(struct bench *m, const struct product_key *k, struct cuda_device *dev)
{
	const size_t item = k->store == RK_BF16 ? 2 : 4, operand = k->fp8 ? 1 : item, rows = k->rows;
	const size_t x = rows * k->k * operand, y = rows * k->n * item, w = (size_t)k->n * k->k * operand;
	const size_t a = k->kind == PRODUCT_BACK_W ? x : w, b = k->kind == PRODUCT_FORWARD ? x : y;
	const size_t d = k->kind == PRODUCT_FORWARD ? y : k->kind == PRODUCT_BACK_X ? x : 4 * (size_t)k->n * k->k;
	const size_t scales = k->fp8 ? k->n + rows : 0;
	int32_t live[RK_NLIVE];

	memset(m, 0, sizeof(*m));
	for (int i = 0; i < RK_NLIVE; i++)
		live[i] = k->rows;
	if (cudaMalloc(&m->a, a + 64) != cudaSuccess || cudaMalloc(&m->b, b + 64) != cudaSuccess ||
	    cudaMalloc(&m->d, d + 64) != cudaSuccess || cudaMalloc(&m->bias, 4 * (size_t)k->n) != cudaSuccess ||
	    cudaMalloc((void **)&m->scales, (scales + 1) * sizeof(float)) != cudaSuccess ||
	    cudaMalloc((void **)&m->live, sizeof(live)) != cudaSuccess ||
	    cudaEventCreateWithFlags(&m->event[0], 0) != cudaSuccess ||
	    cudaEventCreateWithFlags(&m->event[1], 0) != cudaSuccess)
		return 0;
	LAUNCH(fill, dim3(cuda_blocks(a / 4, 256, 1024)), dim3(256), 0, dev->stream, (uint32_t *)m->a, a / 4,
	    (int)operand);
	LAUNCH(fill, dim3(cuda_blocks(b / 4, 256, 1024)), dim3(256), 0, dev->stream, (uint32_t *)m->b, b / 4,
	    (int)operand);
	LAUNCH(fill, dim3(cuda_blocks(scales, 256, 1024)), dim3(256), 0, dev->stream, (uint32_t *)m->scales, scales, 4);
	return cudaMemsetAsync(m->bias, 0, 4 * (size_t)k->n, dev->stream) == cudaSuccess &&
	       cudaMemcpyAsync(m->live, live, sizeof(live), cudaMemcpyHostToDevice, dev->stream) == cudaSuccess &&
	       cudaStreamSynchronize(dev->stream) == cudaSuccess;
}

/* Times every proposal, fused when that is to be had and plain; leaves the best in p.  0: nothing could be timed. */
static int
choose(struct cuda_device *dev, struct product *p)
{
	cublasLtMatmulHeuristicResult_t r[LT_CANDIDATES];
	const int first = p->key.bias || p->key.relu || p->key.fp8;
	cublasLtMatmulAlgo_t best;
	int best_fused = -1, n;
	float fastest = 0, ms;
	struct bench m;

	if (bench_open(&m, &p->key, dev)) {
		const struct product_data at = {m.a, m.b, m.bias, m.d, m.scales, m.scales + p->key.n};

		for (int fused = first; fused >= 0; fused--) {
			if (cuda_product_describe(dev->linear, p, fused) != CUBLAS_STATUS_SUCCESS)
				continue;
			n = propose(dev->linear, p, r, LT_CANDIDATES);
			for (int i = 0; i < n; i++) {
				p->algo = r[i].algo;
				ms = time_candidate(dev, p, &at, m.live, m.event);
				if (ms < 0 || (best_fused >= 0 && ms >= fastest))
					continue;
				fastest = ms;
				best = p->algo;
				best_fused = fused;
			}
		}
	}
	bench_close(&m);
	if (best_fused < 0 || cuda_product_describe(dev->linear, p, best_fused) != CUBLAS_STATUS_SUCCESS)
		return 0;
	p->algo = best;
	return 1;
}

const char *
cuda_tune(struct cuda_device *dev, struct product *p)
{
	struct cuda_linear *l = dev->linear;
	const double work = 2.0 * p->key.rows * p->key.n * p->key.k;
	cublasLtMatmulHeuristicResult_t r;
	int fused;

	if (read_choice(l, &p->key, &fused, &p->algo) && cuda_product_describe(l, p, fused) == CUBLAS_STATUS_SUCCESS &&
	    l->api.MatmulAlgoCheck(l->handle, p->desc, p->a, p->b, p->d, p->d, &p->algo, &r) == CUBLAS_STATUS_SUCCESS)
		return NULL;
	/* a product of some microseconds is not worth the time */
	if (l->cache[0] != '\0' && work > 1e7 * dev->processors && choose(dev, p)) {
		write_choice(l, p);
		return NULL;
	}
	for (fused = p->key.bias || p->key.relu || p->key.fp8; fused >= 0; fused--)
		if (cuda_product_describe(l, p, fused) == CUBLAS_STATUS_SUCCESS && propose(l, p, &r, 1) == 1) {
			p->algo = r.algo;
			return NULL;
		}
	cuda_product_forget(l, p);
	return "cuBLASLt has no algorithm for a product of this shape";
}
