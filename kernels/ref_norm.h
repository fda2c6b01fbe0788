/*
 * ref_norm.h: layer norm, with bias, dropout and residual before it, or with the embedding sum before it and dropout
 * after. Text of ref_ops.h.
 */

/* y = (z - mean) / std * gamma + beta; mean and 1/std to stats when it is kept. */
static void
ref_normalize(const real *z, int n, real eps, const real *gamma, const real *beta, real *stats, real *y)
{
	real mean = 0, var = 0, rstd;

	for (int i = 0; i < n; i++)
		mean += z[i];
	mean /= n;
	for (int i = 0; i < n; i++)
		var += (z[i] - mean) * (z[i] - mean);
	rstd = 1 / sqrt(var / n + eps);
	for (int i = 0; i < n; i++)
		y[i] = (z[i] - mean) * rstd * gamma[i] + beta[i];
	if (stats != NULL) {
		stats[0] = mean;
		stats[1] = rstd;
	}
}

/* Averages over the row that the gradient needs: of dy gamma, and of dy gamma times the normalised value. */
static void
ref_norm_sums(const real *z, const real *stats, const real *dy, const real *gamma, int n, real *a, real *b)
{
	*a = *b = 0;
	for (int i = 0; i < n; i++) {
		*a += dy[i] * gamma[i];
		*b += dy[i] * gamma[i] * (z[i] - stats[0]) * stats[1];
	}
	*a /= n;
	*b /= n;
}

static void
ref_norm(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_norm *o = &c->u.norm;
	const int n = o->hidden;
	const real *bias = o->bias;

	for (int r = 0; r < e->live[o->rows]; r++) {
		const real *x = (const real *)o->x + (size_t)r * n;
		const real *res = o->residual != NULL ? (const real *)o->residual + (size_t)r * n : NULL;
		real *y = (real *)o->y + (size_t)r * n;
		real *z = o->z != NULL ? (real *)o->z + (size_t)r * n : y;

		for (int i = 0; i < n; i++) {
			real v = x[i] + (bias != NULL ? bias[i] : 0);

			z[i] = v * ref_keep(&o->drop, 0, r, i) + (res != NULL ? res[i] : 0);
		}
		ref_normalize(
		    z, n, o->eps, o->gamma, o->beta, o->stats != NULL ? (real *)o->stats + 2 * (size_t)r : NULL, y);
	}
}

static void
ref_norm_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_norm *o = &c->u.norm;
	const int n = o->hidden;
	const real *gamma = o->gamma;
	real *dgamma = o->dgamma, *dbeta = o->dbeta, *dbias = o->dbias;

	for (int r = 0; r < e->live[o->rows]; r++) {
		const real *z = (const real *)o->z + (size_t)r * n, *dy = (const real *)o->dy + (size_t)r * n;
		const real *stats = (const real *)o->stats + 2 * (size_t)r;
		real *dx = (real *)o->dx + (size_t)r * n;
		real *dres = o->dresidual != NULL ? (real *)o->dresidual + (size_t)r * n : NULL;
		real a, b;

		ref_norm_sums(z, stats, dy, gamma, n, &a, &b);
		for (int i = 0; i < n; i++) {
			real zhat = (z[i] - stats[0]) * stats[1], g = dy[i];
			real dz = stats[1] * (g * gamma[i] - a - zhat * b);
			real d = dz * ref_keep(&o->drop, 0, r, i);

			dgamma[i] += g * zhat;
			dbeta[i] += g;
			if (dbias != NULL)
				dbias[i] += d;
			if (dres != NULL)
				dres[i] = dz;
			dx[i] = d;
		}
	}
}

static void
ref_embed(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_embed *o = &c->u.embed;
	const int n = o->hidden;

	for (int r = 0; r < e->live[RK_LIVE_TOKENS]; r++) {
		const real *word = (const real *)o->word + (size_t)o->token[r] * n;
		const real *pos = (const real *)o->pos + (size_t)o->position[r] * n;
		const real *seg = (const real *)o->seg + (size_t)o->segment[r] * n;
		real *y = (real *)o->y + (size_t)r * n;
		real *z = o->z != NULL ? (real *)o->z + (size_t)r * n : y;

		for (int i = 0; i < n; i++)
			z[i] = word[i] + pos[i] + seg[i];
		ref_normalize(
		    z, n, o->eps, o->gamma, o->beta, o->stats != NULL ? (real *)o->stats + 2 * (size_t)r : NULL, y);
		for (int i = 0; i < n; i++)
			y[i] *= ref_keep(&o->drop, 0, r, i);
	}
}

static void
ref_embed_back(const struct rk_call *c, const struct rk_env *e)
{
	const struct rk_embed *o = &c->u.embed;
	const int n = o->hidden;
	const real *gamma = o->gamma;
	real *dgamma = o->dgamma, *dbeta = o->dbeta;

	for (int r = 0; r < e->live[RK_LIVE_TOKENS]; r++) {
		const real *z = (const real *)o->z + (size_t)r * n, *dy = (const real *)o->dy + (size_t)r * n;
		const real *stats = (const real *)o->stats + 2 * (size_t)r;
		real *dword = (real *)o->dword + (size_t)o->token[r] * n;
		real *dpos = (real *)o->dpos + (size_t)o->position[r] * n;
		real *dseg = (real *)o->dseg + (size_t)o->segment[r] * n;
		real a = 0, b = 0;

		for (int i = 0; i < n; i++) {
			real g = dy[i] * ref_keep(&o->drop, 0, r, i) * gamma[i];

			a += g / n;
			b += g * (z[i] - stats[0]) * stats[1] / n;
		}
		for (int i = 0; i < n; i++) {
			real zhat = (z[i] - stats[0]) * stats[1], g = dy[i] * ref_keep(&o->drop, 0, r, i);
			real dz = stats[1] * (g * gamma[i] - a - zhat * b);

			dgamma[i] += g * zhat;
			dbeta[i] += g;
			dword[i] += dz;
			dpos[i] += dz;
			dseg[i] += dz;
		}
	}
}
