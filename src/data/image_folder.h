/* Images in folders, one sub-folder a class.
 *
 *   ROOT/train/CLASS/...  and ROOT/test/CLASS/...  and ROOT/val, validation or valid/CLASS/...
 *   ROOT/CLASS/...        split by seed
 *
 * Without class folders in test/, val/ is the test part.  Classes are sub-folders in the order of
 * their names' bytes; the images of a class are sorted by the folder they lie in, then by name,
 * both as bytes: torchvision's ImageFolder.  Hidden files and folders and files that are no images
 * by their name are counted and left out (torchvision takes the hidden ones); so are class folders
 * without any file. */
#ifndef LP_DATA_IMAGE_FOLDER_H
#define LP_DATA_IMAGE_FOLDER_H

#include "data/image_list.h"

/* Whether a name ends as torchvision's list of image files has it. */
bool lp_is_image_name(const char *name);

/* Where the class folders of an archive begin: an archive of a folder holds nothing but that one,
 * or one in it.  "" in a folder. */
LP_MUST_USE lp_status lp_image_folder_top(const lp_tree *tree, char folder[LP_PATH_ROOM],
                                          lp_error *err);

/* Lists the part options->split of list->folder; of LP_SPLIT_TRAINVAL what is there, and *split
 * says what that was.  A folder without images gives an empty list. */
LP_MUST_USE lp_status lp_image_folder_list(lp_image_list *list, const lp_dataset_options *options,
                                           lp_split *split, lp_error *err);

/* The parts of it: the sub-folders of list->folder/below become the list's classes; and the images
 * of all classes there are added, in order.  every_class: a class without images is LP_ERR_DATA
 * (unless all are). */
LP_MUST_USE lp_status lp_image_folder_classes(lp_image_list *list, const char *below,
                                              lp_error *err);
LP_MUST_USE lp_status lp_image_folder_images(lp_image_list *list, const char *below,
                                             bool every_class, lp_error *err);

#endif
