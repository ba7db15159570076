/* torch.save files of before PyTorch 1.6, five pickles one after the other and what they speak of:
 *
 *   1. the magic number    0x1950a86a20f9469cfc6c
 *   2. the version         1001
 *   3. the system          byte order and type sizes of the writer; values are always little-endian
 *   4. the object          as data.pkl in a zip file; a persistent id has a sixth member, the view
 *   5. the keys            list of the storages' keys, in the order of what follows
 *   6. for each key        int64 number of elements, then their bytes
 *
 * Reference: torch/serialization.py (_legacy_save, _legacy_load) and torch/csrc/serialization.cpp
 * (THPStorage_writeFileRaw). */
#include "ckpt/torch_legacy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/pickle.h"

enum { VERSION = 1001 };

/* The first pickle, the magic number: LONG1 of ten bytes behind PROTO and, in protocols 4 and 5, a
 * frame; in protocol 1 a decimal LONG. */
static const struct {
    const char *bytes;
    size_t length;
} magics[] = {
#define LONG1 "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define FRAME "\x95\x0d\0\0\0\0\0\0\0"
#define MAGIC(literal)                                                                             \
    { literal, sizeof(literal) - 1 }
    MAGIC("\x80\x02" LONG1),
    MAGIC("\x80\x03" LONG1),
    MAGIC("\x80\x04" FRAME LONG1),
    MAGIC("\x80\x05" FRAME LONG1),
    MAGIC("L119547037146038801333356L\n."),
};

/* The length of the first pickle, or 0 when it is no magic number. */
static size_t magic_length(const lp_map *file) {
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (file->size >= magics[i].length &&
            memcmp(file->data, magics[i].bytes, magics[i].length) == 0) {
            return magics[i].length;
        }
    }
    return 0;
}

bool lp_torch_legacy_recognise(const lp_map *file) {
    return magic_length(file) > 0;
}

/* Reads the pickle at byte *at and moves behind it. */
static lp_status next_pickle(const lp_map *file, const char *what, uint64_t *at, lp_pickle *pickle,
                             lp_error *err) {
    size_t left = (size_t)(file->size - *at);
    lp_status status = lp_pickle_read(what, (const char *)file->data + *at, left, pickle, err);
    if (status != LP_OK) {
        return lp_prefix(err, status, "the pickle at byte %llu: ", (unsigned long long)*at);
    }
    *at += pickle->end;
    return LP_OK;
}

/* ---- the storages that the object names ----------------------------------------------------- */

static int compare_storages(const void *a, const void *b) {
    const lp_legacy_storage *x = a, *y = b;
    size_t common = x->key_length < y->key_length ? x->key_length : y->key_length;
    int order = memcmp(x->key, y->key, common);
    return order != 0 ? order : (x->key_length > y->key_length) - (x->key_length < y->key_length);
}

static lp_legacy_storage *find_key(const lp_torch_legacy *legacy, const char *key, size_t length) {
    const lp_legacy_storage wanted = {.key = key, .key_length = length};
    return legacy->count == 0 ? NULL
                              : bsearch(&wanted, legacy->storages, legacy->count,
                                        sizeof *legacy->storages, compare_storages);
}

/* Lists them once each.  The same key must always mean the same size. */
static lp_status list_storages(const lp_pickle *object, lp_torch_legacy *legacy, lp_error *err) {
    size_t count = 0;
    for (uint32_t i = 1; i < object->count; i++) {
        count += object->nodes[i].kind == LP_NODE_STORAGE;
    }
    legacy->storages = lp_alloc_zeroed(count, sizeof *legacy->storages);
    if (legacy->storages == NULL) {
        return lp_fail_memory(err, "the list of storages", count, sizeof *legacy->storages);
    }
    count = 0;
    for (uint32_t i = 1; i < object->count; i++) {
        const lp_node *node = &object->nodes[i];
        if (node->kind != LP_NODE_STORAGE) {
            continue;
        }
        const lp_node *key = &object->nodes[node->is.storage.key];
        int64_t elements = object->nodes[node->is.storage.size].is.integer; /* read_persistent */
        if (elements < 0) {
            return lp_fail(err, LP_ERR_FORMAT, "byte %llu: a storage of %lld elements",
                           (unsigned long long)node->at, (long long)elements);
        }
        legacy->storages[count++] =
            (lp_legacy_storage){.key = object->bytes + key->is.text.start,
                                .key_length = key->is.text.length,
                                .elements = (uint64_t)elements,
                                .element_bytes = node->is.storage.type->bytes};
    }
    qsort(legacy->storages, count, sizeof *legacy->storages, compare_storages);
    for (size_t i = 0; i < count; i++) {
        const lp_legacy_storage *next = &legacy->storages[i];
        const lp_legacy_storage *last = &legacy->storages[legacy->count - (legacy->count > 0)];
        if (legacy->count == 0 || compare_storages(last, next) != 0) {
            legacy->storages[legacy->count++] = *next;
        } else if (last->elements != next->elements || last->element_bytes != next->element_bytes) {
            return lp_fail(err, LP_ERR_FORMAT, "storage %.*s: two types or sizes",
                           (int)next->key_length, next->key);
        }
    }
    return LP_OK;
}

/* ---- where they lie ------------------------------------------------------------------------- */

/* The next storage: its length as the file gives it must be the one that the object gave. */
static lp_status place(const lp_map *file, lp_legacy_storage *storage, uint64_t *at,
                       lp_error *err) {
    uint64_t bytes, left = file->size - *at;
    if (left < 8 || lp_load64(file->data + *at) != storage->elements) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "byte %llu: storage %.*s: expected its length, %llu elements, found %s",
                       (unsigned long long)*at, (int)storage->key_length, storage->key,
                       (unsigned long long)storage->elements,
                       left < 8 ? "the end of the file" : "another");
    }
    if (!lp_mul_u64(storage->elements, storage->element_bytes, &bytes) || bytes > left - 8) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "byte %llu: storage %.*s: expected %llu elements of %u bytes, but only %llu "
                       "bytes are left",
                       (unsigned long long)*at, (int)storage->key_length, storage->key,
                       (unsigned long long)storage->elements, storage->element_bytes,
                       (unsigned long long)(left - 8));
    }
    storage->at = *at + 8;
    *at += 8 + bytes;
    return LP_OK;
}

/* Goes through the list of keys, which must name each storage once. */
static lp_status place_storages(const lp_map *file, const lp_pickle *keys, uint64_t at,
                                lp_torch_legacy *legacy, lp_error *err) {
    const lp_node *root = &keys->nodes[keys->root];
    lp_status status = LP_OK;
    if (root->kind != LP_NODE_LIST || root->is.items.count != legacy->count) {
        return lp_fail(err, LP_ERR_FORMAT, "expected a list of %zu storages' keys, found %s",
                       legacy->count, root->kind == LP_NODE_LIST ? "another number" : "no list");
    }
    for (uint32_t cell = root->is.items.first; cell != 0; cell = keys->nodes[cell].is.cell.next) {
        const lp_node *key = &keys->nodes[keys->nodes[cell].is.cell.value];
        lp_legacy_storage *storage =
            lp_pickle_is_string(keys, keys->nodes[cell].is.cell.value)
                ? find_key(legacy, keys->bytes + key->is.text.start, key->is.text.length)
                : NULL;
        if (storage == NULL || storage->at != 0) {
            return lp_fail(err, LP_ERR_FORMAT, "the list of storages has a key %s",
                           storage == NULL ? "that no tensor names" : "twice");
        }
        LP_TRY(place(file, storage, &at, err));
    }
    if (at != file->size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "byte %llu: %llu bytes behind the last storage",
                       (unsigned long long)at, (unsigned long long)(file->size - at)));
    }
done:
    return status;
}

static bool find_storage(const void *context, const char *key, lp_torch_storage *found) {
    const lp_torch_legacy *legacy = context;
    const lp_legacy_storage *storage = find_key(legacy, key, strlen(key));
    if (storage != NULL) {
        found->number = (size_t)(storage - legacy->storages);
        found->bytes = storage->elements * storage->element_bytes; /* within the file */
    }
    return storage != NULL;
}

lp_status lp_torch_legacy_index(const lp_map *file, lp_torch_legacy *legacy, lp_index *index,
                                lp_error *err) {
    lp_pickle version = {0}, system = {0}, object = {0}, keys = {0};
    lp_status status;
    uint64_t at = magic_length(file);
    const lp_torch_storages storages = {
        .find = find_storage, .context = legacy, .prefix = "", .views = true};
    *legacy = (lp_torch_legacy){0};
    LP_TRY(next_pickle(file, "version", &at, &version, err));
    if (version.nodes[version.root].kind != LP_NODE_INT ||
        version.nodes[version.root].is.integer != VERSION) {
        LP_TRY(lp_fail(err, LP_ERR_UNSUPPORTED, "version: expected %d", VERSION));
    }
    LP_TRY(next_pickle(file, "system", &at, &system, err));
    LP_TRY(next_pickle(file, "object", &at, &object, err));
    LP_TRY(next_pickle(file, "keys", &at, &keys, err));
    LP_TRY(list_storages(&object, legacy, err));
    LP_TRY(place_storages(file, &keys, at, legacy, err));
    LP_TRY(lp_torch_tree_index(&object, &storages, index, &legacy->tree, err));
done:
    lp_pickle_free(&version);
    lp_pickle_free(&system);
    lp_pickle_free(&object);
    lp_pickle_free(&keys);
    return status;
}

const unsigned char *lp_torch_legacy_bytes(const lp_torch_legacy *legacy, const lp_map *file,
                                           const lp_entry *entry) {
    return file->data + legacy->storages[entry->storage].at;
}

void lp_torch_legacy_free(lp_torch_legacy *legacy) {
    lp_free(legacy->storages);
    *legacy = (lp_torch_legacy){0};
}
