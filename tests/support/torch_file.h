/* PyTorch's zip files that a test puts together: the pickle as string literals, one storage of six
 * float32 beside it. */
#ifndef LP_TESTS_TORCH_FILE_H
#define LP_TESTS_TORCH_FILE_H

#include "check.h"
#include "linprobe/checkpoint.h"
#include "test_folder.h"
#include "write_zip.h"

static const char *file; /* the one file that tests write */
static lp_error err;

static inline int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    file = in_folder("model.pt");
    return 0;
}

#define MEMBER(name, literal)                                                                      \
    { (name), (literal), sizeof(literal) - 1 }

#define WRITE(...)                                                                                 \
    do {                                                                                           \
        const zip_member members_[] = {__VA_ARGS__};                                               \
        write_zip(file, members_, sizeof members_ / sizeof members_[0], false);                    \
    } while (0)

/* Opening the file must fail. */
#define REFUSED(expected, part)                                                                    \
    do {                                                                                           \
        lp_checkpoint *ckpt_;                                                                      \
        assert_fails(lp_checkpoint_open(file, &ckpt_, &err), expected, &err, part);                \
        assert_null(ckpt_);                                                                        \
        assert_non_null(strstr(err.text, file));                                                   \
    } while (0)

/* A dictionary of tensors: DICT(ITEM("\x01\0\0\0" "w", TENSOR(...)) ...); lengths are spelled out
 * because the preprocessor cannot count. */
#define PROTO "\x80\x02"
#define DICT(items) PROTO "}(" items "u."
#define ITEM(name, value) "X" name value
#define STORAGE(type, size)                                                                        \
    "(X\x07\0\0\0storage"                                                                          \
    "ctorch\n" type "Storage\nX\x01\0\0\0"                                                         \
    "0X\x06\0\0\0"                                                                                 \
    "cuda:0" size "tQ"
#define TENSOR(storage, offset, shape, stride)                                                     \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset "(" shape "t(" stride "t\x89"            \
    "ccollections\nOrderedDict\n)RtR"
#define W "\x01\0\0\0w"
#define F32_6 "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40" /* 1..6 */
#define HUGE_INT "\x8a\x08\0\0\0\0\0\0\0\x40"                                          /* 2^62 */

/* A file with one tensor in a storage of six float32. */
#define WRITE_TENSOR(tensor)                                                                       \
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, tensor))), MEMBER("model/data/0", F32_6))

/* Opens the file and reads its tensor of this name. */
static inline void read_named(const char *name, float *values) {
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    const lp_tensor *tensor = lp_checkpoint_find(ckpt, name);
    assert_non_null(tensor);
    lp_tensor_read read = {tensor, values};
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
    lp_checkpoint_close(ckpt);
}

/* A tensor of one value. */
#define ONE TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x01", "K\x01")

#define WRITE_PICKLE(body)                                                                         \
    WRITE(MEMBER("model/data.pkl", PROTO body "."), MEMBER("model/data/0", F32_6))

#define WRITE_DICT(items)                                                                          \
    WRITE(MEMBER("model/data.pkl", DICT(items)), MEMBER("model/data/0", F32_6))

/* Opens the file and compares the names of its tensors. */
static inline void assert_names(const char *const *names, size_t count) {
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(lp_checkpoint_tensor(ckpt, i)->name, names[i]);
    }
    lp_checkpoint_close(ckpt);
}

#define NAMES(...)                                                                                 \
    assert_names((const char *const[]){__VA_ARGS__},                                               \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif
