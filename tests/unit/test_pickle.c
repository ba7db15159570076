/* The pickle interpreter: what it reads, and that nothing else does any harm. */
#include "base/alloc.h"
#include "base/random.h"
#include "check.h"
#include "ckpt/pickle.h"

static lp_error err;

/* Pickles are string literals, split where a letter after an escape would belong to it. */
#define READ(literal, pickle)                                                                      \
    lp_pickle_read("data.pkl", (literal), sizeof(literal) - 1, (pickle), &err)
#define PROTO "\x80\x02"
#define STORAGE                                                                                    \
    "(X\x07\0\0\0storage"                                                                          \
    "ctorch\nHalfStorage\n"                                                                        \
    "X\x01\0\0\0"                                                                                  \
    "7"                                                                                            \
    "X\x03\0\0\0"                                                                                  \
    "cpu"                                                                                          \
    "K\x06"                                                                                        \
    "tQ"
#define TENSOR                                                                                     \
    "ctorch._utils\n_rebuild_tensor_v2\n"                                                          \
    "(" STORAGE "K\0K\x02K\x03\x86K\x03K\x01\x86\x89"                                              \
    "ccollections\nOrderedDict\n)RtR"
#define STATE_DICT                                                                                 \
    PROTO "ccollections\nOrderedDict\nq\0)Rq\x01(X\x01\0\0\0wq\x02" TENSOR                         \
          "u}X\x09\0\0\0_metadatah\x01sb."

static void state_dict_is_read(void **state) {
    (void)state;
    lp_pickle p;
    assert_ok(READ(STATE_DICT, &p), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_DICT);
    assert_int_equal(p.nodes[p.root].is.items.count, 1); /* the state's _metadata is not in it */
    assert_int_equal(lp_pickle_find(&p, p.root, "v"), 0);
    const lp_node *tensor = &p.nodes[lp_pickle_find(&p, p.root, "w")];
    assert_int_equal(tensor->kind, LP_NODE_TENSOR);
    const lp_node *storage = &p.nodes[tensor->is.tensor.storage];
    assert_int_equal(storage->kind, LP_NODE_STORAGE);
    assert_int_equal(storage->is.storage.type->type, LP_DTYPE_F16);
    assert_true(lp_pickle_is_text(&p, storage->is.storage.key, "7"));
    assert_int_equal(p.nodes[storage->is.storage.size].is.integer, 6);
    const lp_node *shape = &p.nodes[tensor->is.tensor.shape];
    assert_int_equal(shape->is.items.count, 2);
    const lp_node *first = &p.nodes[shape->is.items.first];
    assert_int_equal(p.nodes[first->is.cell.value].is.integer, 2);
    assert_int_equal(p.nodes[p.nodes[first->is.cell.next].is.cell.value].is.integer, 3);
    lp_pickle_free(&p);
}

static void script_module_is_read(void **state) {
    (void)state;
    lp_pickle p;
    assert_ok(READ(PROTO "c__torch__.multimodal.model.___torch_mangle_9\nVisual\nq\0)\x81}("
                         "X\x04\0\0\0projq\x01" TENSOR "X\x05\0\0\0sizes"
                         "ctorch.jit._pickle\nbuild_intlist\n(](K\x01K\x02"
                         "etRX\x01\0\0\0fG\0\0\0\0\0\0\0\0ubq\x02.",
                   &p),
              &err);
    const lp_node *root = &p.nodes[p.root];
    assert_int_equal(root->kind, LP_NODE_OBJECT);
    assert_int_equal(p.nodes[lp_pickle_find(&p, root->is.object.state, "proj")].kind,
                     LP_NODE_TENSOR);
    const lp_node *sizes = &p.nodes[lp_pickle_find(&p, root->is.object.state, "sizes")];
    assert_int_equal(sizes->kind, LP_NODE_LIST);
    assert_int_equal(sizes->is.items.count, 2);
    lp_pickle_free(&p);
}

static int64_t read_integer(const char *bytes, size_t size) {
    lp_pickle p;
    assert_ok(lp_pickle_read("data.pkl", bytes, size, &p, &err), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_INT);
    int64_t value = p.nodes[p.root].is.integer;
    lp_pickle_free(&p);
    return value;
}

#define INTEGER(literal) read_integer(PROTO literal, sizeof(PROTO literal) - 1)

static void integers_keep_their_sign(void **state) {
    (void)state;
    assert_true(INTEGER("K\xff.") == 255);
    assert_true(INTEGER("M\xff\xff.") == 65535);
    assert_true(INTEGER("J\xff\xff\xff\xff.") == -1);
    assert_true(INTEGER("J\xff\xff\xff\x7f.") == INT32_MAX);
    assert_true(INTEGER("J\0\0\0\x80.") == INT32_MIN);
    assert_true(INTEGER("\x8a\0.") == 0);
    assert_true(INTEGER("\x8a\x01\xfe.") == -2);
    assert_true(INTEGER("\x8a\x03\xff\xff\x7f.") == 0x7fffff);
    assert_true(INTEGER("\x8a\x08\0\0\0\0\0\0\0\x80.") == INT64_MIN);
    assert_true(INTEGER("\x8b\x02\0\0\0\0\x01.") == 256);
    assert_true(INTEGER("\x88.") == 1);
    lp_pickle p;
    assert_ok(READ(PROTO "\x8a\x09\0\0\0\0\0\0\0\0\x01.", &p), &err); /* 2^64 */
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_OPAQUE);
    lp_pickle_free(&p);
}

static void dangerous_globals_are_refused_by_name(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ(PROTO "cposix\nsystem\n(X\x02\0\0\0lstR.", &p), LP_ERR_UNSUPPORTED, &err,
                 "data.pkl: byte 2: the global posix.system runs code where Python loads it");
    assert_null(p.nodes);
    assert_fails(READ(PROTO "Ncbuiltins\neval\n.", &p), LP_ERR_UNSUPPORTED, &err,
                 "byte 3: the global builtins.eval");
    assert_fails(READ(PROTO "ctorch.storage\n_load_from_bytes\n.", &p), LP_ERR_UNSUPPORTED, &err,
                 "torch.storage._load_from_bytes");
    assert_fails(READ(PROTO "ctorch\nload\n.", &p), LP_ERR_UNSUPPORTED, &err, "torch.load");
    assert_fails(READ(PROTO "c__builtin__\n__import__\n.", &p), LP_ERR_UNSUPPORTED, &err,
                 "__builtin__.__import__");
    assert_fails(READ(PROTO "cos.path\nx\n.", &p), LP_ERR_UNSUPPORTED, &err, "os.path.x");
    assert_fails(READ(PROTO "ctorch\nhub.load\n.", &p), LP_ERR_UNSUPPORTED, &err, "torch.hub.load");
    /* What a terminal would obey does not reach it. */
    assert_fails(READ(PROTO "cos.\x1b[2J\nx\x07\n.", &p), LP_ERR_UNSUPPORTED, &err,
                 "the global os.?[2J.x? runs");
}

/* What a training state holds besides tensors, as Python 3 pickles it in protocol 2. */
static void other_globals_are_passed_over(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        lp_node_kind kind;
    } cases[] = {
#define CASE(literal, kind) {PROTO literal ".", sizeof(PROTO literal ".") - 1, kind}
        /* argparse.Namespace(lr=1): an instance with a state */
        CASE("cargparse\nNamespace\n)\x81}X\x02\0\0\0lrK\x01sb", LP_NODE_FOREIGN),
        /* numpy.float64(1): bytes through a text of Latin-1 */
        CASE("cnumpy._core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\0\0\0f8\x89\x88\x87R"
             "(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
             "c_codecs\nencode\nX\x02\0\0\0ab"
             "X\x06\0\0\0latin1\x86R\x86R",
             LP_NODE_FOREIGN),
        /* collections.deque([1, 2]), a subclass of dict, an enumeration's member, a path */
        CASE("ccollections\ndeque\n)R(K\x01K\x02"
             "e",
             LP_NODE_FOREIGN),
        CASE("clightning\nAttributeDict\n)\x81(X\x01\0\0\0aK\x01u}b", LP_NODE_FOREIGN),
        CASE("c__builtin__\ngetattr\nc__main__\nKind\nX\x01\0\0\0a\x86R", LP_NODE_FOREIGN),
        CASE("cpathlib\nPosixPath\nX\x01\0\0\0/\x85R", LP_NODE_FOREIGN),
        CASE("c__builtin__\nset\n]K\x01"
             "a\x85R",
             LP_NODE_LIST),
        CASE("c__builtin__\nset\n)R", LP_NODE_LIST),
        CASE("ccollections\ndefaultdict\nc__builtin__\nint\n\x85RX\x01\0\0\0aK\x01s", LP_NODE_DICT),
        CASE("ctorch\ndevice\nX\x04\0\0\0cuda\x85R", LP_NODE_OPAQUE),
        CASE("ctorch\nSize\n(K\x02K\x03t\x85R", LP_NODE_TUPLE),
        CASE("ctorch\nfloat16\n", LP_NODE_GLOBAL),
        CASE("c__torch__evil\nx\n)\x81", LP_NODE_FOREIGN),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_pickle p;
        assert_ok(lp_pickle_read("data.pkl", cases[i].bytes, cases[i].size, &p, &err), &err);
        assert_int_equal(p.nodes[p.root].kind, cases[i].kind);
        assert_int_equal(p.end, cases[i].size);
        lp_pickle_free(&p);
    }
    /* What a foreign call gave is called itself: no such thing in a training state. */
    lp_pickle p;
    assert_fails(READ(PROTO "c__builtin__\ngetattr\nca\nb\nX\x01\0\0\0a\x86R)R.", &p),
                 LP_ERR_FORMAT, &err, "calls something that is not a global");
    /* What follows the end is another pickle's. */
    assert_ok(READ(PROTO "N.cos\nsystem\n", &p), &err);
    assert_int_equal(p.end, 4);
    lp_pickle_free(&p);
}

static void dictionaries_of_python_2_are_read(void **state) {
    (void)state;
    lp_pickle p;
    /* OrderedDict([['w', 1], ['v', 2]]), of byte strings; then again, of the same list */
    assert_ok(READ(PROTO "ccollections\nOrderedDict\nq\0](](U\x01wK\x01"
                         "e](T\x01\0\0\0vK\x02"
                         "eeq\x01\x85Rh\0h\x01\x85R\x86.",
                   &p),
              &err);
    const lp_node *pair = &p.nodes[p.root];
    uint32_t first = p.nodes[pair->is.items.first].is.cell.value;
    assert_int_equal(first, p.nodes[pair->is.items.last].is.cell.value);
    assert_int_equal(p.nodes[first].is.items.count, 2);
    assert_int_equal(p.nodes[lp_pickle_find(&p, first, "v")].is.integer, 2);
    assert_int_equal(p.nodes[lp_pickle_find(&p, first, "w")].is.integer, 1);
    lp_pickle_free(&p);
    static const char expected[] = "OrderedDict is not made from a list of pairs";
    assert_fails(READ(PROTO "ccollections\nOrderedDict\n]K\x01"
                            "a\x85R.",
                      &p),
                 LP_ERR_FORMAT, &err, expected);
    assert_fails(READ(PROTO "ccollections\nOrderedDict\n](K\x01K\x02K\x03tR.", &p), LP_ERR_FORMAT,
                 &err, "calls something");
    assert_fails(READ(PROTO "ccollections\nOrderedDict\n](K\x01K\x02K\x03ta\x85R.", &p),
                 LP_ERR_FORMAT, &err, expected);
    /* A list that is one of its own pairs does no harm. */
    assert_ok(READ(PROTO "ccollections\nOrderedDict\n]q\0(h\0(K\x01K\x02te\x85R.", &p), &err);
    lp_pickle_free(&p);
}

static void long_global_is_cut_in_the_message(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    static char bytes[LENGTH];
    memset(bytes, 'a', sizeof bytes);
    memcpy(bytes, PROTO "cos.", 6);
    memcpy(bytes + LENGTH - 4, "\nb\n.", 4);
    lp_pickle p;
    assert_fails(lp_pickle_read("data.pkl", bytes, LENGTH, &p, &err), LP_ERR_UNSUPPORTED, &err,
                 "aaa....b runs code");
    bytes[LENGTH - 2] = 'b';
    assert_fails(lp_pickle_read("data.pkl", bytes, LENGTH, &p, &err), LP_ERR_FORMAT, &err,
                 "byte 2: the pickle ends within the name of a global");
}

static void globals_serve_only_their_purpose(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ(PROTO "ctorch\nFloatStorage\n)R.", &p), LP_ERR_UNSUPPORTED, &err,
                 "byte 23: a global is called that a checkpoint may only name");
    assert_fails(READ(PROTO "ccollections\nOrderedDict\n)\x81.", &p), LP_ERR_UNSUPPORTED, &err,
                 "may only name");
    assert_fails(READ(PROTO "ccollections\nOrderedDict\nN\x85R.", &p), LP_ERR_FORMAT, &err,
                 "OrderedDict is not made from");
    assert_fails(READ(PROTO "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch\nSize\nNNNtR.", &p),
                 LP_ERR_FORMAT, &err, "wrong arguments for a tensor of another class");
    assert_fails(READ(PROTO "K\x01)R.", &p), LP_ERR_FORMAT, &err,
                 "byte 5: calls something that is not a global");
    assert_fails(READ(PROTO "ctorch\nSize\nNR.", &p), LP_ERR_FORMAT, &err, "not a global with");
    assert_fails(READ(PROTO "ctorch\nSize\n)R.", &p), LP_ERR_FORMAT, &err, "wrong arguments");
    assert_fails(READ(PROTO "ctorch._utils\n_rebuild_parameter\nN\x85R.", &p), LP_ERR_FORMAT, &err,
                 "wrong arguments");
    assert_fails(READ(PROTO "ctorch._utils\n_rebuild_tensor_v2\n(NK\0))tR.", &p), LP_ERR_FORMAT,
                 &err, "not rebuilt from");
    assert_fails(READ(PROTO "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "tR.", &p),
                 LP_ERR_FORMAT, &err, "not rebuilt from");
    assert_fails(READ(PROTO "ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE
                            "K\0))\x89Nctorch\nFloatStorage\ntR.",
                      &p),
                 LP_ERR_FORMAT, &err, "byte 113: a tensor is not rebuilt");
    assert_fails(READ(PROTO "K\x01}b.", &p), LP_ERR_UNSUPPORTED, &err,
                 "gives a state to something that has none");
}

static void persistent_ids_are_storages(void **state) {
    (void)state;
    lp_pickle p;
    static const char expected[] = "a persistent id is not (\"storage\"";
    assert_fails(READ(PROTO "X\x01\0\0\0aQ.", &p), LP_ERR_FORMAT, &err, expected);
    assert_fails(READ(PROTO "(X\x07\0\0\0storagetQ.", &p), LP_ERR_FORMAT, &err, expected);
    assert_fails(READ(PROTO "(X\x05\0\0\0modulNNNNtQ.", &p), LP_ERR_FORMAT, &err, expected);
    /* Instead of a storage class: an element type; another global; a key that is a number. */
    assert_fails(READ(PROTO "(X\x07\0\0\0storagectorch\nfloat32\nX\x01\0\0\0000NK\x01tQ.", &p),
                 LP_ERR_FORMAT, &err, expected);
    assert_fails(READ(PROTO "(X\x07\0\0\0storagectorch\nSize\nX\x01\0\0\0000NK\x01tQ.", &p),
                 LP_ERR_FORMAT, &err, expected);
    assert_fails(READ(PROTO "(X\x07\0\0\0storagectorch\nFloatStorage\nK\0NK\x01tQ.", &p),
                 LP_ERR_FORMAT, &err, expected);
}

static void other_instructions_are_refused(void **state) {
    (void)state;
    static const char read[] = "(cQRTU\x81"
                               "bqrhjXN\x88\x89KMJ\x8a\x8bG]})t\x85\x86\x87"
                               "aseu.";
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        const char bytes[] = {'\x80', '\x02', 'N', (char)opcode};
        lp_pickle p;
        if (memchr(read, (int)opcode, sizeof read - 1) == NULL) {
            assert_fails(lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err),
                         LP_ERR_UNSUPPORTED, &err, "byte 3: instruction 0x");
        } else if (opcode != '.') {
            assert_fails(lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err), LP_ERR_FORMAT,
                         &err, "data.pkl: byte ");
        }
    }
}

static void other_protocols_are_refused(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ("\x80\x04\x95.", &p), LP_ERR_UNSUPPORTED, &err, "pickle protocol 4");
    assert_fails(READ("(lp0\n.", &p), LP_ERR_FORMAT, &err,
                 "expected a pickle's PROTO instruction, found 0x28");
    assert_fails(lp_pickle_read("data.pkl", NULL, 0, &p, &err), LP_ERR_FORMAT, &err,
                 "ends 1 bytes too early");
    assert_fails(lp_pickle_read("data.pkl", "", (size_t)LP_PICKLE_MAX + 1, &p, &err),
                 LP_ERR_UNSUPPORTED, &err, "expected at most 4194304");
}

static void stack_and_marks_are_kept(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ(PROTO ".", &p), LP_ERR_FORMAT, &err,
                 "expected one value at the end, found 0");
    assert_fails(READ(PROTO "NN.", &p), LP_ERR_FORMAT, &err, "found 2");
    assert_fails(READ(PROTO "N(.", &p), LP_ERR_FORMAT, &err, "1 marks");
    assert_fails(READ(PROTO "t.", &p), LP_ERR_FORMAT, &err, "needs a mark");
    assert_fails(READ(PROTO "N\x86.", &p), LP_ERR_FORMAT, &err, "needs 2 values, found 1");
    assert_fails(READ(PROTO "](Na.", &p), LP_ERR_FORMAT, &err, "needs 2 values, found 1");
    assert_fails(READ(PROTO "}(N(Nu.", &p), LP_ERR_FORMAT, &err, "not a dictionary");
    assert_fails(READ(PROTO "(Ne.", &p), LP_ERR_FORMAT, &err, "not a list");
    assert_fails(READ(PROTO "](NNu.", &p), LP_ERR_FORMAT, &err, "not a dictionary");
    assert_fails(READ(PROTO "}(Nu.", &p), LP_ERR_FORMAT, &err, "has no value");
    assert_fails(READ(PROTO "X\xff\xff\xff\xff.", &p), LP_ERR_FORMAT, &err,
                 "ends 4294967294 bytes too early");
    assert_fails(READ(PROTO "\x8b\xff\xff\xff\x7f.", &p), LP_ERR_FORMAT, &err, "too early");
}

static void memo_is_bounded(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ(PROTO "Nr\xff\xff\xff\xff.", &p), LP_ERR_FORMAT, &err,
                 "byte 3: memo slot 4294967295 in a pickle of 9 bytes");
    assert_fails(READ(PROTO "h\x05.", &p), LP_ERR_FORMAT, &err, "memo slot 5 is empty");
    assert_fails(READ(PROTO "Nq\x05h\x04.", &p), LP_ERR_FORMAT, &err, "memo slot 4 is empty");
    assert_fails(READ(PROTO "q\x05.", &p), LP_ERR_FORMAT, &err, "needs 1 values, found 0");
}

static void depth_sharing_and_circles_cost_nothing(void **state) {
    (void)state;
    enum { DEPTH = 1000000 };
    char *bytes = lp_alloc(DEPTH + 4, 1);
    assert_non_null(bytes);
    memcpy(bytes, PROTO ")", 3);
    memset(bytes + 3, '\x85', DEPTH);
    bytes[DEPTH + 3] = '.';
    lp_pickle p;
    assert_ok(lp_pickle_read("data.pkl", bytes, DEPTH + 4, &p, &err), &err);
    assert_true(p.count <= 2 * (DEPTH + 4));
    lp_pickle_free(&p);
    lp_free(bytes);

    /* Each tuple holds the one before it twice: 2^100 leaves. */
    char doubling[3 + 100 * 5 + 1];
    size_t size = 3;
    memcpy(doubling, PROTO ")", 3);
    for (int i = 0; i < 100; i++, size += 5) {
        const char step[] = {'q', (char)i, 'h', (char)i, '\x86'};
        memcpy(doubling + size, step, sizeof step);
    }
    doubling[size++] = '.';
    assert_ok(lp_pickle_read("data.pkl", doubling, size, &p, &err), &err);
    assert_true(p.count < 2 * size);
    lp_pickle_free(&p);

    assert_ok(READ(PROTO "]q\0h\0a.", &p), &err); /* a list that holds itself */
    assert_int_equal(p.nodes[p.nodes[p.root].is.items.first].is.cell.value, p.root);
    lp_pickle_free(&p);
}

static void every_shorter_pickle_is_refused(void **state) {
    (void)state;
    for (size_t size = 0; size < sizeof(STATE_DICT) - 1; size++) {
        char *bytes = lp_alloc(size, 1); /* of its own, so that a read past its end is seen */
        lp_pickle p;
        assert_non_null(bytes);
        memcpy(bytes, STATE_DICT, size);
        assert_fails(lp_pickle_read("data.pkl", bytes, size, &p, &err), LP_ERR_FORMAT, &err,
                     "data.pkl: byte ");
        lp_free(bytes);
    }
}

static void damaged_pickles_stay_bounded(void **state) {
    (void)state;
    lp_random random;
    lp_random_seed(&random, 7);
    size_t refused = 0;
    for (int round = 0; round < 20000; round++) {
        char bytes[sizeof(STATE_DICT) - 1];
        lp_pickle p;
        memcpy(bytes, STATE_DICT, sizeof bytes);
        for (size_t i = 0; i < 1 + (size_t)round % 3; i++) {
            bytes[lp_random_below(&random, sizeof bytes)] = (char)lp_random_below(&random, 256);
        }
        lp_status status = lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err);
        if (status == LP_OK) {
            assert_true(p.root > 0 && p.root < p.count && p.count <= 2 * sizeof bytes);
            lp_pickle_free(&p);
        } else {
            assert_true(status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED);
            refused++;
        }
    }
    assert_true(refused > 10000);
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    lp_pickle p;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    for (; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = READ(STATE_DICT, &p);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        assert_true(status == LP_OK || p.nodes == NULL);
    }
    assert_true(k > 4); /* nodes, stack, marks and memo */
    lp_pickle_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_dict_is_read),
        cmocka_unit_test(script_module_is_read),
        cmocka_unit_test(integers_keep_their_sign),
        cmocka_unit_test(dangerous_globals_are_refused_by_name),
        cmocka_unit_test(other_globals_are_passed_over),
        cmocka_unit_test(dictionaries_of_python_2_are_read),
        cmocka_unit_test(long_global_is_cut_in_the_message),
        cmocka_unit_test(globals_serve_only_their_purpose),
        cmocka_unit_test(persistent_ids_are_storages),
        cmocka_unit_test(other_instructions_are_refused),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(stack_and_marks_are_kept),
        cmocka_unit_test(memo_is_bounded),
        cmocka_unit_test(depth_sharing_and_circles_cost_nothing),
        cmocka_unit_test(every_shorter_pickle_is_refused),
        cmocka_unit_test(damaged_pickles_stay_bounded),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
