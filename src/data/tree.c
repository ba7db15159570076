/* Data stage: a folder or an archive as one tree of named files.
 *
 *   archive -> its files in memory, sorted by name: a folder is a range of them
 *
 * Hidden files and links of an archive are left out, as those of a folder are. */
#include "data/tree.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "base/text.h"

static const uint64_t file_bytes_max = UINT64_C(1) << 30, archive_bytes_max = UINT64_C(1) << 33;

/* An archive's file.  The name comes first: entries are sorted and found as strings are. */
typedef struct tree_entry {
    char *name;
    unsigned char *bytes; /* NULL: file `number` of the source */
    size_t size;
    const lp_tree_source *source;
    size_t number;
} tree_entry;

enum { SOURCES = 2 }; /* a set's training and validation part */

struct lp_tree {
    char *root;
    bool is_archive;
    tree_entry *entries;
    size_t count, room;
    lp_tree_source *sources[SOURCES];
};

/* ---- archives -------------------------------------------------------------------------------- */

static void trim_name(char *name) {
    size_t skip = strncmp(name, "./", 2) == 0 ? 2 : 0;
    memmove(name, name + skip, strlen(name) - skip + 1);
}

/* Reads a member in steps that its claim of a size does not choose. */
static lp_status read_member(const char *root, lp_archive *archive, tree_entry *entry,
                             uint64_t most, lp_error *err) {
    size_t room = 0, got = 1;
    lp_status status = LP_OK;
    while (got > 0) {
        if (entry->size + 1 >= room) {
            size_t larger = room == 0 ? (size_t)1 << 16 : 2 * room;
            unsigned char *bytes = lp_grow(entry->bytes, room, larger, 1);
            LP_TRY(lp_allocated(bytes, root, larger, 1, err));
            entry->bytes = bytes;
            room = larger;
        }
        LP_TRY(lp_archive_read(archive, entry->bytes + entry->size, room - 1 - entry->size, &got,
                               err));
        entry->size += got;
        if (entry->size > most) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                           "%s: %s: the archive holds more than can be kept in memory: unpack it "
                           "and name the folder",
                           root, entry->name));
        }
    }
    unsigned char *exact = lp_grow(entry->bytes, room, entry->size + 1, 1);
    entry->bytes = exact != NULL ? exact : entry->bytes;
    entry->bytes[entry->size] = '\0';
done:
    return status;
}

static lp_status add_entry(lp_tree *tree, lp_archive *archive, const char *name, uint64_t most,
                           lp_error *err) {
    tree_entry *entries = lp_grow_by_one(tree->entries, tree->count, &tree->room, sizeof *entries);
    if (entries == NULL) {
        return lp_fail_memory(err, tree->root, tree->count + 1, sizeof *entries);
    }
    tree->entries = entries;
    tree_entry *entry = &tree->entries[tree->count];
    *entry = (tree_entry){.name = lp_strdup(name)};
    if (entry->name == NULL) {
        return lp_fail_memory(err, name, 1, strlen(name));
    }
    tree->count++;
    trim_name(entry->name);
    return read_member(tree->root, archive, entry, most, err);
}

lp_status lp_tree_sort(lp_tree *tree, lp_error *err) {
    if (tree->count > 0) {
        qsort(tree->entries, tree->count, sizeof *tree->entries, lp_text_order);
    }
    for (size_t i = 1; i < tree->count; i++) {
        if (strcmp(tree->entries[i - 1].name, tree->entries[i].name) == 0) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: %s: is there twice", tree->root,
                           tree->entries[i].name);
        }
    }
    return LP_OK;
}

static lp_status read_archive(lp_tree *tree, lp_error *err) {
    lp_archive *archive = NULL;
    lp_member member;
    uint64_t used = 0;
    bool more = true;
    lp_status status;
    LP_TRY(lp_archive_open(tree->root, LP_ARCHIVE_ANY, &archive, err));
    for (;;) {
        LP_TRY(lp_archive_next(archive, &member, &more, err));
        if (!more) {
            break;
        }
        if (member.is_file) {
            LP_TRY(add_entry(tree, archive, member.name, archive_bytes_max - used, err));
            used += tree->entries[tree->count - 1].size;
        }
    }
    status = lp_tree_sort(tree, err);
done:
    lp_archive_close(archive);
    return status;
}

/* The first entry whose name is not below `name`. */
static size_t lower_bound(const lp_tree *tree, const char *name) {
    size_t low = 0, high = tree->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(tree->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const tree_entry *find_entry(const lp_tree *tree, const char *name) {
    size_t i = lower_bound(tree, name);
    return i < tree->count && strcmp(tree->entries[i].name, name) == 0 ? &tree->entries[i] : NULL;
}

/* The folder's prefix, "<name>/"; "" for the root; false where it is too long for any name. */
static bool prefix_of(const char *name, char prefix[LP_PATH_ROOM]) {
    int length = snprintf(prefix, LP_PATH_ROOM, "%s%s", name, name[0] == '\0' ? "" : "/");
    return length >= 0 && length < LP_PATH_ROOM;
}

static lp_status list_entries(const lp_tree *tree, const char *name, lp_folder *folder,
                              lp_error *err) {
    char prefix[LP_PATH_ROOM], *copy;
    lp_status status = LP_OK;
    memset(folder, 0, sizeof *folder);
    if (!prefix_of(name, prefix)) {
        return LP_OK;
    }
    size_t length = strlen(prefix), size, before = 0;
    const char *last = NULL;
    for (size_t i = lower_bound(tree, prefix);
         i < tree->count && strncmp(tree->entries[i].name, prefix, length) == 0; i++) {
        const char *rest = tree->entries[i].name + length;
        size = strcspn(rest, "/");
        if (size == 0 || (last != NULL && size == before && strncmp(rest, last, size) == 0)) {
            continue; /* more of the same folder */
        }
        last = rest;
        before = size;
        copy = lp_alloc(size + 1, 1);
        LP_TRY(lp_allocated(copy, tree->root, size + 1, 1, err));
        memcpy(copy, rest, size);
        copy[size] = '\0';
        LP_TRY(lp_folder_add(folder, copy, err));
    }
    lp_folder_sort(folder);
done:
    if (status != LP_OK) {
        lp_folder_clear(folder);
    }
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

lp_status lp_tree_open(const char *path, lp_tree **out, lp_error *err) {
    lp_tree *tree = lp_alloc_zeroed(1, sizeof *tree);
    lp_status status;
    LP_TRY(lp_allocated(tree, path, 1, sizeof *tree, err));
    tree->root = lp_strdup(path);
    LP_TRY(lp_allocated(tree->root, path, 1, strlen(path) + 1, err));
    tree->is_archive = !lp_is_folder(path);
    if (tree->is_archive && !lp_is_file(path)) {
        LP_TRY(lp_fail(err, LP_ERR_IO, "%s: there is no such folder or file", path));
    }
    if (tree->is_archive) {
        LP_TRY(read_archive(tree, err));
    }
done:
    if (status != LP_OK) {
        lp_tree_close(tree);
        tree = NULL;
    }
    *out = tree;
    return status;
}

void lp_tree_close(lp_tree *tree) {
    if (tree == NULL) {
        return;
    }
    for (size_t i = 0; i < tree->count; i++) {
        lp_free(tree->entries[i].name);
        lp_free(tree->entries[i].bytes);
    }
    for (size_t i = 0; i < SOURCES; i++) {
        if (tree->sources[i] != NULL) {
            tree->sources[i]->close(tree->sources[i]);
        }
    }
    lp_free(tree->entries);
    lp_free(tree->root);
    lp_free(tree);
}

lp_status lp_tree_join(char name[LP_PATH_ROOM], const char *a, const char *b, lp_error *err) {
    return lp_path_print(name, err, "%s%s%s", a, a[0] != '\0' && b[0] != '\0' ? "/" : "", b);
}

lp_status lp_tree_path(const lp_tree *tree, const char *name, char path[LP_PATH_ROOM],
                       lp_error *err) {
    if (name[0] == '\0') {
        return lp_path_print(path, err, "%s", tree->root);
    }
    return tree->is_archive ? lp_path_print(path, err, "%s: %s", tree->root, name)
                            : lp_path_in(path, tree->root, name, err);
}

bool lp_tree_is_archive(const lp_tree *tree) {
    return tree->is_archive;
}

bool lp_tree_has_file(const lp_tree *tree, const char *name) {
    char path[LP_PATH_ROOM];
    if (tree->is_archive) {
        return find_entry(tree, name) != NULL;
    }
    return lp_tree_path(tree, name, path, NULL) == LP_OK && lp_is_file(path);
}

bool lp_tree_has_folder(const lp_tree *tree, const char *name) {
    char path[LP_PATH_ROOM];
    if (tree->is_archive) {
        size_t i = prefix_of(name, path) ? lower_bound(tree, path) : tree->count;
        return i < tree->count && strncmp(tree->entries[i].name, path, strlen(path)) == 0;
    }
    return lp_tree_path(tree, name, path, NULL) == LP_OK && lp_is_folder(path);
}

lp_status lp_tree_list(const lp_tree *tree, const char *name, lp_folder *folder, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    memset(folder, 0, sizeof *folder);
    if (tree->is_archive) {
        return list_entries(tree, name, folder, err);
    }
    LP_TRY(lp_tree_path(tree, name, path, err));
    status = lp_folder_read(path, folder, err);
done:
    return status;
}

lp_status lp_tree_list_kind(const lp_tree *tree, const char *name, bool folders, lp_folder *folder,
                            lp_error *err) {
    char full[LP_PATH_ROOM];
    size_t kept = 0;
    lp_status status = lp_tree_list(tree, name, folder, err);
    for (size_t i = 0; i < folder->count; i++) {
        char *found = folder->names[i];
        status = status == LP_OK ? lp_tree_join(full, name, found, err) : status;
        if (status == LP_OK && lp_tree_has_folder(tree, full) == folders) {
            folder->names[kept++] = found;
        } else {
            lp_free(found);
            folder->left_out++;
        }
    }
    folder->count = kept;
    if (status != LP_OK) {
        lp_folder_clear(folder);
    }
    return status;
}

/* Appends an entry; its name is copied.  Takes over nothing. */
static lp_status append_entry(lp_tree *tree, const char *name, tree_entry entry, lp_error *err) {
    tree_entry *entries = lp_grow_by_one(tree->entries, tree->count, &tree->room, sizeof *entries);
    entry.name = lp_strdup(name);
    if (entries != NULL) {
        tree->entries = entries;
    }
    if (entries == NULL || entry.name == NULL) {
        lp_free(entry.name);
        return lp_fail_memory(err, name, tree->count + 1, sizeof *entries);
    }
    tree->entries[tree->count++] = entry;
    return LP_OK;
}

lp_status lp_tree_add(lp_tree *tree, const char *name, unsigned char *bytes, size_t size,
                      lp_error *err) {
    const tree_entry entry = {.bytes = bytes, .size = size};
    lp_status status =
        bytes != NULL ? append_entry(tree, name, entry, err) : lp_fail_memory(err, name, size, 1);
    if (status != LP_OK) {
        lp_free(bytes);
    }
    return status;
}

void lp_tree_own(lp_tree *tree, lp_tree_source *source) {
    size_t i = 0;
    while (i < SOURCES - 1 && tree->sources[i] != NULL) {
        i++;
    }
    assert(tree->sources[i] == NULL);
    tree->sources[i] = source;
}

lp_status lp_tree_add_lazily(lp_tree *tree, const char *name, const lp_tree_source *source,
                             size_t number, size_t size, lp_error *err) {
    const tree_entry entry = {.size = size, .source = source, .number = number};
    return append_entry(tree, name, entry, err);
}

lp_status lp_tree_read(const lp_tree *tree, const char *name, lp_tree_file *file, lp_error *err) {
    lp_status status;
    file->own = NULL;
    file->bytes = NULL;
    file->size = 0;
    LP_TRY(lp_tree_path(tree, name, file->path, err));
    const tree_entry *entry = find_entry(tree, name);
    if (entry == NULL && !tree->is_archive) {
        LP_TRY(lp_file_read(file->path, file_bytes_max, &file->own, &file->size, err));
        file->bytes = (const unsigned char *)file->own;
        return LP_OK;
    }
    if (entry == NULL) {
        return lp_fail(err, LP_ERR_IO, "%s: there is no such file in the archive", file->path);
    }
    file->size = entry->size;
    if (entry->source != NULL) {
        file->own = lp_alloc(entry->size + 1, 1);
        LP_TRY(lp_allocated(file->own, file->path, entry->size + 1, 1, err));
        file->own[entry->size] = '\0';
        LP_TRY(entry->source->read(entry->source, entry->number, (unsigned char *)file->own,
                                   entry->size, err));
    }
    file->bytes = entry->source != NULL ? (const unsigned char *)file->own : entry->bytes;
done:
    return status;
}

void lp_tree_file_clear(lp_tree_file *file) {
    lp_free(file->own);
    file->own = NULL;
}
