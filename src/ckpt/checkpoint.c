/* The checkpoint stage: which format a file has, its index, and the reading of tensors.
 *
 *   open   first bytes -> format; its reader -> index (names, types, shapes, places)
 *   read   the tensors asked for, ordered by place, in one pass -> float32, contiguous */
#include "linprobe/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "ckpt/safetensors.h"
#include "ckpt/tensor_index.h"
#include "ckpt/torch_zip.h"

struct lp_checkpoint {
    char *path;
    lp_map map; /* of a safetensors file; zip archives are read by libarchive */
    bool zip_format;
    lp_torch_zip zip;
    lp_index index;
    char sha256[LP_DIGEST_HEX]; /* empty until asked for */
};

/* What a file may begin with that is not read, and what to do about it. */
static const struct {
    size_t at;
    const char *bytes;
    size_t length;
    lp_status status;
    const char *text;
} refusals[] = {
    /* A pickle of torch.save's magic number, 0x1950a86a20f9469cfc6c. */
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14, LP_ERR_UNSUPPORTED,
     "a torch.save file of before PyTorch 1.6 is not supported yet: save it again with torch.save "
     "of PyTorch 1.6 or later"},
    {257, "ustar", 5, LP_ERR_UNSUPPORTED,
     "a tar archive (the first format of torch.save) is not supported yet: save it again with "
     "torch.save of PyTorch 1.6 or later"},
    {0, "version https://git-lfs", 23, LP_ERR_FORMAT,
     "a Git LFS pointer, not the file itself: fetch it with git lfs pull"},
};

static lp_status refuse(const char *path, const lp_map *map, lp_error *err) {
    if (map->size == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: the file is empty", path);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (map->size >= refusals[i].at + refusals[i].length &&
            memcmp(map->data + refusals[i].at, refusals[i].bytes, refusals[i].length) == 0) {
            return lp_fail(err, refusals[i].status, "%s: %s", path, refusals[i].text);
        }
    }
    return lp_fail(err, LP_ERR_FORMAT,
                   "%s: not a checkpoint: expected a PyTorch zip file (TorchScript or state "
                   "dictionary) or a .safetensors file",
                   path);
}

static lp_status open_index(lp_checkpoint *ckpt, lp_error *err) {
    lp_status status = lp_map_open(ckpt->path, &ckpt->map, err);
    if (status != LP_OK) {
        return status;
    }
    ckpt->index.file_size = ckpt->map.size;
    ckpt->zip_format = ckpt->map.size >= 4 && memcmp(ckpt->map.data, "PK\x03\x04", 4) == 0;
    if (ckpt->zip_format) {
        lp_map_close(&ckpt->map);
        status = lp_torch_zip_index(ckpt->path, &ckpt->zip, &ckpt->index, err);
    } else if (lp_safetensors_recognise(&ckpt->map)) {
        status = lp_safetensors_index(&ckpt->map, &ckpt->index, err);
        if (status != LP_OK) {
            (void)lp_prefix(err, status, "%s: ", ckpt->path);
        }
    } else {
        status = refuse(ckpt->path, &ckpt->map, err);
    }
    if (status == LP_OK) {
        status = lp_index_finish(&ckpt->index, err);
        if (status != LP_OK) {
            (void)lp_prefix(err, status, "%s: ", ckpt->path);
        }
    }
    return status;
}

lp_status lp_checkpoint_open(const char *path, lp_checkpoint **out, lp_error *err) {
    *out = NULL;
    lp_checkpoint *ckpt = lp_alloc_zeroed(1, sizeof *ckpt);
    if (ckpt == NULL) {
        return lp_fail_memory(err, path, 1, sizeof *ckpt);
    }
    ckpt->path = lp_strdup(path);
    lp_status status =
        ckpt->path != NULL ? open_index(ckpt, err) : lp_fail_memory(err, path, strlen(path) + 1, 1);
    if (status != LP_OK) {
        lp_checkpoint_close(ckpt);
        return status;
    }
    *out = ckpt;
    return LP_OK;
}

void lp_checkpoint_close(lp_checkpoint *ckpt) {
    if (ckpt != NULL) {
        lp_map_close(&ckpt->map);
        lp_torch_zip_free(&ckpt->zip);
        lp_index_free(&ckpt->index);
        lp_free(ckpt->path);
        lp_free(ckpt);
    }
}

const char *lp_checkpoint_format(const lp_checkpoint *ckpt) {
    if (!ckpt->zip_format) {
        return "safetensors";
    }
    return ckpt->zip.script ? "TorchScript archive" : "PyTorch state dict (zip)";
}

const char *lp_checkpoint_path(const lp_checkpoint *ckpt) {
    return ckpt->path;
}

lp_status lp_checkpoint_sha256(lp_checkpoint *ckpt, const char **hex, lp_error *err) {
    *hex = NULL;
    if (ckpt->sha256[0] == '\0') {
        lp_status status = lp_digest_file(LP_SHA256, ckpt->path, ckpt->sha256, err);
        if (status != LP_OK) {
            ckpt->sha256[0] = '\0';
            return status;
        }
    }
    *hex = ckpt->sha256;
    return LP_OK;
}

size_t lp_checkpoint_count(const lp_checkpoint *ckpt) {
    return ckpt->index.count;
}

const lp_tensor *lp_checkpoint_tensor(const lp_checkpoint *ckpt, size_t i) {
    return &ckpt->index.entries[i].tensor;
}

const lp_tensor *lp_checkpoint_find(const lp_checkpoint *ckpt, const char *name) {
    const lp_entry *entry = lp_index_find(&ckpt->index, name);
    return entry != NULL ? &entry->tensor : NULL;
}

static int compare_reads(const void *a, const void *b) {
    const lp_entry *x = ((const lp_entry_read *)a)->entry;
    const lp_entry *y = ((const lp_entry_read *)b)->entry;
    if (x->storage != y->storage) {
        return x->storage < y->storage ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

lp_status lp_checkpoint_read(lp_checkpoint *ckpt, const lp_tensor_read *reads, size_t count,
                             lp_error *err) {
    lp_status status = LP_OK;
    lp_entry_read *ordered = lp_alloc(count, sizeof *ordered);
    if (ordered == NULL) {
        return lp_fail_memory(err, ckpt->path, count, sizeof *ordered);
    }
    for (size_t i = 0; i < count && status == LP_OK; i++) {
        ordered[i].entry = lp_index_find(&ckpt->index, reads[i].tensor->name);
        ordered[i].values = reads[i].values;
        if (ordered[i].entry == NULL || &ordered[i].entry->tensor != reads[i].tensor) {
            status = lp_fail(err, LP_ERR_ARGUMENT, "%s: tensor %s belongs to another checkpoint",
                             ckpt->path, reads[i].tensor->name);
        }
    }
    if (status == LP_OK && count > 0) {
        qsort(ordered, count, sizeof *ordered, compare_reads);
    }
    if (status == LP_OK && ckpt->zip_format) {
        status = lp_torch_zip_read(&ckpt->zip, ordered, count, err);
    } else {
        for (size_t i = 0; i < count && status == LP_OK; i++) {
            status = lp_entry_convert(ordered[i].entry, ckpt->map.data, ordered[i].values, err);
            if (status != LP_OK) {
                (void)lp_prefix(err, status, "%s: ", ckpt->path);
            }
        }
    }
    lp_free(ordered);
    return status;
}
