/* Data stage: folders of image files; image_list.h has the layouts.
 *
 *   folders -> names, labels [N], sorted       (only names and kinds are looked at)
 *           -> this split's of them, where the folder has none of its own
 *   files   -> decoded once, digest of each -> digest of all; broken ones out
 *   file i  -> read again, compared with its digest, decoded */
#include "data/image_list.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/strata.h"
#include "base/text.h"
#include "data/image_file.h"

enum { DEPTH_MAX = 32, CHUNK = 256 };
static const uint64_t file_bytes_max = UINT64_C(1) << 30;

static const char *const test_names[] = {"test", "val", "validation"};
enum { TEST_NAMES = 3 };

/* torchvision's list, so that a file it would read is not left out in silence. */
static bool is_image_name(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp"};
    const char *end = strrchr(name, '.');
    bool found = false;
    for (size_t i = 0; end != NULL && i < sizeof endings / sizeof *endings; i++) {
        found = found || strcasecmp(end, endings[i]) == 0;
    }
    return found;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* place: root/name if that is a folder which holds folders, else "". */
static lp_status find_place(const char *root, const char *name, char place[LP_PATH_ROOM],
                            lp_error *err) {
    lp_folder folders = {0};
    lp_status status;
    LP_TRY(lp_path_in(place, root, name, err));
    if (lp_is_folder(place)) {
        LP_TRY(lp_folder_read_kind(place, true, &folders, err));
    }
    if (folders.count == 0) {
        place[0] = '\0';
    }
done:
    lp_folder_clear(&folders);
    return status;
}

static lp_status add_image(lp_image_list *list, size_t *room, char *name, int64_t label,
                           lp_error *err) {
    lp_listed_image *images = lp_grow_by_one(list->images, list->count, room, sizeof *images);
    if (images == NULL) {
        return lp_fail_memory(err, "list of images", list->count + 1, sizeof *images);
    }
    list->images = images;
    list->images[list->count++] = (lp_listed_image){.name = name, .label = label};
    return LP_OK;
}

/* Adds the images of list->folder/below and of the folders in it.  The depth is bounded because
 * links are followed, and may lead round. */
static lp_status walk(lp_image_list *list, size_t *room, const char *below, int64_t label,
                      int depth, lp_error *err) {
    lp_folder folder = {0};
    char path[LP_PATH_ROOM], *name = NULL;
    lp_status status;
    LP_TRY(lp_path_in(path, list->folder, below, err));
    if (depth == DEPTH_MAX) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: more than %d folders deep", path, DEPTH_MAX));
    }
    LP_TRY(lp_folder_read(path, &folder, err));
    list->ignored += folder.left_out;
    for (size_t i = 0; i < folder.count; i++) {
        name = lp_path_join(below, folder.names[i]);
        LP_TRY(lp_allocated(name, path, 2, strlen(folder.names[i]), err));
        LP_TRY(lp_path_in(path, list->folder, name, err));
        if (lp_is_folder(path)) {
            LP_TRY(walk(list, room, name, label, depth + 1, err));
        } else if (is_image_name(name)) {
            LP_TRY(add_image(list, room, name, label, err));
            name = NULL;
        } else {
            list->ignored++;
        }
        lp_free(name);
        name = NULL;
    }
done:
    lp_free(name);
    lp_folder_clear(&folder);
    return status;
}

/* By class, by the folder's name, by the file's. */
static int by_place(const void *a, const void *b) {
    const lp_listed_image *x = a, *y = b;
    if (x->label != y->label) {
        return x->label < y->label ? -1 : 1;
    }
    const char *end_x = lp_path_name(x->name), *end_y = lp_path_name(y->name);
    size_t size_x = (size_t)(end_x - x->name) - 1, size_y = (size_t)(end_y - y->name) - 1;
    int order = memcmp(x->name, y->name, size_x < size_y ? size_x : size_y);
    if (order == 0 && size_x != size_y) {
        order = size_x < size_y ? -1 : 1;
    }
    return order != 0 ? order : strcmp(end_x, end_y);
}

/* Class names go into tables and onto terminals. */
static lp_status check_class_names(const lp_image_list *list, const char *path, lp_error *err) {
    for (size_t k = 0; k < list->class_count; k++) {
        for (const char *c = list->classes[k]; *c != '\0'; c++) {
            if ((unsigned char)*c < ' ' || *c == 127) {
                return lp_fail(err, LP_ERR_FORMAT,
                               "%s: the name of class folder %zu holds a control character, %d",
                               path, k, (unsigned char)*c);
            }
        }
    }
    return LP_OK;
}

/* Each class folder of the test split must be a class of the training split. */
static lp_status check_test_classes(lp_image_list *list, const char *train, lp_error *err) {
    lp_folder folders;
    lp_status status = lp_folder_read_kind(list->folder, true, &folders, err);
    list->ignored = folders.left_out;
    for (size_t i = 0; status == LP_OK && i < folders.count; i++) {
        if (bsearch(&folders.names[i], list->classes, list->class_count, sizeof *list->classes,
                    lp_text_order) == NULL) {
            status = lp_fail(err, LP_ERR_DATA, "%s/%s: %s has no such class", list->folder,
                             folders.names[i], train);
        }
    }
    lp_folder_clear(&folders);
    return status;
}

/* All images of list->folder, sorted. */
static lp_status list_images(lp_image_list *list, bool every_class, lp_error *err) {
    char path[LP_PATH_ROOM];
    size_t room = 0;
    lp_status status = LP_OK;
    const char *empty = NULL;
    for (size_t k = 0; k < list->class_count; k++) {
        size_t before = list->count;
        LP_TRY(lp_path_in(path, list->folder, list->classes[k], err));
        if (every_class || lp_is_folder(path)) {
            LP_TRY(walk(list, &room, list->classes[k], (int64_t)k, 0, err));
        }
        if (every_class && empty == NULL && list->count == before) {
            empty = list->classes[k];
        }
    }
    if (list->count > 0 && empty != NULL) {
        LP_TRY(lp_fail(err, LP_ERR_DATA, "%s/%s: expected images of this class, found none",
                       list->folder, empty));
    }
    if (list->count > 0) {
        qsort(list->images, list->count, sizeof *list->images, by_place);
    }
done:
    return status;
}

/* ---- the split ------------------------------------------------------------------------------- */

/* Keeps the images of one split by seed: stratified, over all images by their names, so that it
 * does not depend on which are broken. */
static lp_status keep_split(lp_image_list *list, const lp_dataset_options *options, lp_error *err) {
    lp_strata *strata = NULL;
    lp_status status;
    size_t kept = 0;
    int64_t *labels = lp_alloc(list->count, sizeof *labels);
    bool *held_out = lp_alloc(list->count, sizeof *held_out);
    LP_TRY(lp_allocated(labels, "split", list->count, sizeof *labels, err));
    LP_TRY(lp_allocated(held_out, "split", list->count, sizeof *held_out, err));
    for (size_t i = 0; i < list->count; i++) {
        labels[i] = list->images[i].label;
    }
    list->test_share = options->test_share > 0 ? options->test_share : LP_DEFAULT_TEST_SHARE;
    LP_TRY(
        lp_strata_new(labels, list->count, list->class_count, options->split_seed, &strata, err));
    lp_strata_hold_out(strata, list->test_share, held_out);
    for (size_t i = 0; i < list->count; i++) {
        if (held_out[i] == (options->split == LP_SPLIT_TEST)) {
            list->images[kept++] = list->images[i];
        } else {
            lp_free(list->images[i].name);
        }
    }
    list->count = kept;
    if (kept == 0) {
        LP_TRY(lp_fail(err, LP_ERR_DATA,
                       "%s: no class has two images: none is left for the test split",
                       list->folder));
    }
done:
    lp_strata_free(strata);
    lp_free(labels);
    lp_free(held_out);
    return status;
}

lp_status lp_image_list_open(const char *path, const lp_dataset_options *options,
                             lp_image_list *list, lp_error *err) {
    char train_path[LP_PATH_ROOM], test_path[LP_PATH_ROOM] = "";
    lp_folder classes;
    lp_status status;
    memset(list, 0, sizeof *list);
    if (!(options->test_share >= 0 && options->test_share < 1)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected a test share above 0 and below 1, found %g", path,
                       options->test_share);
    }
    LP_TRY(find_place(path, "train", train_path, err));
    for (size_t i = 0; i < TEST_NAMES && test_path[0] == '\0'; i++) {
        LP_TRY(find_place(path, test_names[i], test_path, err));
    }
    const char *train = train_path[0] != '\0' ? train_path : NULL;
    const char *test = test_path[0] != '\0' ? test_path : NULL;
    bool own_split = train != NULL || test != NULL;
    bool is_test = options->split == LP_SPLIT_TEST;
    const char *folder = !own_split ? path : is_test ? test : train;
    if (folder == NULL) {
        return lp_fail(err, LP_ERR_IO, "%s: has class folders in %s, but none in %s", path,
                       lp_path_name(is_test ? train : test),
                       is_test ? "test, val or validation" : "train");
    }
    if (own_split && options->test_share > 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: has a split of its own (%s): a test share cannot be chosen", path,
                       train != NULL ? train : test);
    }
    const char *first = train != NULL ? train : folder; /* whose folders are the classes */
    LP_TRY(lp_folder_read_kind(first, true, &classes, err));
    list->ignored = classes.left_out;
    list->classes = classes.names;
    list->class_count = classes.count;
    list->folder = lp_strdup(folder);
    LP_TRY(lp_allocated(list->folder, folder, 1, strlen(folder), err));
    LP_TRY(check_class_names(list, first, err));
    if (first != folder) {
        LP_TRY(check_test_classes(list, train, err));
    }
    LP_TRY(list_images(list, first == folder && (!is_test || !own_split), err));
    if (!own_split && list->count > 0) {
        LP_TRY(keep_split(list, options, err));
    }
done:
    return status;
}

void lp_image_list_close(lp_image_list *list) {
    for (size_t k = 0; k < list->class_count; k++) {
        lp_free(list->classes[k]);
    }
    for (size_t i = 0; i < list->count; i++) {
        lp_free(list->images[i].name);
    }
    for (size_t i = 0; i < list->broken_count; i++) {
        lp_free(list->broken[i].name);
        lp_free(list->broken[i].why);
    }
    lp_free(list->classes);
    lp_free(list->images);
    lp_free(list->broken);
    lp_free(list->folder);
    memset(list, 0, sizeof *list);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* A file's path, bytes and digest.  The bytes are the caller's to free. */
static lp_status read_file(const lp_image_list *list, const lp_listed_image *image,
                           char path[LP_PATH_ROOM], char **bytes, lp_image_file *file,
                           char hex[LP_DIGEST_HEX], lp_error *err) {
    size_t size = 0;
    lp_status status;
    *bytes = NULL;
    LP_TRY(lp_path_in(path, list->folder, image->name, err));
    LP_TRY(lp_file_read(path, file_bytes_max, bytes, &size, err));
    *file = (lp_image_file){path, (const unsigned char *)*bytes, size};
    LP_TRY(lp_digest_bytes(LP_SHA256, *bytes, size, hex, err));
done:
    return status;
}

typedef struct checking {
    lp_image_list *list;
    bool skip_broken;
    char hex[CHUNK][LP_DIGEST_HEX];
    char *why[CHUNK];        /* what is wrong with a broken image that is left out */
    lp_listed_image *images; /* the chunk's */
    struct pixels {
        unsigned char *rgb;
        size_t room;
    } * scratch; /* [threads], each grown as needed */
} checking;

static lp_status decode_once(checking *c, size_t index, size_t worker, const lp_image_file *file,
                             lp_error *err) {
    struct pixels *scratch = &c->scratch[worker];
    lp_listed_image *image = &c->images[index];
    size_t height, width;
    lp_status status;
    LP_TRY(lp_image_file_size(file, &height, &width, err));
    if (scratch->room < height * width * 3) {
        lp_free(scratch->rgb);
        scratch->rgb = lp_alloc(height * width, 3);
        scratch->room = scratch->rgb != NULL ? height * width * 3 : 0;
        LP_TRY(lp_allocated(scratch->rgb, file->path, height * width, 3, err));
    }
    image->height = (uint32_t)height;
    image->width = (uint32_t)width;
    memcpy(image->mark, c->hex[index], sizeof image->mark);
    LP_TRY(lp_image_file_decode(file, scratch->rgb, err));
done:
    return status;
}

static lp_status check_one(void *context, size_t index, size_t worker, lp_error *err) {
    checking *c = context;
    char path[LP_PATH_ROOM], *bytes;
    lp_image_file file;
    lp_status status;
    LP_TRY(read_file(c->list, &c->images[index], path, &bytes, &file, c->hex[index], err));
    status = decode_once(c, index, worker, &file, err);
    if (c->skip_broken && (status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED)) {
        c->why[index] = lp_strdup(err->text);
        status = lp_allocated(c->why[index], path, 1, sizeof *err, err);
    }
done:
    lp_free(bytes);
    return status;
}

/* Moves a chunk's images on to where the list is finished, or to the broken ones. */
static lp_status sort_out(checking *c, size_t count, size_t *kept, size_t *room, lp_digest *digest,
                          lp_error *err) {
    lp_image_list *list = c->list;
    lp_status status = LP_OK;
    for (size_t i = 0; i < count; i++) {
        lp_listed_image image = c->images[i];
        if (c->why[i] == NULL) {
            char label[32];
            (void)snprintf(label, sizeof label, "  %lld ", (long long)image.label);
            c->images[i].name = NULL;
            list->images[(*kept)++] = image;
            LP_TRY(lp_digest_add(digest, c->hex[i], LP_DIGEST_HEX - 1, err));
            LP_TRY(lp_digest_add(digest, label, strlen(label), err));
            LP_TRY(lp_digest_add(digest, image.name, strlen(image.name) + 1, err));
            continue;
        }
        lp_broken_image *broken =
            lp_grow_by_one(list->broken, list->broken_count, room, sizeof *broken);
        LP_TRY(lp_allocated(broken, "list of broken images", list->broken_count + 1, sizeof *broken,
                            err));
        list->broken = broken;
        list->broken[list->broken_count++] = (lp_broken_image){image.name, c->why[i]};
        c->images[i].name = c->why[i] = NULL;
    }
done:
    return status;
}

static lp_status check_all(checking *c, const lp_dataset_options *options, size_t threads,
                           lp_digest *digest, lp_error *err) {
    lp_image_list *list = c->list;
    size_t kept = 0, room = 0, total = list->count;
    lp_status status = LP_OK;
    for (size_t first = 0, count; first < total; first += count) {
        count = total - first < CHUNK ? total - first : CHUNK;
        c->images = list->images + first;
        LP_TRY(lp_parallel_for(threads, count, check_one, c, err));
        LP_TRY(sort_out(c, count, &kept, &room, digest, err));
        if (!lp_progress_step(&options->progress, first + count, total, NULL)) {
            LP_TRY(lp_fail(err, LP_CANCELLED, "%s: stopped after checking %zu of %zu images",
                           list->folder, first + count, total));
        }
    }
    list->count = kept;
    if (kept == 0) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "all %zu images are broken; the first: %s", total,
                       list->broken[0].why));
    }
done:
    return status;
}

lp_status lp_image_list_check(lp_image_list *list, const lp_dataset_options *options,
                              char digest_hex[LP_DIGEST_HEX], lp_error *err) {
    size_t threads = options->threads > 0 ? options->threads : lp_processor_count();
    lp_digest *digest = NULL;
    checking *c = lp_alloc_zeroed(1, sizeof *c);
    lp_status status;
    if (c == NULL) {
        return lp_fail_memory(err, "check of images", 1, sizeof *c);
    }
    c->list = list;
    c->skip_broken = options->skip_broken;
    c->scratch = lp_alloc_zeroed(threads, sizeof *c->scratch);
    LP_TRY(lp_allocated(c->scratch, "check of images", threads, sizeof *c->scratch, err));
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    LP_TRY(check_all(c, options, threads, digest, err));
    LP_TRY(lp_digest_hex(digest, digest_hex, err));
done:
    lp_digest_free(digest);
    for (size_t t = 0; c->scratch != NULL && t < threads; t++) {
        lp_free(c->scratch[t].rgb);
    }
    for (size_t i = 0; i < CHUNK; i++) {
        lp_free(c->why[i]);
    }
    lp_free(c->scratch);
    lp_free(c);
    return status;
}

lp_status lp_image_list_read(const lp_image_list *list, size_t i, unsigned char *rgb,
                             lp_error *err) {
    const lp_listed_image *image = &list->images[i];
    char hex[LP_DIGEST_HEX];
    char path[LP_PATH_ROOM], *bytes;
    lp_image_file file;
    size_t height = 0, width = 0;
    lp_status status;
    LP_TRY(read_file(list, image, path, &bytes, &file, hex, err));
    if (memcmp(hex, image->mark, sizeof image->mark) == 0) {
        LP_TRY(lp_image_file_size(&file, &height, &width, err));
    }
    if (height != image->height || width != image->width) {
        LP_TRY(lp_fail(err, LP_ERR_DATA, "%s: has changed since the data set was opened", path));
    }
    LP_TRY(lp_image_file_decode(&file, rgb, err));
done:
    lp_free(bytes);
    return status;
}
