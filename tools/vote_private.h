/*
 * vote_private.h: between rna-vote.c and its two ways of reading.
 */
#ifndef RNA_VOTE_PRIVATE_H
#define RNA_VOTE_PRIVATE_H

#include "stat/vote.h"
#include "tool.h"

enum vote_by { VOTE_BY_GROUP, VOTE_BY_CHUNK, VOTE_BY_STREAM };

/* Members that stand next to each other in one stream (vote_groups.c). */
void vote_groups(struct tool *t, enum vote_by by, enum rna_vote_rule rule);
/* The same RNAs in several streams, read in step (vote_streams.c). */
void vote_streams(struct tool *t, enum rna_vote_rule rule);

#endif
