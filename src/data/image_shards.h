/* Images with their labels in tar archives, as webdataset writes them:
 *
 *   KEY.jpg, .jpeg, .png or .webp
 *   KEY.cls    its class as a number from 0; or
 *   KEY.json   that number, or an object with it as "label" or "cls"
 *
 * Members of one key follow each other.  As in webdataset, a key ends at the first dot of a
 * member's name; names without a dot, hidden ones and those that begin with two underscores are no
 * members. */
#ifndef LP_DATA_IMAGE_SHARDS_H
#define LP_DATA_IMAGE_SHARDS_H

#include "data/image_list.h"

/* The shards of one part; they belong to the list's tree. */
typedef struct lp_image_shards lp_image_shards;

LP_MUST_USE lp_status lp_image_shards_start(lp_image_list *list, lp_image_shards **shards,
                                            lp_error *err);

/* Adds the images of shard `name` to the list, under "<name>/<member>".  They stay in the shard.
 * A broken shard, an image without a label and a label that is no class of the list are
 * LP_ERR_FORMAT or LP_ERR_DATA with shard and member, or count as broken.  LP_ERR_UNSUPPORTED: a
 * compressed shard. */
LP_MUST_USE lp_status lp_image_shards_add(lp_image_list *list, lp_image_shards *shards,
                                          const char *name, lp_error *err);

#endif
