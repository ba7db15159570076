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
    /* in protocol 4, by attributes of harmless modules, and with what follows */
    assert_fails(READ("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.", &p),
                 LP_ERR_UNSUPPORTED, &err, "byte 14: the global os.system runs code");
    assert_fails(READ("\x80\x04\x8c\x08"
                      "builtins\x8c\x04"
                      "exec\x93)}\x92.",
                      &p),
                 LP_ERR_UNSUPPORTED, &err, "builtins.exec");
    assert_fails(READ("\x80\x04\x8c\x08"
                      "builtins\x8c\x0fobject.__init__\x93.",
                      &p),
                 LP_ERR_UNSUPPORTED, &err, "builtins.object.__init__");
    assert_fails(READ("\x80\x04\x8c\x05torch\x8c\x16serialization.os.popen\x93.", &p),
                 LP_ERR_UNSUPPORTED, &err, "torch.serialization.os.popen");
    assert_fails(READ("\x80\x04U\x05torchU\x08hub.load\x93.", &p), LP_ERR_UNSUPPORTED, &err,
                 "torch.hub.load");
    assert_fails(READ("(cposix\nsystem\nU\x02lso.", &p), LP_ERR_UNSUPPORTED, &err,
                 "byte 1: the global posix.system");
    assert_fails(READ(PROTO "ctorch\nos\n.", &p), LP_ERR_UNSUPPORTED, &err, "torch.os");
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
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_pickle p;
        assert_ok(lp_pickle_read("data.pkl", cases[i].bytes, cases[i].size, &p, &err), &err);
        assert_int_equal(p.nodes[p.root].kind, cases[i].kind);
        assert_int_equal(p.end, cases[i].size);
        lp_pickle_free(&p);
    }
    lp_pickle p;
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
    static const char read[] = "(.012BCFGIJKLMNQRTUXabcdeghjlopqrstu]})"
                               "\x80\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92"
                               "\x93\x94\x95\x96";
    for (unsigned opcode = 0; opcode < 256; opcode++) {
        const char bytes[] = {'\x80', '\x05', '(', (char)opcode};
        lp_pickle p;
        if (memchr("PSVi", (int)opcode, 4) != NULL) {
            assert_fails(lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err),
                         LP_ERR_UNSUPPORTED, &err, "byte 3: pickle protocol 0, in which PyTorch");
        } else if (memchr(read, (int)opcode, sizeof read - 1) == NULL) {
            assert_fails(lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err),
                         LP_ERR_UNSUPPORTED, &err,
                         "which pickles of tensors and of arrays do not have");
        } else {
            assert_fails(lp_pickle_read("data.pkl", bytes, sizeof bytes, &p, &err), LP_ERR_FORMAT,
                         &err, "data.pkl: byte ");
        }
    }
}

static void other_protocols_are_refused(void **state) {
    (void)state;
    lp_pickle p;
    assert_fails(READ("\x80\x06N.", &p), LP_ERR_UNSUPPORTED, &err,
                 "pickle protocol 6; save it again in protocol 2");
    assert_fails(READ("(lp0\nS'a'\n.", &p), LP_ERR_UNSUPPORTED, &err,
                 "byte 5: pickle protocol 0, in which PyTorch cannot read its own files either");
    assert_fails(lp_pickle_read("data.pkl", NULL, 0, &p, &err), LP_ERR_FORMAT, &err,
                 "ends 1 bytes too early");
}

/* {'w': [1, 300, True, None, 0.5, 1 << 40, (), (1, 2, 3, 4)], 7: {8}} as Python 3 writes it in each
 * protocol but 0. */
static void each_protocol_gives_the_same(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
#define CASE(literal) {literal, sizeof(literal) - 1}
        CASE("}q\0(X\x01\0\0\0wq\x01]q\x02(K\x01M,\x01I01\nNG?\xe0\0\0\0\0\0\0L1099511627776L\n)"
             "(K\x01K\x02K\x03K\x04tq\x03"
             "eK\x07"
             "c__builtin__\nset\nq\x04(]q\x05K\x08"
             "atq\x06Rq\x07u."),
        CASE("\x80\x02}q\0(X\x01\0\0\0wq\x01]q\x02(K\x01M,\x01\x88NG?"
             "\xe0\0\0\0\0\0\0\x8a\x06\0\0\0\0\0"
             "\x01)(K\x01K\x02K\x03K\x04tq\x03"
             "eK\x07"
             "c__builtin__\nset\nq\x04]q\x05K\x08"
             "a\x85q\x06Rq\x07u."),
        CASE("\x80\x03}q\0(X\x01\0\0\0wq\x01]q\x02(K\x01M,\x01\x88NG?"
             "\xe0\0\0\0\0\0\0\x8a\x06\0\0\0\0\0"
             "\x01)(K\x01K\x02K\x03K\x04tq\x03"
             "eK\x07"
             "cbuiltins\nset\nq\x04]q\x05K\x08"
             "a\x85q\x06Rq\x07u."),
        CASE("\x80\x04\x95\x37\0\0\0\0\0\0\0}\x94(\x8c\x01w\x94]\x94(K\x01M,\x01\x88NG?"
             "\xe0\0\0\0\0\0\0"
             "\x8a\x06\0\0\0\0\0\x01)(K\x01K\x02K\x03K\x04t\x94"
             "eK\x07\x8f\x94(K\x08\x90u."),
        CASE("\x80\x05\x95\x37\0\0\0\0\0\0\0}\x94(\x8c\x01w\x94]\x94(K\x01M,\x01\x88NG?"
             "\xe0\0\0\0\0\0\0"
             "\x8a\x06\0\0\0\0\0\x01)(K\x01K\x02K\x03K\x04t\x94"
             "eK\x07\x8f\x94(K\x08\x90u."),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const lp_node_kind kinds[] = {LP_NODE_INT,    LP_NODE_INT,    LP_NODE_INT,
                                             LP_NODE_OPAQUE, LP_NODE_OPAQUE, LP_NODE_INT,
                                             LP_NODE_TUPLE,  LP_NODE_TUPLE};
        static const int64_t integers[] = {1, 300, 1, 0, 0, INT64_C(1) << 40, 0, 0};
        lp_pickle p;
        assert_ok(lp_pickle_read("data.pkl", cases[i].bytes, cases[i].size, &p, &err), &err);
        const lp_node *list = &p.nodes[lp_pickle_find(&p, p.root, "w")];
        assert_int_equal(list->kind, LP_NODE_LIST);
        assert_int_equal(list->is.items.count, 8);
        uint32_t cell = list->is.items.first;
        for (size_t k = 0; k < 8; k++, cell = p.nodes[cell].is.cell.next) {
            const lp_node *item = &p.nodes[p.nodes[cell].is.cell.value];
            assert_int_equal(item->kind, kinds[k]);
            assert_true(item->kind != LP_NODE_INT || item->is.integer == integers[k]);
            assert_true(k != 7 || item->is.items.count == 4);
        }
        const lp_node *last = &p.nodes[p.nodes[p.root].is.items.last];
        assert_int_equal(p.nodes[last->is.cell.key].is.integer, 7);
        const lp_node *set = &p.nodes[last->is.cell.value];
        assert_int_equal(set->kind, LP_NODE_LIST);
        const lp_node *member = &p.nodes[p.nodes[set->is.items.first].is.cell.value];
        assert_int_equal(member->is.integer, 8);
        lp_pickle_free(&p);
    }
}

/* What is left of an object: its class, and what was put into it. */
static void foreign_objects_keep_what_was_put_into_them(void **state) {
    (void)state;
    lp_pickle p;
    /* GLOBAL and NEWOBJ, with state and items; the same with STACK_GLOBAL and NEWOBJ_EX */
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
#define PUT_IN                                                                                     \
    "(\x8c\x01"                                                                                    \
    "a"                                                                                            \
    "K\x01u(K\x05"                                                                                 \
    "eNb."
        {"\x80\x04"
         "cnet.work\nOuter.Net\nK\x03\x85\x81" PUT_IN,
         sizeof("\x80\x04"
                "cnet.work\nOuter.Net\nK\x03\x85\x81" PUT_IN) -
             1},
        {"\x80\x04\x8c\x08net.work\x8c\x09Outer.Net\x93K\x03\x85}\x92" PUT_IN,
         sizeof("\x80\x04\x8c\x08net.work\x8c\x09Outer.Net\x93K\x03\x85}\x92" PUT_IN) - 1},
        {"(cnet.work\nOuter.Net\nK\x03o" PUT_IN,
         sizeof("(cnet.work\nOuter.Net\nK\x03o" PUT_IN) - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(lp_pickle_read("data.pkl", cases[i].bytes, cases[i].size, &p, &err), &err);
        const lp_node *object = &p.nodes[p.root];
        assert_int_equal(object->kind, LP_NODE_FOREIGN);
        const lp_node *class = &p.nodes[object->is.foreign.maker];
        assert_true(lp_pickle_is_text(&p, class->is.global.module, "net.work"));
        assert_true(lp_pickle_is_text(&p, class->is.global.name, "Outer.Net"));
        uint32_t argument;
        assert_true(lp_pickle_items(&p, object->is.foreign.arguments, 1, &argument));
        assert_int_equal(p.nodes[argument].is.integer, 3);
        assert_int_equal(p.nodes[object->is.foreign.state].kind, LP_NODE_OPAQUE);
        assert_int_equal(object->is.foreign.count, 2);
        const lp_node *first = &p.nodes[object->is.foreign.first];
        assert_true(lp_pickle_is_text(&p, first->is.cell.key, "a"));
        assert_int_equal(p.nodes[first->is.cell.next].is.cell.key, 0);
        lp_pickle_free(&p);
    }
    /* getattr makes an inner class, which is called then */
    assert_ok(READ(PROTO "c__builtin__\ngetattr\nca\nb\nX\x01\0\0\0a\x86R)\x81)R.", &p), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_FOREIGN);
    assert_int_equal(p.nodes[p.nodes[p.root].is.foreign.maker].kind, LP_NODE_FOREIGN);
    lp_pickle_free(&p);
    assert_fails(READ("\x80\x04K\x01\x8c\x01"
                      "a\x93.",
                      &p),
                 LP_ERR_FORMAT, &err, "a global's name is not made from two texts");
    assert_fails(READ("\x80\x04\x8c\x01"
                      "a\x93.",
                      &p),
                 LP_ERR_FORMAT, &err, "needs 2 values");
    assert_fails(READ("(o.", &p), LP_ERR_FORMAT, &err, "an instance has no class");
    assert_fails(READ("o.", &p), LP_ERR_FORMAT, &err, "needs a mark");
    assert_fails(READ("(K\x01o.", &p), LP_ERR_FORMAT, &err, "calls something that is not a global");
    assert_fails(READ("\x80\x04)}\x92.", &p), LP_ERR_FORMAT, &err, "needs 3 values");
}

static void texts_and_bytes_stay_where_they_are(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        lp_node_kind kind;
    } cases[] = {
#define CASE(literal, kind) {literal "ab.", sizeof(literal "ab.") - 1, kind}
        CASE("X\x02\0\0\0", LP_NODE_TEXT),
        CASE("\x8c\x02", LP_NODE_TEXT),
        CASE("\x8d\x02\0\0\0\0\0\0\0", LP_NODE_TEXT),
        CASE("U\x02", LP_NODE_BYTES),
        CASE("T\x02\0\0\0", LP_NODE_BYTES),
        CASE("C\x02", LP_NODE_BYTES),
        CASE("B\x02\0\0\0", LP_NODE_BYTES),
        CASE("\x8e\x02\0\0\0\0\0\0\0", LP_NODE_BYTES),
        CASE("\x96\x02\0\0\0\0\0\0\0", LP_NODE_BYTES),
#undef CASE
    };
    lp_pickle p;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(lp_pickle_read("data.pkl", cases[i].bytes, cases[i].size, &p, &err), &err);
        assert_int_equal(p.nodes[p.root].kind, cases[i].kind);
        assert_int_equal(p.nodes[p.root].is.text.start, cases[i].size - 3);
        assert_true(lp_pickle_is_text(&p, p.root, "ab"));
        lp_pickle_free(&p);
    }
    /* bytes in protocol 2 */
    assert_ok(READ(PROTO "c_codecs\nencode\nX\x02\0\0\0abX\x06\0\0\0latin1\x86R.", &p), &err);
    assert_true(lp_pickle_is_text(&p, p.root, "ab"));
    lp_pickle_free(&p);
    assert_fails(READ("\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", &p), LP_ERR_FORMAT, &err,
                 "ends 18446744073709551614 bytes too early");
    assert_fails(READ("\x80\x04\x95\x02\0\0\0\0\0\0\0N", &p), LP_ERR_FORMAT, &err,
                 "byte 2: a frame of 2 bytes, of which 1 are there");
}

static void numbers_in_decimal_are_read(void **state) {
    (void)state;
    lp_pickle p;
    assert_true(INTEGER("I01\n.") == 1);
    assert_true(INTEGER("I00\n.") == 0);
    assert_true(INTEGER("I-12\n.") == -12);
    assert_true(INTEGER("L999999999999999999L\n.") == INT64_C(999999999999999999));
    assert_true(
        INTEGER(
            "K\x07p300\n0g300\n."
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
        7);
    assert_ok(READ("L1000000000000000000000L\n.", &p), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_OPAQUE);
    lp_pickle_free(&p);
    assert_ok(READ("F0.5\n.", &p), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_OPAQUE);
    lp_pickle_free(&p);
    assert_fails(READ("I\n.", &p), LP_ERR_FORMAT, &err, "byte 0: expected a decimal number");
    assert_fails(READ("L-L\n.", &p), LP_ERR_FORMAT, &err, "expected a decimal number");
    assert_fails(READ("I1x\n.", &p), LP_ERR_FORMAT, &err, "expected a decimal number");
    assert_fails(READ("I12", &p), LP_ERR_FORMAT, &err, "ends within a line");
    assert_fails(READ("Np-1\n.", &p), LP_ERR_FORMAT, &err, "memo slot");
    assert_fails(READ("g5\n.", &p), LP_ERR_FORMAT, &err, "memo slot 5 is empty");
}

static void tensors_of_all_versions_are_read(void **state) {
    (void)state;
    lp_pickle p;
    /* a storage on a GPU, and the call of before PyTorch 0.4 */
#define OLD                                                                                        \
    "ctorch._utils\n_rebuild_tensor\n((U\x07storage"                                               \
    "ctorch.cuda\nHalfStorage\nU\x01"                                                              \
    "7U\x06"                                                                                       \
    "cuda:0\x8a\x01\x06NtQK\0\x8a\x01\x02\x85\x8a\x01\x01\x85tR"
    assert_ok(READ(PROTO OLD ".", &p), &err);
    const lp_node *tensor = &p.nodes[p.root];
    assert_int_equal(tensor->kind, LP_NODE_TENSOR);
    assert_int_equal(p.nodes[tensor->is.tensor.storage].is.storage.type->type, LP_DTYPE_F16);
    lp_pickle_free(&p);
    /* its parameters, which have a state of their own */
    assert_ok(READ(PROTO "ctorch.nn.parameter\nParameter\n" OLD "\x85R\x88\x89}\x87"
                         "b.",
                   &p),
              &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_TENSOR);
    lp_pickle_free(&p);
    assert_ok(READ(PROTO "ctorch.autograd.variable\nVariable\n" OLD "\x85R.", &p), &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_TENSOR);
    lp_pickle_free(&p);
    assert_ok(
        READ(PROTO "ctorch._utils\n_rebuild_device_tensor_from_cpu_tensor\n(" OLD "NNNtR.", &p),
        &err);
    assert_int_equal(p.nodes[p.root].kind, LP_NODE_TENSOR);
    lp_pickle_free(&p);
    /* an element type of tomorrow, and values that are to be negated: listed, not read */
    assert_ok(READ(PROTO "ctorch._utils\n_rebuild_tensor_v3\n(" STORAGE "K\0))\x89N"
                         "ctorch\nfloat3\ntR.",
                   &p),
              &err);
    assert_int_equal(p.nodes[p.root].is.tensor.type->type, LP_DTYPE_OTHER);
    lp_pickle_free(&p);
    assert_ok(READ(PROTO "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0))\x89N"
                         "}X\x03\0\0\0neg\x88stR.",
                   &p),
              &err);
    assert_int_equal(p.nodes[p.root].is.tensor.type->type, LP_DTYPE_OTHER);
    lp_pickle_free(&p);
    assert_ok(READ(PROTO "ctorch._utils\n_rebuild_tensor_v2\n(" STORAGE "K\0))\x89N}tR.", &p),
              &err);
    assert_null(p.nodes[p.root].is.tensor.type);
    lp_pickle_free(&p);
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

/* Values are taken off, doubled and remembered as Python does. */
static void stack_and_memo_can_be_worked_on(void **state) {
    (void)state;
    lp_pickle p;
    assert_true(INTEGER("K\x01K\x02"
                        "0.") == 1);
    assert_true(INTEGER("K\x01(0.") == 1); /* a mark */
    assert_true(INTEGER("K\x01(K\x02K\x03"
                        "1.") == 1);
    assert_true(INTEGER("K\x01K\x02\x94"
                        "0\x94"
                        "0h\0.") == 2);
    assert_true(INTEGER("K\x01q\x03K\x02\x94"
                        "00h\x01.") == 2); /* one in it: the next is 1 */
    assert_ok(READ(PROTO "K\x01"
                         "2\x86.",
                   &p),
              &err);
    assert_int_equal(p.nodes[p.nodes[p.root].is.items.first].is.cell.value,
                     p.nodes[p.nodes[p.root].is.items.last].is.cell.value);
    lp_pickle_free(&p);
    /* a tuple that holds a list that holds the tuple, as Python pickles it */
    assert_ok(READ(PROTO "]q\0h\0\x85q\1a"
                         "0h\1.",
                   &p),
              &err);
    lp_pickle_free(&p);
    assert_ok(READ(PROTO "(K\1K\2K\3]q\0(K\1K\2K\3h\0tq\1a"
                         "1h\1.",
                   &p),
              &err);
    assert_int_equal(p.nodes[p.root].is.items.count, 4);
    lp_pickle_free(&p);
    assert_fails(READ(PROTO "0.", &p), LP_ERR_FORMAT, &err, "needs a mark");
    assert_fails(READ(PROTO "1.", &p), LP_ERR_FORMAT, &err, "needs a mark");
    assert_fails(READ(PROTO "2.", &p), LP_ERR_FORMAT, &err, "needs 1 values");
    assert_fails(READ(PROTO "N(2.", &p), LP_ERR_FORMAT, &err, "needs 1 values");
    assert_fails(READ(PROTO "\x94.", &p), LP_ERR_FORMAT, &err, "needs 1 values");
}

static void number_of_values_is_bounded(void **state) {
    (void)state;
    static const char expected[] = "more than 8388608 values";
    enum { SIZE = LP_PICKLE_NODES + 4 };
    char *bytes = lp_alloc(SIZE, 1);
    lp_pickle p;
    assert_non_null(bytes);
    for (const char *each = "N2("; *each != '\0'; each++) { /* nodes, the stack, marks */
        memset(bytes, *each, SIZE);
        bytes[0] = 'N';
        assert_fails(lp_pickle_read("data.pkl", bytes, SIZE, &p, &err), LP_ERR_UNSUPPORTED, &err,
                     expected);
    }
    memcpy(bytes, "Nr\0\0\x80\0", 6); /* the memo */
    assert_fails(lp_pickle_read("data.pkl", bytes, SIZE, &p, &err), LP_ERR_UNSUPPORTED, &err,
                 expected);
    lp_free(bytes);
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
        cmocka_unit_test(each_protocol_gives_the_same),
        cmocka_unit_test(foreign_objects_keep_what_was_put_into_them),
        cmocka_unit_test(texts_and_bytes_stay_where_they_are),
        cmocka_unit_test(numbers_in_decimal_are_read),
        cmocka_unit_test(tensors_of_all_versions_are_read),
        cmocka_unit_test(stack_and_memo_can_be_worked_on),
        cmocka_unit_test(number_of_values_is_bounded),
        cmocka_unit_test(stack_and_marks_are_kept),
        cmocka_unit_test(memo_is_bounded),
        cmocka_unit_test(depth_sharing_and_circles_cost_nothing),
        cmocka_unit_test(every_shorter_pickle_is_refused),
        cmocka_unit_test(damaged_pickles_stay_bounded),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
