/*
 * sum_rows_text.h: the vector loops of the partition function, written once.  The including file defines ROWS (the
 * table's name), NAME and LANES, the doubles in a register: wider vectors would go through memory.  What is summed over
 * columns is summed in eight partial sums at every level, so that all levels have the same bits.
 */

/* Some cells, wherever they lie. */
typedef double V __attribute__((vector_size(LANES * 8), aligned(8), may_alias));
#define PARTS (8 / LANES)
#define AT(p) (*(const V *)(p))
#define PUT(p, x) (*(V *)(p) = (x))

/* Row and column at the other end of a loop with a bases unpaired on the 5' side and b on the 3' side. */
#define ROW(c, a) ((c)[(unsigned)(f->i + d * (1 + (a))) % FOLD_RING])
#define COL(b) (j - d * (1 + (b)))

static inline __attribute__((always_inline)) void
interior(const struct sum_interior *f, const int d)
{
	V bulge, one_n, generic, v;
	int j, s;

	for (j = f->from; j < f->to; j += LANES) {
		bulge = one_n = generic = (V){0};
		for (s = 2; s <= RNA_MAXLOOP; s++)
			bulge += (AT(ROW(f->cb, 0) + COL(s)) + AT(ROW(f->cb, s) + COL(0))) * f->bulge[s];
		for (s = 4; s <= RNA_MAXLOOP; s++)
			one_n += (AT(ROW(f->c1, 1) + COL(s - 1)) + AT(ROW(f->c1, s - 1) + COL(1))) * f->one_n[s];
		/* V_s: of 4 there is one loop, 2 x 2, of 5 two; more have V_{s-2} of the pair between */
		PUT(f->v[4] + j, AT(ROW(f->cg, 2) + COL(2)) * f->ninio[0]);
		PUT(f->v[5] + j, (AT(ROW(f->cg, 2) + COL(3)) + AT(ROW(f->cg, 3) + COL(2))) * f->ninio[1]);
		for (s = 6; s <= RNA_MAXLOOP; s++) {
			v = (AT(ROW(f->cg, 2) + COL(s - 2)) + AT(ROW(f->cg, s - 2) + COL(2))) * f->ninio[s - 4];
			v += AT(f->v_before[s - 2] + COL(0));
			PUT(f->v[s] + j, v);
			generic += v * f->generic[s];
		}
		PUT(f->bulge_sum + j, bulge);
		PUT(f->one_n_sum + j, one_n);
		PUT(f->generic_sum + j, generic);
	}
}

static void
interior_row(const struct sum_interior *f)
{
	if (f->direction > 0)
		interior(f, 1);
	else
		interior(f, -1);
}

static void
add4(double *y, double *const x[4], const double a[4], int from, int to)
{
	const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
	int j = from;

	for (; j + LANES <= to; j += LANES)
		PUT(y + j,
		    AT(y + j) + ((AT(x0 + j) * a[0] + AT(x1 + j) * a[1]) + (AT(x2 + j) * a[2] + AT(x3 + j) * a[3])));
	for (; j < to; j++)
		y[j] += (x0[j] * a[0] + x1[j] * a[1]) + (x2[j] * a[2] + x3[j] * a[3]);
}

static double
sum_lanes(const V v[PARTS])
{
	double x[8];

	memcpy(x, v, sizeof(x));
	return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

static void
dot_add4(const double *d, double *const x[4], double *const y[4], const double a[4], double sum[4], int from, int to)
{
	V s0[PARTS] = {{0}}, s1[PARTS] = {{0}}, s2[PARTS] = {{0}}, s3[PARTS] = {{0}}, e;
	int j = from, k, m;

	for (; j + 8 <= to; j += 8) {
#pragma GCC unroll 4
		for (m = 0; m < PARTS; m++) {
			k = j + m * LANES;
			e = AT(d + k);
			s0[m] += AT(x[0] + k) * e;
			s1[m] += AT(x[1] + k) * e;
			s2[m] += AT(x[2] + k) * e;
			s3[m] += AT(x[3] + k) * e;
			PUT(y[0] + k, AT(y[0] + k) + e * a[0]);
			PUT(y[1] + k, AT(y[1] + k) + e * a[1]);
			PUT(y[2] + k, AT(y[2] + k) + e * a[2]);
			PUT(y[3] + k, AT(y[3] + k) + e * a[3]);
		}
	}
	sum[0] = sum_lanes(s0);
	sum[1] = sum_lanes(s1);
	sum[2] = sum_lanes(s2);
	sum[3] = sum_lanes(s3);
	for (; j < to; j++) {
		for (k = 0; k < 4; k++) {
			sum[k] += x[k][j] * d[j];
			y[k][j] += a[k] * d[j];
		}
	}
}

const struct sum_rows ROWS = {NAME, interior_row, add4, dot_add4};
