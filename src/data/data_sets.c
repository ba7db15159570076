/* Data stage: the table of data sets, and which of them a folder is.
 *
 * Parts and metrics are those of the CLIP paper (https://arxiv.org/abs/2103.00020, table 9), file
 * names, addresses and MD5 digests those of torchvision's classes of these sets
 * (torchvision/datasets), numbers of images those that the sets' authors publish. */
#include "data/data_sets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/spelling.h"

#define PCAM "https://zenodo.org/records/2546921/files/camelyonpatch_level_2_split_"

const lp_data_set lp_data_sets[] = {
    {.name = "food-101",
     .title = "Food-101",
     .folders = {"food-101"},
     .marks = {"meta/train.json", "images"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {75750, 25250},
     .read = lp_read_food_101,
     .downloads = {{"http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
                    "85eeb15f3717b99a5da872d97d918f87"}}},
    {.name = "dtd",
     .title = "DTD",
     .folders = {"dtd", "dtd/dtd"},
     .marks = {"labels/train1.txt", "images"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {1880, 1880, 1880},
     .read = lp_read_dtd,
     .downloads = {{"https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
                    "fff73e5086ae6bdbea199a49dfb8a4c1"}}},
    {.name = "oxford-pets",
     .also = "pets oxford-iiit-pet oxford-iiit-pets",
     .title = "Oxford-IIIT Pets",
     .folders = {"oxford-iiit-pet"},
     .marks = {"annotations/trainval.txt", "images"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_MEAN_PER_CLASS,
     .images = {3680, 3669},
     .read = lp_read_pets,
     .downloads = {{"https://www.robots.ox.ac.uk/~vgg/data/pets/data/images.tar.gz",
                    "5c4f3ee8e5d25df40f4fd59a7f44e54c"},
                   {"https://www.robots.ox.ac.uk/~vgg/data/pets/data/annotations.tar.gz",
                    "95a8c909bbe2e81eed6a22bccdf3f68f"}}},
    {.name = "fgvc-aircraft",
     .also = "aircraft",
     .title = "FGVC Aircraft",
     .folders = {"fgvc-aircraft-2013b"},
     .marks = {"data/variants.txt", "data/images"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_MEAN_PER_CLASS,
     .images = {3334, 3333, 3333},
     .read = lp_read_aircraft,
     .downloads = {{"https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/"
                    "fgvc-aircraft-2013b.tar.gz",
                    NULL}}},
    {.name = "sun397",
     .title = "SUN397",
     .folders = {"SUN397"},
     .marks = {"ClassName.txt"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {19850, 19850},
     .read = lp_read_sun397,
     .downloads = {{"http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
                    "8ca2778205c41d23104230ba66911c7a"}}},
    {.name = "birdsnap",
     .title = "Birdsnap",
     .folders = {"birdsnap"},
     .marks = {"test_images.txt", "images.txt", "species.txt"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {47386, 2443},
     .read = lp_read_birdsnap},
    {.name = "caltech-101",
     .also = "caltech",
     .title = "Caltech-101",
     .folders = {"caltech101", "caltech-101"},
     .marks = {"101_ObjectCategories"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_MEAN_PER_CLASS,
     .images = {3060, 6085},
     .read = lp_read_caltech_101,
     .downloads = {{"https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",
                    "3138e1922a9193bfa496528edbbc45d0"}}},
    {.name = "eurosat",
     .title = "EuroSAT",
     .folders = {"2750", "eurosat/2750", "EuroSAT_RGB"},
     .marks = {"AnnualCrop", "SeaLake", "HerbaceousVegetation"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {10000, 5000},
     .read = lp_read_eurosat,
     .downloads = {{"https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
                    "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
                    "c8fa014336c82ac7804f0398fcb19387"}}},
    {.name = "resisc45",
     .also = "nwpu-resisc45",
     .title = "RESISC45",
     .folders = {"NWPU-RESISC45"},
     .marks = {"airplane", "basketball_court", "wetland"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {3150, 25200},
     .read = lp_read_resisc45},
    {.name = "gtsrb",
     .title = "GTSRB",
     .folders = {"gtsrb"},
     .marks = {"GTSRB"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {26640, 12630},
     .read = lp_read_gtsrb,
     .downloads = {{"https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
                    "GTSRB-Training_fixed.zip",
                    "513f3c79a4c5141765e10e952eaa2478"},
                   {"https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
                    "GTSRB_Final_Test_Images.zip",
                    "c7e4e6327067d32654124b0fe9e82185"},
                   {"https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"
                    "GTSRB_Final_Test_GT.zip",
                    "fe31e9c9270bbcd7b84b7f21a9d9d9e5"}}},
    {.name = "country211",
     .title = "Country211",
     .folders = {"country211"},
     .marks = {"train", "valid", "test"},
     .named_only = true,
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {31650, 21100, 10550},
     .read = lp_read_part_folders,
     .downloads = {{"https://openaipublic.azureedge.net/clip/data/country211.tgz",
                    "84988d7644798601126c29e9877aab6a"}}},
    {.name = "rendered-sst2",
     .also = "sst2",
     .title = "Rendered SST2",
     .folders = {"rendered-sst2"},
     .marks = {"train/negative", "valid/negative", "test/negative"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {6920, 1821, 872},
     .read = lp_read_part_folders,
     .downloads = {{"https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz",
                    "2384d08e9dcfa4bd55b324e610496ee5"}}},
    {.name = "ucf101",
     .title = "UCF101, middle frames",
     .folders = {"ucf101"},
     .marks = {"ucfTrainTestlist/classInd.txt"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {9537, 3783},
     .read = lp_read_ucf101},
    {.name = "clevr-counts",
     .also = "clevr",
     .title = "CLEVR counts",
     .folders = {"CLEVR_v1.0", "clevr/CLEVR_v1.0"},
     .marks = {"scenes/CLEVR_train_scenes.json", "images/train"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {70000, 15000},
     .read = lp_read_clevr,
     .downloads = {{"https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip",
                    "b11922020e72d0cd9154779b2d3d07d2"}}},
    {.name = "hateful-memes",
     .title = "Hateful Memes",
     .folders = {"hateful_memes"},
     .marks = {"train.jsonl", "img"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ROC_AUC,
     .images = {8500, 500},
     .read = lp_read_hateful_memes},
    {.name = "tiny-imagenet",
     .also = "tiny-imagenet-200",
     .title = "Tiny ImageNet",
     .folders = {"tiny-imagenet-200"},
     .marks = {"wnids.txt", "val/val_annotations.txt", "train"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {100000, 10000},
     .read = lp_read_tiny_imagenet},
    {.name = "places365",
     .title = "Places365",
     .folders = {"places365"},
     .marks = {"categories_places365.txt", "places365_val.txt"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {1803460, 36500},
     .read = lp_read_places365},
    {.name = "flowers-102",
     .also = "flowers oxford-flowers-102",
     .title = "Oxford Flowers-102",
     .folders = {"flowers-102"},
     .marks = {"imagelabels.mat", "setid.mat", "jpg"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_MEAN_PER_CLASS,
     .images = {1020, 6149, 1020},
     .read = lp_read_flowers_102,
     .downloads = {{"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/102flowers.tgz",
                    "52808999861908f626f3c1f4e79d11fa"},
                   {"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/imagelabels.mat",
                    "e0620be6f572b9609742df49c70aed4d"},
                   {"https://www.robots.ox.ac.uk/~vgg/data/flowers/102/setid.mat",
                    "a5357ecc9cb78c4bef273ce3793fc85c"}}},
    {.name = "stanford-cars",
     .also = "cars",
     .title = "Stanford Cars",
     .folders = {"stanford_cars"},
     .marks = {"devkit/cars_meta.mat"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {8144, 8041},
     .read = lp_read_stanford_cars},
    {.name = "svhn",
     .title = "SVHN",
     .folders = {"svhn"},
     .marks = {"test_32x32.mat"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {73257, 26032},
     .read = lp_read_svhn,
     .downloads = {{"http://ufldl.stanford.edu/housenumbers/train_32x32.mat",
                    "e26dedcc434d2e4c54c9b2d4a06d8373"},
                   {"http://ufldl.stanford.edu/housenumbers/test_32x32.mat",
                    "eb5a983be6a315427106f1b164d9cef3"}}},
    {.name = "mnist",
     .title = "MNIST",
     .folders = {"MNIST/raw", "MNIST"},
     .marks = {"t10k-labels-idx1-ubyte"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {60000, 10000},
     .read = lp_read_mnist,
     .downloads = {{"https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
                    "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
                   {"https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz",
                    "d53e105ee54ea40749a09fcbcd1e9432"},
                   {"https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz",
                    "9fb629c4189551a2d022fa330f9573f3"},
                   {"https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
                    "ec29112dd5afa0611ce80d1b7f02629c"}}},
    {.name = "fashion-mnist",
     .title = "Fashion-MNIST",
     .folders = {"FashionMNIST/raw", "FashionMNIST"},
     .marks = {"t10k-labels-idx1-ubyte"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {60000, 10000},
     .read = lp_read_fashion_mnist},
    {.name = "fer2013",
     .title = "FER2013",
     .folders = {"fer2013"},
     .marks = {"fer2013.csv"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {28709, 3589, 3589},
     .read = lp_read_fer2013},
    {.name = "cifar-10",
     .title = "CIFAR-10",
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {50000, 10000},
     .records = &lp_record_layouts[LP_CIFAR_10]},
    {.name = "cifar-100",
     .title = "CIFAR-100",
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {50000, 10000},
     .records = &lp_record_layouts[LP_CIFAR_100]},
    {.name = "stl-10",
     .title = "STL-10",
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {5000, 8000},
     .records = &lp_record_layouts[LP_STL_10]},
    {.name = "kitti-distance",
     .also = "kitti",
     .title = "KITTI distance",
     .folders = {"Kitti/raw", "kitti", "KITTI"},
     .marks = {"training/image_2", "training/label_2"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {6347, 711, 423},
     .read = lp_read_kitti_distance,
     .downloads = {{"https://s3.eu-central-1.amazonaws.com/avg-kitti/data_object_image_2.zip",
                    NULL},
                   {"https://s3.eu-central-1.amazonaws.com/avg-kitti/data_object_label_2.zip",
                    NULL},
                   {"https://s3.eu-central-1.amazonaws.com/avg-kitti/devkit_object.zip", NULL}}},
    {.name = "imagenet",
     .also = "imagenet-1k ilsvrc2012",
     .title = "ImageNet",
     .folders = {"imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC"},
     .marks = {"val"},
     .named_only = true,
     .parts = LP_HAS_TRAIN | LP_HAS_TEST,
     .metric = LP_METRIC_ACCURACY,
     .images = {1281167, 50000},
     .read = lp_read_imagenet},
    {.name = "voc-2007",
     .also = "voc pascal-voc-2007",
     .title = "PASCAL VOC 2007",
     .folders = {"VOCdevkit/VOC2007", "VOC2007"},
     .marks = {"ImageSets/Main", "JPEGImages"},
     .named_only = true,
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_MAP_11,
     .images = {2501, 4952, 2510},
     .read = lp_read_voc_2007,
     .downloads = {{"https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtrainval_06-Nov-2007.tar",
                    "c52e279531787c972589f7e41ab4ae64"},
                   {"https://thor.robots.ox.ac.uk/pascal/VOC/voc2007/VOCtest_06-Nov-2007.tar",
                    "b6e924de25625d8de591ea690078ad9f"}}},
    {.name = "patch-camelyon",
     .also = "pcam",
     .title = "PatchCamelyon",
     .folders = {"pcam"},
     .marks = {"camelyonpatch_level_2_split_test_x.h5"},
     .parts = LP_HAS_TRAIN | LP_HAS_TEST | LP_HAS_VAL,
     .metric = LP_METRIC_ACCURACY,
     .images = {262144, 32768, 32768},
     .read = lp_read_pcam,
     .downloads = {{PCAM "train_x.h5.gz", "1571f514728f59376b705fc836ff4b63"},
                   {PCAM "train_y.h5.gz", "35c2d7259d906cfc8143347bb8e05be7"},
                   {PCAM "valid_x.h5.gz", "d5b63470df7cfa627aeec8b9dc0c066e"},
                   {PCAM "valid_y.h5.gz", "2b85f58b927af9964a4c15b8f7e8f179"},
                   {PCAM "test_x.h5.gz", "d8c2d60d490dbd479f8199bdfa0cf6ec"},
                   {PCAM "test_y.h5.gz", "60a7035772fbdb7f34eb86d4420cf66a"}}},
    {.name = NULL},
};

/* ---- names ----------------------------------------------------------------------------------- */

static const char between[] = "-_ "; /* what may stand, or not, between the parts of a name */

/* Whether `name` is the first `length` characters of `known`, but for these and the case. */
static bool is_named(const char *known, size_t length, const char *name) {
    const char *end = known + length;
    for (;;) {
        known += strspn(known, between) * (known < end);
        name += strspn(name, between);
        if (known >= end || *name == '\0') {
            return known >= end && *name == '\0';
        }
        if (tolower((unsigned char)*known++) != tolower((unsigned char)*name++)) {
            return false;
        }
    }
}

const lp_data_set *lp_data_set_named(const char *name) {
    for (const lp_data_set *set = lp_data_sets; set->name != NULL; set++) {
        if (is_named(set->name, strlen(set->name), name)) {
            return set;
        }
        for (const char *also = set->also; also != NULL && *also != '\0';) {
            size_t length = strcspn(also, " ");
            if (is_named(also, length, name)) {
                return set;
            }
            also += length + (also[length] == ' ');
        }
    }
    return NULL;
}

const lp_data_set *lp_data_set_of_records(const lp_record_layout *layout) {
    const lp_data_set *set = lp_data_sets;
    while (set->records != layout) {
        set++;
    }
    return set;
}

static void append(char *text, size_t room, const char *name) {
    size_t used = strlen(text);
    (void)snprintf(text + used, room - used, "%s%s", used > 0 ? ", " : "", name);
}

void lp_data_set_names(char *text, size_t room) {
    text[0] = '\0';
    for (const lp_data_set *set = lp_data_sets; set->name != NULL; set++) {
        append(text, room, set->name);
    }
}

void lp_data_set_like(const char *name, char *text, size_t room) {
    size_t length = strlen(name);
    text[0] = '\0';
    for (const lp_data_set *set = lp_data_sets; set->name != NULL; set++) {
        bool like = false;
        for (size_t i = 0; i < LP_SET_MARKS && set->marks[i] != NULL; i++) {
            const char *mark = set->marks[i];
            like = like || (strncmp(mark, name, length) == 0 &&
                            (mark[length] == '/' || mark[length] == '\0'));
        }
        if (like) {
            append(text, room, set->name);
        }
    }
}

lp_status lp_data_set_parse(const char *text, const lp_data_set **set, const char **path,
                            lp_error *err) {
    char name[64], names[1024], meant[LP_SPELLING_TEXT];
    size_t length = strcspn(text, ":");
    bool there = lp_is_folder(text) || lp_is_file(text);
    *set = NULL;
    *path = text;
    if (!there && lp_data_set_named(text) != NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: that is a data set's name, and there is no such path: say where it is, "
                       "as %s:PATH",
                       text, text);
    }
    if (text[length] == '\0' || length == 0 || length >= sizeof name ||
        memchr(text, '/', length) != NULL) {
        return LP_OK;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)length, text);
    *set = lp_data_set_named(name);
    if (*set != NULL) {
        *path = text + length + 1;
    } else if (!there) {
        lp_spelling near = lp_spelling_of(name);
        for (const lp_data_set *s = lp_data_sets; s->name != NULL; s++) {
            lp_spelling_try(&near, s->name);
        }
        lp_data_set_names(names, sizeof names);
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: there is no such path, and '%s' is none of the data sets %s%s", text,
                       name, names, lp_spelling_text(&near, meant));
    }
    return LP_OK;
}

/* ---- layouts --------------------------------------------------------------------------------- */

/* Whether a file or folder is there, also as a file packed by gzip. */
static bool is_there(const lp_tree *tree, const char *name) {
    char packed[LP_PATH_ROOM];
    return lp_tree_has_file(tree, name) || lp_tree_has_folder(tree, name) ||
           (lp_path_print(packed, NULL, "%s.gz", name) == LP_OK && lp_tree_has_file(tree, packed));
}

/* Whether all marks of the set lie in a folder of the tree; *missing is the first that does not. */
static bool has_marks(const lp_tree *tree, const lp_data_set *set, const char *folder,
                      const char **missing) {
    char name[LP_PATH_ROOM];
    for (size_t i = 0; i < LP_SET_MARKS && set->marks[i] != NULL; i++) {
        if (lp_tree_join(name, folder, set->marks[i], NULL) != LP_OK || !is_there(tree, name)) {
            *missing = set->marks[i];
            return false;
        }
    }
    return true;
}

/* Whether a path ends in a folder name of the set's, as "…/dtd" or "…/dtd.zip" does. */
static bool ends_in_name(const char *path, const lp_data_set *set) {
    for (size_t i = 0; i < LP_SET_FOLDERS && set->folders[i] != NULL; i++) {
        size_t length = strlen(path), known = strlen(set->folders[i]);
        while (length > 0 && path[length - 1] == '/') {
            length--;
        }
        if (length >= known && strncmp(path + length - known, set->folders[i], known) == 0 &&
            (length == known || path[length - known - 1] == '/')) {
            return true;
        }
    }
    return false;
}

/* Where the set begins in the tree: at its root, or in one of its folders.  false: nowhere. */
static bool find_folder(const lp_tree *tree, const char *path, const lp_data_set *set, bool asked,
                        char folder[LP_PATH_ROOM], const char **missing) {
    const char *lacking = NULL;
    folder[0] = '\0';
    if (has_marks(tree, set, "", missing) &&
        (asked || !set->named_only || ends_in_name(path, set))) {
        return true;
    }
    for (size_t i = 0; i < LP_SET_FOLDERS && set->folders[i] != NULL; i++) {
        (void)snprintf(folder, LP_PATH_ROOM, "%s", set->folders[i]);
        if (lp_tree_has_folder(tree, folder) && has_marks(tree, set, folder, &lacking)) {
            return true;
        }
    }
    folder[0] = '\0';
    return false;
}

static lp_status fail_layout(const lp_tree *tree, const lp_data_set *set, const char *missing,
                             lp_error *err) {
    char root[LP_PATH_ROOM] = "", folders[256] = "";
    (void)!lp_tree_path(tree, "", root, NULL);
    for (size_t i = 0; i < LP_SET_FOLDERS && set->folders[i] != NULL; i++) {
        size_t used = strlen(folders);
        (void)snprintf(folders + used, sizeof folders - used, "%s%s/", i > 0 ? " or " : "",
                       set->folders[i]);
    }
    return lp_fail(err, LP_ERR_IO, "%s: expected %s as it is downloaded, with %s, there or in %s",
                   root, set->title, missing, folders);
}

lp_status lp_data_set_find(const lp_tree *tree, const char *path, const lp_data_set **set,
                           char folder[LP_PATH_ROOM], lp_error *err) {
    const char *missing = "";
    char other[LP_PATH_ROOM];
    if (*set != NULL) {
        return find_folder(tree, path, *set, true, folder, &missing)
                   ? LP_OK
                   : fail_layout(tree, *set, missing, err);
    }
    folder[0] = '\0';
    for (const lp_data_set *s = lp_data_sets; s->name != NULL; s++) {
        if (s->records != NULL || !find_folder(tree, path, s, false, other, &missing)) {
            continue;
        }
        if (*set != NULL && ends_in_name(path, *set) && !ends_in_name(path, s)) {
            continue; /* the folder's name decides */
        }
        if (*set != NULL && (ends_in_name(path, *set) || !ends_in_name(path, s))) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: it may be %s or %s: say which, as %s:%s or %s:%s", path,
                           (*set)->title, s->title, (*set)->name, path, s->name, path);
        }
        *set = s;
        memcpy(folder, other, sizeof other);
    }
    return LP_OK;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static lp_status fail_part(const lp_data_set *set, lp_split split, lp_error *err) {
    char parts[64] = "";
    for (int part = 0; part < 3; part++) {
        if ((set->parts & 1U << part) != 0) {
            append(parts, sizeof parts, lp_split_name((lp_split)part));
        }
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "%s has no part %s; it has %s", set->title,
                   lp_split_name(split), parts);
}

lp_status lp_data_set_list(const lp_data_set *set, lp_image_list *list,
                           const lp_dataset_options *options, lp_split *split, lp_error *err) {
    lp_status status;
    bool both = options->split == LP_SPLIT_TRAINVAL && (set->parts & LP_HAS_VAL) != 0;
    *split = options->split == LP_SPLIT_TRAINVAL && !both ? LP_SPLIT_TRAIN : options->split;
    if (!both && (set->parts & 1U << *split) == 0) {
        return fail_part(set, *split, err);
    }
    if (options->test_share > 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s has a split of its own: a test share cannot be chosen", set->title);
    }
    LP_TRY(set->read(list, both ? LP_SPLIT_TRAIN : *split, options, err));
    if (both) {
        list->validating = true;
        LP_TRY(set->read(list, LP_SPLIT_VAL, options, err));
    }
    LP_TRY(lp_image_list_complete(list, *split != LP_SPLIT_TEST && *split != LP_SPLIT_VAL, err));
    if (list->count == 0) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_IO, err, "%s: no images of the part %s",
                                  set->title, lp_split_name(*split)));
    }
done:
    return status;
}
