/* The table of data sets that are read by name, each in its official layout as it is downloaded.
 *
 * A row says how its layout is recognised, which parts it has, how it is scored, where it comes
 * from, and which function lists a part.  A reader lists files and labels and never decodes. */
#ifndef LP_DATA_DATA_SETS_H
#define LP_DATA_DATA_SETS_H

#include "data/image_list.h"
#include "data/official_data.h"
#include "linprobe/dataset.h"

/* Parts, as bits. */
enum {
    LP_HAS_TRAIN = 1 << LP_SPLIT_TRAIN,
    LP_HAS_TEST = 1 << LP_SPLIT_TEST,
    LP_HAS_VAL = 1 << LP_SPLIT_VAL
};

/* Lists one part (train, test or val) of a set whose files begin at list->folder.  The classes are
 * those of the whole set, and are added by the first call. */
typedef lp_status (*lp_part_reader)(lp_image_list *list, lp_split part,
                                    const lp_dataset_options *options, lp_error *err);

/* A published file. */
typedef struct lp_set_download {
    const char *url;
    const char *md5; /* as torchvision publishes it; NULL: it publishes none */
} lp_set_download;

enum { LP_SET_FOLDERS = 3, LP_SET_MARKS = 3, LP_SET_DOWNLOADS = 6 };

typedef struct lp_data_set {
    const char *name;                    /* of --data NAME:PATH */
    const char *also;                    /* other names, by spaces; or NULL */
    const char *title;                   /* for people */
    const char *folders[LP_SET_FOLDERS]; /* where its files begin, below the path or the path's own
                                            last part */
    const char *marks[LP_SET_MARKS];     /* files or folders there that make the layout */
    bool named_only;                     /* the layout is also that of others: recognised where the
                                            folder has its name, too */
    unsigned parts;                      /* LP_HAS_... */
    lp_set_metric metric;                /* of the CLIP paper */
    size_t images[3];                    /* of each part as published, by lp_split; 0: none */
    lp_part_reader read;
    const lp_record_layout *records; /* of CIFAR and STL-10, which have neither folders, marks nor
                                        reader here; else NULL */
    lp_set_download downloads[LP_SET_DOWNLOADS]; /* where it may be had directly */
} lp_data_set;

/* Ends with a row without a name. */
extern const lp_data_set lp_data_sets[];

/* The set of a name, or NULL; the case, dashes, underscores and spaces do not count: VOC2007 is
 * voc-2007. */
const lp_data_set *lp_data_set_named(const char *name);

/* The set that a layout of records is of. */
const lp_data_set *lp_data_set_of_records(const lp_record_layout *layout);

/* The set of "NAME:PATH", and *path its PATH; NULL, and *path the whole, where the text is a path.
 * LP_ERR_ARGUMENT: a name that is none, and no such path. */
LP_MUST_USE lp_status lp_data_set_parse(const char *text, const lp_data_set **set,
                                        const char **path, lp_error *err);

/* Finds where the files of `set` begin in the tree; with *set NULL, which set's layout it is.  *set
 * stays NULL where none is recognised.  folder: "" or a name in the tree.  LP_ERR_ARGUMENT: it may
 * be several.  LP_ERR_IO: `set` was asked for, and what its layout has is not there. */
LP_MUST_USE lp_status lp_data_set_find(const lp_tree *tree, const char *path,
                                       const lp_data_set **set, char folder[LP_PATH_ROOM],
                                       lp_error *err);

/* ", "-separated names of the sets, for messages. */
void lp_data_set_names(char *text, size_t room);

/* The sets whose layout has a folder or file of this name at its beginning: what a folder that is
 * taken for a class may be instead.  text is "" where there is none. */
void lp_data_set_like(const char *name, char *text, size_t room);

/* Lists options->split of the set, of LP_SPLIT_TRAINVAL what it has; *split says what that was. */
LP_MUST_USE lp_status lp_data_set_list(const lp_data_set *set, lp_image_list *list,
                                       const lp_dataset_options *options, lp_split *split,
                                       lp_error *err);

/* ---- the readers ---- */
lp_status lp_read_food_101(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_dtd(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_pets(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_aircraft(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_sun397(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_birdsnap(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_places365(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_ucf101(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_part_folders(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_gtsrb(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_tiny_imagenet(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_caltech_101(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_eurosat(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_resisc45(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_clevr(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_hateful_memes(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_mnist(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_fashion_mnist(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_fer2013(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_flowers_102(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_stanford_cars(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_kitti_distance(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_imagenet(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_voc_2007(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_pcam(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);
lp_status lp_read_svhn(lp_image_list *, lp_split, const lp_dataset_options *, lp_error *);

#endif
