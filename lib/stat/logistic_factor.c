/*
 * logistic_factor.c: Cholesky factor of what the curvature of a logistic regression is much like (Golub & Van Loan
 * 2013, 4.2), and solutions with it.
 */
#include <math.h>
#include <stddef.h>

#include "stat/logistic_private.h"

double
logistic_dot(const double *a, const double *b, size_t n)
{
	double sum = 0;
	size_t i;

#pragma omp simd reduction(+ : sum)
	for (i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* a += x b */
static void
add(double *a, double x, const double *b, size_t n)
{
	size_t i;

#pragma omp simd
	for (i = 0; i < n; i++)
		a[i] += x * b[i];
}

int
logistic_factor(double *gram, size_t n, size_t wide, double l2)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		double *row = gram + i * wide, left;

		for (j = 0; j < i; j++)
			row[j] = (row[j] - logistic_dot(row, gram + j * wide, j)) / gram[j * wide + j];
		left = row[i] + (i + 1 < n ? l2 : 0) - logistic_dot(row, row, i);
		if (!(left > 0) || !isfinite(left))
			return 0;
		row[i] = sqrt(left);
	}
	return 1;
}

void
logistic_solve(const double *lower, size_t n, size_t wide, double *x, size_t cols)
{
	size_t i, j, k;

	for (i = 0; i < n; i++) {
		const double *row = lower + i * wide;

		for (j = 0; j < i; j++)
			add(x + i * cols, -row[j], x + j * cols, cols);
		for (k = 0; k < cols; k++)
			x[i * cols + k] /= row[i];
	}
	for (i = n; i-- > 0;) {
		const double *row = lower + i * wide;

		for (k = 0; k < cols; k++)
			x[i * cols + k] /= row[i];
		for (j = 0; j < i; j++)
			add(x + j * cols, -row[j], x + i * cols, cols);
	}
}
