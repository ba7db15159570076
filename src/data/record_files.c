/* Data stage: the files of a split, wherever they lie.
 *
 *   folder    the split's files in it or one level down in the official folder; mapped
 *   one file  of the layout that its name stands for, CIFAR-100's for an unknown name; mapped, and
 * the names and labels beside it archive   tar or tar.gz, read once from end to end, so that damage
 * anywhere is found; only the members needed are kept in memory
 *
 * CIFAR-10's training batches may end early (a subset), but none may be missing in between. */
#include "data/record_files.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"

/* What an archive may claim to hold: deflate expands at most 1032-fold; and the official sets are
 * far below the second bound.  Larger ones are for a folder, which is mapped. */
static const uint64_t expansion_max = 1032, members_bytes_max = UINT64_C(1) << 31;

static lp_status open_file(char *path, lp_record_file *file, lp_error *err) {
    lp_status status = lp_map_open(path, &file->map, err);
    file->path = path;
    file->data = file->map.data;
    file->size = (size_t)file->map.size;
    return status;
}

static void close_file(lp_record_file *file) {
    lp_map_close(&file->map);
    lp_free(file->memory);
    lp_free(file->path);
}

static const char *split_name(lp_split split) {
    return split == LP_SPLIT_TRAIN ? "training" : "test";
}

lp_status lp_record_files_missing(const char *path, lp_split split, lp_error *err) {
    char files[128] = "", folders[128] = "";
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        const lp_record_layout *layout = &lp_record_layouts[set];
        const char *between = set == 0 ? "" : set + 1 < LP_RECORD_SETS ? ", " : " or ";
        size_t used = strlen(files);
        (void)snprintf(files + used, sizeof files - used, "%s%s (%s)", between,
                       layout->files[split][0], layout->name);
        used = strlen(folders);
        (void)snprintf(folders + used, sizeof folders - used, "%s%s/", between, layout->folder);
    }
    return lp_fail(err, LP_ERR_IO, "%s: no %s split found: looked for %s, there or in %s%s", path,
                   split_name(split), files, folders,
                   lp_is_folder(path) ? ", and for a folder of PNG or JPEG files a class" : "");
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
        return lp_is_folder(path) ? LP_OK : lp_record_files_missing(path, split, err);
    }
    if (files->layout->label_files[split] != NULL && files->labels.path == NULL) {
        return lp_fail(err, LP_ERR_IO, "%s: holds %s but not %s, its labels", path,
                       files->layout->files[split][0], files->layout->label_files[split]);
    }
    return LP_OK;
}

/* ---- folders and single files ---------------------------------------------------------------- */

/* Maps the folder's file of this name, where there is one. */
static lp_status open_beside(const char *folder, const char *name, lp_record_file *file,
                             lp_error *err) {
    if (name == NULL) {
        return LP_OK;
    }
    char *path = lp_path_join(folder, name);
    if (path == NULL) {
        return lp_fail_memory(err, name, 1, strlen(folder));
    }
    if (!lp_is_file(path)) {
        lp_free(path);
        return LP_OK;
    }
    return open_file(path, file, err);
}

/* The names and labels that the folder has. */
static lp_status open_names(const char *folder, lp_split split, lp_record_files *files,
                            lp_error *err) {
    const lp_record_layout *layout = files->layout;
    lp_status status = open_beside(folder, layout->label_files[split], &files->labels, err);
    for (size_t kind = 0; kind < 2 && status == LP_OK; kind++) {
        status = open_beside(folder, layout->names[kind], &files->names[kind], err);
    }
    return status;
}

/* Maps those of the split's files that the folder has.  Only one place may have any. */
static lp_status open_place(const char *folder, const lp_record_layout *layout, lp_split split,
                            lp_record_files *files, lp_error *err) {
    const char *earlier = NULL;
    for (size_t k = 0; k < LP_RECORD_FILES_MAX && earlier == NULL; k++) {
        earlier = files->records[k].path;
    }
    for (size_t k = 0; k < LP_RECORD_FILES_MAX && layout->files[split][k] != NULL; k++) {
        char *path = lp_path_join(folder, layout->files[split][k]);
        if (path == NULL) {
            return lp_fail_memory(err, layout->files[split][k], 1, strlen(folder));
        }
        if (!lp_is_file(path)) {
            lp_free(path);
            continue;
        }
        if (earlier != NULL) {
            lp_status status =
                lp_fail(err, LP_ERR_ARGUMENT, "both %s and %s are there: name the folder of one",
                        earlier, path);
            lp_free(path);
            return status;
        }
        files->layout = layout;
        lp_status status = open_file(path, &files->records[k], err);
        if (status != LP_OK) {
            return status;
        }
    }
    return earlier == NULL && files->layout != NULL ? open_names(folder, split, files, err) : LP_OK;
}

static lp_status open_folder(const char *path, lp_split split, lp_record_files *files,
                             lp_error *err) {
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        const lp_record_layout *layout = &lp_record_layouts[set];
        lp_status status = open_place(path, layout, split, files, err);
        if (status != LP_OK) {
            return status;
        }
        char *below = lp_path_join(path, layout->folder);
        if (below == NULL) {
            return lp_fail_memory(err, path, 1, strlen(path));
        }
        status = open_place(below, layout, split, files, err);
        lp_free(below);
        if (status != LP_OK) {
            return status;
        }
    }
    return LP_OK;
}

static lp_status open_single(const char *path, lp_split split, lp_record_files *files,
                             lp_error *err) {
    const char *name = lp_path_name(path);
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
    char *copy = lp_strdup(path), *folder = lp_strdup(path);
    if (copy == NULL || folder == NULL) {
        lp_free(copy);
        lp_free(folder);
        return lp_fail_memory(err, path, 2, strlen(path));
    }
    folder[name - path] = '\0';
    lp_status status = open_file(copy, &files->records[0], err);
    if (status == LP_OK) {
        status = open_names(folder[0] != '\0' ? folder : ".", split, files, err);
    }
    lp_free(folder);
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
        for (size_t kind = 0; kind < 2; kind++) {
            if ((*layout)->names[kind] != NULL && strcmp(name, (*layout)->names[kind]) == 0) {
                return &files->names[kind];
            }
        }
        const char *labels = (*layout)->label_files[split];
        if (labels != NULL && strcmp(name, labels) == 0) {
            return &files->labels;
        }
        for (size_t k = 0; k < LP_RECORD_FILES_MAX && (*layout)->files[split][k] != NULL; k++) {
            if (strcmp(name, (*layout)->files[split][k]) == 0) {
                return &files->records[k];
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
    for (;;) {
        lp_status status = lp_archive_next(archive, &member, &more, err);
        if (status != LP_OK || !more) {
            return status;
        }
        lp_record_file *file = place_of(member.name, split, files, &layout);
        if (file == NULL) {
            continue;
        }
        if (files->layout != NULL && files->layout != layout) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: holds files of both %s and %s", path,
                           files->layout->name, layout->name);
        }
        files->layout = layout;
        status = keep_member(archive, path, &member, file, lp_record_bytes(layout), &room, err);
        if (status != LP_OK) {
            return status;
        }
    }
}

static lp_status open_archive(const char *path, lp_split split, lp_record_files *files,
                              lp_error *err) {
    lp_map whole;
    lp_archive *archive = NULL;
    uint64_t room;
    lp_status status = lp_map_open(path, &whole, err);
    if (status != LP_OK) {
        return status;
    }
    if (!lp_mul_u64(whole.size, expansion_max, &room) || room > members_bytes_max) {
        room = members_bytes_max;
    }
    status = lp_archive_open(path, LP_ARCHIVE_TAR_GZ, &archive, err);
    if (status != LP_OK) {
        status = lp_prefix(err, status, "expected a folder, a .bin file or a tar.gz: ");
    }
    LP_TRY(status);
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
        status = open_folder(path, split, files, err);
    } else if (length >= 4 && strcmp(path + length - 4, ".bin") == 0) {
        status = open_single(path, split, files, err);
    } else {
        status = open_archive(path, split, files, err);
    }
    if (status == LP_OK) {
        status = count_files(files, path, split, err);
    }
    if (status != LP_OK) {
        lp_record_files_close(files);
    }
    return status;
}

void lp_record_files_close(lp_record_files *files) {
    for (size_t k = 0; k < LP_RECORD_FILES_MAX; k++) {
        close_file(&files->records[k]);
    }
    close_file(&files->labels);
    close_file(&files->names[0]);
    close_file(&files->names[1]);
    memset(files, 0, sizeof *files);
}
