/* Weights in several files, and folders of weights.
 *
 * Reference: transformers' modeling_utils (index files), and the names that huggingface_hub,
 * open_clip and timm save under. */
#include "ckpt/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest_memory.h"
#include "base/error.h"
#include "base/folder.h"
#include "base/text.h"
#include "ckpt/tf_bundle.h"

enum { INDEX_MAX = 4 << 20 }; /* bytes of an index file: about 100 a tensor */

/* ---- folders -------------------------------------------------------------------------------- */

/* The best first. */
static const char *const known[] = {"model.safetensors", "open_clip_model.safetensors",
                                    "open_clip_pytorch_model.bin", "pytorch_model.bin"};
static const char *const endings[] = {".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".pth.tar"};

/* Results and settings end so, too: these count only where nothing has an ending above. */
static const char *const array_endings[] = {".npz", ".pkl"};

static bool ends_with_one(const char *name, const char *const *ends, size_t count) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found = found || lp_text_ends(name, ends[i]);
    }
    return found;
}

bool lp_shards_is_tensors(const char *name) {
    return ends_with_one(name, endings, sizeof endings / sizeof endings[0]);
}

static bool is_arrays(const char *name) {
    return ends_with_one(name, array_endings, sizeof array_endings / sizeof array_endings[0]);
}

bool lp_shards_is_weights(const char *name) {
    return lp_shards_is_tensors(name) || is_arrays(name) || lp_bundle_is_index(name);
}

static const char *find_name(const char *const *names, size_t count, const char *wanted) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], wanted) == 0) {
            return names[i];
        }
    }
    return NULL;
}

/* Refuses a folder of several models: accelerate saves the second one as "model_1.safetensors". */
static lp_status check_alone(const char *place, const char *const *names, size_t count,
                             const char *name, lp_error *err) {
    char second[64];
    const char *end = strrchr(name, '.');
    (void)snprintf(second, sizeof second, "%.*s_1%s", (int)(end - name), name, end);
    return find_name(names, count, second) == NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "%s: several models, %s and %s; name one of them",
                         place, name, second);
}

/* The only name of a kind, or NULL. */
static lp_status choose_only(const char *place, const char *const *names, size_t count,
                             bool (*is_kind)(const char *name), const char **chosen,
                             lp_error *err) {
    const char *only[2] = {NULL, NULL};
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_kind(names[i]) && found++ < 2) {
            only[found - 1] = names[i];
        }
    }
    *chosen = only[0];
    return found < 2 ? LP_OK
                     : lp_fail(err, LP_ERR_FORMAT,
                               "%s: %zu files of weights, among them %s and %s; name one", place,
                               found, only[0], only[1]);
}

lp_status lp_shards_choose(const char *place, const char *const *names, size_t count,
                           const char **chosen, lp_error *err) {
    lp_status status;
    *chosen = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char index[64];
        (void)snprintf(index, sizeof index, "%s.index.json", known[i]);
        const char *one = find_name(names, count, known[i]);
        const char *many = find_name(names, count, index);
        if (one != NULL && many != NULL) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: both %s and %s are there; name one of them",
                           place, one, many);
        }
        if (one != NULL || many != NULL) {
            *chosen = one != NULL ? one : many;
            return check_alone(place, names, count, known[i], err);
        }
    }
    LP_TRY(choose_only(place, names, count, lp_shards_is_tensors, chosen, err));
    for (size_t i = 0; i < count && *chosen == NULL; i++) {
        if (lp_text_ends(names[i], ".distcp")) {
            return lp_fail(err, LP_ERR_UNSUPPORTED,
                           "%s: a distributed checkpoint of PyTorch (%s), which is not read: make "
                           "one file of it (python -m torch.distributed.checkpoint.format_utils "
                           "dcp_to_torch FOLDER FILE)",
                           place, names[i]);
        }
    }
    if (*chosen == NULL) {
        LP_TRY(choose_only(place, names, count, is_arrays, chosen, err));
    }
done:
    return status;
}

lp_status lp_shards_pick(const char *folder, char **path, lp_error *err) {
    static const char saved_model[] = "variables/variables.index"; /* of a SavedModel */
    char picked[LP_PATH_ROOM];
    const char *name;
    lp_folder files = {0};
    lp_status status;
    LP_TRY(lp_folder_read_kind(folder, false, &files, err));
    const char *const *names = (const char *const *)files.names;
    LP_TRY(lp_shards_choose(folder, names, files.count, &name, err));
    if (name == NULL) {
        LP_TRY(choose_only(folder, names, files.count, lp_bundle_is_index, &name, err));
    }
    if (name == NULL && lp_path_in(picked, folder, saved_model, NULL) == LP_OK &&
        lp_is_file(picked)) {
        name = saved_model;
    }
    if (name == NULL) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: a folder without weights: " LP_SHARDS_EXPECTED ", or else in .index",
                       folder));
    }
    LP_TRY(lp_path_in(picked, folder, name, err));
    *path = lp_strdup(picked);
    LP_TRY(lp_allocated(*path, folder, strlen(picked), 1, err));
done:
    lp_folder_clear(&files);
    return status;
}

/* ---- index files ---------------------------------------------------------------------------- */

bool lp_shards_recognise(const lp_map *file) {
    size_t i = 0;
    while (i < file->size && i < 64 && strchr(" \t\r\n", file->data[i]) != NULL) {
        i++;
    }
    return i < file->size && file->data[i] == '{';
}

/* Lists the files of the map once each. */
static lp_status list_names(lp_shards *shards, lp_error *err) {
    size_t tensors = json_object_size(shards->map), count = 0;
    const char *tensor;
    json_t *value;
    shards->names = lp_alloc(tensors, sizeof *shards->names);
    if (shards->names == NULL) {
        return lp_fail_memory(err, "weight_map", tensors, sizeof *shards->names);
    }
    json_object_foreach(shards->map, tensor, value) {
        const char *name = json_string_value(value);
        if (name == NULL || name[0] == '\0' || name[0] == '.' || strpbrk(name, "/\\") != NULL) {
            return lp_fail(err, LP_ERR_FORMAT,
                           "weight_map: tensor %.100s: expected the name of a file in this folder, "
                           "found %s%.100s%s",
                           tensor, name != NULL ? "\"" : "", name != NULL ? name : "no text",
                           name != NULL ? "\"" : "");
        }
        shards->names[count++] = name;
    }
    qsort(shards->names, count, sizeof *shards->names, lp_text_order);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(shards->names[shards->count - 1], shards->names[i]) != 0) {
            shards->names[shards->count++] = shards->names[i];
        }
    }
    return LP_OK;
}

lp_status lp_shards_read(const lp_map *file, lp_shards *shards, lp_error *err) {
    json_t *document;
    lp_status status;
    *shards = (lp_shards){0};
    if (file->size > INDEX_MAX) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "an index of %llu bytes, expected at most %d",
                       (unsigned long long)file->size, INDEX_MAX);
    }
    LP_TRY(lp_json_parse("index", (const char *)file->data, (size_t)file->size, &document, err));
    shards->map = json_incref(json_object_get(document, "weight_map"));
    json_decref(document);
    if (json_object_size(shards->map) == 0) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "expected the index of sharded weights: an object with a \"weight_map\" "
                       "from tensors to files"));
    }
    LP_TRY(list_names(shards, err));
done:
    return status;
}

static lp_status add_line(lp_digest *all, const char *path, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    const char *name = lp_path_name(path);
    lp_status status;
    LP_TRY(lp_digest_known(path, hex, err));
    LP_TRY(lp_digest_add(all, hex, strlen(hex), err));
    LP_TRY(lp_digest_add(all, "  ", 2, err));
    LP_TRY(lp_digest_add(all, name, strlen(name), err));
    LP_TRY(lp_digest_add(all, "\n", 1, err));
done:
    return status;
}

lp_status lp_shards_digest(const char *path, const lp_shards *shards, char hex[LP_DIGEST_HEX],
                           lp_error *err) {
    char shard[LP_PATH_ROOM];
    lp_digest *all;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &all, err));
    LP_TRY(add_line(all, path, err));
    for (size_t i = 0; i < shards->count; i++) {
        LP_TRY(lp_path_beside(shard, path, shards->names[i], err));
        LP_TRY(add_line(all, shard, err));
    }
    LP_TRY(lp_digest_hex(all, hex, err));
done:
    lp_digest_free(all);
    return status;
}

void lp_shards_free(lp_shards *shards) {
    json_decref(shards->map);
    lp_free(shards->names);
    lp_memory_free(&shards->memory);
    *shards = (lp_shards){0};
}
