/* The tensors of one encoder in a checkpoint, under the names that its family's layout has.
 *
 * A file's names are  <outer><inner><name>.  `outer` is where the model lies in the file: keys of
 * dictionaries and names of attributes, as "state_dict.backbone.".  `inner` is the family's own
 * ("visual." of a CLIP model).  A view takes the outer part off; what stands behind the inner part
 * may be renamed, so that one layout serves several namings:
 *
 *     {"encoder.stages.#.layers.#.", "layer{0+1}.{1}."}
 *
 * A '#' stands for a number without leading zeros; {i} is the i-th of them, {i+1} one more. */
#ifndef LP_MODEL_TENSOR_VIEW_H
#define LP_MODEL_TENSOR_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include "base/memory.h"
#include "linprobe/checkpoint.h"

enum { LP_FILE_NAME = 1200 }; /* room for an outer part and a name of 512 characters each */

/* What a name begins with, and what takes its place; a list ends with NULLs. */
typedef struct lp_rename {
    const char *from, *to;
} lp_rename;

typedef struct lp_view_item {
    const char *name;
    const lp_tensor *tensor;
} lp_view_item;

typedef struct lp_view {
    const lp_checkpoint *ckpt;
    lp_view_item *items; /* ordered by name */
    size_t count;
    lp_memory memory; /* of the items and of new names */
    const char *outer, *inner;
    size_t outer_length;
    const lp_rename *renames; /* NULL: the names of the file are those of the layout */
} lp_view;

/* The tensors whose names begin with the first outer_length characters of `outer`.  If two of them
 * would get one name, none is renamed.  renames may be NULL.  What is given must stay.  Released by
 * lp_view_free, also after a failure (LP_ERR_MEMORY). */
LP_MUST_USE lp_status lp_view_open(const lp_checkpoint *ckpt, const char *outer,
                                   size_t outer_length, const char *inner, const lp_rename *renames,
                                   lp_view *view, lp_error *err);
void lp_view_free(lp_view *view);

/* NULL: there is no tensor of that name. */
const lp_view_item *lp_view_find(const lp_view *view, const char *name);

/* What a tensor that the layout calls `name` is called in the file, whole, where it is there; else
 * what it would be called, by the rules that the file's other tensors follow. */
void lp_view_file_name(const lp_view *view, const char *name, char out[LP_FILE_NAME]);

#endif
