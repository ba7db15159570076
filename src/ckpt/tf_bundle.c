/* The values of a bundle's table are protocol buffers.
 *
 * Reference: tensorflow/core/protobuf/tensor_bundle.proto, framework/tensor_shape.proto and
 * types.proto; util/tensor_bundle/tensor_bundle.cc. */
#include "ckpt/tf_bundle.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "ckpt/numpy_array.h"
#include "ckpt/sorted_table.h"

enum { FILES_MOST = 99999 }; /* numbers of five digits */

/* ---- protocol buffers ------------------------------------------------------------------------ */

typedef enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 } wire;

typedef struct field {
    uint64_t number;
    wire wire;
    uint64_t value; /* of WIRE_VARINT */
    lp_bytes bytes; /* of the others */
} field;

/* Takes a field off the beginning; false: damaged. */
static bool take_field(lp_bytes *from, field *f) {
    uint64_t tag, size;
    if (!lp_take_varint(from, &tag)) {
        return false;
    }
    *f = (field){.number = tag >> 3, .wire = (wire)(tag & 7)};
    switch (f->wire) {
    case WIRE_VARINT:
        return lp_take_varint(from, &f->value);
    case WIRE_64:
        size = 8;
        break;
    case WIRE_BYTES:
        if (!lp_take_varint(from, &size)) {
            return false;
        }
        break;
    case WIRE_32:
        size = 4;
        break;
    default:
        return false;
    }
    if (size > from->size) {
        return false;
    }
    f->bytes = (lp_bytes){from->at, size};
    from->at += size;
    from->size -= size;
    return true;
}

/* ---- the index ------------------------------------------------------------------------------- */

/* Numbers of DataType, and NumPy's kind and size; bfloat16, which it has not, is below. */
static const struct {
    uint64_t number;
    char kind;
    size_t bytes;
    const char *other;
} types[] = {{1, 'f', 4, NULL},      {2, 'f', 8, NULL},  {3, 'i', 4, NULL},
             {4, 'u', 1, NULL},      {5, 'i', 2, NULL},  {6, 'i', 1, NULL},
             {7, 0, 0, "text"},      {9, 'i', 8, NULL},  {10, 'b', 1, NULL},
             {17, 'u', 2, "uint16"}, {19, 'f', 2, NULL}, {22, 'u', 4, "uint32"},
             {23, 'u', 8, "uint64"}};
enum { BFLOAT16 = 14 };

static void set_type(uint64_t number, lp_entry *entry) {
    lp_array_type(0, 0, false, "another type", entry);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].number == number) {
            lp_array_type(types[i].kind, types[i].bytes, false, types[i].other, entry);
        }
    }
    if (number == BFLOAT16) {
        entry->tensor.dtype = LP_DTYPE_BF16;
        entry->tensor.dtype_name = "bfloat16";
        entry->bytes = 2;
    }
}

/* TensorShapeProto; false: damaged.  *read: it is known, and of no more axes than are read. */
static bool read_shape(lp_bytes shape, lp_entry *entry, bool *read) {
    uint64_t sizes[LP_MAX_RANK] = {0};
    size_t rank = 0;
    field axis, part;
    while (shape.size > 0) {
        if (!take_field(&shape, &axis)) {
            return false;
        }
        *read = *read && axis.number != 3 && rank < LP_MAX_RANK;
        if (*read && axis.number == 2 && axis.wire == WIRE_BYTES) {
            while (axis.bytes.size > 0) {
                if (!take_field(&axis.bytes, &part)) {
                    return false;
                }
                if (part.number == 1 && part.wire == WIRE_VARINT) {
                    sizes[rank] = part.value;
                }
            }
            rank++;
        }
    }
    return lp_entry_shape(entry, sizes, *read ? rank : 0);
}

/* BundleEntryProto */
static lp_status read_tensor(lp_bytes value, lp_bundle_tensor *t, lp_error *err) {
    uint64_t type = 0;
    field f;
    bool sound = true, sliced = false, shaped = true;
    while (sound && value.size > 0) {
        sound = take_field(&value, &f);
        if (sound && f.wire == WIRE_VARINT) {
            uint64_t *const to[] = {NULL, &type, NULL, &t->file, &t->offset, &t->size};
            if (f.number < sizeof to / sizeof to[0] && to[f.number] != NULL) {
                *to[f.number] = f.value;
            }
        } else if (sound && f.number == 2 && f.wire == WIRE_BYTES) {
            sound = read_shape(f.bytes, &t->entry, &shaped);
        } else if (sound && f.number == 6 && f.wire == WIRE_32) {
            t->crc = lp_load32(f.bytes.at);
        }
        sliced = sliced || (sound && f.number == 7);
    }
    if (!sound) {
        return lp_fail(err, LP_ERR_FORMAT, "variable %s: a damaged description", t->name);
    }
    set_type(type, &t->entry);
    if (sliced || !shaped) {
        lp_array_type(0, 0, false, sliced ? "sliced variable" : "another shape", &t->entry);
    }
    lp_entry_contiguous(&t->entry);
    return LP_OK;
}

/* BundleHeaderProto.  The one file of the format before this one has something else there.  A
 * version is a message, whose second number is the least that a reader must know. */
static lp_status read_header(lp_bytes value, lp_bundle *bundle, lp_error *err) {
    field f, part;
    while (value.size > 0) {
        if (!take_field(&value, &f) || (f.number == 1 && f.wire != WIRE_VARINT)) {
            return lp_fail(err, LP_ERR_UNSUPPORTED,
                           "a TensorFlow checkpoint of the format before 2016, or another table: "
                           "load it with TensorFlow and save it again");
        }
        while (f.number == 3 && f.wire == WIRE_BYTES && f.bytes.size > 0) {
            if (!take_field(&f.bytes, &part) || (part.number == 2 && part.value > 1)) {
                return lp_fail(err, LP_ERR_UNSUPPORTED,
                               "a TensorFlow checkpoint of a later format than version 1");
            }
        }
        if (f.number == 1) {
            bundle->files = f.value;
        } else if (f.number == 2 && f.value != 0) {
            return lp_fail(err, LP_ERR_UNSUPPORTED,
                           "values of a big-endian processor, which are not read");
        }
    }
    return bundle->files > 0 && bundle->files <= FILES_MOST
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "%llu files of values, expected 1 to %d",
                         (unsigned long long)bundle->files, FILES_MOST);
}

/* A '/' is a dot here, as in other formats.  TensorFlow 2 has more behind the name. */
static void show_name(const char *name, char *shown) {
    static const char ending[] = "/.ATTRIBUTES/VARIABLE_VALUE";
    size_t length = strlen(name) - (lp_text_ends(name, ending) ? strlen(ending) : 0);
    for (size_t i = 0; i < length; i++) {
        shown[i] = name[i] == '/' ? '.' : name[i];
    }
    shown[length] = '\0';
}

static lp_status add_tensor(lp_bundle *bundle, const char *name, size_t length, lp_bytes value,
                            lp_error *err) {
    lp_status status;
    lp_bundle_tensor *added =
        lp_grow_by_one(bundle->tensors, bundle->count, &bundle->capacity, sizeof *added);
    LP_TRY(lp_allocated(added, "variables", bundle->count + 1, sizeof *added, err));
    bundle->tensors = added;
    added += bundle->count;
    *added = (lp_bundle_tensor){.name = lp_memory_take(&bundle->memory, length + 1, 1)};
    LP_TRY(lp_memory_check(&bundle->memory, "names of variables", err));
    show_name(name, added->name);
    added->entry.storage = bundle->count++;
    LP_TRY(read_tensor(value, added, err));
    if (added->file >= bundle->files) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "variable %s: in file %llu, expected 0 to %llu",
                       added->name, (unsigned long long)added->file,
                       (unsigned long long)bundle->files - 1));
    }
done:
    return status;
}

static lp_status refuse_other(lp_error *err) {
    return lp_fail(err, LP_ERR_UNSUPPORTED, "a table that is not of a TensorFlow checkpoint");
}

static lp_status visit(void *context, const char *key, size_t length, lp_bytes value,
                       lp_error *err) {
    lp_bundle *bundle = context;
    if (length == 0) {
        return read_header(value, bundle, err);
    }
    if (bundle->files == 0) {
        return refuse_other(err);
    }
    if (key[0] == '\0') { /* a slice; its variable has an entry of its own */
        return LP_OK;
    }
    lp_status status = lp_index_check_name(key, length, err);
    return status == LP_OK ? add_tensor(bundle, key, length, value, err) : status;
}

lp_status lp_bundle_read(const lp_map *index, lp_bundle *bundle, lp_error *err) {
    lp_status status;
    *bundle = (lp_bundle){0};
    LP_TRY(lp_table_walk(index, visit, bundle, err));
    if (bundle->files == 0) {
        LP_TRY(refuse_other(err));
    }
done:
    return status;
}

void lp_bundle_free(lp_bundle *bundle) {
    lp_free(bundle->tensors);
    lp_memory_free(&bundle->memory);
    *bundle = (lp_bundle){0};
}

/* ---- the files of values --------------------------------------------------------------------- */

static const char index_ending[] = ".index";

bool lp_bundle_is_index(const char *path) {
    return lp_text_ends(path, index_ending);
}

bool lp_bundle_is_data(const char *path) {
    static const char pattern[] = ".data-00000-of-00000";
    const char *end = strrchr(path, '.');
    bool same = end != NULL && strlen(end) == sizeof pattern - 1;
    for (size_t i = 0; same && pattern[i] != '\0'; i++) {
        same = pattern[i] == '0' ? end[i] >= '0' && end[i] <= '9' : end[i] == pattern[i];
    }
    return same;
}

lp_status lp_bundle_path(const char *index_path, const lp_bundle *bundle, uint64_t file,
                         char path[LP_PATH_ROOM], lp_error *err) {
    if (!lp_bundle_is_index(index_path)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: the index of a TensorFlow checkpoint: expected a name that ends with "
                       ".index, as the names of its files of values follow from it",
                       index_path);
    }
    return lp_path_print(path, err, "%.*s.data-%05llu-of-%05llu",
                         (int)(strlen(index_path) - strlen(index_ending)), index_path,
                         (unsigned long long)file, (unsigned long long)bundle->files);
}

static lp_status add_entry(const lp_bundle_tensor *t, const lp_map *values, lp_index *index,
                           lp_error *err) {
    lp_entry entry = t->entry;
    uint64_t end;
    lp_status status;
    if (!lp_add_u64(t->offset, t->size, &end) || end > values->size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "variable %s: %llu bytes from byte %llu on, but the file has %llu: it is "
                       "truncated, or of another checkpoint",
                       t->name, (unsigned long long)t->size, (unsigned long long)t->offset,
                       (unsigned long long)values->size));
    }
    lp_array_show(t->name, false, &entry);
    LP_TRY(lp_index_add(index, t->name, strlen(t->name), &entry, t->size, err));
    uint64_t bytes = (uint64_t)index->entries[index->count - 1].tensor.count * entry.bytes;
    if (entry.bytes > 0 && bytes != t->size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "variable %s: %llu bytes, expected %llu for its shape",
                       t->name, (unsigned long long)t->size, (unsigned long long)bytes));
    }
done:
    return status;
}

lp_status lp_bundle_index(const lp_bundle *bundle, uint64_t file, const lp_map *values,
                          lp_index *index, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < bundle->count && status == LP_OK; i++) {
        if (bundle->tensors[i].file == file) {
            status = add_entry(&bundle->tensors[i], values, index, err);
        }
    }
    return status;
}

lp_status lp_bundle_read_tensor(const lp_bundle *bundle, const lp_map *values,
                                const lp_entry *entry, float *to, lp_error *err) {
    const lp_bundle_tensor *t = &bundle->tensors[entry->storage];
    const unsigned char *bytes = t->size > 0 ? values->data + t->offset : NULL;
    uint32_t found = lp_masked_crc((lp_bytes){bytes, t->size});
    if (found != t->crc) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "tensor %s: %llu bytes from byte %llu on: checksum %08x, expected %08x: the "
                       "file is damaged, or of another checkpoint",
                       entry->tensor.name, (unsigned long long)t->size,
                       (unsigned long long)t->offset, (unsigned)found, (unsigned)t->crc);
    }
    return lp_entry_convert(entry, bytes, to, err);
}
