/* Data stage: the files of a split, wherever they lie.
 *
 *   folder    the split's files in it or one level down in the official folder; mapped
 *   one file  of the layout that its name stands for, CIFAR-100's for an unknown name; mapped,
 *             with the names and labels beside it
 *   archive   tar or zip, read once from end to end, so that damage anywhere is found; only the
 *             members needed are kept in memory
 *
 * CIFAR-10's training batches may end early (a subset), but none may be missing in between. */
#include "data/record_files.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/image_folder.h"

/* What an archive may claim to hold: deflate expands at most 1032-fold; and the official sets are
 * far below the second bound.  Larger ones are for a folder, which is mapped. */
static const uint64_t expansion_max = 1032, members_bytes_max = UINT64_C(1) << 31;

enum { SLOT_LABELS = LP_RECORD_FILES_MAX, SLOT_NAMES, SLOTS = SLOT_NAMES + 2 };

static lp_status open_file(const char *path, lp_record_file *file, lp_error *err) {
    lp_status status;
    file->path = lp_strdup(path);
    LP_TRY(lp_allocated(file->path, path, 1, strlen(path) + 1, err));
    LP_TRY(lp_map_open(path, &file->map, err));
    file->data = file->map.data;
    file->size = (size_t)file->map.size;
done:
    return status;
}

static const char *split_name(lp_split split) {
    return split == LP_SPLIT_TRAIN ? "training" : "test";
}

lp_status lp_record_files_missing(const char *path, lp_split split, lp_error *err) {
    char files[128] = "", folders[128] = "", sets[1024];
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        const lp_record_layout *layout = &lp_record_layouts[set];
        const char *between = set == 0 ? "" : set + 1 < LP_RECORD_SETS ? ", " : " or ";
        size_t used = strlen(files);
        (void)snprintf(files + used, sizeof files - used, "%s%s (%s)", between,
                       layout->files[split][0], layout->name);
        used = strlen(folders);
        (void)snprintf(folders + used, sizeof folders - used, "%s%s/", between, layout->folder);
    }
    lp_data_set_names(sets, sizeof sets);
    return lp_fail(err, LP_ERR_IO,
                   "%s: no %s split found: looked for %s, there or in %s, for a folder of images a "
                   "class, and for the layouts of %s (NAME:PATH says what is missing)",
                   path, split_name(split), files, folders, sets);
}

/* Counts the files of records, without a gap, and misses that of their labels. */
static lp_status count_files(lp_record_files *files, const char *path, lp_split split,
                             lp_error *err) {
    for (size_t k = 0; k < LP_RECORD_FILES_MAX; k++) {
        if (files->records[k].path == NULL) {
            continue;
        }
        if (files->count != k) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: holds %s but not %s", path,
                           files->layout->files[split][k],
                           files->layout->files[split][files->count]);
        }
        files->count++;
    }
    if (files->count == 0) {
        return LP_OK;
    }
    if (files->layout->label_files[split] != NULL && files->labels.path == NULL) {
        return lp_fail(err, LP_ERR_IO, "%s: holds %s but not %s, its labels", path,
                       files->layout->files[split][0], files->layout->label_files[split]);
    }
    return LP_OK;
}

/* ---- folders and single files ---------------------------------------------------------------- */

/* The i-th file that a split may have: its records, the labels apart, the names of either kind. */
static const char *slot_name(const lp_record_layout *layout, lp_split split, size_t i) {
    return i < SLOT_LABELS    ? layout->files[split][i]
           : i == SLOT_LABELS ? layout->label_files[split]
                              : layout->names[i - SLOT_NAMES];
}

static lp_record_file *slot_of(lp_record_files *files, size_t i) {
    return i < SLOT_LABELS    ? &files->records[i]
           : i == SLOT_LABELS ? &files->labels
                              : &files->names[i - SLOT_NAMES];
}

/* Maps those of the files from slot `first` to end - 1 that the folder has.  Only one place may
 * have any: `earlier` is a file of another one, or NULL. */
static lp_status open_slots(const char *folder, const lp_record_layout *layout, lp_split split,
                            size_t first, size_t end, const char *earlier, lp_record_files *files,
                            lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = first; i < end; i++) {
        const char *name = slot_name(layout, split, i);
        if (name == NULL) {
            continue;
        }
        LP_TRY(lp_path_in(path, folder, name, err));
        if (!lp_is_file(path)) {
            continue;
        }
        if (earlier != NULL) {
            LP_TRY(lp_fail(err, LP_ERR_ARGUMENT, "both %s and %s are there: name the folder of one",
                           earlier, path));
        }
        LP_TRY(open_file(path, slot_of(files, i), err));
    }
done:
    return status;
}

static const char *first_records(const lp_record_files *files) {
    size_t k = 0;
    while (k + 1 < LP_RECORD_FILES_MAX && files->records[k].path == NULL) {
        k++;
    }
    return files->records[k].path;
}

/* Maps those of the split's files that the folder has.  Only one place may have any. */
static lp_status open_place(const char *folder, const lp_record_layout *layout, lp_split split,
                            lp_record_files *files, lp_error *err) {
    const char *earlier = first_records(files);
    lp_status status;
    LP_TRY(open_slots(folder, layout, split, 0, SLOT_LABELS, earlier, files, err));
    if (earlier == NULL && first_records(files) != NULL) {
        files->layout = layout;
        LP_TRY(open_slots(folder, layout, split, SLOT_LABELS, SLOTS, NULL, files, err));
    }
done:
    return status;
}

static lp_status open_folder(const char *path, lp_split split, lp_record_files *files,
                             lp_error *err) {
    char below[LP_PATH_ROOM];
    lp_status status;
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        const lp_record_layout *layout = &lp_record_layouts[set];
        LP_TRY(open_place(path, layout, split, files, err));
        LP_TRY(lp_path_in(below, path, layout->folder, err));
        LP_TRY(open_place(below, layout, split, files, err));
    }
done:
    return status;
}

static lp_status open_single(const char *path, lp_split split, lp_record_files *files,
                             lp_error *err) {
    char folder[LP_PATH_ROOM];
    const char *name = lp_path_name(path);
    lp_status status;
    files->layout = &lp_record_layouts[LP_CIFAR_100];
    for (size_t i = 0; i < (size_t)LP_RECORD_SETS * 2 * LP_RECORD_FILES_MAX; i++) {
        const lp_record_layout *layout = &lp_record_layouts[i / LP_RECORD_FILES_MAX / 2];
        lp_split of = (lp_split)(i / LP_RECORD_FILES_MAX % 2);
        const char *known = layout->files[of][i % LP_RECORD_FILES_MAX];
        if (known == NULL || strcmp(known, name) != 0) {
            continue;
        }
        if (of != split) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: expected the %s split, found a file of the %s split", path,
                           split_name(split), split_name(of));
        }
        files->layout = layout;
    }
    LP_TRY(lp_path_print(folder, err, "%.*s", (int)(name - path), path));
    LP_TRY(open_file(path, &files->records[0], err));
    LP_TRY(open_slots(name > path ? folder : ".", files->layout, split, SLOT_LABELS, SLOTS, NULL,
                      files, err));
done:
    return status;
}

/* ---- archives -------------------------------------------------------------------------------- */

/* Where a member belongs: the file of one layout that it is, or NULL. */
static lp_record_file *place_of(const char *member, lp_split split, lp_record_files *files,
                                const lp_record_layout **layout) {
    if (strncmp(member, "./", 2) == 0) {
        member += 2;
    }
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        *layout = &lp_record_layouts[set];
        size_t length = strlen((*layout)->folder);
        bool below = strncmp(member, (*layout)->folder, length) == 0 && member[length] == '/';
        const char *name = below ? member + length + 1 : member;
        for (size_t i = 0; i < SLOTS; i++) {
            const char *known = slot_name(*layout, split, i);
            if (known != NULL && strcmp(name, known) == 0) {
                return slot_of(files, i);
            }
        }
    }
    return NULL;
}

/* Reads a member's bytes in steps of one record, so that damage is reported with its number. */
static lp_status read_member(lp_archive *archive, lp_record_file *file, size_t step,
                             lp_error *err) {
    for (size_t done = 0, got; done < file->size; done += got) {
        size_t wanted = file->size - done < step ? file->size - done : step;
        lp_status status = lp_archive_read(archive, file->memory + done, wanted, &got, err);
        if (status == LP_OK && got < wanted) {
            status = lp_fail(err, LP_ERR_FORMAT, "%s: expected %zu bytes, found %zu", file->path,
                             file->size, done + got);
        }
        if (status != LP_OK) {
            return lp_prefix(err, status, "record %zu: ", done / step);
        }
    }
    return lp_archive_read_exact(archive, file->memory + file->size, 0, err);
}

/* Keeps a member; *room is what further ones may hold. */
static lp_status keep_member(lp_archive *archive, const char *path, const lp_member *member,
                             lp_record_file *file, size_t step, uint64_t *room, lp_error *err) {
    if (file->path != NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: is there twice, first as %s", path,
                       member->name, file->path);
    }
    if (!member->is_file) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: expected a file, found a link or a folder",
                       path, member->name);
    }
    if (member->size > *room) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: claims %llu bytes, at most %llu can be there",
                       path, member->name, (unsigned long long)member->size,
                       (unsigned long long)*room);
    }
    *room -= member->size;
    size_t bytes = strlen(path) + strlen(member->name) + 3;
    file->size = (size_t)member->size;
    file->memory = lp_alloc(file->size, 1);
    file->path = lp_alloc(bytes, 1);
    file->data = file->memory;
    if (file->memory == NULL || file->path == NULL) {
        return lp_fail_memory(err, member->name, file->size, 1);
    }
    (void)snprintf(file->path, bytes, "%s: %s", path, member->name);
    return read_member(archive, file, step, err);
}

static lp_status read_archive(const char *path, lp_archive *archive, uint64_t room, lp_split split,
                              lp_record_files *files, lp_error *err) {
    const lp_record_layout *layout;
    lp_member member;
    bool more = true;
    lp_status status;
    for (;;) {
        LP_TRY(lp_archive_next(archive, &member, &more, err));
        if (!more) {
            break;
        }
        lp_record_file *file = place_of(member.name, split, files, &layout);
        if (file == NULL && files->layout == NULL && lp_is_image_name(member.name)) {
            break; /* an archive of image files */
        }
        if (file == NULL) {
            continue;
        }
        if (files->layout != NULL && files->layout != layout) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: holds files of both %s and %s", path,
                           files->layout->name, layout->name));
        }
        files->layout = layout;
        LP_TRY(keep_member(archive, path, &member, file, lp_record_bytes(layout), &room, err));
    }
done:
    return status;
}

static lp_status open_archive(const char *path, lp_split split, lp_record_files *files,
                              lp_error *err) {
    lp_map whole;
    lp_archive *archive = NULL;
    uint64_t room;
    lp_status status;
    LP_TRY(lp_map_open(path, &whole, err));
    if (!lp_mul_u64(whole.size, expansion_max, &room) || room > members_bytes_max) {
        room = members_bytes_max;
    }
    LP_TRY(lp_prefix(err, lp_archive_open(path, LP_ARCHIVE_ANY, &archive, err),
                     "expected a folder, a .bin file or an archive: "));
    LP_TRY(read_archive(path, archive, room, split, files, err));
    if (files->layout != NULL && files->layout->official[split].name == NULL &&
        whole.size == files->layout->archive.bytes) {
        char hex[LP_DIGEST_HEX];
        LP_TRY(lp_digest_bytes(LP_SHA256, whole.data, (size_t)whole.size, hex, err));
        files->official_archive = strcmp(hex, files->layout->archive.sha256) == 0;
    }
done:
    lp_archive_close(archive);
    lp_map_close(&whole);
    return status;
}

lp_status lp_record_files_open(const char *path, lp_split split, lp_record_files *files,
                               lp_error *err) {
    lp_status status;
    size_t length = strlen(path);
    memset(files, 0, sizeof *files);
    if (lp_is_folder(path)) {
        LP_TRY(open_folder(path, split, files, err));
    } else if (length >= 4 && strcmp(path + length - 4, ".bin") == 0) {
        LP_TRY(open_single(path, split, files, err));
    } else {
        LP_TRY(open_archive(path, split, files, err));
    }
    LP_TRY(count_files(files, path, split, err));
done:
    if (status != LP_OK) {
        lp_record_files_close(files);
    }
    return status;
}

void lp_record_files_close(lp_record_files *files) {
    for (size_t i = 0; i < SLOTS; i++) {
        lp_record_file *file = slot_of(files, i);
        lp_map_close(&file->map);
        lp_free(file->memory);
        lp_free(file->path);
    }
    memset(files, 0, sizeof *files);
}
