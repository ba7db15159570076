/* Formats of weights, recognised by their first bytes (TensorFlow's values by their name), and
 * messages about files that are none. */
#include "ckpt/weight_file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/safetensors.h"

enum { REST = 1 << 22 }; /* values to read before the map's pages are given back */

/* What a file may begin with that is not read, and what to do about it. */
static const struct {
    size_t at;
    const char *bytes;
    size_t length;
    lp_status status;
    const char *text;
} refusals[] = {
    {257, "ustar", 5, LP_ERR_UNSUPPORTED,
     "a tar archive: if it is of torch.save, its oldest format, load it with PyTorch and save it "
     "again"},
    {0, "version https://git-lfs", 23, LP_ERR_FORMAT,
     "a Git LFS pointer, not the file itself: fetch it with git lfs pull"},
    {0, "\x1f\x8b", 2, LP_ERR_UNSUPPORTED, "packed by gzip: unpack it first"},
    {0,
     "\xfd"
     "7zXZ",
     5, LP_ERR_UNSUPPORTED, "packed by xz: unpack it first"},
    {0, "BZh", 3, LP_ERR_UNSUPPORTED, "packed by bzip2: unpack it first"},
    {0, "\x28\xb5\x2f\xfd", 4, LP_ERR_UNSUPPORTED, "packed by zstd: unpack it first"},
    {0, "7z\xbc\xaf", 4, LP_ERR_UNSUPPORTED, "a 7z archive: unpack it first"},
    {0, "Rar!", 4, LP_ERR_UNSUPPORTED, "a RAR archive: unpack it first"},
    {0, "\x93NUMPY", 6, LP_ERR_UNSUPPORTED,
     "an array of NumPy, not a model: weights have names; save them as .npz or .safetensors"},
    {0, "\x89HDF", 4, LP_ERR_UNSUPPORTED,
     "an HDF5 file, as of Keras, whose weights are not read: save them as .safetensors"},
    {0, "GGUF", 4, LP_ERR_UNSUPPORTED,
     "a GGUF file, which is not read: use the .safetensors file that it was made from"},
    {0, "model_checkpoint_path", 21, LP_ERR_UNSUPPORTED,
     "TensorFlow's list of its checkpoints: expected the .index file of one"},
    {0, "<", 1, LP_ERR_FORMAT, "a web page, not the file itself: download it again"},
};

static lp_status refuse(const lp_map *map, lp_error *err) {
    if (map->size == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "the file is empty");
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (map->size >= refusals[i].at + refusals[i].length &&
            memcmp(map->data + refusals[i].at, refusals[i].bytes, refusals[i].length) == 0) {
            return lp_fail(err, refusals[i].status, "%s", refusals[i].text);
        }
    }
    return lp_fail(err, LP_ERR_FORMAT,
                   "not a checkpoint: expected a PyTorch file (TorchScript or state dictionary), a "
                   "pickle of NumPy's arrays, a .safetensors or .npz file, the .index.json file of "
                   "several, or the .index file of a TensorFlow checkpoint");
}

static lp_status open_map(const char *path, lp_weight_file *file, lp_index *index, lp_error *err) {
    lp_status status;
    *file = (lp_weight_file){.path = lp_strdup(path)};
    LP_TRY(lp_allocated(file->path, path, strlen(path) + 1, 1, err));
    LP_TRY(lp_map_open(path, &file->map, err));
    file->size = file->map.size;
    index->file_size += file->size;
done:
    return status;
}

lp_status lp_weight_file_open_values(const char *path, const lp_bundle *bundle, uint64_t number,
                                     lp_weight_file *file, lp_index *index, lp_error *err) {
    lp_status status;
    LP_TRY(lp_prefix(err, open_map(path, file, index, err), "values of a TensorFlow checkpoint: "));
    file->format = LP_WEIGHTS_TENSORFLOW;
    file->bundle = bundle;
    status = lp_prefix(err, lp_bundle_index(bundle, number, &file->map, index, err), "%s: ", path);
done:
    return status;
}

lp_status lp_weight_file_open(const char *path, lp_weight_file *file, lp_index *index,
                              lp_error *err) {
    lp_status status;
    LP_TRY(open_map(path, file, index, err));
    if (lp_bundle_is_data(path)) {
        LP_TRY(lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: the values of a TensorFlow checkpoint: expected the .index file beside "
                       "them, which has their names",
                       path));
    }
    if (file->size >= 4 && memcmp(file->map.data, "PK\x03\x04", 4) == 0) {
        file->format = LP_WEIGHTS_ZIP;
        lp_map_close(&file->map);
        return lp_torch_zip_index(file->path, file->size, &file->zip, index, err);
    }
    if (lp_torch_legacy_recognise(&file->map)) {
        file->format = LP_WEIGHTS_LEGACY;
        status = lp_torch_legacy_index(&file->map, &file->legacy, index, err);
    } else if (lp_safetensors_recognise(&file->map)) {
        status = lp_safetensors_index(&file->map, index, err);
    } else if (lp_array_pickle_recognise(&file->map)) {
        file->format = LP_WEIGHTS_PICKLE;
        status = lp_array_pickle_index(&file->map, &file->pickle, index, err);
    } else {
        bool cut = file->size > 0 && lp_bundle_is_index(path);
        status = cut ? lp_fail(err, LP_ERR_FORMAT,
                               "by its name the index of a TensorFlow checkpoint, but it does not "
                               "end as one: it is truncated, or something else")
                     : refuse(&file->map, err);
    }
    (void)lp_prefix(err, status, "%s: ", path);
done:
    return status;
}

static lp_status read_one(const lp_weight_file *file, const lp_entry_read *read, lp_error *err) {
    if (file->format == LP_WEIGHTS_PICKLE) {
        return lp_array_pickle_read(&file->pickle, read->entry, read->values, err);
    }
    if (file->format == LP_WEIGHTS_TENSORFLOW) {
        return lp_bundle_read_tensor(file->bundle, &file->map, read->entry, read->values, err);
    }
    const unsigned char *bytes = file->format == LP_WEIGHTS_LEGACY
                                     ? lp_torch_legacy_bytes(&file->legacy, &file->map, read->entry)
                                     : file->map.data;
    return lp_entry_convert(read->entry, bytes, read->values, err);
}

lp_status lp_weight_file_read(const lp_weight_file *file, const lp_entry_read *reads, size_t count,
                              lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < count && status == LP_OK; i++) {
        status = lp_entry_check_type(reads[i].entry, err);
    }
    if (status == LP_OK && file->format == LP_WEIGHTS_ZIP) {
        return lp_torch_zip_read(&file->zip, reads, count, err);
    }
    for (size_t i = 0, since = 0; i < count && status == LP_OK; i++) {
        status = read_one(file, &reads[i], err);
        since += reads[i].entry->tensor.count;
        if (since >= REST) { /* else the file would count as memory, beside the values */
            lp_map_rest(&file->map);
            since = 0;
        }
    }
    return lp_prefix(err, status, "%s: ", file->path);
}

const char *lp_weight_file_format(const lp_weight_file *file) {
    switch (file->format) {
    case LP_WEIGHTS_SAFETENSORS:
        return "safetensors";
    case LP_WEIGHTS_LEGACY:
        return "PyTorch state dict (before 1.6)";
    case LP_WEIGHTS_PICKLE:
        return "NumPy arrays (pickle)";
    case LP_WEIGHTS_TENSORFLOW:
        return "TensorFlow checkpoint";
    case LP_WEIGHTS_ZIP:
        break;
    }
    if (file->zip.arrays) {
        return "NumPy arrays (.npz)";
    }
    return file->zip.tree.script ? "TorchScript archive" : "PyTorch state dict (zip)";
}

void lp_weight_file_close(lp_weight_file *file) {
    lp_map_close(&file->map);
    lp_torch_zip_free(&file->zip);
    lp_torch_legacy_free(&file->legacy);
    lp_pickle_free(&file->pickle);
    lp_free(file->path);
    *file = (lp_weight_file){0};
}
