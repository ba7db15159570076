/* Data stage: the files of a split, wherever they lie.
 *
 *   folder    the split's files in it or one level down in the official folder; mapped
 *   one file  of the layout that its name stands for, CIFAR-100's for an unknown name; mapped,
 *             with the names and labels beside it
 *   archive   tar or zip, read once from end to end, so that damage anywhere is found; only the
 *             members needed are kept in memory
 *   pickles   of the Python version, in folders and archives alike: made into records in memory
 *
 * CIFAR-10's training batches may end early (a subset), but none may be missing in between. */
#include "data/record_files.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "base/text.h"
#include "data/cifar_pickle.h"
#include "data/data_sets.h"
#include "data/image_folder.h"

/* What an archive may claim to hold: deflate expands at most 1032-fold; and the official sets are
 * far below the second bound.  Larger ones are for a folder, which is mapped. */
static const uint64_t expansion_max = 1032, members_bytes_max = UINT64_C(1) << 31;

enum { SLOT_LABELS = LP_RECORD_FILES_MAX, SLOT_NAMES, SLOTS = SLOT_NAMES + 2 };

/* The binary and the Python version of a layout. */
typedef struct record_form {
    const lp_record_layout *layout;
    bool pickled;
} record_form;

enum { FORMS = 2 * LP_RECORD_SETS };

/* Form f of those that `only` has (NULL: all of them); false: it has no such one. */
static bool form_at(size_t f, const lp_record_layout *only, record_form *form) {
    *form = (record_form){&lp_record_layouts[f / 2], f % 2 == 1};
    return (only == NULL || only == form->layout) &&
           (!form->pickled || form->layout->pickled.folder != NULL);
}

static const char *folder_of(const record_form *form) {
    return form->pickled ? form->layout->pickled.folder : form->layout->folder;
}

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

lp_status lp_record_files_missing(const char *path, const lp_record_layout *only, lp_split split,
                                  lp_error *err) {
    char files[128] = "", folders[128] = "", sets[1024];
    if (only != NULL) {
        const lp_pickled_layout *pickled = &only->pickled;
        return lp_fail(err, LP_ERR_IO,
                       "%s: expected the %s split of %s as it is downloaded, with %s, there or in "
                       "%s/%s%s%s%s%s",
                       path, split_name(split), only->name, only->files[split][0], only->folder,
                       pickled->folder != NULL ? ", or with " : "",
                       pickled->folder != NULL ? pickled->files[split][0] : "",
                       pickled->folder != NULL ? ", there or in " : "",
                       pickled->folder != NULL ? pickled->folder : "",
                       pickled->folder != NULL ? "/" : "");
    }
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

/* The i-th file that a split may have: its records, the labels apart, the names of either kind. */
static const char *slot_name(const record_form *form, lp_split split, size_t i) {
    const lp_record_layout *layout = form->layout;
    if (form->pickled) {
        return i < SLOT_LABELS   ? layout->pickled.files[split][i]
               : i == SLOT_NAMES ? layout->pickled.meta
                                 : NULL;
    }
    return i < SLOT_LABELS    ? layout->files[split][i]
           : i == SLOT_LABELS ? layout->label_files[split]
                              : layout->names[i - SLOT_NAMES];
}

/* Counts the files of records, without a gap, and misses that of their labels. */
static lp_status count_files(lp_record_files *files, const char *path, const record_form *form,
                             lp_split split, lp_error *err) {
    if (form->layout == NULL) {
        return LP_OK; /* there is none */
    }
    for (size_t k = 0; k < LP_RECORD_FILES_MAX; k++) {
        if (files->records[k].path == NULL) {
            continue;
        }
        if (files->count != k) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: holds %s but not %s", path,
                           slot_name(form, split, k), slot_name(form, split, files->count));
        }
        files->count++;
    }
    if (files->count == 0) {
        return LP_OK;
    }
    if (slot_name(form, split, SLOT_LABELS) != NULL && files->labels.path == NULL) {
        return lp_fail(err, LP_ERR_IO, "%s: holds %s but not %s, its labels", path,
                       files->layout->files[split][0], files->layout->label_files[split]);
    }
    return LP_OK;
}

/* ---- folders and single files ---------------------------------------------------------------- */

static lp_record_file *slot_of(lp_record_files *files, size_t i) {
    return i < SLOT_LABELS    ? &files->records[i]
           : i == SLOT_LABELS ? &files->labels
                              : &files->names[i - SLOT_NAMES];
}

/* Maps those of the files from slot `first` to end - 1 that the folder has.  Only one place may
 * have any: `earlier` is a file of another one, or NULL. */
static lp_status open_slots(const char *folder, const record_form *form, lp_split split,
                            size_t first, size_t end, const char *earlier, lp_record_files *files,
                            lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = first; i < end; i++) {
        const char *name = slot_name(form, split, i);
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

/* Maps those of the split's files that the folder has.  Only one place may have any.  The Python
 * version's files have no ending: they are known by the one of names beside them. */
static lp_status open_place(const char *folder, const record_form *form, lp_split split,
                            lp_record_files *files, record_form *found, lp_error *err) {
    char meta[LP_PATH_ROOM];
    const char *earlier = first_records(files);
    lp_status status = LP_OK;
    if (form->pickled) {
        LP_TRY(lp_path_in(meta, folder, form->layout->pickled.meta, err));
        if (!lp_is_file(meta) || (earlier != NULL && files->layout == form->layout)) {
            return LP_OK; /* of both versions, the binary one is read */
        }
    }
    LP_TRY(open_slots(folder, form, split, 0, SLOT_LABELS, earlier, files, err));
    if (earlier == NULL && first_records(files) != NULL) {
        files->layout = form->layout;
        *found = *form;
        LP_TRY(open_slots(folder, form, split, SLOT_LABELS, SLOTS, NULL, files, err));
    }
done:
    return status;
}

static lp_status open_folder(const char *path, const lp_record_layout *only, lp_split split,
                             lp_record_files *files, record_form *found, lp_error *err) {
    char below[LP_PATH_ROOM];
    record_form form;
    lp_status status = LP_OK;
    for (size_t f = 0; f < FORMS; f++) {
        if (form_at(f, only, &form)) {
            LP_TRY(open_place(path, &form, split, files, found, err));
            LP_TRY(lp_path_in(below, path, folder_of(&form), err));
            LP_TRY(open_place(below, &form, split, files, found, err));
        }
    }
done:
    return status;
}

static lp_status open_single(const char *path, const lp_record_layout *only, lp_split split,
                             lp_record_files *files, record_form *found, lp_error *err) {
    char folder[LP_PATH_ROOM];
    const char *name = lp_path_name(path);
    lp_status status;
    files->layout = only != NULL ? only : &lp_record_layouts[LP_CIFAR_100];
    for (size_t i = 0; i < (size_t)LP_RECORD_SETS * 2 * LP_RECORD_FILES_MAX; i++) {
        const lp_record_layout *layout = &lp_record_layouts[i / LP_RECORD_FILES_MAX / 2];
        lp_split of = (lp_split)(i / LP_RECORD_FILES_MAX % 2);
        const char *known = layout->files[of][i % LP_RECORD_FILES_MAX];
        if (known == NULL || strcmp(known, name) != 0 || (only != NULL && only != layout)) {
            continue;
        }
        if (of != split) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: expected the %s split, found a file of the %s split", path,
                           split_name(split), split_name(of));
        }
        files->layout = layout;
    }
    *found = (record_form){files->layout, false};
    LP_TRY(lp_path_print(folder, err, "%.*s", (int)(name - path), path));
    LP_TRY(open_file(path, &files->records[0], err));
    LP_TRY(
        open_slots(name > path ? folder : ".", found, split, SLOT_LABELS, SLOTS, NULL, files, err));
done:
    return status;
}

/* ---- archives -------------------------------------------------------------------------------- */

/* Where a member belongs: the file of one form that it is, or NULL. */
static lp_record_file *place_of(const char *member, const lp_record_layout *only, lp_split split,
                                lp_record_files *files, record_form *form) {
    if (strncmp(member, "./", 2) == 0) {
        member += 2;
    }
    for (size_t f = 0; f < FORMS; f++) {
        if (!form_at(f, only, form)) {
            continue;
        }
        size_t length = strlen(folder_of(form));
        bool below = strncmp(member, folder_of(form), length) == 0 && member[length] == '/';
        const char *name = below ? member + length + 1 : member;
        for (size_t i = 0; i < SLOTS && (below || !form->pickled); i++) {
            const char *known = slot_name(form, split, i);
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

static lp_status read_archive(const char *path, lp_archive *archive, uint64_t room,
                              const lp_record_layout *only, lp_split split, lp_record_files *files,
                              record_form *found, lp_error *err) {
    record_form form;
    lp_member member;
    bool more = true;
    lp_status status;
    for (;;) {
        LP_TRY(lp_archive_next(archive, &member, &more, err));
        if (!more) {
            break;
        }
        lp_record_file *file = place_of(member.name, only, split, files, &form);
        if (file == NULL && files->layout == NULL && lp_is_image_name(member.name)) {
            break; /* an archive of image files */
        }
        if (file == NULL) {
            continue;
        }
        if (found->layout != NULL &&
            (found->layout != form.layout || found->pickled != form.pickled)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: holds files of both %s and %s", path,
                           folder_of(found), folder_of(&form)));
        }
        files->layout = form.layout;
        *found = form;
        LP_TRY(keep_member(archive, path, &member, file, lp_record_bytes(form.layout), &room, err));
    }
done:
    return status;
}

static lp_status open_archive(const char *path, const lp_record_layout *only, lp_split split,
                              lp_record_files *files, record_form *found, lp_error *err) {
    lp_map whole;
    lp_archive *archive = NULL;
    uint64_t room;
    lp_status status;
    LP_TRY(lp_map_open(path, &whole, err));
    if (!lp_mul_u64(whole.size, expansion_max, &room) || room > members_bytes_max) {
        room = members_bytes_max;
    }
    LP_TRY(lp_prefix(
        err, lp_archive_open(path, LP_ARCHIVE_ANY, &archive, err),
        lp_archive_ending(path) > 0 ? "" : "expected a folder, a .bin file or an archive: "));
    LP_TRY(read_archive(path, archive, room, only, split, files, found, err));
    if (files->layout != NULL && files->layout->official[split].name == NULL && !found->pickled &&
        whole.size == files->layout->archive.bytes) {
        char hex[LP_DIGEST_HEX];
        LP_TRY(lp_digest_bytes(LP_SHA256, whole.data, (size_t)whole.size, hex, err));
        if (strcmp(hex, files->layout->archive.sha256) == 0) {
            files->official = files->layout->archive.file;
        }
    }
done:
    lp_archive_close(archive);
    lp_map_close(&whole);
    return status;
}

/* ---- pickles --------------------------------------------------------------------------------- */

/* The file's bytes are what was made of it from here on. */
static void replace_bytes(lp_record_file *file, unsigned char *bytes, size_t size) {
    lp_map_close(&file->map);
    lp_free(file->memory);
    file->memory = NULL; /* the new ones belong to the files' common memory */
    file->data = bytes;
    file->size = size;
}

/* Makes the records of a split, and the names of its labels, from its pickles. */
static lp_status unpickle(lp_record_files *files, lp_split split, lp_error *err) {
    const lp_pickled_layout *pickled = &files->layout->pickled;
    lp_record_file *meta = &files->names[0];
    unsigned char *bytes = NULL;
    char hex[LP_DIGEST_HEX];
    size_t size = 0;
    bool published = true;
    lp_status status = LP_OK;
    for (size_t k = 0; k < files->count; k++) {
        lp_record_file *file = &files->records[k];
        LP_TRY(lp_digest_bytes(LP_MD5, file->data, file->size, hex, err));
        published = published && strcmp(hex, pickled->md5[split][k]) == 0;
        LP_TRY(lp_cifar_unpickle(files->layout, file->path, file->data, file->size, &files->memory,
                                 &bytes, &size, err));
        replace_bytes(file, bytes, size);
    }
    for (size_t kind = 2; meta->path != NULL && kind-- > 0;) { /* the pickle is names[0] */
        if (pickled->names[kind] == NULL) {
            continue;
        }
        LP_TRY(lp_cifar_unpickle_names(meta->path, pickled->names[kind], meta->data, meta->size,
                                       &files->memory, &bytes, &size, err));
        files->names[kind].path = kind > 0 ? lp_strdup(meta->path) : meta->path;
        LP_TRY(lp_allocated(files->names[kind].path, meta->path, 1, strlen(meta->path), err));
        replace_bytes(&files->names[kind], bytes, size);
    }
    bool whole = files->count == LP_RECORD_FILES_MAX || pickled->md5[split][files->count] == NULL;
    files->official = published && whole ? pickled->folder : NULL;
done:
    return status;
}

lp_status lp_record_files_open(const char *path, const lp_record_layout *layout, lp_split split,
                               lp_record_files *files, lp_error *err) {
    record_form found = {.layout = NULL};
    lp_status status;
    memset(files, 0, sizeof *files);
    if (lp_is_folder(path)) {
        LP_TRY(open_folder(path, layout, split, files, &found, err));
    } else if (lp_text_ends(path, ".bin")) {
        LP_TRY(open_single(path, layout, split, files, &found, err));
    } else {
        LP_TRY(open_archive(path, layout, split, files, &found, err));
    }
    LP_TRY(count_files(files, path, &found, split, err));
    if (found.pickled && files->count > 0) {
        LP_TRY(unpickle(files, split, err));
    }
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
    lp_memory_free(&files->memory);
    memset(files, 0, sizeof *files);
}
