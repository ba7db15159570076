/* Data stage: MATLAB files by libmatio. */
#include "data/mat_file.h"

#include "base/error.h"
#include "data/plain_file.h"

#ifdef LP_HAS_MATIO
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <matio.h>

/* An open variable of a file. */
typedef struct mat_variable {
    lp_plain_file plain;
    const char *name;
    mat_t *file;
    matvar_t *value;
    lp_error *err;
} mat_variable;

static void close_variable(mat_variable *v) {
    if (v->value != NULL) {
        Mat_VarFree(v->value);
    }
    if (v->file != NULL) {
        (void)Mat_Close(v->file);
    }
    lp_plain_file_close(&v->plain);
}

static lp_status open_variable(const lp_tree *tree, const char *name, const char *variable,
                               mat_variable *v, lp_error *err) {
    lp_status status;
    *v = (mat_variable){.name = variable, .err = err};
    LP_TRY(lp_plain_file_open(tree, name, &v->plain, err));
    v->file = Mat_Open(v->plain.name, MAT_ACC_RDONLY);
    if (v->file == NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected a MATLAB file (.mat)", v->plain.path);
    }
    v->value = Mat_VarRead(v->file, variable);
    if (v->value == NULL) {
        status =
            lp_fail(err, LP_ERR_FORMAT, "%s: expected a variable '%s'", v->plain.path, variable);
    }
done:
    return status;
}

static size_t elements(const matvar_t *value) {
    size_t count = 1;
    for (int d = 0; d < value->rank; d++) {
        count *= value->dims[d];
    }
    return value->data != NULL ? count : 0;
}

static lp_status fail_kind(const mat_variable *v, const char *expected) {
    return lp_fail(v->err, LP_ERR_FORMAT, "%s: '%s': expected %s", v->plain.path, v->name,
                   expected);
}

/* Element i of an array of numbers; false where it is none. */
static bool number_at(const matvar_t *value, size_t i, double *number) {
    switch (value->class_type) {
    case MAT_C_DOUBLE:
        *number = ((const double *)value->data)[i];
        return value->data_size == sizeof(double);
    case MAT_C_SINGLE:
        *number = (double)((const float *)value->data)[i];
        return value->data_size == sizeof(float);
    case MAT_C_UINT8:
        *number = ((const uint8_t *)value->data)[i];
        return value->data_size == 1;
    case MAT_C_UINT16:
        *number = ((const uint16_t *)value->data)[i];
        return value->data_size == 2;
    case MAT_C_INT16:
        *number = ((const int16_t *)value->data)[i];
        return value->data_size == 2;
    case MAT_C_INT32:
        *number = ((const int32_t *)value->data)[i];
        return value->data_size == 4;
    default:
        return false;
    }
}

static bool whole_at(const matvar_t *value, size_t i, int64_t *whole) {
    double number = 0;
    if (value == NULL || i >= elements(value) || value->isComplex ||
        !number_at(value, i, &number) || rint(number) < number || rint(number) > number ||
        fabs(number) > 0x1p53) {
        return false;
    }
    *whole = (int64_t)number;
    return true;
}

lp_status lp_mat_numbers(const lp_tree *tree, const char *name, const char *variable,
                         lp_memory *memory, int64_t **values, size_t *count, lp_error *err) {
    mat_variable v;
    lp_status status;
    LP_TRY(open_variable(tree, name, variable, &v, err));
    *count = elements(v.value);
    *values = lp_memory_take(memory, *count, sizeof **values);
    LP_TRY(lp_memory_check(memory, variable, err));
    for (size_t i = 0; i < *count; i++) {
        if (!whole_at(v.value, i, &(*values)[i])) {
            LP_TRY(fail_kind(&v, "an array of whole numbers"));
        }
    }
done:
    close_variable(&v);
    return status;
}

lp_status lp_mat_bytes(const lp_tree *tree, const char *name, const char *variable,
                       lp_memory *memory, unsigned char **bytes, size_t shape[4], lp_error *err) {
    mat_variable v;
    lp_status status;
    LP_TRY(open_variable(tree, name, variable, &v, err));
    size_t count = elements(v.value);
    if (v.value->class_type != MAT_C_UINT8 || v.value->rank != 4 || count == 0 ||
        v.value->data_size != 1) {
        LP_TRY(fail_kind(&v, "an array of bytes in four dimensions"));
    }
    for (size_t d = 0; d < 4; d++) {
        shape[d] = v.value->dims[d];
    }
    *bytes = lp_memory_take(memory, count, 1);
    LP_TRY(lp_memory_check(memory, variable, err));
    memcpy(*bytes, v.value->data, count);
done:
    close_variable(&v);
    return status;
}

/* Entry i of a cell array, or its struct's field. */
static matvar_t *entry_of(const mat_variable *v, const char *field, size_t i) {
    if (field != NULL) {
        return v->value->class_type == MAT_C_STRUCT
                   ? Mat_VarGetStructFieldByName(v->value, field, i)
                   : NULL;
    }
    return v->value->class_type == MAT_C_CELL ? ((matvar_t **)v->value->data)[i] : NULL;
}

lp_status lp_mat_texts(const lp_tree *tree, const char *name, const char *variable,
                       const char *field, lp_memory *memory, char ***texts, size_t *count,
                       lp_error *err) {
    mat_variable v;
    lp_status status;
    LP_TRY(open_variable(tree, name, variable, &v, err));
    *count = elements(v.value);
    *texts = lp_memory_take(memory, *count, sizeof **texts);
    LP_TRY(lp_memory_check(memory, variable, err));
    for (size_t i = 0; i < *count; i++) {
        const matvar_t *entry = entry_of(&v, field, i);
        size_t length = entry != NULL ? elements(entry) : 0;
        if (entry == NULL || entry->class_type != MAT_C_CHAR || entry->data_size > 2) {
            LP_TRY(fail_kind(&v, field != NULL ? "texts in that field of its structs"
                                               : "a cell array of texts"));
        }
        char *text = lp_memory_take(memory, length + 1, 1);
        LP_TRY(lp_memory_check(memory, variable, err));
        for (size_t c = 0; c < length; c++) {
            unsigned code = entry->data_size == 1 ? ((const uint8_t *)entry->data)[c]
                                                  : ((const uint16_t *)entry->data)[c];
            text[c] = (char)(code < 128 && code > 0 ? code : '?');
        }
        text[length] = '\0';
        (*texts)[i] = text;
    }
done:
    close_variable(&v);
    return status;
}

lp_status lp_mat_field(const lp_tree *tree, const char *name, const char *variable,
                       const char *field, lp_memory *memory, int64_t **values, size_t *count,
                       lp_error *err) {
    mat_variable v;
    lp_status status;
    LP_TRY(open_variable(tree, name, variable, &v, err));
    *count = elements(v.value);
    *values = lp_memory_take(memory, *count, sizeof **values);
    LP_TRY(lp_memory_check(memory, variable, err));
    for (size_t i = 0; i < *count; i++) {
        if (!whole_at(entry_of(&v, field, i), 0, &(*values)[i])) {
            LP_TRY(fail_kind(&v, "whole numbers in that field of its structs"));
        }
    }
done:
    close_variable(&v);
    return status;
}

#else

static lp_status fail_missing(const lp_tree *tree, const char *name, lp_error *err) {
    char path[LP_PATH_ROOM] = "";
    (void)!lp_tree_path(tree, name, path, NULL);
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "%s: this program was built without libmatio (libmatio-dev), which reads .mat "
                   "files",
                   path);
}

lp_status lp_mat_numbers(const lp_tree *tree, const char *name, const char *variable,
                         lp_memory *memory, int64_t **values, size_t *count, lp_error *err) {
    (void)variable, (void)memory, (void)values, (void)count;
    return fail_missing(tree, name, err);
}

lp_status lp_mat_bytes(const lp_tree *tree, const char *name, const char *variable,
                       lp_memory *memory, unsigned char **bytes, size_t shape[4], lp_error *err) {
    (void)variable, (void)memory, (void)bytes, (void)shape;
    return fail_missing(tree, name, err);
}

lp_status lp_mat_texts(const lp_tree *tree, const char *name, const char *variable,
                       const char *field, lp_memory *memory, char ***texts, size_t *count,
                       lp_error *err) {
    (void)variable, (void)field, (void)memory, (void)texts, (void)count;
    return fail_missing(tree, name, err);
}

lp_status lp_mat_field(const lp_tree *tree, const char *name, const char *variable,
                       const char *field, lp_memory *memory, int64_t **values, size_t *count,
                       lp_error *err) {
    (void)variable, (void)field, (void)memory, (void)values, (void)count;
    return fail_missing(tree, name, err);
}
#endif
