/* The checkpoint stage: which files a path stands for, their index, and the reading of tensors.
 *
 *   open   a folder -> the file in it; an index file -> the files it names; each file's reader
 *          fills the index (names, types, shapes, places)
 *   read   the tensors asked for, ordered by place and cut into parts, one for each thread
 *          -> float32, contiguous; in a team rank 0 reads them for all */
#include "linprobe/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest_memory.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/team.h"
#include "ckpt/hub_cache.h"
#include "ckpt/safetensors.h"
#include "ckpt/shards.h"
#include "ckpt/sorted_table.h"
#include "ckpt/tensor_index.h"
#include "ckpt/weight_file.h"

enum {
    PART_LEAST = 1 << 18, /* values of a part: reading fewer takes no longer than a thread */
    PARTS_MOST = 32       /* each of a zip file holds a descriptor and 0.6 MB */
};

struct lp_checkpoint {
    char *path;
    bool picked;           /* from a folder */
    lp_shards shards;      /* of an index file */
    lp_bundle bundle;      /* of a TensorFlow checkpoint's */
    lp_weight_file *files; /* one, or one for each shard */
    size_t file_count;
    lp_index index;
    char sha256[LP_DIGEST_HEX]; /* empty until asked for */
};

/* Adds the file at `path`, which becomes the next of ckpt->files. */
static lp_status add_file(lp_checkpoint *ckpt, const char *path, lp_error *err) {
    ckpt->index.file = ckpt->file_count++; /* to be closed, however far it comes */
    return lp_weight_file_open(path, &ckpt->files[ckpt->index.file], &ckpt->index, err);
}

static lp_status make_room(lp_checkpoint *ckpt, size_t files, lp_error *err) {
    ckpt->files = lp_alloc_zeroed(files, sizeof *ckpt->files);
    return lp_allocated(ckpt->files, ckpt->path, files, sizeof *ckpt->files, err);
}

/* The tensors in the files must be those that the index file names, each in its file. */
static lp_status check_map(const lp_checkpoint *ckpt, lp_error *err) {
    const lp_index *index = &ckpt->index;
    json_t *left = json_copy(ckpt->shards.map);
    lp_status status;
    LP_TRY(lp_allocated(left, ckpt->path, 1, 1, err));
    for (size_t i = 0; i < index->count; i++) {
        const lp_entry *entry = &index->entries[i];
        const char *found = ckpt->shards.names[entry->file];
        const char *expected = lp_json_text(ckpt->shards.map, entry->name, NULL);
        if (expected == NULL || strcmp(expected, found) != 0) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: tensor %s is in %s; expected it in %s",
                           ckpt->path, entry->name, found,
                           expected != NULL ? expected : "none: weight_map does not name it"));
        }
        (void)json_object_del(left, entry->name);
    }
    if (json_object_size(left) > 0) {
        const char *name = json_object_iter_key(json_object_iter(left));
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: tensor %s is not in %s (%zu tensors are missing)",
                       ckpt->path, name, lp_json_text(left, name, ""), json_object_size(left)));
    }
done:
    json_decref(left);
    return status;
}

static lp_status open_shards(lp_checkpoint *ckpt, const lp_map *map, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_prefix(err, lp_shards_read(map, &ckpt->shards, err), "%s: ", ckpt->path));
    LP_TRY(make_room(ckpt, ckpt->shards.count, err));
    for (size_t i = 0; i < ckpt->shards.count; i++) {
        LP_TRY(lp_path_beside(path, ckpt->path, ckpt->shards.names[i], err));
        LP_TRY(add_file(ckpt, path, err));
    }
    LP_TRY(check_map(ckpt, err));
done:
    return status;
}

static lp_status open_bundle(lp_checkpoint *ckpt, const lp_map *map, lp_error *err) {
    lp_shards *shards = &ckpt->shards;
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_prefix(err, lp_bundle_read(map, &ckpt->bundle, err), "%s: ", ckpt->path));
    size_t files = (size_t)ckpt->bundle.files;
    LP_TRY(make_room(ckpt, files, err));
    shards->names = lp_alloc(files, sizeof *shards->names);
    LP_TRY(lp_allocated(shards->names, ckpt->path, files, sizeof *shards->names, err));
    for (size_t i = 0; i < files; i++) {
        LP_TRY(lp_bundle_path(ckpt->path, &ckpt->bundle, i, path, err));
        const char *name = lp_path_name(path);
        char *copy = lp_memory_take(&shards->memory, strlen(name) + 1, 1);
        LP_TRY(lp_memory_check(&shards->memory, "names of files", err));
        memcpy(copy, name, strlen(name) + 1);
        shards->names[shards->count++] = copy;
        ckpt->index.file = ckpt->file_count++; /* as in add_file */
        LP_TRY(
            lp_weight_file_open_values(path, &ckpt->bundle, i, &ckpt->files[i], &ckpt->index, err));
    }
done:
    return status;
}

/* "model-00001-of-00002.safetensors" -> 2; 0 of other names.  Whole blocks of such a part may look
 * like a model with fewer blocks. */
static unsigned long parts_by_name(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    for (const char *of = strstr(name, "-of-"); of != NULL; of = strstr(of + 1, "-of-")) {
        const char *number = of;
        while (number > name && number[-1] >= '0' && number[-1] <= '9') {
            number--;
        }
        size_t digits = strspn(of + 4, "0123456789");
        if (number < of && number > name && number[-1] == '-' && digits > 0 && digits < 10 &&
            of[4 + digits] == '.') {
            return strtoul(of + 4, NULL, 10);
        }
    }
    return 0;
}

static lp_status open_index(lp_checkpoint *ckpt, lp_error *err) {
    lp_map map;
    lp_status status;
    LP_TRY(lp_map_open(ckpt->path, &map, err));
    if (lp_shards_recognise(&map) && !lp_safetensors_recognise(&map)) {
        LP_TRY(open_shards(ckpt, &map, err));
    } else if (lp_table_recognise(&map)) {
        LP_TRY(open_bundle(ckpt, &map, err));
    } else if (parts_by_name(ckpt->path) > 1) {
        LP_TRY(lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: by its name one of %lu parts: expected the .index.json file beside "
                       "them, or the folder with all of them",
                       ckpt->path, parts_by_name(ckpt->path)));
    } else {
        LP_TRY(make_room(ckpt, 1, err));
        LP_TRY(add_file(ckpt, ckpt->path, err));
    }
    status = lp_prefix(err, lp_index_finish(&ckpt->index, err), "%s: ", ckpt->path);
done:
    lp_map_close(&map);
    return status;
}

lp_status lp_checkpoint_open(const char *path, lp_checkpoint **out, lp_error *err) {
    lp_checkpoint *ckpt = lp_alloc_zeroed(1, sizeof *ckpt);
    lp_status status;
    LP_TRY(lp_allocated(ckpt, path, 1, sizeof *ckpt, err));
    if (lp_is_folder(path)) {
        LP_TRY(lp_hub_is_folder(path) ? lp_hub_pick(path, "", &ckpt->path, err)
                                      : lp_shards_pick(path, &ckpt->path, err));
        ckpt->picked = true;
    } else {
        ckpt->path = lp_strdup(path);
        LP_TRY(lp_allocated(ckpt->path, path, strlen(path) + 1, 1, err));
    }
    LP_TRY(open_index(ckpt, err));
done:
    if (status != LP_OK) {
        lp_checkpoint_close(ckpt);
        ckpt = NULL;
    }
    *out = ckpt;
    return status;
}

void lp_checkpoint_close(lp_checkpoint *ckpt) {
    if (ckpt != NULL) {
        for (size_t i = 0; i < ckpt->file_count; i++) {
            lp_weight_file_close(&ckpt->files[i]);
        }
        lp_free(ckpt->files);
        lp_shards_free(&ckpt->shards);
        lp_bundle_free(&ckpt->bundle);
        lp_index_free(&ckpt->index);
        lp_free(ckpt->path);
        lp_free(ckpt);
    }
}

const char *lp_checkpoint_format(const lp_checkpoint *ckpt) {
    return lp_weight_file_format(&ckpt->files[0]);
}

size_t lp_checkpoint_files(const lp_checkpoint *ckpt) {
    return ckpt->file_count;
}

const char *lp_checkpoint_path(const lp_checkpoint *ckpt) {
    return ckpt->path;
}

const char *lp_checkpoint_picked(const lp_checkpoint *ckpt) {
    return ckpt->picked ? lp_path_name(ckpt->path) : NULL;
}

/* The file's digest, which each rank but the first compares a part of. */
static lp_status digest_with_ranks(lp_checkpoint *ckpt, lp_error *err) {
    lp_map map;
    lp_status status;
    LP_TRY(lp_map_open(ckpt->path, &map, err));
    const lp_block block = {map.data, (size_t)map.size};
    LP_TRY(lp_team_digest(ckpt->path, &block, 1, ckpt->sha256, err));
done:
    lp_map_close(&map);
    return status;
}

lp_status lp_checkpoint_sha256(lp_checkpoint *ckpt, const char **hex, lp_error *err) {
    lp_status status = LP_OK;
    *hex = NULL;
    bool shards = ckpt->shards.count > 0, team = lp_team_size() > 1;
    if (ckpt->sha256[0] == '\0' && team && !shards) {
        LP_TRY(digest_with_ranks(ckpt, err));
    } else if (ckpt->sha256[0] == '\0') {
        LP_TRY(shards ? lp_shards_digest(ckpt->path, &ckpt->shards, ckpt->sha256, err)
                      : lp_digest_known(ckpt->path, ckpt->sha256, err));
    }
    *hex = ckpt->sha256;
done:
    return status;
}

void lp_checkpoint_remember_digests(const char *folder) {
    lp_digest_memory(folder);
}

const lp_arch_notes *lp_checkpoint_archs(const lp_checkpoint *ckpt) {
    return &ckpt->index.archs;
}

size_t lp_checkpoint_count(const lp_checkpoint *ckpt) {
    return ckpt->index.count;
}

const lp_tensor *lp_checkpoint_tensor(const lp_checkpoint *ckpt, size_t i) {
    return &ckpt->index.entries[i].tensor;
}

size_t lp_checkpoint_place(const lp_checkpoint *ckpt, const lp_tensor *tensor) {
    const char *first = (const char *)&ckpt->index.entries[0].tensor;
    return (size_t)((const char *)tensor - first) / sizeof ckpt->index.entries[0];
}

const lp_tensor *lp_checkpoint_find(const lp_checkpoint *ckpt, const char *name) {
    const lp_entry *entry = lp_index_find(&ckpt->index, name);
    return entry != NULL ? &entry->tensor : NULL;
}

static int compare_reads(const void *a, const void *b) {
    const lp_entry *x = ((const lp_entry_read *)a)->entry;
    const lp_entry *y = ((const lp_entry_read *)b)->entry;
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    if (x->storage != y->storage) {
        return x->storage < y->storage ? -1 : 1;
    }
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Reads in their order, cut into parts. */
typedef struct reading_parts {
    const lp_checkpoint *ckpt;
    const lp_entry_read *reads;
    size_t *ends; /* of each part; the first begins at 0 */
} reading_parts;

/* Whether a part may end before this read.  A zip file's storage is read as a whole, once. */
static bool may_cut(const lp_checkpoint *ckpt, const lp_entry_read *next) {
    const lp_entry *entry = next[0].entry, *before = next[-1].entry;
    return entry->file != before->file || entry->storage != before->storage ||
           ckpt->files[entry->file].format != LP_WEIGHTS_ZIP;
}

/* Cuts into at most `most` parts of about as many values each; returns how many. */
static size_t cut(const lp_checkpoint *ckpt, const lp_entry_read *reads, size_t count, size_t most,
                  size_t *ends) {
    double total = 0, done = 0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        total += (double)reads[i].entry->tensor.count;
    }
    if (total / PART_LEAST < (double)most) {
        most = (size_t)(total / PART_LEAST);
    }
    for (size_t i = 0; i < count; i++) {
        if (used + 1 < most && done * (double)most >= total * (double)(used + 1) &&
            may_cut(ckpt, &reads[i])) {
            ends[used++] = i;
        }
        done += (double)reads[i].entry->tensor.count;
    }
    ends[used++] = count;
    return used;
}

static lp_status read_part(void *context, size_t index, size_t worker, lp_error *err) {
    const reading_parts *r = context;
    size_t begin = index > 0 ? r->ends[index - 1] : 0, end;
    lp_status status = LP_OK;
    (void)worker;
    for (; begin < r->ends[index] && status == LP_OK; begin = end) {
        size_t file = r->reads[begin].entry->file;
        for (end = begin; end < r->ends[index] && r->reads[end].entry->file == file; end++) {
        }
        status = lp_weight_file_read(&r->ckpt->files[file], r->reads + begin, end - begin, err);
    }
    return status;
}

/* What rank 0 has read goes to the others. */
static lp_status hand_on(const lp_tensor_read *reads, size_t count, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < count; i++) {
        LP_TRY(lp_team_broadcast(reads[i].values, reads[i].tensor->count * sizeof(float), err));
    }
done:
    return status;
}

lp_status lp_checkpoint_read(lp_checkpoint *ckpt, const lp_tensor_read *reads, size_t count,
                             size_t threads, lp_error *err) {
    lp_status status;
    threads = threads > 0 ? threads : lp_processor_count();
    threads = threads < PARTS_MOST ? threads : PARTS_MOST;
    lp_entry_read *ordered = lp_alloc(count, sizeof *ordered);
    size_t *ends = lp_alloc(threads, sizeof *ends);
    LP_TRY(lp_allocated(ordered, ckpt->path, count, sizeof *ordered, err));
    LP_TRY(lp_allocated(ends, ckpt->path, threads, sizeof *ends, err));
    for (size_t i = 0; i < count; i++) {
        ordered[i].entry = lp_index_find(&ckpt->index, reads[i].tensor->name);
        ordered[i].values = reads[i].values;
        if (ordered[i].entry == NULL || &ordered[i].entry->tensor != reads[i].tensor) {
            LP_TRY(lp_fail(err, LP_ERR_ARGUMENT, "%s: tensor %s belongs to another checkpoint",
                           ckpt->path, reads[i].tensor->name));
        }
    }
    if (count > 0 && lp_team_rank() == 0) {
        qsort(ordered, count, sizeof *ordered, compare_reads);
        reading_parts r = {ckpt, ordered, ends};
        size_t parts = cut(ckpt, ordered, count, threads, ends);
        LP_TRY(lp_parallel_for(threads, parts, read_part, &r, err));
    }
    status = hand_on(reads, count, err);
done:
    lp_free(ordered);
    lp_free(ends);
    return status;
}
