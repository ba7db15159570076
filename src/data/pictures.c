/* Folders of unlabelled pictures.  A file's contents decide what it is. */
#include "data/pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/text.h"
#include "data/image_file.h"

enum { DEEPEST = 32 };

/* Takes over the path; NULL is out of memory. */
static lp_status add(lp_pictures *p, char *path, lp_error *err) {
    char **paths =
        path != NULL ? lp_grow_by_one(p->paths, p->count, &p->room, sizeof *paths) : NULL;
    if (paths == NULL) {
        lp_free(path);
        return lp_fail_memory(err, "list of pictures", p->count + 1, sizeof *paths);
    }
    p->paths = paths;
    p->paths[p->count++] = path;
    return LP_OK;
}

/* The depth is bounded because links are followed, and may lead round. */
static lp_status walk(lp_pictures *p, const char *folder, int depth, lp_error *err) {
    lp_folder names = {.count = 0};
    char *path = NULL;
    lp_status status;
    if (depth > DEEPEST) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: more than %d folders deep", folder, DEEPEST);
    }
    LP_TRY(lp_folder_read(folder, &names, err));
    p->hidden += names.left_out;
    for (size_t i = 0; i < names.count; i++) {
        path = lp_path_join(folder, names.names[i]);
        LP_TRY(lp_allocated(path, folder, 1, strlen(names.names[i]), err));
        if (lp_is_folder(path)) {
            LP_TRY(walk(p, path, depth + 1, err));
            lp_free(path);
            path = NULL;
        } else {
            char *taken = path;
            path = NULL;
            LP_TRY(add(p, taken, err));
        }
    }
done:
    lp_free(path);
    lp_folder_clear(&names);
    return status;
}

lp_status lp_pictures_find(const char *path, lp_pictures *p, lp_error *err) {
    char folder[LP_PATH_ROOM];
    lp_status status;
    *p = (lp_pictures){.count = 0};
    LP_TRY(lp_path_print(folder, err, "%s", path));
    for (size_t end = strlen(folder); end > 1 && folder[end - 1] == '/'; end--) {
        folder[end - 1] = '\0'; /* "photos/" gives photos/a.jpg */
    }
    if (lp_is_folder(folder)) {
        LP_TRY(walk(p, folder, 0, err));
    } else if (lp_is_file(folder)) {
        LP_TRY(add(p, lp_strdup(folder), err));
    } else {
        LP_TRY(lp_fail(err, LP_ERR_IO, "%s: expected a folder of pictures, found nothing", path));
    }
    if (p->count == 0) {
        LP_TRY(lp_fail(err, LP_ERR_DATA, "%s: expected pictures, found no file", path));
    }
    qsort(p->paths, p->count, sizeof *p->paths, lp_text_order);
done:
    if (status != LP_OK) {
        lp_pictures_clear(p);
    }
    return status;
}

void lp_pictures_clear(lp_pictures *p) {
    for (size_t i = 0; i < p->count; i++) {
        lp_free(p->paths[i]);
    }
    lp_free(p->paths);
    *p = (lp_pictures){.count = 0};
}

lp_status lp_picture_read(const char *path, unsigned char **rgb, size_t *room, size_t *height,
                          size_t *width, lp_error *err) {
    lp_map map = {.data = NULL};
    lp_status status;
    LP_TRY(lp_map_open(path, &map, err));
    const lp_image_file file = {path, map.data, map.size};
    if (map.size == 0) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: expected a picture, found an empty file", path));
    }
    LP_TRY(lp_image_file_size(&file, height, width, err));
    if (*room < *height * *width * 3) {
        lp_free(*rgb);
        *room = 0;
        *rgb = lp_alloc(*height * *width, 3);
        LP_TRY(lp_allocated(*rgb, path, *height * *width, 3, err));
        *room = *height * *width * 3;
    }
    LP_TRY(lp_image_file_decode(&file, *rgb, err));
done:
    lp_map_close(&map);
    return status;
}
