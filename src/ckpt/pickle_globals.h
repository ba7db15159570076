/* The globals of PyTorch's pickles: which name stands for what.  None is ever imported. */
#ifndef LP_CKPT_PICKLE_GLOBALS_H
#define LP_CKPT_PICKLE_GLOBALS_H

#include <stddef.h>
#include "ckpt/pickle.h"

/* What a global may be used for. */
typedef enum lp_role {
    LP_ROLE_ORDERED_DICT, /* (), (pairs) or (dictionary) -> a dictionary */
    LP_ROLE_DEFAULT_DICT, /* (...) -> an empty dictionary */
    LP_ROLE_TENSOR,       /* (storage, offset, shape, stride, ...) -> a tensor */
    LP_ROLE_TENSOR_TYPED, /* the same with the element type as the seventh argument */
    LP_ROLE_SUBCLASS,     /* (one of the two above, class, its arguments, state) -> a tensor */
    LP_ROLE_PARAMETER,    /* (tensor, ...) -> that tensor, or foreign node */
    LP_ROLE_FIRST,        /* (value, ...) -> that value: a builder of typed lists */
    LP_ROLE_SET,          /* () or (list) -> a list */
    LP_ROLE_NAMED_TUPLE,  /* (name, fields, ...) -> a class: instances are dictionaries */
    LP_ROLE_MODULE,       /* (its name) -> a global without a name */
    LP_ROLE_ATTRIBUTE,    /* (what that gave, name) -> the global of both; else foreign */
    LP_ROLE_WITH_STATE,   /* (function, its arguments, state, ...) -> what it makes of them */
    LP_ROLE_INERT,        /* (...) -> an opaque value */
    LP_ROLE_STORAGE,      /* a storage class: an argument, never called */
    LP_ROLE_DTYPE,        /* an element type, likewise */
    LP_ROLE_CLASS,        /* a TorchScript class: instances are objects with a state */
    LP_ROLE_FOREIGN,      /* (...) -> a foreign node */
    LP_ROLE_DANGEROUS     /* refused */
} lp_role;

/* The role of a global; *type is the type that it names, or NULL. */
lp_role lp_global_find(const char *module, size_t module_length, const char *name, size_t length,
                       const lp_torch_type **type);

#endif
