/* Data stage: HDF5 files by libhdf5, which may be called by one thread at a time. */
#include "data/hdf5_file.h"

#include "base/error.h"

#ifdef LP_HAS_HDF5
#include <pthread.h>
#include <string.h>

#include <hdf5.h>

#include "base/alloc.h"
#include "data/plain_file.h"

/* A chunk is unpacked whole: it stays in memory while its rows are read one after the other. */
enum { CACHE_BYTES = 64 << 20, CACHE_SLOTS = 521 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct lp_hdf5_array {
    lp_plain_file plain;
    lp_map map; /* of a copy without a name, which libhdf5 cannot open */
    const char *variable;
    hid_t file, set;
    hsize_t shape[4];
};

static lp_status fail(const lp_hdf5_array *a, lp_error *err, const char *expected) {
    return lp_fail(err, LP_ERR_FORMAT, "%s: '%s': expected %s", a->plain.path, a->variable,
                   expected);
}

/* Whether all values are in the file itself. */
static bool is_contained(hid_t set) {
    hid_t how = H5Dget_create_plist(set);
    bool contained =
        how >= 0 && H5Pget_layout(how) != H5D_VIRTUAL && H5Pget_external_count(how) == 0;
    if (how >= 0) {
        (void)H5Pclose(how);
    }
    return contained;
}

static bool has_bytes(lp_hdf5_array *a) {
    hid_t type = H5Dget_type(a->set), space = H5Dget_space(a->set);
    bool right = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER &&
                 H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE &&
                 H5Sget_simple_extent_ndims(space) == 4 &&
                 H5Sget_simple_extent_dims(space, a->shape, NULL) == 4;
    for (int d = 0; right && d < 4; d++) {
        right = a->shape[d] > 0 && a->shape[d] < ((hsize_t)1 << 31);
    }
    if (type >= 0) {
        (void)H5Tclose(type);
    }
    if (space >= 0) {
        (void)H5Sclose(space);
    }
    return right;
}

/* ---- a mapped file as libhdf5's image of a file: it is used where it lies, never copied ---- */

static void *use_image(size_t size, H5FD_file_image_op_t op, void *map) {
    (void)op;
    return size == ((const lp_map *)map)->size ? (void *)(uintptr_t)((const lp_map *)map)->data
                                               : NULL;
}

static void *keep_image(void *to, const void *from, size_t size, H5FD_file_image_op_t op,
                        void *map) {
    (void)size, (void)op, (void)map;
    return to == from ? to : NULL;
}

static void *refuse_growth(void *image, size_t size, H5FD_file_image_op_t op, void *map) {
    (void)image, (void)size, (void)op, (void)map;
    return NULL;
}

static herr_t leave_image(void *image, H5FD_file_image_op_t op, void *map) {
    (void)image, (void)op, (void)map;
    return 0;
}

static void *same_map(void *map) {
    return map;
}

static herr_t leave_map(void *map) {
    (void)map;
    return 0;
}

static bool set_image(hid_t access, lp_map *map) {
    H5FD_file_image_callbacks_t callbacks = {
        use_image, keep_image, refuse_growth, leave_image, same_map, leave_map, map};
    return H5Pset_fapl_core(access, 1 << 16, false) >= 0 &&
           H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
           H5Pset_file_image(access, (void *)(uintptr_t)map->data, map->size) >= 0;
}

static lp_status open_locked(lp_hdf5_array *a, lp_error *err) {
    H5L_info_t link;
    char image[32];
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* it prints nothing */
    (void)H5PLset_loading_state(0);              /* and loads no code */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_cache(access, 0, CACHE_SLOTS, CACHE_BYTES, 1);
    if (a->plain.copy == NULL) {
        a->file = H5Fopen(a->plain.name, H5F_ACC_RDONLY, access);
    } else if (set_image(access, &a->map)) {
        /* two images of one name would be one file to libhdf5 */
        (void)snprintf(image, sizeof image, "image %d", fileno(a->plain.copy));
        a->file = H5Fopen(image, H5F_ACC_RDONLY, access);
    }
    (void)H5Pclose(access);
    if (a->file < 0) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected an HDF5 file (.h5), found another file, or one that was cut "
                       "short or is damaged",
                       a->plain.path);
    }
    if (H5Lexists(a->file, a->variable, H5P_DEFAULT) <= 0 ||
        H5Lget_info(a->file, a->variable, &link, H5P_DEFAULT) < 0 || link.type != H5L_TYPE_HARD ||
        (a->set = H5Dopen2(a->file, a->variable, H5P_DEFAULT)) < 0) {
        return fail(a, err, "an array of that name at the file's top");
    }
    if (!has_bytes(a)) {
        return fail(a, err, "bytes in four dimensions");
    }
    return is_contained(a->set) ? LP_OK : fail(a, err, "values in the file itself");
}

lp_status lp_hdf5_open(const lp_tree *tree, const char *name, const char *variable, size_t shape[4],
                       lp_hdf5_array **out, lp_error *err) {
    lp_hdf5_array *a = lp_alloc_zeroed(1, sizeof *a);
    lp_status status;
    *out = NULL;
    LP_TRY(lp_allocated(a, name, 1, sizeof *a, err));
    a->variable = variable;
    a->file = a->set = -1;
    LP_TRY(lp_plain_file_open(tree, name, &a->plain, err));
    LP_TRY(a->plain.copy != NULL ? lp_map_open(a->plain.name, &a->map, err) : LP_OK);
    (void)pthread_mutex_lock(&lock);
    status = open_locked(a, err);
    (void)pthread_mutex_unlock(&lock);
    for (int d = 0; status == LP_OK && d < 4; d++) {
        shape[d] = (size_t)a->shape[d];
    }
done:
    if (status != LP_OK) {
        lp_hdf5_close(a);
        a = NULL;
    }
    *out = a;
    return status;
}

void lp_hdf5_close(lp_hdf5_array *a) {
    if (a == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&lock);
    if (a->set >= 0) {
        (void)H5Dclose(a->set);
    }
    if (a->file >= 0) {
        (void)H5Fclose(a->file);
    }
    (void)pthread_mutex_unlock(&lock);
    lp_map_close(&a->map);
    lp_plain_file_close(&a->plain);
    lp_free(a);
}

const char *lp_hdf5_path(const lp_hdf5_array *a) {
    return a->plain.path;
}

static bool read_locked(const lp_hdf5_array *a, size_t first, size_t count, unsigned char *bytes) {
    const hsize_t start[4] = {first, 0, 0, 0};
    const hsize_t size[4] = {count, a->shape[1], a->shape[2], a->shape[3]};
    hid_t from = H5Dget_space(a->set), to = H5Screate_simple(4, size, NULL);
    bool done = from >= 0 && to >= 0 &&
                H5Sselect_hyperslab(from, H5S_SELECT_SET, start, NULL, size, NULL) >= 0 &&
                H5Dread(a->set, H5T_NATIVE_UINT8, to, from, H5P_DEFAULT, bytes) >= 0;
    if (from >= 0) {
        (void)H5Sclose(from);
    }
    if (to >= 0) {
        (void)H5Sclose(to);
    }
    return done;
}

lp_status lp_hdf5_read(const lp_hdf5_array *a, size_t first, size_t count, unsigned char *bytes,
                       lp_error *err) {
    (void)pthread_mutex_lock(&lock);
    bool done = read_locked(a, first, count, bytes);
    (void)pthread_mutex_unlock(&lock);
    return done ? LP_OK
                : lp_fail(err, LP_ERR_FORMAT,
                          "%s: '%s': rows %zu to %zu cannot be read: the file is damaged or cut "
                          "short",
                          a->plain.path, a->variable, first, first + count - 1);
}

#else

lp_status lp_hdf5_open(const lp_tree *tree, const char *name, const char *variable, size_t shape[4],
                       lp_hdf5_array **array, lp_error *err) {
    char path[LP_PATH_ROOM] = "";
    (void)!lp_tree_path(tree, name, path, NULL);
    (void)variable, (void)shape;
    *array = NULL;
    return lp_fail(
        err, LP_ERR_UNSUPPORTED,
        "%s: this program was built without libhdf5 (libhdf5-dev), which reads .h5 files", path);
}

void lp_hdf5_close(lp_hdf5_array *array) {
    (void)array;
}

const char *lp_hdf5_path(const lp_hdf5_array *array) {
    (void)array;
    return "";
}

lp_status lp_hdf5_read(const lp_hdf5_array *array, size_t first, size_t count, unsigned char *bytes,
                       lp_error *err) {
    (void)array, (void)first, (void)count, (void)bytes;
    return lp_fail(err, LP_ERR_UNSUPPORTED, "built without libhdf5");
}
#endif
