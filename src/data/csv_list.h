/* A list of image files with their labels: a .csv file of path, label and, where the list has parts
 * of its own, split. */
#ifndef LP_DATA_CSV_LIST_H
#define LP_DATA_CSV_LIST_H

#include "data/image_list.h"

/* Whether a path is one, by its name. */
bool lp_is_csv_list(const char *path);

/* Lists the part options->split of the list `name` in list->folder, which its paths begin at; of
 * LP_SPLIT_TRAINVAL what there is, and *split says what that was.  Without a third column the split
 * is by seed.  Labels are names of classes, in the order of their bytes, or, where all are whole
 * numbers, of their values.  LP_ERR_FORMAT, LP_ERR_DATA: with the line. */
LP_MUST_USE lp_status lp_csv_list_read(lp_image_list *list, const char *name,
                                       const lp_dataset_options *options, lp_split *split,
                                       lp_error *err);

#endif
