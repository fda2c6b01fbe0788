/*
 * sha256.h: SHA-256 as libmd has it, faster where the processor has instructions for it (FIPS 180-4).
 */
#ifndef RNA_SHA256_H
#define RNA_SHA256_H

#include <sys/types.h>

#include <sha2.h>

/* As SHA256Update. */
void rna_sha256_update(SHA2_CTX *ctx, const void *data, size_t n);

#endif
