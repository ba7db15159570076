/* Which tensors of a pickle are listed, and what they are called: through dictionaries, lists,
 * modules and other objects, whatever refers to whatever. */
#include "ckpt/arch_notes.h"
#include "torch_file.h"

/* Every tensor is listed, under the keys that lead to it. */
static void nested_tensors_are_named_by_their_keys(void **state) {
    (void)state;
    WRITE_DICT(ITEM("\x05\0\0\0epoch", "K\x03")
                   ITEM("\x0a\0\0\0state_dict", "}X\x0d\0\0\0module.conv.w" ONE "s")
                       ITEM("\x03\0\0\0ema", "}X" W ONE "s"));
    NAMES("ema.w", "state_dict.conv.w");
    /* integers, positions; other keys are no names */
    WRITE_DICT("J\xff\xff\xff\xff" ONE "K\x07}X" W ONE
               "s" ITEM("\x01\0\0\0l", "](" ONE "N" ONE ONE "\x85"
                                       "e") "N" ONE "K\x01K\x02\x86" ONE "G\0\0\0\0\0\0\0\0" ONE);
    NAMES("-1", "7.w", "l.0", "l.2", "l.3.0");
    WRITE(MEMBER("model/data.pkl", PROTO ONE "."), MEMBER("model/data/0", F32_6));
    NAMES("tensor");
    WRITE(MEMBER("model/data.pkl", PROTO "N" ONE ONE "\x87."), MEMBER("model/data/0", F32_6));
    NAMES("1", "2");
    /* one dictionary under several keys, an empty name, and texts that may not be names */
    WRITE_DICT(ITEM(W, "}q\x01X" W ONE "s") ITEM("\x01\0\0\0v", "h\x01") ITEM("\0\0\0\0", "h\x01")
                   ITEM("\x01\0\0\0\x1b", "}X" W "K\0s"));
    NAMES(".w", "v.w", "w.w");
}

/* An instance of a class: its state, as BUILD gives it. */
#define NEW(class) "c" class "\n)\x81"
#define MODULE(parameters, buffers, modules)                                                       \
    NEW("net\nNet")                                                                                \
    "}(" ITEM("\x08\0\0\0training", "\x88") ITEM("\x0b\0\0\0_parameters", "}(" parameters "u")     \
        ITEM("\x08\0\0\0_buffers", "}(" buffers "u") ITEM("\x08\0\0\0_modules", "}(" modules "u")

static void pickled_modules_are_named_as_in_their_state_dict(void **state) {
    (void)state;
    WRITE_PICKLE(MODULE(ITEM("\x01\0\0\0p", ONE) ITEM("\x01\0\0\0n", "N"), ITEM("\x01\0\0\0b", ONE),
                        ITEM("\x01\0\0\0"
                             "c",
                             MODULE(ITEM(W, "ctorch._utils\n_rebuild_parameter\n" ONE "\x88}\x87R"),
                                    "", "") "ub") ITEM("\x01\0\0\0"
                                                       "d",
                                                       "N")) ITEM("\x05\0\0\0other", ONE) "ub");
    NAMES("b", "c.w", "p");
    /* a module among other things, and a buffer that is no part of the state */
    WRITE_DICT(
        ITEM("\x05\0\0\0model", MODULE("",
                                       ITEM("\x01\0\0\0"
                                            "a",
                                            ONE) ITEM("\x01\0\0\0"
                                                      "b",
                                                      ONE),
                                       "") ITEM("\x1b\0\0\0_non_persistent_buffers_set",
                                                "c__builtin__\nset\n](X\x01\0\0\0zX\x01\0\0\0"
                                                "ae\x85R") "ub") ITEM(W, ONE));
    NAMES("model.b", "w");
    /* torch.fx: the attributes are an argument */
    WRITE_PICKLE("ctorch.fx.graph_module\nreduce_graph_module\n}(" ITEM(
        "\x0b\0\0\0_parameters", "}X" W ONE "s") ITEM("\x08\0\0\0_modules", "}") "uN\x86R");
    NAMES("w");
    /* torch.compile: the module is one; a method is none */
    WRITE_PICKLE(
        "ctorch._dynamo.eval_frame\nOptimizedModule\n" MODULE(ITEM(W, ONE), "", "") "ubN\x86R");
    NAMES("w");
    WRITE_PICKLE("c__builtin__\ngetattr\n" MODULE(ITEM(W, ONE), "", "") "ubX\x01\0\0\0m\x86R");
    REFUSED(LP_ERR_UNSUPPORTED, "no tensors found");
    WRITE_PICKLE("cx\nCounter\n}X" W ONE "s\x85R");
    REFUSED(LP_ERR_UNSUPPORTED, "no tensors found");
}

static void other_objects_are_named_by_their_attributes(void **state) {
    (void)state;
    WRITE_PICKLE(NEW("argparse\nNamespace") "}(" ITEM(
        "\x06\0\0\0module", MODULE(ITEM(W, ONE), "", "") "ub") ITEM("\x05\0\0\0decay", ONE) "ub");
    NAMES("decay", "w");
    /* a state of dictionary and slots; only slots; a subclass of dict, with attributes; of list */
    WRITE_PICKLE(NEW("a\nB") "}X" W ONE "s}X\x01\0\0\0s" ONE "s\x86"
                             "b");
    NAMES("w");
    WRITE_PICKLE(NEW("a\nB") "N}X\x01\0\0\0s" ONE "s\x86"
                             "b");
    NAMES("s");
    WRITE_PICKLE(NEW("a\nB") "X" W ONE "s}X" W ONE "s"
                             "b");
    NAMES("w");
    WRITE_PICKLE(NEW("a\nB") "N"
                             "a(" ONE "N"
                             "e");
    NAMES("1");
}

static void other_kinds_of_tensors_are_listed_and_named(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    static const struct {
        const char *name, *kind;
        int rank;
    } expected[] = {
        {"d", "_rebuild_wrapper_subclass", 1},
        {"m", "_rebuild_meta_tensor_no_storage", 2},
        {"p", "_rebuild_qtensor", 1},
        {"q", "_rebuild_qtensor", 1},
        {"s", "_rebuild_sparse_tensor", 1},
        {"u", "unknown", 0},
        {"w", "FloatStorage", 1},
        {"x", "_rebuild_xla_tensor", 0},
    };
#define OTHER(maker, arguments) "ctorch._utils\n" maker "\n" arguments "R"
#define QUANTISED OTHER("_rebuild_qtensor", "(NK\0K\x06\x85K\x01\x85NNNt")
    WRITE_DICT(
        ITEM(W, ONE) ITEM("\x01\0\0\0q", QUANTISED)
            ITEM("\x01\0\0\0p", OTHER("_rebuild_parameter", QUANTISED "\x88}\x87")) ITEM(
                "\x01\0\0\0s",
                OTHER("_rebuild_sparse_tensor", "N" ONE ONE "ctorch\nSize\nK\x05\x85\x85R\x87\x86"))
                ITEM("\x01\0\0\0m", OTHER("_rebuild_meta_tensor_no_storage", "(NK\x02K\x03\x86NNt"))
                    ITEM("\x01\0\0\0u", OTHER("_rebuild_newest", ")"))
                        ITEM("\x01\0\0\0x", OTHER("_rebuild_xla_tensor", "N\x85"))
                            ITEM("\x01\0\0\0"
                                 "d",
                                 "ctorch._tensor\n_rebuild_from_type_v2\n("
                                 "ctorch._utils\n_rebuild_wrapper_subclass\n"
                                 "ctorch.distributed.tensor\nDTensor\n"
                                 "(NNK\x04\x85NNNNNt}X\x01\0\0\0l" ONE "stR")
                                ITEM("\x01\0\0\0n", "cargparse\nNamespace\n)\x81"));
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        float values[6];
        lp_tensor_read read = {t, values};
        assert_string_equal(t->name, expected[i].name);
        assert_string_equal(t->dtype_name, expected[i].kind);
        assert_int_equal(t->rank, expected[i].rank);
        if (t->dtype == LP_DTYPE_OTHER) {
            assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_UNSUPPORTED, &err,
                         expected[i].kind);
        } else {
            assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
        }
    }
    assert_int_equal(lp_checkpoint_find(ckpt, "m")->shape[1], 3);
    assert_int_equal(lp_checkpoint_find(ckpt, "s")->shape[0], 5);
    lp_checkpoint_close(ckpt);
    /* without any storage in the file */
    WRITE(MEMBER("model/data.pkl", DICT(ITEM("\x01\0\0\0q", QUANTISED))));
    NAMES("q");
    /* a tensor of another class is one all the same */
    WRITE_DICT(ITEM(W, "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n"
                       "cx\nMine\n(" STORAGE("Float", "K\x06") "K\0(t(t\x89t}tR"));
    NAMES("w");
}

static void files_without_tensors_are_refused(void **state) {
    (void)state;
    static const char none[] = "no tensors found";
    WRITE(MEMBER("model/data.pkl", PROTO "}."));
    REFUSED(LP_ERR_UNSUPPORTED, none);
    WRITE(MEMBER("model/data.pkl", PROTO "K\x01."));
    REFUSED(LP_ERR_UNSUPPORTED, none);
    WRITE(MEMBER("model/data.pkl", PROTO "c__torch__\nM\n)\x81."));
    REFUSED(LP_ERR_UNSUPPORTED, none);
    WRITE(MEMBER("model/data.pkl", PROTO NEW("yolo\nModel") "}b."));
    REFUSED(LP_ERR_UNSUPPORTED, none);
    WRITE_DICT(ITEM(W, "cnumpy._core.multiarray\n_reconstruct\n)R(K\x01tb")
                   ITEM("\x01\0\0\0v", "cnumpy._core.numeric\n_frombuffer\n)R"));
    REFUSED(LP_ERR_UNSUPPORTED, "no tensors found, but 2 NumPy arrays, which are not read");
}

static void circles_are_cut(void **state) {
    (void)state;
    WRITE_PICKLE("c__torch__\nM\n)\x81q\0}(X\x01\0\0\0mh\0X" W ONE "ub");
    NAMES("w");
    WRITE_PICKLE("]q\0(h\0h\0" ONE "}q\x01(X\x01\0\0\0dh\x01X\x01\0\0\0lh\0X" W ONE "ue");
    NAMES("2", "3.w");
    WRITE_PICKLE(NEW("net\nNet") "q\0}(" ITEM(
        "\x0b\0\0\0_parameters", "}q\x01(" ITEM(W, ONE) ITEM("\x01\0\0\0p", "h\x01") "u")
                     ITEM("\x08\0\0\0_modules", "}X\x01\0\0\0mh\0s") "ub");
    NAMES("w");
}

/* A pickle that is put together piece by piece. */
static char built[1 << 20];
static size_t built_size;

#define BUILD(literal)                                                                             \
    (memcpy(built + built_size, literal, sizeof(literal) - 1), built_size += sizeof(literal) - 1)

#define WRITE_BUILT() WRITE({"model/data.pkl", built, built_size}, MEMBER("model/data/0", F32_6))

static void sharing_is_bounded(void **state) {
    (void)state;
    static const char expected[] = "share each other so often that their tensors cannot be listed";
    /* Forty dictionaries, each holding the next one twice; with a tensor at the end, and without:
     * then nothing is to be listed, and that is found out soon. */
    for (int tensor = 0; tensor < 2; tensor++) {
        built_size = 0;
        BUILD(PROTO "](}X" W);
        (void)(tensor ? BUILD(ONE) : BUILD("N"));
        BUILD("sq\0");
        for (char i = 0; i < 40; i++) {
            const char next[] = {'}', '(', 'K', 0, 'h', i, 'K', 1, 'h', i, 'u', 'q', (char)(i + 1)};
            memcpy(built + built_size, next, sizeof next);
            built_size += sizeof next;
        }
        BUILD("e.");
        WRITE_BUILT();
        REFUSED(tensor ? LP_ERR_FORMAT : LP_ERR_UNSUPPORTED,
                tensor ? expected : "no tensors found");
    }
    /* One dictionary 100,000 times, with and without a tensor. */
    for (int tensor = 0; tensor < 2; tensor++) {
        built_size = 0;
        BUILD(PROTO "]q\0(}X" W);
        (void)(tensor ? BUILD(ONE) : BUILD("N"));
        BUILD("sq\1");
        for (int i = 0; i < 100000; i++) {
            BUILD("h\1");
        }
        BUILD("e.");
        WRITE_BUILT();
        REFUSED(tensor ? LP_ERR_FORMAT : LP_ERR_UNSUPPORTED,
                tensor ? expected : "no tensors found");
    }
    /* Objects, each made from one long dictionary: is it the attributes of a module? */
    built_size = 0;
    BUILD(PROTO "](ca\nB\n}q\1(");
    for (int i = 0; i < 20000; i++) {
        BUILD("K\0N");
    }
    BUILD("u\x85R");
    for (int i = 0; i < 20000; i++) {
        BUILD("ca\nB\nh\1\x85R");
    }
    BUILD("e.");
    WRITE_BUILT();
    REFUSED(LP_ERR_FORMAT, expected);
}

static void deep_nesting_costs_nothing(void **state) {
    (void)state;
    built_size = 0;
    BUILD(PROTO "}(X" W ONE "X\x01\0\0\0l)");
    for (int i = 0; i < 500000; i++) {
        BUILD("\x85");
    }
    BUILD("u.");
    WRITE_BUILT();
    NAMES("w");
    /* with a tensor at the bottom, its name is what is too long */
    built_size = 0;
    BUILD(PROTO ONE);
    for (int i = 0; i < 1000; i++) {
        BUILD("\x85");
    }
    BUILD(".");
    WRITE_BUILT();
    REFUSED(LP_ERR_FORMAT, "a tensor's name has more than 512 characters");
}

/* Texts under keys that name an architecture, in dictionaries and objects on the way. */
static void names_of_architectures_are_kept(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    WRITE_DICT(ITEM("\x04\0\0\0arch", "X\x02\0\0\0r5") ITEM("\x05\0\0\0model", "}X" W ONE "s") ITEM(
        "\x04\0\0\0args", NEW("argparse\nNamespace") "}(" ITEM("\x05\0\0\0model", "X\x01\0\0\0\x1b")
                              ITEM("\x04\0\0\0name", "X\x01\0\0\0n") ITEM("\x04\0\0\0"
                                                                          "arch",
                                                                          "K\x01") "ub")
                   ITEM("\x08\0\0\0"
                        "backbone",
                        "}" ITEM("\x04\0\0\0name", "U\x01m") "s"));
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    const lp_arch_notes *notes = lp_checkpoint_archs(ckpt);
    assert_int_equal(notes->count, 3);
    assert_string_equal(notes->items[0].key, "arch");
    assert_string_equal(notes->items[0].name, "r5");
    assert_string_equal(notes->items[1].key, "args.model");
    assert_string_equal(notes->items[1].name, "?");
    assert_string_equal(notes->items[2].key, "backbone.name");
    assert_string_equal(notes->items[2].name, "m");
    lp_checkpoint_close(ckpt);
    /* no more than there is room for */
    lp_arch_notes full = {0};
    for (int i = 0; i < 20; i++) {
        lp_arch_note_text(&full, "arch", 4, "x", 1);
    }
    assert_int_equal(full.count, LP_ARCH_NOTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_architectures_are_kept),
        cmocka_unit_test(nested_tensors_are_named_by_their_keys),
        cmocka_unit_test(pickled_modules_are_named_as_in_their_state_dict),
        cmocka_unit_test(other_objects_are_named_by_their_attributes),
        cmocka_unit_test(other_kinds_of_tensors_are_listed_and_named),
        cmocka_unit_test(files_without_tensors_are_refused),
        cmocka_unit_test(circles_are_cut),
        cmocka_unit_test(sharing_is_bounded),
        cmocka_unit_test(deep_nesting_costs_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
