/* Data stage: data sets whose labels are JSON.
 *
 *   Food-101       meta/train.json                 {"apple_pie": ["apple_pie/1005649", ...], ...}
 *   CLEVR counts   scenes/CLEVR_train_scenes.json  {"scenes": [{"image_filename": ..., "objects":
 *                                                  [...]}, ...]}, hundreds of MB: scene by scene
 *   Hateful Memes  train.jsonl                     {"img": "img/42953.png", "label": 1} a line */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "data/data_sets.h"
#include "data/text_lines.h"

/* ---- Food-101 -------------------------------------------------------------------------------- */

/* Classes are the keys, sorted. */
static lp_status name_foods(lp_image_list *list, json_t *parts, lp_error *err) {
    size_t count = json_object_size(parts), k = 0;
    const char **names = lp_alloc(count, sizeof *names);
    lp_status status;
    const char *key;
    json_t *value;
    LP_TRY(lp_allocated(names, "classes", count, sizeof *names, err));
    json_object_foreach(parts, key, value) {
        names[k++] = key;
    }
    if (count > 0) {
        qsort(names, count, sizeof *names, lp_text_order);
    }
    for (k = 0; k < count; k++) {
        LP_TRY(lp_image_list_add_class(list, names[k], err));
    }
done:
    lp_free(names);
    return status;
}

static lp_status list_foods(lp_image_list *list, const char *path, json_t *parts, lp_error *err) {
    char place[LP_PATH_ROOM], name[LP_PATH_ROOM];
    const char *key;
    json_t *images;
    lp_status status = LP_OK;
    json_object_foreach(parts, key, images) {
        int64_t label = lp_image_list_class(list, key);
        if (!json_is_array(images)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: '%s': expected an array", path, key));
        }
        for (size_t i = 0; i < json_array_size(images); i++) {
            const char *image = json_string_value(json_array_get(images, i));
            LP_TRY(lp_path_print(place, err, "%s: %s: entry %zu", path, key, i));
            if (image == NULL) {
                LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: expected a text", place));
            }
            LP_TRY(lp_path_print(name, err, "images/%s.jpg", image));
            LP_TRY(lp_image_list_add_listed(list, place, name, label, err));
        }
    }
done:
    return status;
}

lp_status lp_read_food_101(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_tree_file file = {.own = NULL};
    json_t *parts = NULL;
    lp_status status;
    (void)options;
    LP_TRY(lp_tree_join(full, list->folder,
                        part == LP_SPLIT_TEST ? "meta/test.json" : "meta/train.json", err));
    LP_TRY(lp_tree_read(list->tree, full, &file, err));
    LP_TRY(lp_json_parse(file.path, (const char *)file.bytes, file.size, &parts, err));
    if (!json_is_object(parts)) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: expected an object of classes", file.path));
    }
    LP_TRY(name_foods(list, parts, err));
    status = list_foods(list, file.path, parts, err);
done:
    json_decref(parts);
    lp_tree_file_clear(&file);
    return status;
}

/* ---- CLEVR counts ---------------------------------------------------------------------------- */

enum { OBJECTS_LEAST = 3, OBJECTS_MOST = 10 }; /* of an image of CLEVR: 8 classes */

typedef struct scene_count {
    char *image;
    int64_t objects;
} scene_count;

static lp_status add_scene(const char *path, size_t number, const json_t *scene,
                           scene_count **scenes, size_t *count, size_t *room, lp_error *err) {
    const char *image = lp_json_text(scene, "image_filename", NULL);
    const json_t *objects = json_object_get(scene, "objects");
    if (image == NULL || !json_is_array(objects)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: scene %zu: expected 'image_filename' and an array of 'objects'", path,
                       number);
    }
    scene_count *grown = lp_grow_by_one(*scenes, *count, room, sizeof *grown);
    char *copy = lp_strdup(image);
    if (grown != NULL) {
        *scenes = grown;
    }
    if (grown == NULL || copy == NULL) {
        lp_free(copy);
        return lp_fail_memory(err, path, *count + 1, sizeof *grown);
    }
    (*scenes)[(*count)++] = (scene_count){copy, (int64_t)json_array_size(objects)};
    return LP_OK;
}

/* The elements of the array "scenes", each parsed and released alone. */
static lp_status read_scenes(const lp_tree_file *file, scene_count **scenes, size_t *count,
                             lp_error *err) {
    const char *text = (const char *)file->bytes, *end = text + file->size;
    const char *at = strstr(text, "\"scenes\"");
    size_t room = 0, number = 0;
    lp_status status = LP_OK;
    at = at != NULL ? strchr(at, '[') : NULL;
    if (at == NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected an array 'scenes'", file->path);
    }
    for (at++;; number++) {
        at += strspn(at, " \t\r\n,");
        if (*at == ']') {
            break;
        }
        json_error_t why;
        json_t *scene = json_loadb(at, (size_t)(end - at), JSON_DISABLE_EOF_CHECK, &why);
        if (scene == NULL) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: scene %zu (byte %zu): %s", file->path, number,
                           (size_t)(at - text), why.text);
        }
        status = add_scene(file->path, number, scene, scenes, count, &room, err);
        json_decref(scene);
        if (status != LP_OK) {
            return status;
        }
        at += why.position;
    }
    return LP_OK;
}

static int by_image(const void *a, const void *b) {
    const scene_count *x = a, *y = b;
    return strcmp(x->image, y->image);
}

static lp_status list_scenes(lp_image_list *list, const char *path, const char *folder,
                             const scene_count *scenes, size_t count, lp_error *err) {
    char place[LP_PATH_ROOM], name[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < count; i++) {
        LP_TRY(lp_path_print(place, err, "%s: %s", path, scenes[i].image));
        LP_TRY(lp_path_print(name, err, "images/%s/%s", folder, scenes[i].image));
        if (scenes[i].objects < OBJECTS_LEAST || scenes[i].objects > OBJECTS_MOST) {
            status = lp_fail(err, LP_ERR_DATA, "%s: expected %d to %d objects, found %lld", place,
                             OBJECTS_LEAST, OBJECTS_MOST, (long long)scenes[i].objects);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_listed(list, place, name, scenes[i].objects - OBJECTS_LEAST, err));
    }
done:
    return status;
}

/* The test's scenes are not published: the validation part serves as the test. */
lp_status lp_read_clevr(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                        lp_error *err) {
    const char *folder = part == LP_SPLIT_TRAIN ? "train" : "val";
    char name[64], full[LP_PATH_ROOM];
    lp_tree_file file = {.own = NULL};
    scene_count *scenes = NULL;
    size_t count = 0;
    lp_status status;
    (void)options;
    for (int objects = OBJECTS_LEAST; objects <= OBJECTS_MOST; objects++) {
        (void)snprintf(name, sizeof name, "%d objects", objects);
        LP_TRY(lp_image_list_add_class(list, name, err));
    }
    (void)snprintf(name, sizeof name, "scenes/CLEVR_%s_scenes.json", folder);
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_tree_read(list->tree, full, &file, err));
    LP_TRY(read_scenes(&file, &scenes, &count, err));
    if (count > 0) { /* in torchvision's order */
        qsort(scenes, count, sizeof *scenes, by_image);
    }
    status = list_scenes(list, file.path, folder, scenes, count, err);
done:
    for (size_t i = 0; i < count; i++) {
        lp_free(scenes[i].image);
    }
    lp_free(scenes);
    lp_tree_file_clear(&file);
    return status;
}

/* ---- Hateful Memes --------------------------------------------------------------------------- */

static lp_status add_meme(lp_image_list *list, const lp_lines *lines, const json_t *meme,
                          lp_error *err) {
    char place[LP_PATH_ROOM];
    const char *image = lp_json_text(meme, "img", NULL);
    double label = lp_json_number(meme, "label", -1);
    lp_status status;
    LP_TRY(lp_path_print(place, err, "%s:%zu", lines->path, lines->number));
    if (image == NULL || (label != 0 && label != 1)) { /* NOLINT: labels are written as 0 and 1 */
        status = lp_lines_fail(lines, err, "expected 'img', and a 'label' that is 0 or 1");
        return lp_image_list_refuse(list, image != NULL ? image : place, status, err);
    }
    status = lp_image_list_add_listed(list, place, image, (int64_t)label, err);
done:
    return status;
}

/* The labels of the challenge's test came late; the CLIP paper tests on the "seen" development
 * part, as is done here. */
lp_status lp_read_hateful_memes(lp_image_list *list, lp_split part,
                                const lp_dataset_options *options, lp_error *err) {
    static const char *const files[] = {"train.jsonl", "dev_seen.jsonl", "dev.jsonl"};
    char full[LP_PATH_ROOM], *line;
    lp_lines lines = {.text = NULL};
    json_t *meme = NULL;
    lp_status status;
    (void)options;
    LP_TRY(lp_image_list_add_class(list, "not hateful", err));
    LP_TRY(lp_image_list_add_class(list, "hateful", err));
    LP_TRY(lp_tree_join(full, list->folder, files[part == LP_SPLIT_TEST], err));
    if (part == LP_SPLIT_TEST && !lp_tree_has_file(list->tree, full)) {
        LP_TRY(lp_tree_join(full, list->folder, files[2], err));
    }
    LP_TRY(lp_lines_open(list->tree, full, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        LP_TRY(lp_prefix(err, lp_json_parse(lines.path, line, strlen(line), &meme, err),
                         "line %zu: ", lines.number));
        LP_TRY(add_meme(list, &lines, meme, err));
        json_decref(meme);
        meme = NULL;
    }
done:
    json_decref(meme);
    lp_lines_close(&lines);
    return status;
}
