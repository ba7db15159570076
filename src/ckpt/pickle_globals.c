/* The table of globals.
 *
 * Reference: torch/_utils.py, torch/_tensor.py and torch/serialization.py (what state dictionaries
 * are made of), torch/csrc/jit/serialization/pickler.cpp (module trees). */
#include "ckpt/pickle_globals.h"

#include <stdbool.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *module, *name;
    lp_role role;
} globals[] = {
    {"collections", "OrderedDict", LP_ROLE_ORDERED_DICT},
    {"collections", "defaultdict", LP_ROLE_DEFAULT_DICT},
    {"torch._utils", "_rebuild_tensor_v2", LP_ROLE_TENSOR},
    {"torch._utils", "_rebuild_tensor_v3", LP_ROLE_TENSOR_TYPED},
    {"torch._tensor", "_rebuild_from_type", LP_ROLE_SUBCLASS},
    {"torch._tensor", "_rebuild_from_type_v2", LP_ROLE_SUBCLASS},
    {"torch._utils", "_rebuild_parameter", LP_ROLE_PARAMETER},
    {"torch._utils", "_rebuild_parameter_with_state", LP_ROLE_PARAMETER},
    {"torch.jit._pickle", "build_intlist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_doublelist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_boollist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "build_tensorlist", LP_ROLE_FIRST},
    {"torch.jit._pickle", "restore_type_tag", LP_ROLE_FIRST},
    {"torch", "Size", LP_ROLE_FIRST},
    {"builtins", "set", LP_ROLE_SET},
    {"builtins", "frozenset", LP_ROLE_SET},
    {"__builtin__", "set", LP_ROLE_SET},
    {"__builtin__", "frozenset", LP_ROLE_SET},
    {"torch", "device", LP_ROLE_INERT},
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

/* Of Python's own functions and classes, those that are none of these: classes of values, and what
 * members of enumerations are pickled by. */
static const char *const builtin_modules[] = {"builtins", "__builtin__"};
static const char *const builtins[] = {
    "bool",    "bytearray", "bytes", "complex", "dict",   "float", "frozenset",
    "getattr", "int",       "list",  "long",    "object", "range", "set",
    "slice",   "str",       "tuple", "unicode", "xrange",
};

/* Storage classes stand under torch and torch.storage, element types under torch. */
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
    {"QInt8Storage", "qint8", LP_DTYPE_OTHER, 1},
    {"QUInt8Storage", "quint8", LP_DTYPE_OTHER, 1},
    {"QInt32Storage", "qint32", LP_DTYPE_OTHER, 4},
    {"ComplexFloatStorage", "complex64", LP_DTYPE_OTHER, 8},
    {"ComplexDoubleStorage", "complex128", LP_DTYPE_OTHER, 16},
    {NULL, "uint16", LP_DTYPE_OTHER, 2},
    {NULL, "uint32", LP_DTYPE_OTHER, 4},
    {NULL, "uint64", LP_DTYPE_OTHER, 8},
    {NULL, "float8_e4m3fn", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e4m3fnuz", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e5m2", LP_DTYPE_OTHER, 1},
    {NULL, "float8_e5m2fnuz", LP_DTYPE_OTHER, 1},
};

static bool equals(const char *text, const char *bytes, size_t length) {
    return text != NULL && strlen(text) == length && memcmp(text, bytes, length) == 0;
}

/* Whether a dotted name is `top` or stands below it; a line feed counts as a dot. */
static bool is_under(const char *name, size_t length, const char *top) {
    size_t n = 0;
    while (n < length && top[n] != '\0' && (name[n] == '\n' ? '.' : name[n]) == top[n]) {
        n++;
    }
    return top[n] == '\0' && (n == length || name[n] == '.' || name[n] == '\n');
}

static bool is_listed(const char *const *list, size_t count, const char *text, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (equals(list[i], text, length)) {
            return true;
        }
    }
    return false;
}

/* Of a global that is not in the table; `name` follows one byte behind `module`. */
static bool is_dangerous(const char *module, size_t module_length, const char *name,
                         size_t length) {
    if (is_listed(builtin_modules, COUNT(builtin_modules), module, module_length)) {
        return !is_listed(builtins, COUNT(builtins), name, length);
    }
    for (size_t i = 0; i < COUNT(dangerous); i++) {
        if (is_under(module, module_length + 1 + length, dangerous[i])) {
            return true;
        }
    }
    return false;
}

lp_role lp_global_find(const char *module, size_t module_length, const char *name, size_t length,
                       const lp_torch_type **type) {
    *type = NULL;
    for (size_t i = 0; i < COUNT(globals); i++) {
        if (equals(globals[i].module, module, module_length) &&
            equals(globals[i].name, name, length)) {
            return globals[i].role;
        }
    }
    bool torch = equals("torch", module, module_length);
    bool storages = torch || equals("torch.storage", module, module_length);
    for (size_t i = 0; i < COUNT(types) && storages; i++) {
        bool storage = equals(types[i].storage, name, length);
        if (storage || (torch && equals(types[i].dtype, name, length))) {
            *type = &types[i];
            return storage ? LP_ROLE_STORAGE : LP_ROLE_DTYPE;
        }
    }
    if (is_under(module, module_length, "__torch__")) {
        return LP_ROLE_CLASS;
    }
    return is_dangerous(module, module_length, name, length) ? LP_ROLE_DANGEROUS : LP_ROLE_FOREIGN;
}
