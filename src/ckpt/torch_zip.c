/* PyTorch's zip files.
 *
 *   <prefix>/data.pkl    the pickle: a tree of TorchScript modules, or a dictionary of tensors
 *   <prefix>/data/<key>  the bytes of one storage, which tensors view by offset, shape and stride
 *   <prefix>/byteorder   "little" or "big", since PyTorch 2.1; little before
 *   <prefix>/...         code, constants and versions: not read
 *
 * Reference: torch/serialization.py (_save, _load), torch/csrc/jit/serialization/export_module.cpp.
 */
#include "ckpt/torch_zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "ckpt/pickle.h"

enum { BLOCK = 1 << 18 }; /* bytes, whole values of every type */

/* ---- members ----------------------------------------------------------------------------------
 */

static int compare_members(const void *a, const void *b) {
    return strcmp(((const lp_torch_member *)a)->name, ((const lp_torch_member *)b)->name);
}

static int compare_name(const void *name, const void *member) {
    return strcmp(name, ((const lp_torch_member *)member)->name);
}

static const lp_torch_member *find_member(const lp_torch_zip *zip, const char *name) {
    return bsearch(name, zip->members, zip->count, sizeof *zip->members, compare_name);
}

static lp_status add_member(lp_torch_zip *zip, const lp_member *member, lp_error *err) {
    if (zip->count == zip->capacity) {
        size_t capacity = zip->capacity > 0 ? 2 * zip->capacity : 256;
        lp_torch_member *members =
            lp_grow(zip->members, zip->count * sizeof *members, capacity, sizeof *members);
        if (members == NULL) {
            return lp_fail_memory(err, zip->path, capacity, sizeof *members);
        }
        zip->members = members;
        zip->capacity = capacity;
    }
    char *name = lp_strdup(member->name);
    if (name == NULL) {
        return lp_fail_memory(err, zip->path, strlen(member->name) + 1, 1);
    }
    zip->members[zip->count].name = name;
    zip->members[zip->count].size = member->size;
    zip->members[zip->count].place = zip->count;
    zip->count++;
    return LP_OK;
}

/* True for "<prefix>/<rest>" with a prefix without slashes. */
static bool under_prefix(const char *name, const char *rest) {
    const char *slash = strchr(name, '/');
    return slash != NULL && strcmp(slash + 1, rest) == 0;
}

/* Opening, or going on, fails when the directory at the archive's end is missing or wrong. */
static lp_status fail_damaged(const lp_torch_zip *zip, lp_status status, lp_error *err) {
    return status == LP_ERR_MEMORY
               ? status
               : lp_prefix(err, LP_ERR_FORMAT,
                           "%s: the zip archive is truncated or damaged: ", zip->path);
}

static lp_status open_archive(const lp_torch_zip *zip, lp_archive **archive, lp_error *err) {
    lp_status status = lp_archive_open(zip->path, LP_ARCHIVE_ZIP, archive, err);
    return status == LP_OK ? LP_OK : fail_damaged(zip, status, err);
}

/* Goes to the next regular file. */
static lp_status next_file(const lp_torch_zip *zip, lp_archive *archive, lp_member *member,
                           bool *more, lp_error *err) {
    lp_status status;
    do {
        status = lp_archive_next(archive, member, more, err);
    } while (status == LP_OK && *more && !member->is_file);
    return status == LP_OK ? LP_OK : fail_damaged(zip, status, err);
}

/* The pickle, kept while members are listed. */
typedef struct pickle_bytes {
    char *name; /* of the member */
    char *bytes;
    size_t size;
} pickle_bytes;

static lp_status read_pickle(const lp_torch_zip *zip, lp_archive *archive, const lp_member *member,
                             pickle_bytes *pickle, lp_error *err) {
    if (pickle->name != NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: two pickles, %s and %s; expected one", zip->path,
                       pickle->name, member->name);
    }
    if (member->size > LP_PICKLE_MAX) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: %s: %llu bytes, expected at most %d",
                       zip->path, member->name, (unsigned long long)member->size, LP_PICKLE_MAX);
    }
    pickle->size = (size_t)member->size;
    pickle->name = lp_strdup(member->name);
    pickle->bytes = lp_alloc(pickle->size, 1);
    if (pickle->name == NULL || pickle->bytes == NULL) {
        return lp_fail_memory(err, member->name, pickle->size, 1);
    }
    return lp_archive_read_exact(archive, pickle->bytes, pickle->size, err);
}

static lp_status check_byte_order(const lp_torch_zip *zip, lp_archive *archive, lp_error *err) {
    char order[8] = "";
    size_t got;
    lp_status status = lp_archive_read(archive, order, sizeof order - 1, &got, err);
    if (status == LP_OK && strcmp(order, "little") != 0) {
        status =
            lp_fail(err, LP_ERR_UNSUPPORTED, "%s: byteorder: expected \"little\", found \"%s\"",
                    zip->path, strcmp(order, "big") == 0 ? "big" : "something else");
    }
    return status;
}

/* Lists all members; reads the pickle. */
static lp_status list_members(lp_torch_zip *zip, uint64_t file_size, pickle_bytes *pickle,
                              lp_error *err) {
    lp_archive *archive;
    lp_member member;
    bool more = true;
    lp_status status = open_archive(zip, &archive, err);
    while (status == LP_OK) {
        status = next_file(zip, archive, &member, &more, err);
        if (status != LP_OK || !more) {
            break;
        }
        status = add_member(zip, &member, err);
        if (status == LP_OK && under_prefix(member.name, "data.pkl")) {
            status = read_pickle(zip, archive, &member, pickle, err);
        } else if (status == LP_OK && under_prefix(member.name, "byteorder")) {
            status = check_byte_order(zip, archive, err);
        }
    }
    lp_archive_close(archive);
    if (status == LP_OK && pickle->name == NULL) {
        status = lp_fail(err, LP_ERR_FORMAT,
                         "%s: a zip archive without data.pkl, so not a PyTorch file of version "
                         "1.6 or later",
                         zip->path);
    }
    if (status != LP_OK) {
        return status;
    }
    qsort(zip->members, zip->count, sizeof *zip->members, compare_members);
    size_t prefix = strlen(pickle->name) - strlen("data.pkl");
    uint64_t total = pickle->size;
    for (size_t i = 0; i < zip->count; i++) {
        const lp_torch_member *m = &zip->members[i];
        if (i > 0 && compare_members(m - 1, m) == 0) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: two members are called %s", zip->path, m->name);
        }
        if (strncmp(m->name, pickle->name, prefix) == 0 &&
            strncmp(m->name + prefix, "data/", 5) == 0 &&
            (!lp_add_u64(total, m->size, &total) || total > file_size)) {
            return lp_fail(err, LP_ERR_FORMAT,
                           "%s: %s: the storages hold more than the file's %llu bytes; PyTorch "
                           "stores them uncompressed",
                           zip->path, m->name, (unsigned long long)file_size);
        }
    }
    return LP_OK;
}

/* ---- index ------------------------------------------------------------------------------------
 */

typedef struct finder {
    const lp_torch_zip *zip;
    char *member;         /* scratch: "<prefix>/data/" and room for a key */
    size_t member_prefix; /* its length without the key */
} finder;

static bool find_storage(const void *context, const char *key, lp_torch_storage *storage) {
    const finder *f = context;
    memcpy(f->member + f->member_prefix, key, strlen(key) + 1);
    const lp_torch_member *member = find_member(f->zip, f->member);
    f->member[f->member_prefix] = '\0'; /* the prefix again, for messages */
    if (member != NULL) {
        storage->number = member->place;
        storage->bytes = member->size;
    }
    return member != NULL;
}

static lp_status read_index(lp_torch_zip *zip, const pickle_bytes *bytes, lp_index *index,
                            lp_error *err) {
    lp_pickle pickle;
    size_t prefix = strlen(bytes->name) - strlen(".pkl");
    size_t room = prefix + 1 + LP_TORCH_KEY_MAX + 1;
    lp_status status = lp_pickle_read(bytes->name, bytes->bytes, bytes->size, &pickle, err);
    if (status != LP_OK) {
        return lp_prefix(err, status, "%s: ", zip->path);
    }
    finder f = {.zip = zip, .member = lp_alloc(room, 1), .member_prefix = prefix + 1};
    if (f.member == NULL) {
        status = lp_fail_memory(err, bytes->name, room, 1);
    } else {
        memcpy(f.member, bytes->name, prefix); /* "<prefix>/data" */
        memcpy(f.member + prefix, "/", 2);
        const lp_torch_storages storages = {find_storage, &f, f.member, false};
        status = lp_torch_tree_index(&pickle, &storages, index, &zip->tree, err);
    }
    lp_free(f.member);
    lp_pickle_free(&pickle);
    return status == LP_OK ? LP_OK : lp_prefix(err, status, "%s: %s: ", zip->path, bytes->name);
}

lp_status lp_torch_zip_index(const char *path, uint64_t file_size, lp_torch_zip *zip,
                             lp_index *index, lp_error *err) {
    pickle_bytes pickle = {0};
    *zip = (lp_torch_zip){.path = path};
    lp_status status = list_members(zip, file_size, &pickle, err);
    if (status == LP_OK) {
        status = read_index(zip, &pickle, index, err);
    }
    lp_free(pickle.name);
    lp_free(pickle.bytes);
    return status;
}

void lp_torch_zip_free(lp_torch_zip *zip) {
    for (size_t i = 0; i < zip->count; i++) {
        lp_free(zip->members[i].name);
    }
    lp_free(zip->members);
    *zip = (lp_torch_zip){0};
}

/* ---- values -----------------------------------------------------------------------------------
 */

/* The first read whose storage is not before this one. */
static size_t first_read(const lp_entry_read *reads, size_t count, size_t storage) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (reads[middle].entry->storage < storage) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Reads a storage that is one tensor, by blocks that stay in the second-level cache.  Its values
 * are to be checked afterwards: of a damaged member, they are not what is wrong. */
static lp_status read_whole(lp_archive *archive, uint64_t size, const lp_entry_read *read,
                            unsigned char *block, lp_error *err) {
    unsigned width = read->entry->bytes;
    lp_status status = LP_OK;
    for (uint64_t done = 0; done < size && status == LP_OK; done += BLOCK) {
        size_t got = size - done < BLOCK ? (size_t)(size - done) : BLOCK;
        status = done + got < size ? lp_archive_read(archive, block, BLOCK, &got, err)
                                   : lp_archive_read_exact(archive, block, got, err);
        if (status == LP_OK) {
            lp_entry_widen(read->entry, block, got / width, read->values + done / width);
        }
    }
    return status;
}

/* block: BLOCK bytes of scratch memory. */
static lp_status read_storage(const lp_torch_zip *zip, lp_archive *archive,
                              const lp_torch_member *member, const lp_entry_read *reads,
                              size_t count, unsigned char *block, lp_error *err) {
    lp_status status = LP_OK;
    unsigned char *bytes = NULL;
    bool whole = count == 1 && lp_entry_is_whole(reads->entry, member->size);
    if (whole) {
        status = read_whole(archive, member->size, reads, block, err);
    } else {
        bytes = lp_alloc(1, (size_t)member->size); /* at most the file's size */
        status = bytes != NULL ? lp_archive_read_exact(archive, bytes, (size_t)member->size, err)
                               : lp_fail_memory(err, member->name, (size_t)member->size, 1);
    }
    if (status != LP_OK) {
        lp_free(bytes);
        return status;
    }
    for (size_t i = 0; i < count && status == LP_OK; i++) {
        status = whole ? lp_entry_check(reads[i].entry, reads[i].values, err)
                       : lp_entry_convert(reads[i].entry, bytes, reads[i].values, err);
    }
    lp_free(bytes);
    return status == LP_OK ? LP_OK : lp_prefix(err, status, "%s: ", zip->path);
}

lp_status lp_torch_zip_read(const lp_torch_zip *zip, const lp_entry_read *reads, size_t count,
                            lp_error *err) {
    lp_archive *archive;
    lp_status status = open_archive(zip, &archive, err);
    size_t left = count;
    unsigned char *block = lp_alloc(BLOCK, 1);
    if (status == LP_OK && block == NULL) {
        status = lp_fail_memory(err, zip->path, BLOCK, 1);
    }
    while (status == LP_OK && left > 0) {
        lp_member found;
        bool more;
        status = next_file(zip, archive, &found, &more, err);
        if (status != LP_OK || !more) {
            break;
        }
        const lp_torch_member *member = find_member(zip, found.name);
        if (member == NULL || member->size != found.size) {
            status = lp_fail(err, LP_ERR_FORMAT, "%s: %s: the file has changed since it was opened",
                             zip->path, found.name);
            break;
        }
        size_t first = first_read(reads, count, member->place),
               end = first_read(reads, count, member->place + 1);
        if (first < end) {
            status = read_storage(zip, archive, member, reads + first, end - first, block, err);
            left -= end - first;
        }
    }
    lp_archive_close(archive);
    lp_free(block);
    if (status == LP_OK && left > 0) {
        status =
            lp_fail(err, LP_ERR_FORMAT, "%s: the file has changed since it was opened", zip->path);
    }
    return status;
}
