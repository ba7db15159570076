/* The feature set's arrays, from the files of several programs; array_files.h lists them. */
#include "feat/array_files.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "feat/libsvm_text.h"
#include "linprobe/checkpoint.h"

void lp_array_file_clear(lp_array_file *array) {
    lp_map_close(&array->map);
    lp_free(array->copy);
    lp_free(array->path);
}

lp_status lp_array_file_new(lp_array_file *array, const char *path, size_t rows, size_t columns,
                            float **values, lp_error *err) {
    size_t count;
    bool fits = lp_mul(rows, columns > 0 ? columns : 1, &count) && lp_mul(count, 4, &array->size);
    array->path = lp_strdup(path);
    array->copy = fits ? lp_alloc(count, sizeof **values) : NULL;
    array->bytes = array->copy;
    array->npy = (lp_npy){.kind = 'f',
                          .item = sizeof **values,
                          .rank = columns > 0 ? 2 : 1,
                          .shape = {rows, columns},
                          .count = count};
    *values = (float *)(void *)array->copy;
    return array->path != NULL && array->copy != NULL
               ? LP_OK
               : lp_fail_memory(err, path, rows, (columns > 0 ? columns : 1) * sizeof **values);
}

/* ---- NumPy ----------------------------------------------------------------------------------- */

static lp_status map_array(const char *folder, const char *name, lp_array_file *array,
                           lp_error *err) {
    lp_status status;
    array->path = lp_path_join(folder, name);
    LP_TRY(lp_allocated(array->path, folder, 1, 1, err));
    LP_TRY(lp_map_open(array->path, &array->map, err));
    array->bytes = array->map.data;
    array->size = (size_t)array->map.size;
    LP_TRY(lp_npy_parse(array->path, array->bytes, array->size, &array->npy, err));
done:
    return status;
}

/* Reads the archive's current member.  Deflate shrinks at most 1032 to 1, so a member that claims
 * more is none; that bounds the memory by the file's size. */
static lp_status read_array(lp_archive *archive, const char *path, const lp_member *member,
                            uint64_t file_size, lp_array_file *array, lp_error *err) {
    lp_status status;
    array->path = lp_path_join(path, member->name);
    LP_TRY(lp_allocated(array->path, path, 1, 1, err));
    if (member->size > SIZE_MAX || member->size / 1032 > file_size) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes cannot come from a file of %llu",
                       array->path, (unsigned long long)member->size,
                       (unsigned long long)file_size);
    }
    array->size = (size_t)member->size;
    array->bytes = array->copy = lp_alloc(array->size, 1);
    LP_TRY(lp_allocated(array->copy, array->path, array->size, 1, err));
    LP_TRY(lp_archive_read_exact(archive, array->copy, array->size, err));
    LP_TRY(lp_npy_parse(array->path, array->bytes, array->size, &array->npy, err));
done:
    return status;
}

/* numpy.savez(path, features=x, labels=y), compressed or not.  *is_torch: it is a zip file of
 * PyTorch's instead. */
static lp_status read_npz(const char *path, lp_array_file *x, lp_array_file *labels, bool *is_torch,
                          lp_error *err) {
    lp_archive *archive = NULL;
    lp_member member;
    lp_map map;
    char found[256] = "";
    size_t used = 0;
    bool more;
    lp_status status;
    *is_torch = false;
    LP_TRY(lp_map_open(path, &map, err));
    uint64_t size = map.size;
    lp_map_close(&map);
    LP_TRY(lp_archive_open(path, LP_ARCHIVE_ZIP, &archive, err));
    for (;;) {
        LP_TRY(lp_archive_next(archive, &member, &more, err));
        if (!more) {
            break;
        }
        bool is_x = strcmp(member.name, "features.npy") == 0;
        bool is_labels = strcmp(member.name, "labels.npy") == 0;
        lp_array_file *array = is_x ? x : labels;
        *is_torch = *is_torch || strcmp(lp_path_name(member.name), "data.pkl") == 0;
        if (!is_x && !is_labels) {
            int wrote = snprintf(found + used, sizeof found - used, "%s%s", used > 0 ? ", " : "",
                                 member.name);
            used = wrote > 0 && (size_t)wrote < sizeof found - used ? used + (size_t)wrote : used;
        } else if (array->path != NULL) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: two members %s", path, member.name));
        } else {
            LP_TRY(read_array(archive, path, &member, size, array, err));
        }
    }
    *is_torch = *is_torch && x->path == NULL && labels->path == NULL;
    if (!*is_torch && (x->path == NULL || labels->path == NULL)) {
        status =
            lp_fail(err, LP_ERR_FORMAT, "%s: expected arrays features and labels, found no %s%s%s",
                    path, x->path == NULL ? "features" : "labels", used > 0 ? " but " : "", found);
    }
done:
    lp_archive_close(archive);
    return status;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* The tensor of that name; or, with `alone`, the only one there is. */
static lp_status find_tensor(const lp_checkpoint *ckpt, const char *name, bool alone,
                             const lp_tensor **tensor, lp_error *err) {
    const char *path = lp_checkpoint_path(ckpt);
    size_t count = lp_checkpoint_count(ckpt);
    *tensor = lp_checkpoint_find(ckpt, name);
    if (*tensor == NULL && alone && count == 1) {
        *tensor = lp_checkpoint_tensor(ckpt, 0);
    }
    if (*tensor == NULL) {
        bool single = !alone && count == 1;
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected a tensor '%s', found %s'%.200s'%s", path,
                       name, count > 1 ? "others, the first of them " : "only ",
                       count > 0 ? lp_checkpoint_tensor(ckpt, 0)->name : "",
                       single ? ": a tensor alone lies in a folder, as features.pt beside labels.pt"
                              : "");
    }
    if ((*tensor)->rank < 1 || (*tensor)->rank > 2) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: tensor '%s': expected [N, F] or labels [N], found rank %d", path,
                       (*tensor)->name, (*tensor)->rank);
    }
    return LP_OK;
}

static lp_status read_tensor(lp_checkpoint *ckpt, const lp_tensor *tensor, lp_array_file *array,
                             lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_tensor_read read = {tensor, NULL};
    lp_status status;
    size_t columns = tensor->rank == 2 ? tensor->shape[1] : 0;
    if (tensor->count == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: tensor '%s' is empty", lp_checkpoint_path(ckpt),
                       tensor->name);
    }
    LP_TRY(lp_path_print(path, err, "%s: %s", lp_checkpoint_path(ckpt), tensor->name));
    LP_TRY(lp_array_file_new(array, path, tensor->shape[0], columns, &read.values, err));
    LP_TRY(lp_checkpoint_read(ckpt, &read, 1, 0, err));
done:
    return status;
}

static lp_status read_tensors(const char *path, lp_array_file *x, lp_array_file *labels,
                              lp_error *err) {
    lp_checkpoint *ckpt = NULL;
    const lp_tensor *tensor;
    lp_status status;
    LP_TRY(lp_checkpoint_open(path, &ckpt, err));
    LP_TRY(find_tensor(ckpt, "features", false, &tensor, err));
    LP_TRY(read_tensor(ckpt, tensor, x, err));
    LP_TRY(find_tensor(ckpt, "labels", false, &tensor, err));
    LP_TRY(read_tensor(ckpt, tensor, labels, err));
done:
    lp_checkpoint_close(ckpt);
    return status;
}

/* ---- a folder -------------------------------------------------------------------------------- */

enum { FILE_ROOM = 32 };

/* The name of the one file that has the array; the .npy where there is none, so that the message of
 * opening it names that. */
static lp_status name_in_folder(const char *folder, const char *name, char file[FILE_ROOM],
                                lp_error *err) {
    static const char *const endings[] = {".npy", ".pt", ".safetensors"};
    char path[LP_PATH_ROOM], one[FILE_ROOM];
    bool found = false;
    lp_status status = LP_OK;
    (void)snprintf(file, FILE_ROOM, "%s.npy", name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(one, sizeof one, "%s%s", name, endings[i]);
        LP_TRY(lp_path_in(path, folder, one, err));
        if (!lp_is_file(path)) {
            continue;
        }
        if (found) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: expected one file of %s, found %s and %s",
                           folder, name, file, one);
        }
        found = true;
        memcpy(file, one, sizeof one);
    }
done:
    return status;
}

static lp_status open_in_folder(const char *folder, const char *name, lp_array_file *array,
                                lp_error *err) {
    char file[FILE_ROOM], path[LP_PATH_ROOM];
    lp_checkpoint *ckpt = NULL;
    const lp_tensor *tensor;
    lp_status status;
    LP_TRY(name_in_folder(folder, name, file, err));
    if (strcmp(strrchr(file, '.'), ".npy") == 0) {
        return map_array(folder, file, array, err);
    }
    LP_TRY(lp_path_in(path, folder, file, err));
    LP_TRY(lp_checkpoint_open(path, &ckpt, err));
    LP_TRY(find_tensor(ckpt, name, true, &tensor, err));
    LP_TRY(read_tensor(ckpt, tensor, array, err));
done:
    lp_checkpoint_close(ckpt);
    return status;
}

/* ---- which it is ----------------------------------------------------------------------------- */

typedef enum file_kind { KIND_NPZ, KIND_NPY, KIND_TENSORS, KIND_TEXT, KIND_OTHER } file_kind;

static file_kind kind_of(const lp_map *map) {
    const unsigned char *bytes = map->data;
    if (map->size >= 2 && memcmp(bytes, "PK", 2) == 0) {
        return KIND_NPZ;
    }
    if (map->size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0) {
        return KIND_NPY;
    }
    if (map->size >= 2 && bytes[0] == 0x80 && bytes[1] <= 5) {
        return KIND_TENSORS;
    }
    if (map->size > 8 && bytes[8] == '{' && memchr(bytes, 0, 8) != NULL) {
        return KIND_TENSORS;
    }
    return map->size > 0 && bytes[0] < 128 && strchr("0123456789+-.# \t\r\n", bytes[0]) != NULL
               ? KIND_TEXT
               : KIND_OTHER;
}

static lp_status open_file(const char *path, lp_array_file *x, lp_array_file *labels,
                           lp_error *err) {
    lp_map map = {0};
    bool is_torch = false;
    lp_status status;
    LP_TRY(lp_map_open(path, &map, err));
    file_kind kind = kind_of(&map);
    lp_map_close(&map);
    if (kind == KIND_NPZ) {
        LP_TRY(read_npz(path, x, labels, &is_torch, err));
    }
    if (is_torch || kind == KIND_TENSORS) {
        LP_TRY(read_tensors(path, x, labels, err));
    } else if (kind == KIND_TEXT) {
        LP_TRY(lp_libsvm_read(path, x, labels, err));
    } else if (kind != KIND_NPZ) {
        status = lp_fail(err, LP_ERR_FORMAT,
                         "%s: expected a feature set: a folder with features.npy and labels.npy; a "
                         ".npz, .pt or .safetensors file with arrays features and labels; or "
                         "libsvm text; found %s",
                         path, kind == KIND_NPY ? "a single array (.npy)" : "another file");
    }
done:
    return status;
}

lp_status lp_array_files_open(const char *path, lp_array_file *x, lp_array_file *labels,
                              lp_error *err) {
    lp_status status;
    if (lp_is_file(path)) {
        return open_file(path, x, labels, err);
    }
    LP_TRY(open_in_folder(path, "features", x, err));
    LP_TRY(open_in_folder(path, "labels", labels, err));
done:
    return status;
}
