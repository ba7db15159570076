/* The table of globals.
 *
 * Reference: torch/_utils.py, torch/_tensor.py and torch/serialization.py (what state dictionaries
 * are made of), torch/csrc/jit/serialization/pickler.cpp (module trees); dill/_dill.py (classes of
 * named tuples, and functions of C modules, which it looks up by two calls), jax/_src/array.py and
 * haiku/_src/data_structures.py (arrays, and what holds them). */
#include "ckpt/pickle_globals.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *module, *name;
    lp_role role;
} globals[] = {
    {"collections", "OrderedDict", LP_ROLE_ORDERED_DICT},
    {"collections", "defaultdict", LP_ROLE_DEFAULT_DICT},
    {"torch._utils", "_rebuild_tensor", LP_ROLE_TENSOR}, /* before PyTorch 0.4 */
    {"torch._utils", "_rebuild_tensor_v2", LP_ROLE_TENSOR},
    {"torch._utils", "_rebuild_tensor_v3", LP_ROLE_TENSOR_TYPED},
    {"torch._tensor", "_rebuild_from_type", LP_ROLE_SUBCLASS},
    {"torch._tensor", "_rebuild_from_type_v2", LP_ROLE_SUBCLASS},
    {"torch._utils", "_rebuild_parameter", LP_ROLE_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", LP_ROLE_PARAMETER},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", LP_ROLE_PARAMETER},
    {"torch.nn.parameter", "Parameter", LP_ROLE_PARAMETER}, /* this one and the next: before 0.4 */
    {"torch.autograd.variable", "Variable", LP_ROLE_PARAMETER},
    {"torch.jit._pickle", "build_intlist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_doublelist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_boollist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_tensorlist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "restore_type_tag", LP_ROLE_FIRST},
    {"torch", "Size", LP_ROLE_FIRST},
    {"_codecs", "encode", LP_ROLE_FIRST}, /* bytes in protocol 2: a text, and "latin1" */
    {"builtins", "set", LP_ROLE_SET},
    {"builtins", "frozenset", LP_ROLE_SET},
    {"__builtin__", "set", LP_ROLE_SET},
    {"__builtin__", "frozenset", LP_ROLE_SET},
    {"torch", "device", LP_ROLE_INERT},
    {"dill._dill", "_create_namedtuple", LP_ROLE_NAMED_TUPLE},
    {"dill._dill", "_import_module", LP_ROLE_MODULE},
    {"dill._dill", "_get_attr", LP_ROLE_ATTRIBUTE},
    {"dill._dill", "_create_array", LP_ROLE_WITH_STATE},
    {"jax._src.array", "_reconstruct_array", LP_ROLE_WITH_STATE},
    {"haiku._src.data_structures", "FlatMapping", LP_ROLE_ORDERED_DICT},
    {"haiku._src.data_structures", "frozendict", LP_ROLE_ORDERED_DICT},
};

/* Globals, with all below them, that run code or commands when Python loads them, or read further
 * pickles.  Here they could do nothing; but no weights name one, and a file that does is an attack
 * on whoever loads it elsewhere. */
/* clang-format off */
static const char *const dangerous[] = {
    "_pickle", "cloudpickle", "ctypes", "dill", "imp", "importlib", "marshal", "nt", "os", "pdb",
    "pickle", "posix", "pty", "runpy", "shutil", "socket", "subprocess", "sys", "torch.hub",
    "torch.jit.load", "torch.load", "torch.serialization.load", "torch.storage", "webbrowser",
};
/* clang-format on */

/* Of Python's own functions and classes, those that are none of these: values, their classes, and
 * what members of enumerations, methods and inner classes are pickled by. */
static const char *const builtin_modules[] = {"builtins", "__builtin__"};
static const char *const builtins[] = {
    "Ellipsis", "NotImplemented", "bool",      "bytearray", "bytes", "complex",
    "dict",     "float",          "frozenset", "getattr",   "int",   "list",
    "long",     "object",         "range",     "set",       "slice", "str",
    "tuple",    "type",           "unicode",   "xrange",
};

/* Storage classes stand under torch, torch.storage and, of tensors that old versions saved on a
 * GPU, torch.cuda; element types under torch. */
static const lp_torch_type types[] = {
    {"HalfStorage", "float16", LP_DTYPE_F16, 2},
    {"BFloat16Storage", "bfloat16", LP_DTYPE_BF16, 2},
    {"FloatStorage", "float32", LP_DTYPE_F32, 4},
    {"DoubleStorage", "float64", LP_DTYPE_F64, 8},
    {"LongStorage", "int64", LP_DTYPE_I64, 8},
    {"IntStorage", "int32", LP_DTYPE_I32, 4},
    {"ShortStorage", "int16", LP_DTYPE_I16, 2},
    {"CharStorage", "int8", LP_DTYPE_I8, 1},
    {"ByteStorage", "uint8", LP_DTYPE_U8, 1},
    {"BoolStorage", "bool", LP_DTYPE_BOOL, 1},
    {"UntypedStorage", NULL, LP_DTYPE_OTHER, 1},
    {"_UntypedStorage", NULL, LP_DTYPE_OTHER, 1},
    {"QInt8Storage", "qint8", LP_DTYPE_OTHER, 1},
    {"QUInt8Storage", "quint8", LP_DTYPE_OTHER, 1},
    {"QInt32Storage", "qint32", LP_DTYPE_OTHER, 4},
    {"QUInt4x2Storage", "quint4x2", LP_DTYPE_OTHER, 1},
    {"QUInt2x4Storage", "quint2x4", LP_DTYPE_OTHER, 1},
    {"ComplexFloatStorage", "complex64", LP_DTYPE_OTHER, 8},
    {"ComplexDoubleStorage", "complex128", LP_DTYPE_OTHER, 16},
    {NULL, "uint16", LP_DTYPE_OTHER, 2},
    {NULL, "uint32", LP_DTYPE_OTHER, 4},
    {NULL, "uint64", LP_DTYPE_OTHER, 8},
    {NULL, "float8_e4m3fn", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e4m3fnuz", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e5m2", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e5m2fnuz", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e8m0fnu", LP_DTYPE_OTHER, 1},
    {NULL, "float4_e2m1fn_x2", LP_DTYPE_OTHER, 1},
    {NULL, "complex32", LP_DTYPE_OTHER, 4},
};

static bool equals(const char *text, const char *bytes, size_t length) {
    return text != NULL && strlen(text) == length && memcmp(text, bytes, length) == 0;
}

/* A global's name, in the two parts that pickles have.  Both may have dots: in protocol 4, what is
 * behind one in the second part is an attribute. */
typedef struct dotted {
    const char *module, *name;
    size_t module_length, length;
} dotted;

/* Character i of module.name, or NUL behind its end. */
static char character(const dotted *d, size_t i) {
    if (i < d->module_length) {
        return d->module[i];
    }
    i -= d->module_length;
    return i == 0 ? '.' : i <= d->length ? d->name[i - 1] : '\0';
}

/* Whether what begins at character i is `top`, or stands below it. */
static bool is_under(const dotted *d, size_t i, const char *top) {
    for (; *top != '\0'; i++, top++) {
        if (character(d, i) != *top) {
            return false;
        }
    }
    return i == d->module_length + 1 + d->length || character(d, i) == '.';
}

static bool is_any(const dotted *d, size_t at) {
    for (size_t i = 0; i < COUNT(dangerous); i++) {
        if (is_under(d, at, dangerous[i])) {
            return true;
        }
    }
    return false;
}

/* Of a global that is not in the table.  A name that is an attribute of another module (torch.os)
 * counts as well. */
static bool is_dangerous(const dotted *d) {
    if (lp_text_in(builtin_modules, COUNT(builtin_modules), d->module, d->module_length)) {
        return !lp_text_in(builtins, COUNT(builtins), d->name, d->length);
    }
    bool found = is_any(d, 0);
    for (size_t at = 0; at < d->length && !found; at++) {
        found = (at == 0 || d->name[at - 1] == '.') && is_any(d, d->module_length + 1 + at);
    }
    return found;
}

lp_role lp_global_find(const char *module, size_t module_length, const char *name, size_t length,
                       const lp_torch_type **type) {
    const dotted whole = {module, name, module_length, length};
    *type = NULL;
    for (size_t i = 0; i < COUNT(globals); i++) {
        if (equals(globals[i].module, module, module_length) &&
            equals(globals[i].name, name, length)) {
            return globals[i].role;
        }
    }
    bool torch = equals("torch", module, module_length);
    bool storages = torch || equals("torch.storage", module, module_length) ||
                    equals("torch.cuda", module, module_length);
    for (size_t i = 0; i < COUNT(types) && storages; i++) {
        bool storage = equals(types[i].storage, name, length);
        if (storage || (torch && equals(types[i].dtype, name, length))) {
            *type = &types[i];
            return storage ? LP_ROLE_STORAGE : LP_ROLE_DTYPE;
        }
    }
    if (is_under(&whole, 0, "__torch__")) {
        return LP_ROLE_CLASS;
    }
    return is_dangerous(&whole) ? LP_ROLE_DANGEROUS : LP_ROLE_FOREIGN;
}
