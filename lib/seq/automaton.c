/*
 * automaton.c: the Aho-Corasick automaton of a list of motifs.  With four letters the failure links can be worked into
 * a full table of transitions, so that scanning is one look-up a letter.
 */
#include <stdlib.h>
#include <string.h>

#include "seq/motif.h"

#define STATE 0x7fffffffu

/* Walks a motif into the trie; states are made as needed. */
static void
insert(struct rna_automaton *a, const uint8_t *codes, size_t len)
{
	uint32_t state = 0, *to;
	size_t i;

	for (i = 0; i < len; i++) {
		to = &a->next[4 * (size_t)state + codes[i]];
		if (*to == 0)
			*to = (uint32_t)a->nstates++;
		state = *to;
	}
	a->len[state] = (uint8_t)len;
	if (a->shortest == 0 || len < a->shortest)
		a->shortest = (unsigned)len;
}

/* Breadth first: fills the missing transitions from the state of the longest proper suffix; links shorter motifs. */
static enum rna_status
link_states(struct rna_automaton *a)
{
	uint32_t *queue, *suffix, state, to, back;
	size_t head = 0, tail = 0;
	int c;

	queue = calloc(a->nstates, sizeof(*queue));
	suffix = calloc(a->nstates, sizeof(*suffix));
	if (queue == NULL || suffix == NULL) {
		free(queue);
		free(suffix);
		return RNA_EMEM;
	}
	queue[tail++] = 0;
	while (head < tail) {
		state = queue[head++];
		for (c = 0; c < 4; c++) {
			to = a->next[4 * (size_t)state + (size_t)c];
			back = state == 0 ? 0 : a->next[4 * (size_t)suffix[state] + (size_t)c];
			if (to == 0) {
				a->next[4 * (size_t)state + (size_t)c] = back;
				continue;
			}
			suffix[to] = back;
			a->shorter[to] = a->len[back] != 0 ? back : a->shorter[back];
			queue[tail++] = to;
		}
	}
	free(queue);
	free(suffix);
	return RNA_OK;
}

enum rna_status
rna_automaton_init(struct rna_automaton *a, const struct rna_motifs *list, int skip_u)
{
	size_t most = 1, i;
	uint32_t state;
	enum rna_status s;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < list->n; i++)
		most += list->motif[i].len;
	if (most > STATE)
		return RNA_EMEM;
	a->next = calloc(4 * most, sizeof(*a->next));
	a->len = calloc(most, sizeof(*a->len));
	a->shorter = calloc(most, sizeof(*a->shorter));
	a->nstates = 1;
	if (a->next == NULL || a->len == NULL || a->shorter == NULL) {
		rna_automaton_fini(a);
		return RNA_EMEM;
	}
	for (i = 0; i < list->n; i++) {
		if (!(skip_u && list->motif[i].u))
			insert(a, rna_motifs_codes(list, i), list->motif[i].len);
	}
	if ((s = link_states(a)) != RNA_OK) {
		rna_automaton_fini(a);
		return s;
	}
	for (i = 0; i < 4 * a->nstates; i++) {
		state = a->next[i];
		if (a->len[state] != 0 || a->shorter[state] != 0)
			a->next[i] = state | RNA_AUTOMATON_HIT;
	}
	return RNA_OK;
}

void
rna_automaton_fini(struct rna_automaton *a)
{
	free(a->next);
	free(a->len);
	free(a->shorter);
	memset(a, 0, sizeof(*a));
}

size_t
rna_automaton_scan(const struct rna_automaton *a, const uint8_t *codes, size_t n, struct rna_hit *hits, size_t max)
{
	uint32_t state = 0, end;
	size_t found = 0, i;

	for (i = 0; i < n; i++) {
		if (codes[i] >= RNA_MOTIF_BREAK) {
			state = 0;
			continue;
		}
		state = a->next[4 * (size_t)(state & STATE) + codes[i]];
		if (!(state & RNA_AUTOMATON_HIT))
			continue;
		end = state & STATE;
		if (a->len[end] == 0)
			end = a->shorter[end];
		for (; end != 0; end = a->shorter[end]) {
			if (found < max) {
				hits[found].start = (uint32_t)(i + 1 - a->len[end]);
				hits[found].len = a->len[end];
			}
			found++;
		}
	}
	return found;
}
