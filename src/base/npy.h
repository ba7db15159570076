/* NumPy's .npy format, versions 1 to 3: headers read with bounds, headers written as NumPy does. */
#ifndef LP_BASE_NPY_H
#define LP_BASE_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

enum { LP_NPY_MAX_RANK = 4, LP_NPY_HEADER = 128 };

typedef struct lp_npy {
    char kind;   /* 'f' float, 'i' signed, 'u' unsigned, 'b' bool; texts: 'U' UTF-32, 'S' bytes */
    size_t item; /* bytes an element: 1, 2, 4 or 8; of a text those of the longest */
    bool big_endian, fortran_order;
    int rank;
    size_t shape[LP_NPY_MAX_RANK];
    size_t count;  /* product of shape */
    size_t offset; /* of the first element in the file */
} lp_npy;

enum { LP_NPY_START = 12 }; /* bytes that say how long the header is */

/* Where the elements begin of a file of `size` bytes that starts with `bytes`, of which the first
 * LP_NPY_START, or all, are there.  0: it is no .npy file, or of another version. */
size_t lp_npy_begin(const unsigned char *bytes, uint64_t size);

/* Reads the header of a file of `size` bytes that starts with `bytes` and checks that the file
 * holds exactly the elements the header promises.  `path` is for messages. */
LP_MUST_USE lp_status lp_npy_parse(const char *path, const unsigned char *bytes, uint64_t size,
                                   lp_npy *npy, lp_error *err);

/* Element i of the data, in file order, as a double or (kinds i, u, b) as an integer.
 * lp_npy_integer returns false when a value does not fit. */
double lp_npy_real(const lp_npy *npy, const unsigned char *data, size_t i);
bool lp_npy_integer(const lp_npy *npy, const unsigned char *data, size_t i, int64_t *value);

/* Bounds what a wrong label can make later stages allocate. */
enum { LP_NPY_MAX_LABELS = 1 << 20 };

/* The elements of a file of these bytes as labels [count], each checked to be from 0 to limit - 1:
 * [N] or [N, 1], integers or floats that are whole numbers.  Where all are -1 or 1, and some -1,
 * they are two classes: -1 becomes 0.  LP_ERR_FORMAT where they are not `count` numbers of these,
 * LP_ERR_DATA names the row. */
LP_MUST_USE lp_status lp_npy_labels(const char *path, const unsigned char *bytes, const lp_npy *npy,
                                    size_t count, size_t limit, int64_t *labels, lp_error *err);

/* Whether the elements are texts; and element i as UTF-8, without the zeros at its end, into text
 * [room].  Returns its length; SIZE_MAX where it is no text, or does not fit. */
bool lp_npy_is_text(const lp_npy *npy);
size_t lp_npy_text(const lp_npy *npy, const unsigned char *data, size_t i, char *text, size_t room);

/* Writes the 128-byte header of a little-endian, row-major array: descr "<f4", "<i8" or "|i1",
 * shape [rows] (columns = 0) or [rows, columns]. */
void lp_npy_header(char header[LP_NPY_HEADER], const char *descr, size_t rows, size_t columns);

#endif
