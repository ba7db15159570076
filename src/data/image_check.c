/* Data stage: the files of a list of images.
 *
 *   files -> decoded once, digest of each -> digest of all; broken ones out
 *   file i -> read again, compared with its digest, decoded */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/team.h"
#include "data/image_file.h"
#include "data/image_list.h"

enum { CHUNK = 256, WHY_ROOM = 1024 };

/* A file and its digest; `read` holds it. */
static lp_status read_file(const lp_image_list *list, const lp_listed_image *image,
                           lp_tree_file *read, lp_image_file *file, char hex[LP_DIGEST_HEX],
                           lp_error *err) {
    char name[LP_PATH_ROOM];
    lp_status status;
    read->own = NULL;
    LP_TRY(lp_tree_join(name, list->folder, image->name, err));
    LP_TRY(lp_tree_read(list->tree, name, read, err));
    *file = (lp_image_file){read->path, read->bytes, read->size};
    LP_TRY(lp_digest_bytes(LP_SHA256, read->bytes, read->size, hex, err));
done:
    return status;
}

typedef struct checking {
    lp_image_list *list;
    size_t room;                /* images of a chunk: CHUNK a rank */
    char (*hex)[LP_DIGEST_HEX]; /* [room] */
    char **why;                 /* [room] what is wrong with a broken image that is left out */
    lp_listed_image *images;    /* the chunk's */
    size_t first;               /* of them, of this rank's share */
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

static lp_status check_one(void *context, size_t task, size_t worker, lp_error *err) {
    checking *c = context;
    size_t index = c->first + task;
    lp_tree_file read;
    lp_image_file file;
    lp_status status;
    LP_TRY(read_file(c->list, &c->images[index], &read, &file, c->hex[index], err));
    status = decode_once(c, index, worker, &file, err);
    if (c->list->skip_broken && (status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED)) {
        c->why[index] = lp_strdup(err->text);
        status = lp_allocated(c->why[index], read.path, 1, sizeof *err, err);
    }
done:
    lp_tree_file_clear(&read);
    return status;
}

/* What a rank tells the others of an image that it has checked. */
typedef struct checked_image {
    char hex[LP_DIGEST_HEX], mark[LP_LISTED_MARK];
    uint32_t height, width;
    bool broken;
    char why[WHY_ROOM];
} checked_image;

/* Every rank has checked its share of a chunk's images: now all know of all. */
static lp_status exchange_checked(checking *c, size_t count, lp_error *err) {
    lp_share own = lp_team_share(count);
    lp_status status;
    checked_image *all = lp_alloc_zeroed(count, sizeof *all);
    LP_TRY(lp_allocated(all, "check of images", count, sizeof *all, err));
    for (size_t i = own.first; i < own.end; i++) {
        memcpy(all[i].hex, c->hex[i], sizeof all[i].hex);
        memcpy(all[i].mark, c->images[i].mark, sizeof all[i].mark);
        all[i].height = c->images[i].height;
        all[i].width = c->images[i].width;
        all[i].broken = c->why[i] != NULL;
        (void)snprintf(all[i].why, WHY_ROOM, "%s", all[i].broken ? c->why[i] : "");
    }
    LP_TRY(lp_team_gather(all, count, sizeof *all, err));
    for (size_t i = 0; i < count; i++) {
        if (i >= own.first && i < own.end) {
            continue;
        }
        memcpy(c->hex[i], all[i].hex, sizeof all[i].hex);
        memcpy(c->images[i].mark, all[i].mark, sizeof all[i].mark);
        c->images[i].height = all[i].height;
        c->images[i].width = all[i].width;
        if (all[i].broken) {
            c->why[i] = lp_strdup(all[i].why);
            LP_TRY(lp_allocated(c->why[i], "check of images", 1, WHY_ROOM, err));
        }
    }
done:
    lp_free(all);
    return status;
}

/* An image's line of the digest. */
static lp_status add_line(const lp_image_list *list, const lp_listed_image *image, const char *hex,
                          lp_digest *digest, lp_error *err) {
    char label[32];
    lp_status status;
    LP_TRY(lp_digest_add(digest, hex, LP_DIGEST_HEX - 1, err));
    (void)snprintf(label, sizeof label, "  %lld ", (long long)image->label);
    if (image->marks == NULL) {
        LP_TRY(lp_digest_add(digest, label, strlen(label), err));
    } else {
        LP_TRY(lp_digest_add(digest, "  ", 2, err));
        for (size_t k = 0; k < list->class_count; k++) {
            LP_TRY(lp_digest_add(digest, &"?-+"[image->marks[k] + 1], 1, err));
        }
        LP_TRY(lp_digest_add(digest, " ", 1, err));
    }
    LP_TRY(lp_digest_add(digest, image->name, strlen(image->name) + 1, err));
done:
    return status;
}

/* Moves a chunk's images on to where the list is finished, or to the broken ones. */
static lp_status sort_out(checking *c, size_t count, size_t *kept, lp_digest *digest,
                          lp_error *err) {
    lp_image_list *list = c->list;
    lp_status status = LP_OK;
    for (size_t i = 0; i < count; i++) {
        lp_listed_image image = c->images[i];
        if (c->why[i] == NULL) {
            c->images[i].name = NULL;
            c->images[i].marks = NULL;
            list->images[(*kept)++] = image;
            LP_TRY(add_line(list, &image, c->hex[i], digest, err));
            continue;
        }
        char *why = c->why[i];
        c->images[i].name = c->why[i] = NULL;
        lp_free(image.marks);
        c->images[i].marks = NULL;
        LP_TRY(lp_image_list_add_broken(list, image.name, why, err));
    }
done:
    return status;
}

static lp_status check_all(checking *c, const lp_dataset_options *options, size_t threads,
                           lp_digest *digest, lp_error *err) {
    lp_image_list *list = c->list;
    size_t kept = 0, total = list->count;
    lp_status status = LP_OK;
    for (size_t first = 0, count; first < total; first += count) {
        count = total - first < c->room ? total - first : c->room;
        lp_share own = lp_team_share(count);
        bool stop;
        c->images = list->images + first;
        c->first = own.first;
        LP_TRY(lp_parallel_for(threads, own.end - own.first, check_one, c, err));
        LP_TRY(lp_team_size() > 1 ? exchange_checked(c, count, err) : LP_OK);
        LP_TRY(sort_out(c, count, &kept, digest, err));
        stop = !lp_progress_step(&options->progress, first + count, total, NULL);
        LP_TRY(lp_team_any(stop, &stop, err));
        if (stop) {
            LP_TRY(lp_image_list_fail(list, "", LP_CANCELLED, err,
                                      "stopped after checking %zu of %zu images", first + count,
                                      total));
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
    c->room = CHUNK * lp_team_size();
    c->hex = lp_alloc(c->room, sizeof *c->hex);
    c->why = lp_alloc_zeroed(c->room, sizeof *c->why);
    LP_TRY(lp_allocated(c->hex, "check of images", c->room, sizeof *c->hex, err));
    LP_TRY(lp_allocated(c->why, "check of images", c->room, sizeof *c->why, err));
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
    for (size_t i = 0; c->why != NULL && i < c->room; i++) {
        lp_free(c->why[i]);
    }
    lp_free(c->hex);
    lp_free(c->why);
    lp_free(c->scratch);
    lp_free(c);
    return status;
}

lp_status lp_image_list_read(const lp_image_list *list, size_t i, unsigned char *rgb,
                             lp_error *err) {
    const lp_listed_image *image = &list->images[i];
    char hex[LP_DIGEST_HEX];
    lp_tree_file read;
    lp_image_file file;
    size_t height = 0, width = 0;
    lp_status status;
    LP_TRY(read_file(list, image, &read, &file, hex, err));
    if (memcmp(hex, image->mark, sizeof image->mark) == 0) {
        LP_TRY(lp_image_file_size(&file, &height, &width, err));
    }
    if (height != image->height || width != image->width) {
        LP_TRY(
            lp_fail(err, LP_ERR_DATA, "%s: has changed since the data set was opened", read.path));
    }
    LP_TRY(lp_image_file_decode(&file, rgb, err));
done:
    lp_tree_file_clear(&read);
    return status;
}
