/* Checkpoints as files: the golden ones value for value, and damaged or hostile ones by the message
 * they get. */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "check.h"
#include "ckpt/hub_cache.h"
#include "ckpt/known_models.h"
#include "linprobe/checkpoint.h"
#include "torch_file.h"

#define GOLDEN LP_TEST_DATA "/golden/ckpt/"

/* ---- golden files -------------------------------------------------------------------------------
 */

static const char *type_name(lp_dtype type) {
    static const char *const names[] = {"float16", "bfloat16", "float32", "float64",
                                        "int64",   "int32",    "int16",   "int8",
                                        "uint8",   "bool",     "other"};
    return names[type];
}

/* Reads all tensors at once and compares each with what PyTorch said of it. */
static void compare_with_set(const char *name, lp_checkpoint *ckpt, const json_t *set) {
    size_t count = lp_checkpoint_count(ckpt);
    assert_int_equal(count, json_object_size(set));
    assert_true(count > 0);
    lp_tensor_read *reads = lp_alloc(count, sizeof *reads);
    assert_non_null(reads);
    for (size_t i = 0; i < count; i++) {
        reads[count - 1 - i].tensor = lp_checkpoint_tensor(ckpt, i); /* in another order */
        reads[count - 1 - i].values = lp_alloc(reads[count - 1 - i].tensor->count, sizeof(float));
        assert_non_null(reads[count - 1 - i].values);
    }
    assert_ok(lp_checkpoint_read(ckpt, reads, count, 0, &err), &err);
    for (size_t i = 0; i < count; i++) {
        const lp_tensor *t = reads[i].tensor;
        const json_t *expected = json_object_get(set, t->name);
        char hex[LP_DIGEST_HEX];
        if (expected == NULL) {
            fail_msg("%s: tensor %s is not expected", name, t->name);
        }
        assert_ptr_equal(lp_checkpoint_find(ckpt, t->name), t);
        assert_string_equal(type_name(t->dtype), json_string_value(json_array_get(expected, 0)));
        const json_t *shape = json_array_get(expected, 1);
        assert_int_equal(t->rank, json_array_size(shape));
        for (size_t axis = 0; axis < (size_t)t->rank; axis++) {
            assert_int_equal(t->shape[axis], json_integer_value(json_array_get(shape, axis)));
        }
        assert_ok(lp_digest_bytes(LP_SHA256, reads[i].values, t->count * sizeof(float), hex, &err),
                  &err);
        assert_string_equal(hex, json_string_value(json_array_get(expected, 2)));
        lp_free(reads[i].values);
    }
    lp_free(reads);
}

static void golden_files_are_read_exactly(void **state) {
    (void)state;
    json_t *expected;
    assert_ok(lp_json_read(GOLDEN "expected.json", &expected, &err), &err);
    json_t *files = json_object_get(expected, "files");
    assert_int_equal(json_object_size(files), 21);
    for (void *i = json_object_iter(files); i != NULL; i = json_object_iter_next(files, i)) {
        const char *name = json_object_iter_key(i);
        char *path = lp_path_join(LP_TEST_DATA "/golden/ckpt", name);
        lp_checkpoint *ckpt;
        assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
        assert_string_equal(lp_checkpoint_path(ckpt), path);
        assert_string_equal(lp_checkpoint_format(ckpt),
                            strstr(name, ".safetensors") != NULL ? "safetensors"
                            : strstr(name, "script") != NULL     ? "TorchScript archive"
                            : strstr(name, "legacy") != NULL     ? "PyTorch state dict (before 1.6)"
                                                                 : "PyTorch state dict (zip)");
        const char *set = json_string_value(json_object_iter_value(i));
        compare_with_set(name, ckpt, json_object_get(json_object_get(expected, "sets"), set));
        lp_checkpoint_close(ckpt);
        lp_free(path);
    }
    json_decref(expected);
}

static void tensors_are_found_by_name_and_ordered(void **state) {
    (void)state;
    lp_checkpoint *ckpt, *other;
    assert_ok(lp_checkpoint_open(GOLDEN "torchscript.pt", &ckpt, &err), &err);
    assert_ok(lp_checkpoint_open(GOLDEN "plain.pt", &other, &err), &err);
    for (size_t i = 1; i < lp_checkpoint_count(ckpt); i++) {
        assert_true(strcmp(lp_checkpoint_tensor(ckpt, i - 1)->name,
                           lp_checkpoint_tensor(ckpt, i)->name) < 0);
    }
    assert_null(lp_checkpoint_find(ckpt, "visual.proj2"));
    assert_string_equal(lp_checkpoint_find(ckpt, "visual.proj")->dtype_name, "HalfStorage");
    float scale, resolution;
    lp_tensor_read reads[] = {{lp_checkpoint_find(ckpt, "logit_scale"), &scale},
                              {lp_checkpoint_find(ckpt, "input_resolution"), &resolution}};
    assert_ok(lp_checkpoint_read(ckpt, reads, 2, 0, &err), &err);
    assert_true(scale == 2.6592600345611572f); /* log(1 / 0.07) in float32 */
    assert_true(resolution == 8.0f);
    assert_ok(lp_checkpoint_read(ckpt, NULL, 0, 0, &err), &err);
    assert_fails(lp_checkpoint_read(other, reads, 2, 0, &err), LP_ERR_ARGUMENT, &err,
                 "tensor logit_scale belongs to another checkpoint");
    lp_checkpoint_close(ckpt);
    lp_checkpoint_close(other);
}

static void files_are_known_by_their_digest(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    const char *hex, *again;
    char expected[LP_DIGEST_HEX];
    assert_ok(lp_checkpoint_open(GOLDEN "plain.pt", &ckpt, &err), &err);
    assert_ok(lp_checkpoint_sha256(ckpt, &hex, &err), &err);
    assert_ok(lp_digest_file(LP_SHA256, GOLDEN "plain.pt", expected, &err), &err);
    assert_string_equal(hex, expected);
    assert_ok(lp_checkpoint_sha256(ckpt, &again, &err), &err);
    assert_ptr_equal(hex, again);
    assert_null(lp_checkpoint_official_name(hex));
    lp_checkpoint_close(ckpt);

    assert_string_equal(lp_checkpoint_official_name(
                            "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
                        "OpenAI CLIP ViT-B/32");
    /* the first digits are enough where no more are published */
    assert_string_equal(lp_checkpoint_official_name(
                            "0676ba6100000000000000000000000000000000000000000000000000000000"),
                        "torchvision ResNet-50 V1");
    assert_null(lp_checkpoint_official_name(
        "40d3657100000000000000000000000000000000000000000000000000000000"));
}

static void known_models_are_found_by_each_of_their_names(void **state) {
    (void)state;
    const lp_known_model *m;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        assert_ptr_equal(lp_known_model_named(m->name), m);
        assert_ptr_equal(lp_known_model_named(m->title), m);
        assert_ptr_equal(lp_known_model_named(lp_known_model_file(m)), m);
        assert_true(m->alias == NULL || lp_known_model_named(m->alias) == m);
        assert_true(strncmp(m->url, "https://", 8) == 0 && strlen(lp_known_model_file(m)) > 4);
        assert_true(m->parameters > 1000000 && m->input_size >= 192);
        assert_true(m->resize == 0 || (m->resize >= m->input_size &&
                                       7 * m->resize <= 8 * m->input_size)); /* 256 for 224 */
        if (strcmp(m->family, "resnet") == 0) {
            assert_true(m->parameters > 4000000 && m->input_size >= 224);
            assert_true(m->resize == 0 ||
                        m->resize == (strstr(m->title, " V1") != NULL ? 256 : 232));
        }
        if (m->hub != NULL) { /* its page; the config and the hub say the rest */
            lp_hub_name name;
            assert_true(lp_hub_parse(m->hub, &name) && name.revision[0] == '\0');
            assert_string_equal(m->url + strlen("https://huggingface.co/"), m->hub);
            assert_true(m->sha256 == NULL && m->resize == 0);
        }
        if (m->sha256 != NULL) {
            char whole[LP_DIGEST_HEX];
            size_t digits = strlen(m->sha256);
            assert_true(digits == 64 || digits == 8);
            assert_int_equal(strspn(m->sha256, "0123456789abcdef"), digits);
            assert_non_null(strstr(m->url, m->sha256)); /* where its publishers put it */
            (void)snprintf(whole, sizeof whole, "%s%0*d", m->sha256, (int)(64 - digits), 0);
            whole[64] = '\0';
            assert_ptr_equal(lp_known_model_with_sha256(whole), m);
        }
    }
    assert_string_equal(lp_known_model_named("vit_B_32")->title, "OpenAI CLIP ViT-B/32");
    assert_string_equal(lp_known_model_named("ViT-L/14@336px")->name, "clip-vit-l-14-336px");
    assert_string_equal(lp_known_model_named("dinov2_vits14_reg")->name, "dinov2-vit-s-14-reg");
    assert_string_equal(lp_known_model_named("dino_vits8")->title, "DINO ViT-S/8");
    assert_null(lp_known_model_named("ViT-B/33"));
    assert_null(lp_known_model_named("ViT-B/3"));
    assert_null(lp_known_model_named("")); /* an alias that is missing is no name */
    assert_int_equal(lp_known_model_named("ViT-B/32")->bytes, 353976522);
}

/* ---- archives made here -------------------------------------------------------------------------
 */

static void views_become_contiguous(void **state) {
    (void)state;
    float values[6];
    static const float transposed[] = {1, 4, 2, 5, 3, 6}, sliced[] = {2, 3, 5, 6},
                       expanded[] = {4, 4, 4, 4, 4, 4};
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x03K\x02", "K\x01K\x03"));
    read_named("w", values);
    assert_memory_equal(values, transposed, sizeof transposed);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\x01", "K\x02K\x01K\x02", "K\x03K\x07K\x01"));
    read_named("w", values);
    assert_memory_equal(values, sliced, sizeof sliced);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\x03", "K\x06", "K\0"));
    read_named("w", values);
    assert_memory_equal(values, expanded, sizeof expanded);
    /* No element at all: where it would lie does not matter. */
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\x09", "K\0K\x02", "K\x02K\x01"));
    read_named("w", values);
}

static void views_beyond_their_storage_are_refused(void **state) {
    (void)state;
    static const char beyond[] = "reach beyond the 24 bytes of its storage";
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x07", "K\x01"));
    REFUSED(LP_ERR_FORMAT, beyond);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\x01", "K\x06", "K\x01"));
    REFUSED(LP_ERR_FORMAT, beyond);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x02", "K\x06"));
    REFUSED(LP_ERR_FORMAT, beyond);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x05", HUGE_INT));
    REFUSED(LP_ERR_FORMAT, beyond);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x02K\x02", HUGE_INT HUGE_INT));
    REFUSED(LP_ERR_FORMAT, beyond);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), HUGE_INT, "K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT, "tensor w: its offset overflows");
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", HUGE_INT "K\x08", "K\0K\0"));
    REFUSED(LP_ERR_FORMAT, "tensor w: its shape overflows");
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", HUGE_INT, "K\0"));
    REFUSED(LP_ERR_FORMAT, "tensor w: its shape overflows");
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "J\0\0\0\x40", "K\0"));
    REFUSED(LP_ERR_FORMAT, "tensor w: with it the tensors view more than 16 times the file's");
}

static void numbers_of_a_tensor_are_checked(void **state) {
    (void)state;
    static const char counts[] = "must be integers of 0 or more";
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "J\xff\xff\xff\xff", "K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT, counts);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "J\xff\xff\xff\xff", "K\x01"));
    REFUSED(LP_ERR_FORMAT, counts);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\x05", "K\x02", "J\xff\xff\xff\xff"));
    REFUSED(LP_ERR_FORMAT, counts);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "J\xff\xff\xff\xff"), "K\0", "K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT, counts);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "N", "K\x01"));
    REFUSED(LP_ERR_FORMAT, counts);
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x01K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT, "expected shape and strides as tuples of one length");
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x06"), "K\0",
                        "K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01",
                        "K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01"));
    REFUSED(LP_ERR_UNSUPPORTED, "tensor w: 9 dimensions, expected at most 8");
}

static void storages_are_checked(void **state) {
    (void)state;
    WRITE_TENSOR(TENSOR(STORAGE("Float", "K\x07"), "K\0", "K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT,
            "tensor w: its storage, model/data/0, has 24 bytes, expected 7 elements of "
            "FloatStorage");
    WRITE_TENSOR(TENSOR(STORAGE("Double", HUGE_INT), "K\0", "K\x01", "K\x01"));
    REFUSED(LP_ERR_FORMAT, "expected 4611686018427387904 elements of DoubleStorage");
    WRITE(MEMBER("model/data.pkl",
                 DICT(ITEM(W, TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x01", "K\x01")))),
          MEMBER("model/data/1", F32_6), MEMBER("data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "tensor w: its storage, model/data/0, is not in the file");
}

static void hostile_globals_are_refused_with_their_place(void **state) {
    (void)state;
    WRITE(MEMBER("model/data.pkl", PROTO "cos\nsystem\n(X\x02\0\0\0lstR."));
    REFUSED(LP_ERR_UNSUPPORTED, "model.pt: model/data.pkl: byte 2: the global os.system runs code");
}

static void names_are_checked(void **state) {
    (void)state;
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE) ITEM(W, ONE))), MEMBER("model/data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "tensor w stands twice");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM("\0\0\0\0", ONE))), MEMBER("model/data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "a tensor's name has 0 characters");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM("\x02\0\0\0w\x1b", ONE))),
          MEMBER("model/data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "a control character, 0x1b");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM("\x02\0\0\0w\0", ONE))),
          MEMBER("model/data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "a control character, 0x00");
}

static void wrapped_names_are_unwrapped_alike(void **state) {
    (void)state;
    WRITE_DICT(ITEM("\x17\0\0\0model._orig_mod.module.", ONE)); /* the last part always stays */
    NAMES("model.");
    WRITE_DICT(ITEM("\x12\0\0\0module._orig_mod.a", ONE) ITEM("\x12\0\0\0module._orig_mod.b", ONE));
    NAMES("a", "b");
    WRITE_DICT(ITEM("\x0e\0\0\0x.module.y.a.b", ONE) ITEM("\x08\0\0\0modules.", ONE));
    NAMES("modules.", "x.y.a.b");
    /* two models that only a wrap tells apart keep their names */
    WRITE_DICT(ITEM("\x08\0\0\0module.a", ONE) ITEM("\x01\0\0\0"
                                                    "a",
                                                    ONE));
    NAMES("a", "module.a");
}

static void a_wrap_is_taken_off_every_name(void **state) {
    (void)state;
    float value;
    WRITE_DICT(ITEM("\x08\0\0\0module.a", ONE) ITEM("\x08\0\0\0module.b", ONE));
    read_named("a", &value);
    read_named("b", &value);
    WRITE_DICT(ITEM("\x08\0\0\0module.a", ONE) ITEM(W, ONE));
    read_named("a", &value);
}

static void members_are_checked(void **state) {
    (void)state;
    static char zeros[(64 << 20) + 1];
    const zip_member inflating[] = {MEMBER("model/data.pkl", DICT(ITEM(W, ONE))),
                                    {"model/data/0", zeros, 100000}};
    write_zip(file, inflating, 2, true);
    REFUSED(LP_ERR_FORMAT, "model/data/0: pickle and storages hold more than the file's ");
    const zip_member large[] = {{"model/data.pkl", zeros, sizeof zeros}};
    write_zip(file, large, 1, true);
    REFUSED(LP_ERR_UNSUPPORTED, "model/data.pkl: 67108865 bytes, expected at most 67108864");

    const zip_member inflated[] = {{"model/data.pkl", zeros, 100000}};
    write_zip(file, inflated, 1, true);
    REFUSED(LP_ERR_FORMAT, "model/data.pkl: pickle and storages hold more than the file's ");

    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE))), MEMBER("model/data/0", F32_6),
          MEMBER("model/data/0", F32_6));
    REFUSED(LP_ERR_FORMAT, "two members are called model/data/0");
    WRITE(MEMBER("a/data.pkl", PROTO "}."), MEMBER("b/data.pkl", PROTO "}."));
    REFUSED(LP_ERR_FORMAT, "two pickles, a/data.pkl and b/data.pkl");
    WRITE(MEMBER("model/a/data.pkl", PROTO "}."), MEMBER("data.pkl", PROTO "}."));
    REFUSED(LP_ERR_FORMAT, "a zip archive without data.pkl");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE))), MEMBER("model/data/0", F32_6),
          MEMBER("model/byteorder", "big"));
    REFUSED(LP_ERR_UNSUPPORTED, "byteorder: expected \"little\", found \"big\"");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE))), MEMBER("model/data/0", F32_6),
          MEMBER("model/byteorder", "little endian"));
    REFUSED(LP_ERR_UNSUPPORTED, "found \"something else\"");
}

/* A member's bytes changed in place: its checksum no longer holds. */
static void damage(const char *from, size_t size, const char *to) {
    char *bytes;
    size_t length;
    assert_ok(lp_file_read(file, 1 << 20, &bytes, &length, &err), &err);
    size_t at = 0;
    while (at + size <= length && memcmp(bytes + at, from, size) != 0) {
        at++;
    }
    assert_true(at + size <= length);
    memcpy(bytes + at, to, size);
    assert_ok(lp_file_write(file, bytes, length, &err), &err);
    lp_free(bytes);
}

static void damaged_archives_are_refused(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    float value;
    WRITE_TENSOR(ONE);
    damage(F32_6, 24, "234567890123456789012345");
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    lp_tensor_read read = {lp_checkpoint_find(ckpt, "w"), &value};
    assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_FORMAT, &err, "model/data/0");
    lp_checkpoint_close(ckpt);

    WRITE_TENSOR(ONE);
    damage("storage", 7, "egarots");
    REFUSED(LP_ERR_FORMAT, "data.pkl");

    char *bytes;
    size_t size;
    WRITE_TENSOR(ONE);
    assert_ok(lp_file_read(file, 1 << 20, &bytes, &size, &err), &err);
    for (size_t length = 4; length < size; length += 11) { /* 4: what makes it a zip file */
        assert_ok(lp_file_write(file, bytes, length, &err), &err);
        REFUSED(LP_ERR_FORMAT, "the zip archive is truncated or damaged");
    }
    lp_free(bytes);
}

static void change_after_opening_is_noticed(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    float value;
    WRITE_TENSOR(ONE);
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    lp_tensor_read read = {lp_checkpoint_find(ckpt, "w"), &value};
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE))), MEMBER("model/data/0", "short"));
    assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_FORMAT, &err,
                 "model/data/0: the file has changed since it was opened");
    WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, ONE))));
    assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_FORMAT, &err, "has changed");
    lp_checkpoint_close(ckpt);
}

static void unusable_values_name_their_tensor(void **state) {
    (void)state;
    float values[6];
    lp_checkpoint *ckpt;
#define SIX TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\x06", "K\x01")
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"\0\0\x80\x3f\0\0\0\x40\0\0\xc0\x7f\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40",
         "tensor w: value 2 of 6 is not a number"},
        {"\0\0\x80\x3f\0\0\0\x40\0\0\xc0\x3f\0\0\x80\xff\0\0\xa0\x40\0\0\xc0\x40",
         "tensor w: value 3 of 6 is infinite"},
    };
    for (size_t i = 0; i < 2; i++) {
        WRITE(MEMBER("model/data.pkl", DICT(ITEM(W, SIX))), {"model/data/0", cases[i].bytes, 24});
        assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
        lp_tensor_read read = {lp_checkpoint_find(ckpt, "w"), values};
        assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_DATA, &err, cases[i].text);
        assert_non_null(strstr(err.text, file));
        lp_checkpoint_close(ckpt);
    }
    WRITE_TENSOR(TENSOR(STORAGE("ComplexFloat", "K\x03"), "K\0", "K\x03", "K\x01"));
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    const lp_tensor *tensor = lp_checkpoint_find(ckpt, "w");
    assert_int_equal(tensor->dtype, LP_DTYPE_OTHER);
    lp_tensor_read read = {tensor, values};
    assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_UNSUPPORTED, &err,
                 "tensor w: values of type ComplexFloatStorage cannot be read");
    lp_checkpoint_close(ckpt);
}

static void all_types_are_converted(void **state) {
    (void)state;
    static const struct {
        const char *pickle;
        size_t size;
        const char *bytes;
        float expected;
    } cases[] = {
#define TYPE(name, bytes, expected)                                                                \
    {DICT(ITEM(W, TENSOR(STORAGE(name, "K\x01"), "K\0", "", ""))),                                 \
     sizeof(DICT(ITEM(W, TENSOR(STORAGE(name, "K\x01"), "K\0", "", "")))) - 1, bytes, expected}
        TYPE("Half", "\0\xc1\0\0\0\0\0\0", -2.5f),
        TYPE("BFloat16", "\x20\xc0\0\0\0\0\0\0", -2.5f),
        TYPE("Float", "\0\0\x20\xc0\0\0\0\0", -2.5f),
        TYPE("Double", "\0\0\0\0\0\0\x04\xc0", -2.5f),
        TYPE("Long", "\xfe\xff\xff\xff\xff\xff\xff\xff", -2.0f),
        TYPE("Int", "\xfe\xff\xff\xff\0\0\0\0", -2.0f),
        TYPE("Short", "\xfe\xff\0\0\0\0\0\0", -2.0f),
        TYPE("Char", "\xfe\0\0\0\0\0\0\0", -2.0f),
        TYPE("Byte", "\xfe\0\0\0\0\0\0\0", 254.0f),
        TYPE("Bool", "\xfe\0\0\0\0\0\0\0", 1.0f),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float value = 0;
        WRITE({"model/data.pkl", cases[i].pickle, cases[i].size},
              {"model/data/0", cases[i].bytes, 8});
        read_named("w", &value);
        if (value != cases[i].expected) {
            fail_msg("case %zu: expected %g, found %g", i, (double)cases[i].expected,
                     (double)value);
        }
    }
}

/* ---- other files --------------------------------------------------------------------------------
 */

#define REFUSED_BYTES(literal, expected, part)                                                     \
    do {                                                                                           \
        assert_ok(lp_file_write(file, (literal), sizeof(literal) - 1, &err), &err);                \
        REFUSED(expected, part);                                                                   \
    } while (0)

static void other_formats_say_what_to_do(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    REFUSED_BYTES("", LP_ERR_FORMAT, "the file is empty");
    REFUSED_BYTES("P", LP_ERR_FORMAT,
                  "not a checkpoint: expected a PyTorch file (TorchScript or state "
                  "dictionary), a pickle of NumPy's arrays,");
    REFUSED_BYTES("<!DOCTYPE html>", LP_ERR_FORMAT, "a web page, not the file itself");
    static const char *const starts[] = {"\x80\x02]q", "12345678{}", "PK\3\4", "\x1f\x8b\x08"};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) { /* its values are any bytes */
        const char *values = in_folder("model.ckpt-1.data-00000-of-00001");
        assert_ok(lp_file_write(values, starts[i], strlen(starts[i]), &err), &err);
        assert_fails(lp_checkpoint_open(values, &ckpt, &err), LP_ERR_UNSUPPORTED, &err,
                     "model.ckpt-1.data-00000-of-00001: the values of a TensorFlow checkpoint");
        assert_int_equal(remove(values), 0);
    }
    REFUSED_BYTES("\x1f\x8b\x08", LP_ERR_UNSUPPORTED, "packed by gzip");
    REFUSED_BYTES("\x89HDF\r\n", LP_ERR_UNSUPPORTED, "an HDF5 file");
    REFUSED_BYTES("GGUF", LP_ERR_UNSUPPORTED, "a GGUF file");
    REFUSED_BYTES("version https://git-lfs.github.com/spec/v1\n", LP_ERR_FORMAT,
                  "a Git LFS pointer");
    char tar[512] = "storages";
    memcpy(tar + 257, "ustar", 5);
    assert_ok(lp_file_write(file, tar, sizeof tar, &err), &err);
    REFUSED(LP_ERR_UNSUPPORTED, "a tar archive: if it is of torch.save");
    assert_fails(lp_checkpoint_open("/nonexistent.pt", &ckpt, &err), LP_ERR_IO, &err,
                 "/nonexistent.pt: cannot be opened");
    lp_checkpoint_close(NULL);
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    static const char *const names[] = {
        GOLDEN "plain.pt",  GOLDEN "torchscript.pt", GOLDEN "float16.safetensors",
        GOLDEN "legacy.pt", GOLDEN "module.pt",      GOLDEN "protocol4_legacy.pt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        lp_status status = LP_ERR_MEMORY;
        size_t k = 1;
        for (; status != LP_OK; k++) {
            lp_checkpoint *ckpt;
            float values[64];
            (void)lp_alloc_fail_at(k);
            status = lp_checkpoint_open(names[i], &ckpt, &err);
            if (status == LP_OK) {
                lp_tensor_read read = {lp_checkpoint_tensor(ckpt, 0), values};
                assert_true(read.tensor->count <= 64);
                status = lp_checkpoint_read(ckpt, &read, 1, 0, &err);
            }
            (void)lp_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ERR_MEMORY);
            if (status != LP_OK) {
                assert_non_null(strstr(err.text, "out of memory"));
            }
            lp_checkpoint_close(ckpt);
        }
        assert_true(k > 30); /* a name for each tensor at least */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_are_read_exactly),
        cmocka_unit_test(tensors_are_found_by_name_and_ordered),
        cmocka_unit_test(files_are_known_by_their_digest),
        cmocka_unit_test(known_models_are_found_by_each_of_their_names),
        cmocka_unit_test(views_become_contiguous),
        cmocka_unit_test(views_beyond_their_storage_are_refused),
        cmocka_unit_test(numbers_of_a_tensor_are_checked),
        cmocka_unit_test(storages_are_checked),
        cmocka_unit_test(hostile_globals_are_refused_with_their_place),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(a_wrap_is_taken_off_every_name),
        cmocka_unit_test(wrapped_names_are_unwrapped_alike),
        cmocka_unit_test(members_are_checked),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(change_after_opening_is_noticed),
        cmocka_unit_test(unusable_values_name_their_tensor),
        cmocka_unit_test(all_types_are_converted),
        cmocka_unit_test(other_formats_say_what_to_do),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
