/* PyTorch's zip files.
 *
 *   <prefix>/data.pkl    the pickle: a tree of TorchScript modules, or a dictionary of tensors
 *   <prefix>/data/<key>  the bytes of one storage, which tensors view by offset, shape and stride
 *   <prefix>/byteorder   "little" or "big", since PyTorch 2.1; little before
 *   <prefix>/...         code, constants and versions: not read
 *
 * Reference: torch/serialization.py (_save, _load), torch/csrc/jit/serialization/export_module.cpp.
 * A tensor of a module tree is called by the attributes that lead to it, joined by dots, as
 * state_dict() does. */
#include "ckpt/torch_zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "ckpt/pickle.h"

enum {
    DEPTH_MAX = 64, /* modules within modules */
    KEY_MAX = 64    /* characters of a storage's key: in fact a decimal number */
};

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

/* ---- tensors ----------------------------------------------------------------------------------
 */

typedef struct reader {
    const lp_torch_zip *zip;
    const lp_pickle *pickle;
    lp_index *index;
    lp_error *err;
    char *member;         /* scratch: "<prefix>/data/" and room for a key */
    size_t member_prefix; /* its length without the key */
    uint64_t budget;      /* what the walk may still cost; shared modules could multiply it */
    char name[LP_NAME_MAX + 1];
} reader;

/* A count in the pickle: an integer that is not negative. */
static bool read_count(const lp_pickle *pickle, uint32_t node, uint64_t *value) {
    const lp_node *n = &pickle->nodes[node];
    if (n->kind != LP_NODE_INT || n->is.integer < 0) {
        return false;
    }
    *value = (uint64_t)n->is.integer;
    return true;
}

/* The counts in a tuple of at most LP_MAX_RANK. */
static bool read_counts(const lp_pickle *pickle, uint32_t tuple, uint64_t *values) {
    const lp_node *nodes = pickle->nodes;
    uint32_t cell = nodes[tuple].is.items.first;
    for (size_t i = 0; cell != 0; cell = nodes[cell].is.cell.next, i++) {
        if (!read_count(pickle, nodes[cell].is.cell.value, &values[i])) {
            return false;
        }
    }
    return true;
}

/* Fills an entry from a tensor's node; the caller puts name and place before the message. */
static lp_status fill_entry(reader *r, uint32_t node, lp_entry *entry, uint64_t *available) {
    const lp_pickle *pickle = r->pickle;
    const lp_node *tensor = &pickle->nodes[node];
    const lp_node *storage = &pickle->nodes[tensor->is.tensor.storage];
    const lp_node *shape = &pickle->nodes[tensor->is.tensor.shape];
    const lp_node *stride = &pickle->nodes[tensor->is.tensor.stride];
    const lp_node *key = &pickle->nodes[storage->is.storage.key];
    const lp_torch_type *type = tensor->is.tensor.type;
    uint64_t offset, elements, sizes[LP_MAX_RANK];
    if (shape->kind != LP_NODE_TUPLE || stride->kind != LP_NODE_TUPLE ||
        shape->is.items.count != stride->is.items.count) {
        return lp_fail(r->err, LP_ERR_FORMAT, "expected shape and strides as tuples of one length");
    }
    if (shape->is.items.count > LP_MAX_RANK) {
        return lp_fail(r->err, LP_ERR_UNSUPPORTED, "%u dimensions, expected at most %d",
                       shape->is.items.count, LP_MAX_RANK);
    }
    if (!read_count(pickle, tensor->is.tensor.offset, &offset) ||
        !read_count(pickle, storage->is.storage.size, &elements) ||
        !read_counts(pickle, tensor->is.tensor.shape, sizes) ||
        !read_counts(pickle, tensor->is.tensor.stride, entry->stride)) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "offset, shape, strides and size of the storage must be integers of 0 or "
                       "more");
    }
    if (type == NULL) {
        type = storage->is.storage.type;
    }
    entry->tensor.dtype = type->type;
    entry->tensor.dtype_name = type->storage != NULL ? type->storage : type->dtype;
    entry->tensor.rank = (int)shape->is.items.count;
    for (int i = 0; i < entry->tensor.rank; i++) {
        if (sizes[i] > SIZE_MAX) {
            return lp_fail(r->err, LP_ERR_FORMAT, "its shape overflows");
        }
        entry->tensor.shape[i] = (size_t)sizes[i];
    }
    entry->bytes = type->bytes;

    if (key->is.text.length > KEY_MAX) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its storage has a key of %u characters",
                       key->is.text.length);
    }
    memcpy(r->member + r->member_prefix, pickle->bytes + key->is.text.start, key->is.text.length);
    r->member[r->member_prefix + key->is.text.length] = '\0';
    const lp_torch_member *member = find_member(r->zip, r->member);
    if (member == NULL) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its storage, %s, is not in the archive", r->member);
    }
    uint64_t bytes;
    if (!lp_mul_u64(elements, storage->is.storage.type->bytes, &bytes) || bytes > member->size) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "its storage, %s, has %llu bytes, expected %llu elements of %s", r->member,
                       (unsigned long long)member->size, (unsigned long long)elements,
                       storage->is.storage.type->storage);
    }
    if (!lp_mul_u64(offset, type->bytes, &entry->offset)) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its offset overflows");
    }
    entry->storage = (size_t)(member - r->zip->members);
    *available = bytes;
    return LP_OK;
}

static lp_status spend(reader *r, uint64_t cost) {
    if (cost > r->budget) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "the modules share each other so often that they cannot be listed");
    }
    r->budget -= cost;
    return LP_OK;
}

static lp_status add_tensor(reader *r, uint32_t node, size_t name_length) {
    lp_entry entry = {0};
    uint64_t available = 0;
    lp_status status = spend(r, 32 + name_length);
    if (status == LP_OK) {
        status = lp_index_check_name(r->name, name_length, r->err);
    }
    if (status != LP_OK) {
        return status;
    }
    status = fill_entry(r, node, &entry, &available);
    if (status != LP_OK) {
        return lp_prefix(r->err, status, "byte %u: tensor %.*s: ", r->pickle->nodes[node].at,
                         (int)name_length, r->name);
    }
    return lp_index_add(r->index, r->name, name_length, &entry, available, r->err);
}

/* Appends a dictionary's key to the first `length` characters of the name. */
static lp_status append_name(reader *r, size_t length, uint32_t key, size_t *total) {
    const lp_node *text = &r->pickle->nodes[key];
    if (text->is.text.length > LP_NAME_MAX - length) {
        return lp_fail(r->err, LP_ERR_FORMAT, "byte %u: a name of more than %d characters",
                       text->at, LP_NAME_MAX);
    }
    memcpy(r->name + length, r->pickle->bytes + text->is.text.start, text->is.text.length);
    *total = length + text->is.text.length;
    return LP_OK;
}

/* Adds the tensors of a dictionary under the first `length` characters of the name, and those of
 * the modules in it, which have a dictionary for their state. */
static lp_status add_tensors(reader *r, uint32_t dictionary, size_t length, int depth) {
    const lp_node *nodes = r->pickle->nodes;
    uint32_t cell = nodes[dictionary].kind == LP_NODE_DICT ? nodes[dictionary].is.items.first : 0;
    lp_status status = LP_OK;
    if (depth > DEPTH_MAX) {
        return lp_fail(r->err, LP_ERR_FORMAT, "modules are nested deeper than %d, or in a circle",
                       DEPTH_MAX);
    }
    for (; cell != 0 && status == LP_OK; cell = nodes[cell].is.cell.next) {
        uint32_t value = nodes[cell].is.cell.value;
        bool module = r->zip->script && nodes[value].kind == LP_NODE_OBJECT;
        size_t total = 0;
        status = spend(r, 1);
        if (status != LP_OK || nodes[nodes[cell].is.cell.key].kind != LP_NODE_TEXT ||
            (nodes[value].kind != LP_NODE_TENSOR && !module)) {
            continue;
        }
        status = append_name(r, length, nodes[cell].is.cell.key, &total);
        if (status == LP_OK && module) {
            r->name[total] = '.'; /* there is room: the name is one longer than its limit */
            status = total < LP_NAME_MAX
                         ? add_tensors(r, nodes[value].is.state, total + 1, depth + 1)
                         : lp_fail(r->err, LP_ERR_FORMAT, "a name of more than %d characters",
                                   LP_NAME_MAX);
        } else if (status == LP_OK) {
            status = add_tensor(r, value, total);
        }
    }
    return status;
}

static bool holds_tensors(const lp_pickle *pickle, uint32_t dictionary) {
    const lp_node *nodes = pickle->nodes;
    uint32_t cell = nodes[dictionary].kind == LP_NODE_DICT ? nodes[dictionary].is.items.first : 0;
    while (cell != 0 && nodes[nodes[cell].is.cell.value].kind != LP_NODE_TENSOR) {
        cell = nodes[cell].is.cell.next;
    }
    return cell != 0;
}

/* The dictionary of tensors: nested ones come first, because training states put single tensors
 * (of a random generator) beside them. */
static uint32_t find_tensors(const lp_pickle *pickle) {
    const uint32_t candidates[] = {lp_pickle_find(pickle, pickle->root, "state_dict"),
                                   lp_pickle_find(pickle, pickle->root, "model"), pickle->root};
    for (size_t i = 0; i < 3; i++) {
        if (holds_tensors(pickle, candidates[i])) {
            return candidates[i];
        }
    }
    return 0;
}

static lp_status read_index(lp_torch_zip *zip, const pickle_bytes *bytes, lp_index *index,
                            lp_error *err) {
    lp_pickle pickle;
    size_t prefix = strlen(bytes->name) - strlen(".pkl");
    lp_status status = lp_pickle_read(bytes->name, bytes->bytes, bytes->size, &pickle, err);
    if (status != LP_OK) {
        return lp_prefix(err, status, "%s: ", zip->path);
    }
    reader r = {.zip = zip,
                .pickle = &pickle,
                .index = index,
                .err = err,
                .member = lp_alloc(prefix + 1 + KEY_MAX + 1, 1),
                .member_prefix = prefix + 1,
                .budget = 4 * (uint64_t)bytes->size};
    const lp_node *root = &pickle.nodes[pickle.root];
    zip->script = root->kind == LP_NODE_OBJECT;
    uint32_t tensors = zip->script ? root->is.state : find_tensors(&pickle);
    if (r.member == NULL) {
        status = lp_fail_memory(err, bytes->name, prefix + 1 + KEY_MAX + 1, 1);
    } else {
        memcpy(r.member, bytes->name, prefix); /* "<prefix>/data" */
        r.member[prefix] = '/';
        status = add_tensors(&r, tensors, 0, 0);
    }
    lp_free(r.member);
    lp_pickle_free(&pickle);
    if (status == LP_OK && index->count == 0) {
        status = lp_fail(err, LP_ERR_UNSUPPORTED,
                         "no tensors found: expected a dictionary of them, also under "
                         "\"state_dict\" or \"model\", or a TorchScript module");
    }
    return status == LP_OK ? LP_OK : lp_prefix(err, status, "%s: %s: ", zip->path, bytes->name);
}

lp_status lp_torch_zip_index(const char *path, lp_torch_zip *zip, lp_index *index, lp_error *err) {
    pickle_bytes pickle = {0};
    *zip = (lp_torch_zip){.path = path};
    lp_status status = list_members(zip, index->file_size, &pickle, err);
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

/* Reads one storage and converts the views of it. */
static lp_status read_storage(const lp_torch_zip *zip, lp_archive *archive,
                              const lp_torch_member *member, const lp_entry_read *reads,
                              size_t count, lp_error *err) {
    unsigned char *bytes = lp_alloc(1, (size_t)member->size); /* at most the file's size */
    if (bytes == NULL) {
        return lp_fail_memory(err, member->name, (size_t)member->size, 1);
    }
    lp_status status = lp_archive_read_exact(archive, bytes, (size_t)member->size, err);
    for (size_t i = 0; i < count && status == LP_OK; i++) {
        status = lp_entry_convert(reads[i].entry, bytes, reads[i].values, err);
        if (status != LP_OK) {
            (void)lp_prefix(err, status, "%s: ", zip->path);
        }
    }
    lp_free(bytes);
    return status;
}

lp_status lp_torch_zip_read(const lp_torch_zip *zip, const lp_entry_read *reads, size_t count,
                            lp_error *err) {
    lp_archive *archive;
    lp_status status = open_archive(zip, &archive, err);
    size_t left = count;
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
        size_t storage = (size_t)(member - zip->members);
        size_t first = first_read(reads, count, storage),
               end = first_read(reads, count, storage + 1);
        if (first < end) {
            status = read_storage(zip, archive, member, reads + first, end - first, err);
            left -= end - first;
        }
    }
    lp_archive_close(archive);
    if (status == LP_OK && left > 0) {
        status =
            lp_fail(err, LP_ERR_FORMAT, "%s: the file has changed since it was opened", zip->path);
    }
    return status;
}
