/* Sets of webdataset shards in the layout of CLIP_benchmark:
 *
 *   ROOT/classnames.txt     the name of a class a line
 *   ROOT/test/nshards.txt   n, of the shards 0.tar ... (n-1).tar
 *   ROOT/test/0.tar         images and labels (image_shards.h)
 *
 * and train/, val/ (valid/, validation/).  Without nshards.txt the shards are all .tar files there,
 * in the order of their names' bytes; and without classnames.txt, too, a part with class folders
 * is one of image files, whatever archives lie beside them. */
#ifndef LP_DATA_WEBDATASET_H
#define LP_DATA_WEBDATASET_H

#include "data/image_list.h"

/* Whether a folder holds a part in shards. */
LP_MUST_USE lp_status lp_is_webdataset(const lp_tree *tree, bool *is_one, lp_error *err);

/* Lists the part options->split, in the order of the shards; of LP_SPLIT_TRAINVAL what there is,
 * and *split says what that was.  Images stay in their shards.  A shard that is missing or broken,
 * an image without a label, and a label that is no class are LP_ERR_FORMAT or LP_ERR_DATA with
 * shard and member, or count as broken. */
LP_MUST_USE lp_status lp_webdataset_list(lp_image_list *list, const lp_dataset_options *options,
                                         lp_split *split, lp_error *err);

#endif
