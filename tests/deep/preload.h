/*
 * preload.h: the page that preload.c, in the program under test, and outofmemory.c share.
 */
#ifndef RNA_PRELOAD_H
#define RNA_PRELOAD_H

struct fail_page {
	unsigned long at;    /* the allocation that fails, counted from 1; 0: none */
	unsigned long count; /* so far */
	int forever;         /* all later ones fail, too */
};

#endif
