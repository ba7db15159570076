/* NumPy's zip files of arrays: a member NAME.npy is the array NAME (numpy/lib/npyio.py, savez),
 * stored or deflated.  A '/' in a name is a dot here. */
#include "ckpt/numpy_zip.h"

#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/npy.h"
#include "base/text.h"
#include "ckpt/numpy_array.h"

enum {
    HEADER_MOST = 4096, /* bytes of an array's header; NumPy writes 128 */
    SHRINKS_MOST = 1032 /* deflate, to 1 */
};

static const char ending[] = ".npy";

static bool is_array(const char *name) {
    return lp_text_ends(name, ending);
}

bool lp_numpy_zip_recognise(const lp_torch_zip *zip) {
    for (size_t i = 0; i < zip->count; i++) {
        if (is_array(zip->members[i].name)) {
            return true;
        }
    }
    return false;
}

/* ---- one array ------------------------------------------------------------------------------- */

static lp_status add_array(lp_archive *archive, const lp_member *member, size_t place,
                           uint64_t file_size, lp_index *index, lp_error *err) {
    unsigned char header[HEADER_MOST];
    char name[LP_NAME_MAX + 1];
    size_t length = strlen(member->name) - (sizeof ending - 1), got;
    lp_entry entry = {.storage = place};
    lp_npy npy;
    lp_status status;
    LP_TRY(lp_index_check_name(member->name, length, err));
    (void)snprintf(name, sizeof name, "%.*s", (int)length, member->name);
    for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash, '/')) {
        *slash = '.';
    }
    if (member->size / SHRINKS_MOST > file_size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes cannot come from a file of %llu",
                       member->name, (unsigned long long)member->size,
                       (unsigned long long)file_size));
    }
    LP_TRY(lp_archive_read(archive, header, sizeof header, &got, err));
    if (lp_npy_begin(header, got) > got) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: .npy header: expected at most %d bytes",
                       member->name, HEADER_MOST));
    }
    LP_TRY(lp_npy_parse(member->name, header, got < sizeof header ? got : member->size, &npy, err));
    uint64_t shape[LP_NPY_MAX_RANK];
    for (int i = 0; i < npy.rank; i++) {
        shape[i] = npy.shape[i];
    }
    (void)lp_entry_shape(&entry, shape, (size_t)npy.rank);
    lp_array_strides(npy.fortran_order, &entry);
    entry.offset = npy.offset;
    lp_array_type(npy.kind, npy.item, npy.big_endian,
                  lp_npy_is_text(&npy) ? "text" : "another type", &entry);
    lp_array_show(name, false, &entry);
    status = lp_index_add(index, name, length, &entry, member->size, err);
done:
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

lp_status lp_numpy_zip_index(const lp_torch_zip *zip, uint64_t file_size, lp_index *index,
                             lp_error *err) {
    lp_archive *archive;
    lp_member member;
    bool more = true;
    lp_status status;
    LP_TRY(lp_torch_zip_open(zip, &archive, err));
    for (size_t place = 0; more; place++) {
        LP_TRY(lp_torch_zip_next(zip, archive, &member, &more, err));
        if (more && is_array(member.name)) {
            LP_TRY(lp_prefix(err, add_array(archive, &member, place, file_size, index, err),
                             "%s: ", zip->path));
        }
    }
done:
    lp_archive_close(archive);
    return status;
}
