/*
 * picture.h: drawings of records as one SVG: secondary structures, or dot plots of pair probabilities.
 */
#ifndef RNA_PICTURE_H
#define RNA_PICTURE_H

#include "stream/buf.h"
#include "stream/record.h"

#define RNA_PICTURE_MAX 20000 /* nt: beyond, no viewer shows it */

enum rna_picture { RNA_PICTURE_STRUCTURE, RNA_PICTURE_DOTPLOT };

/* Drawings that wait for the size of all of them.  Zeroed: none. */
struct rna_pictures {
	struct rna_buf body;   /* the elements of all */
	struct rna_buf frames; /* struct rna_picture_frame each */
};

struct rna_picture_frame {
	size_t end; /* of its elements in the body */
	double width, height;
};

/*
 * Draws the record.  A structure is coloured by the probabilities of bpp_ij and bpp_p where they are there, else by
 * kind of pair; pairs that cross others (not in the first layer of rna_structure_print) are curves.  A dot plot has the
 * probabilities above the diagonal, as squares whose areas they are, and the structure below.
 * RNA_EFORMAT: no seq, no structure (a dot plot does without), damaged or missing probabilities, too long.
 */
enum rna_status rna_pictures_add(struct rna_pictures *p, enum rna_picture kind, const struct rna_record *rec,
    struct rna_err *err) RNA_CHECK;
/* Appends the whole SVG to out: one drawing as it is, several in rows, nearly as wide as high. */
enum rna_status rna_pictures_write(const struct rna_pictures *p, struct rna_buf *out, struct rna_err *err) RNA_CHECK;
void rna_pictures_fini(struct rna_pictures *p);

#endif
