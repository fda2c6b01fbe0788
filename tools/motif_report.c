/*
 * motif_report.c: rna-motif's list and its words about it.
 */
#include "motif_report.h"

void
motif_print(const struct motif_job *job, FILE *fp)
{
	const struct motif_source *s;
	const uint8_t *codes;
	size_t i;
	int j;

	fprintf(fp, "# motifs, one a line (rna-motif %s)\n", RILL_VERSION);
	if (job->top > 0)
		fprintf(fp, "# %zu: the %zu most frequent words of each length, %d to %d letters, in %llu records, "
		    "%llu bases\n", job->mined, job->top, job->min, job->max, (unsigned long long)job->records,
		    (unsigned long long)job->kmers.bases);
	for (s = job->source; s < job->source + job->nsources; s++)
		fprintf(fp, "# %llu: further ones of %s\n", (unsigned long long)s->added, s->path);
	for (i = 0; i < job->list.n; i++) {
		codes = rna_motifs_codes(&job->list, i);
		for (j = 0; j < job->list.motif[i].len; j++)
			putc("ACGU"[codes[j]], fp);
		putc('\n', fp);
	}
}

void
motif_report(const struct motif_job *job, const struct tool *tool)
{
	double kb = (double)job->kmers.bases / 1000;
	const struct motif_source *s;
	char hits[64] = "";

	if (job->top > 0)
		tool_note(tool, 1, "mined: %zu motifs, %d to %d letters; %.1f hits per kb", job->mined, job->min,
		    job->max, kb > 0 ? (double)job->mined_hits / kb : 0);
	for (s = job->source; s < job->source + job->nsources; s++) {
		if (kb > 0)
			snprintf(hits, sizeof(hits), "; %.1f hits per kb", (double)s->hits / kb);
		tool_note(tool, 1, "%s: %llu lines, %zu motifs (%llu duplicate lines, %llu in the lists before), "
		    "%u to %u letters%s", s->path, (unsigned long long)s->counts.lines, s->motifs.n,
		    (unsigned long long)s->counts.duplicates,
		    (unsigned long long)(s->motifs.n - s->added), s->counts.min, s->counts.max, hits);
	}
	tool_summary(tool, "%llu records in, %zu motifs out", (unsigned long long)job->records, job->list.n);
}
