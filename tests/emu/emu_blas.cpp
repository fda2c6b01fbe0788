/*
 * emu_blas.cpp: cuBLASLt's product with its epilogues on the CPU, column-major as there.  Two algorithms are offered
 * for every product; they give the same values.  EMU_CUBLASLT=absent: the library can't be loaded; plain: no epilogues.
 *
 * Products in e4m3 have the conditions of the real library: op(A) transposed and op(B) not, m and k and what is from
 * column to column in memory multiples of 16, operands that begin at multiples of 16 bytes, scales by row on compute
 * capability 9.0 alone.
 */
#include <stdlib.h>
#include <vector>

#include "cublasLt.h"
#include "cuda_bf16.h"
#include "cuda_lt.h"

struct emu_lt {
	int unused;
};
struct emu_matmul {
	cublasOperation_t ta, tb;
	cublasLtEpilogue_t epilogue;
	const void *bias;
	const float *scale[2]; /* of A and B; NULL: 1 */
	cublasLtMatmulMatrixScale_t mode[2];
};
struct emu_layout {
	cudaDataType_t type;
	uint64_t rows, cols;
	int64_t ld;
};
struct emu_preference {
	int unused;
};

static bool
lt_is(const char *what)
{
	const char *lt = getenv("EMU_CUBLASLT");

	return lt != NULL && strcmp(lt, what) == 0;
}

const char *
rk_lt_load(struct lt_api *api)
{
	if (lt_is("absent"))
		return "libcublasLt.so.13: no such file";
#define LT_SET(name) api->name = cublasLt##name;
	LT_FUNCTIONS(LT_SET)
#undef LT_SET
	return NULL;
}

static float
from_e4m3(uint8_t b)
{
	const int e = b >> 3 & 15, m = b & 7;
	const float v = e == 0 ? ldexpf((float)m, -9) : ldexpf(8.0f + m, e - 10);

	return (b & 0x7f) == 0x7f ? NAN : b & 0x80 ? -v : v;
}

static float
get(const void *p, size_t i, cudaDataType_t type)
{
	if (type == CUDA_R_8F_E4M3)
		return from_e4m3(((const uint8_t *)p)[i]);
	return type == CUDA_R_32F ? ((const float *)p)[i] : __bfloat162float(((const __nv_bfloat16 *)p)[i]);
}

/* The matrix op(m) of rows x cols as floats, row-major. */
static std::vector<float>
unpack(const void *p, const struct emu_layout &l, cublasOperation_t op, size_t rows, size_t cols)
{
	std::vector<float> v(rows * cols);

	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < cols; j++)
			v[i * cols + j] = get(p, op == CUBLAS_OP_N ? i + j * l.ld : j + i * l.ld, l.type);
	return v;
}

/* What the sum of row i of A and column j of B is multiplied by. */
static float
scale_of(const struct emu_matmul &d, size_t i, size_t j)
{
	const size_t at[2] = {i, j};
	float v = 1;

	for (int k = 0; k < 2; k++)
		if (d.scale[k] != NULL)
			v *= d.scale[k][d.mode[k] == CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F ? at[k] : 0];
	return v;
}

static void
run(const struct emu_matmul &d, float alpha, const void *A, const struct emu_layout &a, const void *B,
    const struct emu_layout &b, float beta, const void *C, const struct emu_layout &c, void *Y,
    const struct emu_layout &y)
{
	const size_t m = y.rows, n = y.cols, k = d.ta == CUBLAS_OP_N ? a.cols : a.rows;
	const std::vector<float> left = unpack(A, a, d.ta, m, k);
	std::vector<float> right = unpack(B, b, d.tb == CUBLAS_OP_N ? CUBLAS_OP_T : CUBLAS_OP_N, n, k);
	std::vector<float> row(m), leftt(k * m);

	for (size_t i = 0; i < m; i++)
		for (size_t p = 0; p < k; p++)
			leftt[p * m + i] = left[i * k + p];
	for (size_t j = 0; j < n; j++) {
		for (size_t i = 0; i < m; i++)
			row[i] = 0;
		for (size_t p = 0; p < k; p++) {
			const float f = right[j * k + p], *col = &leftt[p * m];
			float *out = row.data();

			for (size_t i = 0; i < m; i++)
				out[i] += f * col[i];
		}
		for (size_t i = 0; i < m; i++) {
			float v = alpha * row[i] * scale_of(d, i, j);

			if (beta != 0)
				v += beta * get(C, i + j * c.ld, c.type);
			if (d.epilogue & CUBLASLT_EPILOGUE_BIAS)
				v += get(d.bias, i, y.type);
			if ((d.epilogue & CUBLASLT_EPILOGUE_RELU) && !(v > 0))
				v = v != v ? v : 0;
			if (y.type == CUDA_R_32F)
				((float *)Y)[i + j * y.ld] = v;
			else
				((__nv_bfloat16 *)Y)[i + j * y.ld] = __float2bfloat16_rn(v);
		}
	}
}

cublasStatus_t
cublasLtCreate(cublasLtHandle_t *h)
{
	*h = new struct emu_lt();
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtDestroy(cublasLtHandle_t h)
{
	delete h;
	return CUBLAS_STATUS_SUCCESS;
}

size_t
cublasLtGetVersion(void)
{
	return 130000;
}

cublasStatus_t
cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *d, cublasComputeType_t, cudaDataType_t)
{
	*d = new emu_matmul{CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, NULL, {NULL, NULL},
	    {CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F, CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F}};
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d)
{
	delete d;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t a, const void *p, size_t n)
{
	size_t want = 4;
	void *to;

	switch (a) {
	case CUBLASLT_MATMUL_DESC_TRANSA:
		to = &d->ta;
		break;
	case CUBLASLT_MATMUL_DESC_TRANSB:
		to = &d->tb;
		break;
	case CUBLASLT_MATMUL_DESC_EPILOGUE:
		to = &d->epilogue;
		break;
	case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
		to = &d->bias;
		want = sizeof(void *);
		break;
	case CUBLASLT_MATMUL_DESC_A_SCALE_POINTER:
	case CUBLASLT_MATMUL_DESC_B_SCALE_POINTER:
		to = &d->scale[a == CUBLASLT_MATMUL_DESC_B_SCALE_POINTER];
		want = sizeof(void *);
		break;
	case CUBLASLT_MATMUL_DESC_A_SCALE_MODE:
	case CUBLASLT_MATMUL_DESC_B_SCALE_MODE:
		to = &d->mode[a == CUBLASLT_MATMUL_DESC_B_SCALE_MODE];
		break;
	default:
		return CUBLAS_STATUS_INVALID_VALUE;
	}
	if (n != want)
		return CUBLAS_STATUS_INVALID_VALUE;
	memcpy(to, p, n);
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *l, cudaDataType_t type, uint64_t rows, uint64_t cols, int64_t ld)
{
	if (rows == 0 || cols == 0 || ld < (int64_t)rows)
		return CUBLAS_STATUS_INVALID_VALUE;
	*l = new emu_layout{type, rows, cols, ld};
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
	delete l;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *p)
{
	*p = new struct emu_preference();
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
	delete p;
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulPreferenceSetAttribute(
    cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, const void *, size_t)
{
	return CUBLAS_STATUS_SUCCESS;
}

/* What the real library asks of a product in e4m3. */
static bool
fits_fp8(const struct emu_matmul &d, const struct emu_layout &a, const struct emu_layout &b, const struct emu_layout &y)
{
	struct cudaDeviceProp gpu;
	const int by_row = d.mode[0] == CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F;

	if (cudaGetDeviceProperties(&gpu, 0) != cudaSuccess || gpu.major * 10 + gpu.minor < 89 ||
	    (by_row && (gpu.major != 9 || gpu.minor != 0 || d.scale[0] == NULL || d.scale[1] == NULL)))
		return false;
	return d.ta == CUBLAS_OP_T && d.tb == CUBLAS_OP_N && d.mode[0] == d.mode[1] && y.type != CUDA_R_8F_E4M3 &&
	       y.rows % 16 == 0 && a.rows % 16 == 0 && a.ld % 16 == 0 && b.ld % 16 == 0 &&
	       y.ld * (y.type == CUDA_R_32F ? 4 : 2) % 16 == 0;
}

static bool
fits(const struct emu_matmul &d, const struct emu_layout &a, const struct emu_layout &b, const struct emu_layout &y)
{
	const uint64_t m = d.ta == CUBLAS_OP_N ? a.rows : a.cols, ka = d.ta == CUBLAS_OP_N ? a.cols : a.rows;
	const uint64_t n = d.tb == CUBLAS_OP_N ? b.cols : b.rows, kb = d.tb == CUBLAS_OP_N ? b.rows : b.cols;

	if (a.type == CUDA_R_8F_E4M3 && !fits_fp8(d, a, b, y))
		return false;
	return m == y.rows && n == y.cols && ka == kb && a.type == b.type;
}

cublasStatus_t
cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a,
    cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t y, cublasLtMatmulPreference_t, int want,
    cublasLtMatmulHeuristicResult_t *r, int *found)
{
	*found = 0;
	if (!fits(*d, *a, *b, *y) || (lt_is("plain") && d->epilogue != CUBLASLT_EPILOGUE_DEFAULT))
		return CUBLAS_STATUS_NOT_SUPPORTED;
	for (int i = 0; i < want && i < 2; i++) {
		memset(&r[i], 0, sizeof(r[i]));
		r[i].algo.data[0] = i + 1;
		(*found)++;
	}
	return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t
cublasLtMatmulAlgoCheck(cublasLtHandle_t, cublasLtMatmulDesc_t d, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
    cublasLtMatrixLayout_t, cublasLtMatrixLayout_t y, const cublasLtMatmulAlgo_t *algo,
    cublasLtMatmulHeuristicResult_t *r)
{
	memset(r, 0, sizeof(*r));
	r->algo = *algo;
	return fits(*d, *a, *b, *y) && algo->data[0] - 1 < 2 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

cublasStatus_t
cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t d, const void *alpha, const void *A, cublasLtMatrixLayout_t a,
    const void *B, cublasLtMatrixLayout_t b, const void *beta, const void *C, cublasLtMatrixLayout_t c, void *Y,
    cublasLtMatrixLayout_t y, const cublasLtMatmulAlgo_t *algo, void *, size_t, cudaStream_t s)
{
	const struct emu_matmul dd = *d;
	const struct emu_layout la = *a, lb = *b, lc = *c, ly = *y;
	const float f = *(const float *)alpha, g = *(const float *)beta;

	if (!fits(dd, la, lb, ly) || algo == NULL || algo->data[0] - 1 >= 2 ||
	    (la.type == CUDA_R_8F_E4M3 && (((uintptr_t)A | (uintptr_t)B | (uintptr_t)Y) & 15) != 0))
		return CUBLAS_STATUS_INVALID_VALUE;
	emu_queue(s, [=] { run(dd, f, A, la, B, lb, g, C, lc, Y, ly); });
	return CUBLAS_STATUS_SUCCESS;
}
