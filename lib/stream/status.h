/*
 * status.h: how librna reports failure.  The library never prints and never exits: a function that can fail returns
 * an enum rna_status and leaves one sentence in a struct rna_err.  Only tools/ turns that sentence into a message.
 */
#ifndef RNA_STATUS_H
#define RNA_STATUS_H

#include <stdint.h>

enum rna_status {
	RNA_OK = 0,
	RNA_END,      /* proper end: end record read, or end of a text file */
	RNA_NEXT,     /* rna_reader_read only: a further header was met, a new stream begins */
	RNA_EIO,      /* a system call failed; saved_errno says how */
	RNA_EFORMAT,  /* the bytes are not what the format allows */
	RNA_EVERSION, /* a newer format version */
	RNA_ETRUNC,   /* the input stops before its end record */
	RNA_ESUM,     /* a checksum does not match */
	RNA_EMEM,     /* memory could not be had */
	RNA_EINVAL,   /* the caller asked for something impossible */
	RNA_EDEVICE   /* a device or its library is missing or failed */
};

#define RNA_CHECK __attribute__((warn_unused_result))
#define RNA_NOREC UINT64_MAX /* rna_err.record: not about a record */

struct rna_err {
	enum rna_status status;
	int saved_errno;        /* 0 where errno does not matter */
	uint64_t record;        /* 1-based number of the record in its file, or RNA_NOREC */
	char file[256];         /* input or output it is about, "" if none; "(standard input)" for stdin */
	char text[512];         /* lower case, no full stop, one line, no control characters */
};

/* Fills err (which may be NULL) and returns status.  Every failure of the library passes here: break on it. */
enum rna_status rna_fail(struct rna_err *err, enum rna_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As rna_fail with RNA_EIO and errno; the sentence is fmt followed by ": " and strerror. */
enum rna_status rna_fail_errno(struct rna_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says which input and record the failure in err is about; keeps what is already set. */
void rna_err_where(struct rna_err *err, const char *file, uint64_t record);

/* Clears err. */
void rna_err_clear(struct rna_err *err);

#endif
