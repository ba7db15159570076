/* The safetensors format. */
#ifndef LP_CKPT_SAFETENSORS_H
#define LP_CKPT_SAFETENSORS_H

#include <stdbool.h>
#include "base/file.h"
#include "ckpt/tensor_index.h"

/* True when a file starts as the format does: a length that fits, then a brace. */
bool lp_safetensors_recognise(const lp_map *file);

/* Reads the header.  Entries have storage 0 and offsets from the start of the file.
 * index->file_size is set.  Messages do not name the file. */
LP_MUST_USE lp_status lp_safetensors_index(const lp_map *file, lp_index *index, lp_error *err);

#endif
