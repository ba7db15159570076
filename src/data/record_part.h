/* The records of one part of CIFAR-100, CIFAR-10 or STL-10: checked, with their names, and some of
 * them chosen.
 *
 *     LP_TRY(lp_record_files_open(path, NULL, split, &set.files, err));
 *     LP_TRY(lp_record_part_read(&set, path, &options, err));
 *     lp_record_part_image(&set, 0, rgb);
 *     lp_record_part_close(&set);
 */
#ifndef LP_DATA_RECORD_PART_H
#define LP_DATA_RECORD_PART_H

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "base/memory.h"
#include "data/record_files.h"

typedef struct lp_record_part {
    lp_record_files files;
    lp_split split; /* train or test */
    lp_label_kind kind;
    size_t part;          /* records of the files */
    size_t count;         /* of those, the chosen ones */
    const size_t *chosen; /* [count], rising; NULL: all */
    char digest[LP_DIGEST_HEX];
    const char *official;
    lp_memory memory; /* of what follows, and of chosen */
    int64_t *labels;  /* [count] */
    size_t classes;
    char **class_names;     /* [classes] */
    int64_t *superclass_of; /* [classes], or NULL */
    size_t superclasses;
    char **superclass_names;
} lp_record_part;

/* Reads what set->files holds, which is something.  source: for messages.  LP_ERR_ARGUMENT: coarse
 * labels of a set without them.  LP_ERR_FORMAT: a partial record, a names file of the wrong length.
 * LP_ERR_DATA: a label out of range, a limit below the classes. */
LP_MUST_USE lp_status lp_record_part_read(lp_record_part *set, const char *source,
                                          const lp_dataset_options *options, lp_error *err);
void lp_record_part_close(lp_record_part *set); /* zeros are allowed */

/* Writes image i, below count, as uint8 [side, side, 3]. */
void lp_record_part_image(const lp_record_part *set, size_t i, unsigned char *rgb);

#endif
