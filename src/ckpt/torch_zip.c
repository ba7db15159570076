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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "ckpt/numpy_zip.h"
#include "ckpt/pickle.h"

enum {
    BLOCK = 1 << 18,       /* bytes, whole values of every type */
    PICKLE_MAX = 64 << 20, /* bytes of a pickle, which is held in memory */
};

/* ---- members --------------------------------------------------------------------------------- */

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
    lp_status status;
    lp_torch_member *members =
        lp_grow_by_one(zip->members, zip->count, &zip->capacity, sizeof *members);
    LP_TRY(lp_allocated(members, zip->path, zip->count + 1, sizeof *members, err));
    zip->members = members;
    char *name = lp_strdup(member->name);
    LP_TRY(lp_allocated(name, zip->path, strlen(member->name) + 1, 1, err));
    members[zip->count] = (lp_torch_member){name, member->size, zip->count};
    zip->count++;
done:
    return status;
}

/* True for "<prefix>/<rest>" with a prefix without slashes. */
static bool under_prefix(const char *name, const char *rest) {
    const char *slash = strchr(name, '/');
    return slash != NULL && strcmp(slash + 1, rest) == 0;
}

/* Opening, or going on, fails when the directory at the archive's end is missing or wrong. */
static lp_status or_damaged(const lp_torch_zip *zip, lp_status status, lp_error *err) {
    return status == LP_OK || status == LP_ERR_MEMORY
               ? status
               : lp_prefix(err, LP_ERR_FORMAT,
                           "%s: the zip archive is truncated or damaged: ", zip->path);
}

lp_status lp_torch_zip_open(const lp_torch_zip *zip, lp_archive **archive, lp_error *err) {
    return or_damaged(zip, lp_archive_open(zip->path, LP_ARCHIVE_ZIP, archive, err), err);
}

lp_status lp_torch_zip_next(const lp_torch_zip *zip, lp_archive *archive, lp_member *member,
                            bool *more, lp_error *err) {
    lp_status status;
    do {
        status = lp_archive_next(archive, member, more, err);
    } while (status == LP_OK && *more && !member->is_file);
    return or_damaged(zip, status, err);
}

/* The pickle, kept while members are listed. */
typedef struct pickle_bytes {
    char *name; /* of the member */
    char *bytes;
    size_t size;
} pickle_bytes;

static lp_status more_than_file(const lp_torch_zip *zip, const char *member, uint64_t file_size,
                                lp_error *err) {
    return lp_fail(err, LP_ERR_FORMAT,
                   "%s: %s: pickle and storages hold more than the file's %llu bytes; PyTorch "
                   "stores them uncompressed",
                   zip->path, member, (unsigned long long)file_size);
}

static lp_status read_pickle(const lp_torch_zip *zip, lp_archive *archive, const lp_member *member,
                             uint64_t file_size, pickle_bytes *pickle, lp_error *err) {
    if (pickle->name != NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: two pickles, %s and %s; expected one", zip->path,
                       pickle->name, member->name);
    }
    if (member->size > PICKLE_MAX) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: %s: %llu bytes, expected at most %d",
                       zip->path, member->name, (unsigned long long)member->size, PICKLE_MAX);
    }
    if (member->size > file_size) {
        return more_than_file(zip, member->name, file_size, err);
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

/* Lists all members; reads the pickle, where there is one: else the file is of NumPy. */
static lp_status list_members(lp_torch_zip *zip, uint64_t file_size, pickle_bytes *pickle,
                              lp_error *err) {
    lp_archive *archive;
    lp_member member;
    bool more;
    lp_status status;
    LP_TRY(lp_torch_zip_open(zip, &archive, err));
    for (;;) {
        LP_TRY(lp_torch_zip_next(zip, archive, &member, &more, err));
        if (!more) {
            break;
        }
        LP_TRY(add_member(zip, &member, err));
        if (under_prefix(member.name, "data.pkl")) {
            LP_TRY(read_pickle(zip, archive, &member, file_size, pickle, err));
        } else if (under_prefix(member.name, "byteorder")) {
            LP_TRY(check_byte_order(zip, archive, err));
        }
    }
    if (zip->count > 0) { /* else there is no array */
        qsort(zip->members, zip->count, sizeof *zip->members, compare_members);
    }
    zip->arrays = pickle->name == NULL && lp_numpy_zip_recognise(zip);
    if (pickle->name == NULL && !zip->arrays) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: a zip archive without data.pkl and without arrays of NumPy, so neither "
                       "a PyTorch file of version 1.6 or later nor a .npz; a .zip round such a "
                       "file is unpacked first, and programs of torch.export (.pt2) are not read",
                       zip->path));
    }
    size_t prefix = zip->arrays ? 0 : strlen(pickle->name) - strlen("data.pkl");
    uint64_t total = pickle->size;
    for (size_t i = 0; i < zip->count; i++) {
        const lp_torch_member *m = &zip->members[i];
        if (i > 0 && compare_members(m - 1, m) == 0) {
            LP_TRY(
                lp_fail(err, LP_ERR_FORMAT, "%s: two members are called %s", zip->path, m->name));
        }
        if (!zip->arrays && strncmp(m->name, pickle->name, prefix) == 0 &&
            strncmp(m->name + prefix, "data/", 5) == 0 &&
            (!lp_add_u64(total, m->size, &total) || total > file_size)) {
            LP_TRY(more_than_file(zip, m->name, file_size, err));
        }
    }
done:
    lp_archive_close(archive);
    return status;
}

/* ---- index ----------------------------------------------------------------------------------- */

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
        *storage = (lp_torch_storage){member->place, member->size};
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
    const lp_torch_storages storages = {.find = find_storage, .context = &f, .prefix = f.member};
    LP_TRY(lp_allocated(f.member, bytes->name, room, 1, err));
    (void)snprintf(f.member, room, "%.*s/", (int)prefix, bytes->name); /* "<prefix>/data/" */
    LP_TRY(lp_torch_tree_index(&pickle, &storages, index, &zip->tree, err));
done:
    lp_free(f.member);
    lp_pickle_free(&pickle);
    return lp_prefix(err, status, "%s: %s: ", zip->path, bytes->name);
}

lp_status lp_torch_zip_index(const char *path, uint64_t file_size, lp_torch_zip *zip,
                             lp_index *index, lp_error *err) {
    pickle_bytes pickle = {0};
    lp_status status;
    *zip = (lp_torch_zip){.path = path};
    LP_TRY(list_members(zip, file_size, &pickle, err));
    status = zip->arrays ? lp_numpy_zip_index(zip, file_size, index, err)
                         : read_index(zip, &pickle, index, err);
done:
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

/* ---- values ---------------------------------------------------------------------------------- */

/* Reads a storage that is one tensor, by blocks that stay in the second-level cache.  Its values
 * are to be checked afterwards: of a damaged member, they are not what is wrong. */
static lp_status read_whole(lp_archive *archive, uint64_t size, const lp_entry_read *read,
                            unsigned char *block, lp_error *err) {
    unsigned width = read->entry->bytes;
    lp_status status = LP_OK;
    for (uint64_t done = 0; done < size; done += BLOCK) {
        size_t got = size - done < BLOCK ? (size_t)(size - done) : BLOCK;
        LP_TRY(done + got < size ? lp_archive_read(archive, block, BLOCK, &got, err)
                                 : lp_archive_read_exact(archive, block, got, err));
        lp_entry_widen(read->entry, block, got / width, read->values + done / width);
    }
done:
    return status;
}

/* block: BLOCK bytes of scratch memory. */
static lp_status read_storage(const lp_torch_zip *zip, lp_archive *archive,
                              const lp_torch_member *member, const lp_entry_read *reads,
                              size_t count, unsigned char *block, lp_error *err) {
    size_t size = (size_t)member->size; /* at most the file's; of arrays LP_VIEWS_MAX times it */
    unsigned char *bytes = NULL;
    lp_status status;
    if (count == 1 && lp_entry_is_whole(reads->entry, size)) {
        LP_TRY(read_whole(archive, size, reads, block, err));
        status = lp_entry_check(reads->entry, reads->values, err);
    } else {
        bytes = lp_alloc(1, size);
        LP_TRY(lp_allocated(bytes, member->name, size, 1, err));
        LP_TRY(lp_archive_read_exact(archive, bytes, size, err));
        for (size_t i = 0; i < count && status == LP_OK; i++) {
            status = lp_entry_convert(reads[i].entry, bytes, reads[i].values, err);
        }
    }
    (void)lp_prefix(err, status, "%s: ", zip->path);
done:
    lp_free(bytes);
    return status;
}

lp_status lp_torch_zip_read(const lp_torch_zip *zip, const lp_entry_read *reads, size_t count,
                            lp_error *err) {
    lp_archive *archive;
    unsigned char *block = NULL;
    lp_status status;
    LP_TRY(lp_torch_zip_open(zip, &archive, err));
    block = lp_alloc(BLOCK, 1);
    LP_TRY(lp_allocated(block, zip->path, BLOCK, 1, err));
    for (size_t first = 0, end; first < count; first = end) { /* both in the archive's order */
        lp_member found;
        bool more;
        LP_TRY(lp_torch_zip_next(zip, archive, &found, &more, err));
        const lp_torch_member *member = more ? find_member(zip, found.name) : NULL;
        if (member == NULL || member->size != found.size) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %s%sthe file has changed since it was opened",
                           zip->path, more ? found.name : "", more ? ": " : ""));
        }
        for (end = first; end < count && reads[end].entry->storage == member->place; end++) {
        }
        if (first < end) {
            LP_TRY(read_storage(zip, archive, member, reads + first, end - first, block, err));
        }
    }
done:
    lp_archive_close(archive);
    lp_free(block);
    return status;
}
