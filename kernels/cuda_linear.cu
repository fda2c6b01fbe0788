/*
 * cuda_linear.cu: linear layers and their gradients by cuBLASLt.  What rk.h stores by rows is, read by columns, the
 * transpose: y^T = w x^T, dx^T = w^T dy^T, dw^T = x^T dy.
 *
 * Products cover the capacity, so that their shape is known when a list is made.  Rows past the live count are zeroed
 * before they would be summed over.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cuda_linear.h"

enum { THREADS = 256 };

/* 1. Kernels beside the products */

template <class T>
static __global__ void
__launch_bounds__(THREADS)
    finish_rows(const T *in, const float *bias, enum rk_act act, T *pre, T *y, int n, const int32_t *live, int rows)
{
	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < (size_t)live[rows] * n;
	     i += (size_t)gridDim.x * THREADS) {
		const float v = to_float(in[i]) + (bias != NULL ? bias[i % n] : 0);

		if (pre != NULL)
			pre[i] = from_float<T>(v);
		y[i] = from_float<T>(act_of(act, v));
	}
}

/* Rows from the live count to the capacity of x [cap, k] and dy [cap, n] to 0. */
template <class T>
static __global__ void
__launch_bounds__(THREADS) zero_tails(T *x, int k, T *dy, int n, int cap, const int32_t *live, int rows)
{
	const size_t first = live[rows], nx = (cap - first) * k, ny = (cap - first) * n;

	for (size_t i = (size_t)blockIdx.x * THREADS + threadIdx.x; i < nx + ny; i += (size_t)gridDim.x * THREADS)
		if (i < nx)
			x[first * k + i] = from_float<T>(0);
		else
			dy[first * n + i - nx] = from_float<T>(0);
}

static __global__ void
__launch_bounds__(THREADS) round_bias(const float *bias, bf16 *out, int n)
{
	const int i = blockIdx.x * THREADS + threadIdx.x;

	if (i < n)
		out[i] = __float2bfloat16_rn(bias[i]);
}

/* 2. Products */

void
cuda_product_forget(struct cuda_linear *l, struct product *p)
{
	if (p->desc != NULL)
		l->api.MatmulDescDestroy(p->desc);
	if (p->a != NULL)
		l->api.MatrixLayoutDestroy(p->a);
	if (p->b != NULL)
		l->api.MatrixLayoutDestroy(p->b);
	if (p->d != NULL)
		l->api.MatrixLayoutDestroy(p->d);
	p->desc = NULL;
	p->a = p->b = p->d = NULL;
}

/* Says where the scales are; describing a product, any address will do. */
static cublasStatus_t
point_scales(struct cuda_linear *l, struct product *p, const void *a, const void *b)
{
	const cublasStatus_t s =
	    l->api.MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, &a, sizeof(a));

	return s != CUBLAS_STATUS_SUCCESS
	           ? s
	           : l->api.MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, &b, sizeof(b));
}

/* A scale for each row of w and of x. */
static cublasStatus_t
scale_rows(struct cuda_linear *l, struct product *p)
{
	const cublasLtMatmulMatrixScale_t by_row = CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;
	cublasStatus_t s;

	if ((s = l->api.MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_A_SCALE_MODE, &by_row, sizeof(by_row))) !=
		CUBLAS_STATUS_SUCCESS ||
	    (s = l->api.MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_B_SCALE_MODE, &by_row, sizeof(by_row))) !=
		CUBLAS_STATUS_SUCCESS)
		return s;
	return point_scales(l, p, l->workspace, l->workspace);
}

cublasStatus_t
cuda_product_describe(struct cuda_linear *l, struct product *p, int fused)
{
	const struct product_key *k = &p->key;
	const cublasOperation_t ta = k->kind == PRODUCT_FORWARD ? CUBLAS_OP_T : CUBLAS_OP_N;
	const cublasOperation_t tb = k->kind == PRODUCT_BACK_W ? CUBLAS_OP_T : CUBLAS_OP_N;
	const cudaDataType_t type = k->store == RK_BF16 ? CUDA_R_16BF : CUDA_R_32F;
	const cudaDataType_t operand = k->fp8 ? CUDA_R_8F_E4M3 : type;
	const cublasLtEpilogue_t epilogue = !fused               ? CUBLASLT_EPILOGUE_DEFAULT
	                                    : k->relu && k->bias ? CUBLASLT_EPILOGUE_RELU_BIAS
	                                    : k->relu            ? CUBLASLT_EPILOGUE_RELU
	                                    : k->bias            ? CUBLASLT_EPILOGUE_BIAS
	                                                         : CUBLASLT_EPILOGUE_DEFAULT;
	/* by columns: x is k x rows, y is n x rows, w is k x n */
	const int back_w = k->kind == PRODUCT_BACK_W, back_x = k->kind == PRODUCT_BACK_X;
	const struct lt_api *t = &l->api;
	cublasStatus_t s;

	cuda_product_forget(l, p);
	if ((s = t->MatmulDescCreate(&p->desc, CUBLAS_COMPUTE_32F, CUDA_R_32F)) != CUBLAS_STATUS_SUCCESS ||
	    (s = t->MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_TRANSA, &ta, sizeof(ta))) !=
		CUBLAS_STATUS_SUCCESS ||
	    (s = t->MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_TRANSB, &tb, sizeof(tb))) !=
		CUBLAS_STATUS_SUCCESS ||
	    (s = t->MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue))) !=
		CUBLAS_STATUS_SUCCESS)
		return s;
	p->fused = fused;
	if (k->fp8 && fused && (s = scale_rows(l, p)) != CUBLAS_STATUS_SUCCESS)
		return s;
	if ((s = t->MatrixLayoutCreate(&p->a, operand, k->k, back_w ? k->rows : k->n, k->k)) != CUBLAS_STATUS_SUCCESS ||
	    (s = t->MatrixLayoutCreate(&p->b, operand, back_x || back_w ? k->n : k->k, k->rows,
		 back_x || back_w ? k->n : k->k)) != CUBLAS_STATUS_SUCCESS)
		return s;
	return t->MatrixLayoutCreate(&p->d, back_w ? CUDA_R_32F : type, back_x || back_w ? k->k : k->n,
	    back_w ? k->n : k->rows, back_x || back_w ? k->k : k->n);
}

cudaError_t
cuda_product(struct cuda_linear *l, struct product *p, const struct product_data *at, cudaStream_t stream)
{
	const float one = 1, beta = p->key.accumulate ? 1.0f : 0.0f;

	if (p->fused && p->key.bias &&
	    l->api.MatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &at->bias, sizeof(at->bias)) !=
		CUBLAS_STATUS_SUCCESS)
		return cudaErrorUnknown;
	if (p->fused && p->key.fp8 && point_scales(l, p, at->scale_a, at->scale_b) != CUBLAS_STATUS_SUCCESS)
		return cudaErrorUnknown;
	return l->api.Matmul(l->handle, p->desc, &one, at->a, p->a, at->b, p->b, &beta, at->d, p->d, at->d, p->d,
		   &p->algo, l->workspace, l->workspace_size, stream) == CUBLAS_STATUS_SUCCESS
	           ? cudaSuccess
	           : cudaErrorUnknown;
}

/* The key of a call; 0 for an op that is no product. */
static int
key_of(const struct rk_call *c, struct product_key *k)
{
	const struct rk_linear *o = &c->u.linear;

	memset(k, 0, sizeof(*k));
	if (c->op != RK_LINEAR && c->op != RK_LINEAR_BACK_X && c->op != RK_LINEAR_BACK_W)
		return 0;
	k->kind = c->op == RK_LINEAR ? PRODUCT_FORWARD : c->op == RK_LINEAR_BACK_X ? PRODUCT_BACK_X : PRODUCT_BACK_W;
	k->rows = o->cap;
	k->n = o->w.n;
	k->k = o->w.k;
	k->store = c->store == RK_BF16 ? RK_BF16 : RK_FP32;
	k->fp8 = c->op == RK_LINEAR && o->w.precision == RK_FP8 && rk_fp8_takes(o->w.n, o->w.k);
	k->bias = c->op == RK_LINEAR && o->bias != NULL;
	k->relu = c->op == RK_LINEAR && o->act == RK_RELU && o->pre == NULL;
	k->accumulate = c->op == RK_LINEAR_BACK_W || (c->op == RK_LINEAR_BACK_X && o->accumulate);
	return 1;
}

static struct product *
find(struct cuda_linear *l, const struct product_key *k)
{
	for (int i = 0; i < l->nproducts; i++)
		if (memcmp(&l->products[i].key, k, sizeof(*k)) == 0)
			return &l->products[i];
	return NULL;
}

const char *
cuda_linear_prepare(const struct rk_call *c, struct cuda_device *dev)
{
	struct cuda_linear *l = dev->linear;
	struct product_key k;
	struct product *p;
	const char *why;

	if (!key_of(c, &k) || k.rows == 0 || find(l, &k) != NULL)
		return NULL;
	if ((c->u.linear.w.precision == RK_FP32) != (c->store != RK_BF16))
		return "a product in another precision than its activations are stored in";
	if (c->u.linear.w.precision == RK_FP8 && c->u.linear.pre != NULL)
		return "fp8 is for inference";
	if (l->nproducts == l->cap) {
		if ((p = (struct product *)realloc(l->products, (l->cap + 64) * sizeof(*p))) == NULL)
			return "out of memory";
		l->products = p;
		l->cap += 64;
	}
	p = &l->products[l->nproducts];
	memset(p, 0, sizeof(*p));
	p->key = k;
	if ((why = cuda_tune(dev, p)) != NULL)
		return why;
	l->nproducts++;
	return NULL;
}

struct cuda_linear *
cuda_linear_create(struct cuda_device *dev, const char *gpu)
{
	struct cuda_linear *l = (struct cuda_linear *)calloc(1, sizeof(*l));
	const char *why;

	if (l == NULL)
		return NULL;
	if ((why = rk_lt_load(&l->api)) != NULL) {
		snprintf(dev->err, sizeof(dev->err), "%s", why);
		free(l);
		return NULL;
	}
	l->workspace_size = (size_t)dev->processors * LT_WORKSPACE;
	if (l->api.Create(&l->handle) == CUBLAS_STATUS_SUCCESS &&
	    cudaMalloc(&l->workspace, l->workspace_size) == cudaSuccess) {
		cuda_tune_open(l, gpu);
		return l;
	}
	snprintf(dev->err, sizeof(dev->err), "cuBLASLt can't be started");
	cuda_linear_destroy(l);
	return NULL;
}

void
cuda_linear_destroy(struct cuda_linear *l)
{
	if (l == NULL)
		return;
	for (int i = 0; i < l->nproducts; i++)
		cuda_product_forget(l, &l->products[i]);
	free(l->products);
	cudaFree(l->workspace);
	if (l->handle != NULL)
		l->api.Destroy(l->handle);
	free(l);
}

/* 3. The ops */

static const void *
weights(const struct rk_weight *w)
{
	return w->precision != RK_FP32 ? w->fwd : w->w;
}

cudaError_t
cuda_round_bias(const void *bias, void *to, int n, struct cuda_run *x)
{
	LAUNCH(round_bias, dim3((n + THREADS - 1) / THREADS), dim3(THREADS), 0, x->stream, (const float *)bias,
	    (bf16 *)to, n);
	return cudaGetLastError();
}

size_t
cuda_linear_scratch(const struct rk_call *c)
{
	if (c->u.linear.w.precision == RK_FP8)
		return cuda_fp8_scratch(&c->u.linear);
	return cuda_align((size_t)c->u.linear.w.n * sizeof(bf16));
}

template <class T>
static cudaError_t
finish(const struct rk_linear *o, int bias, struct cuda_run *x)
{
	const T *in = (const T *)(o->pre != NULL ? o->pre : o->y);
	/* a bias that the product has added is in `pre` already */
	T *pre = bias ? (T *)o->pre : NULL;

	LAUNCH(finish_rows<T>, dim3(cuda_blocks((size_t)o->cap * o->w.n, THREADS, (size_t)x->dev->processors * 32)),
	    dim3(THREADS), 0, x->stream, in, bias ? (const float *)o->bias : (const float *)NULL, o->act, pre,
	    (T *)o->y, o->w.n, x->live, o->rows);
	return cudaGetLastError();
}

cudaError_t
cuda_finish_linear(const struct rk_linear *o, enum rk_precision store, int bias, struct cuda_run *x)
{
	return store == RK_BF16 ? finish<bf16>(o, bias, x) : finish<float>(o, bias, x);
}

cudaError_t
cuda_linear(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_linear *o = &c->u.linear;
	struct product_data at = {weights(&o->w), o->x, o->bias, o->pre != NULL ? o->pre : o->y, NULL, NULL};
	struct product_key k;
	struct product *p;
	cudaError_t e;

	if (!key_of(c, &k) || k.rows == 0 || (p = find(x->dev->linear, &k)) == NULL)
		return k.rows == 0 ? cudaSuccess : cudaErrorUnknown;
	if (k.fp8)
		return cuda_fp8_linear(o, p, x);
	if (p->fused && k.bias && k.store == RK_BF16) {
		if ((e = cuda_round_bias(o->bias, x->scratch, k.n, x)) != cudaSuccess)
			return e;
		at.bias = x->scratch;
	}
	if ((e = cuda_product(x->dev->linear, p, &at, x->stream)) != cudaSuccess)
		return e;
	if (p->fused ? o->act == RK_NONE || k.relu : o->bias == NULL && o->act == RK_NONE)
		return cudaSuccess;
	return cuda_finish_linear(o, k.store, !p->fused && o->bias != NULL, x);
}

size_t
cuda_linear_back_x_scratch(const struct rk_call *)
{
	return 0;
}

cudaError_t
cuda_linear_back_x(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_linear *o = &c->u.linear;
	const struct product_data at = {weights(&o->w), o->dy, NULL, o->dx, NULL, NULL};
	struct product_key k;
	struct product *p;

	if (!key_of(c, &k) || k.rows == 0 || (p = find(x->dev->linear, &k)) == NULL)
		return k.rows == 0 ? cudaSuccess : cudaErrorUnknown;
	return cuda_product(x->dev->linear, p, &at, x->stream);
}

size_t
cuda_linear_back_w_scratch(const struct rk_call *c)
{
	return cuda_column_scratch(c->u.linear.w.n);
}

cudaError_t
cuda_linear_back_w(const struct rk_call *c, struct cuda_run *x)
{
	const struct rk_linear *o = &c->u.linear;
	const struct product_data at = {o->x, o->dy, NULL, o->dw, NULL, NULL};
	const dim3 grid(cuda_blocks((size_t)o->cap, 8, (size_t)x->dev->processors * 4));
	struct product_key k;
	struct product *p;
	cudaError_t e;

	if (!key_of(c, &k) || k.rows == 0 || (p = find(x->dev->linear, &k)) == NULL)
		return k.rows == 0 ? cudaSuccess : cudaErrorUnknown;
	if (k.store == RK_BF16)
		LAUNCH(zero_tails<bf16>, grid, dim3(THREADS), 0, x->stream, (bf16 *)o->x, k.k, (bf16 *)o->dy, k.n,
		    k.rows, x->live, o->rows);
	else
		LAUNCH(zero_tails<float>, grid, dim3(THREADS), 0, x->stream, (float *)o->x, k.k, (float *)o->dy, k.n,
		    k.rows, x->live, o->rows);
	if ((e = cuda_product(x->dev->linear, p, &at, x->stream)) != cudaSuccess || o->dbias == NULL ||
	    x->summed == o->dy)
		return e;
	return cuda_column_sums(o->dy, k.store, o->rows, k.rows, k.n, (float *)o->dbias, x);
}
