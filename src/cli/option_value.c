/* Texts to the values of options, by their kinds. */
#include "cli/option_value.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/spelling.h"
#include "base/text.h"
#include "linprobe/encoder.h"
#include "report/chart.h"
#include "report/html.h"

void option_choices(char *out, size_t room, const char *const *names) {
    size_t used = 0;
    for (size_t i = 0; names[i] != NULL && used < room; i++) {
        const char *before = i == 0 ? "" : names[i + 1] != NULL ? ", " : " or ";
        used += (size_t)snprintf(out + used, room - used, "%s%s", before, names[i]);
    }
}

/* "1,2,4" */
static lp_status store_counts(const cli_option *o, const char *text, cli_counts *counts,
                              lp_error *err) {
    lp_status status = LP_OK;
    char what[160];
    (void)snprintf(what, sizeof what, "%s %.100s", o->name, text); /* an item may be empty */
    counts->count = 0;
    while (status == LP_OK && text != NULL) {
        char item[32];
        uint64_t value = 0;
        const char *comma = strchr(text, ',');
        size_t length = comma != NULL ? (size_t)(comma - text) : strlen(text);
        (void)snprintf(item, sizeof item, "%.*s", (int)(length < 31 ? length : 31), text);
        status = lp_parse_count(what, item, (uint64_t)o->low, (uint64_t)o->high, &value, err);
        if (counts->count == sizeof counts->values / sizeof counts->values[0]) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s: more than %zu numbers", o->name,
                           counts->count);
        }
        counts->values[counts->count++] = (size_t)value;
        text = comma != NULL ? comma + 1 : NULL;
    }
    return status;
}

/* "256", the shorter side; "256x256", both. */
static lp_status store_resize(const cli_option *o, const char *text, lp_resize_to *value,
                              lp_error *err) {
    char side[32], other[32] = "";
    uint64_t pixels = 0;
    const char *x = strchr(text, 'x');
    int length = (int)(x != NULL ? x - text : (long)strlen(text));
    (void)snprintf(side, sizeof side, "%.*s", length < 31 ? length : 31, text);
    (void)snprintf(other, sizeof other, "%s", x != NULL ? x + 1 : side);
    lp_status status;
    if (side[0] < '0' || side[0] > '9' || strcmp(side, other) != 0) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected a side, as 256, or a square, as 256x256, "
                       "found '%.100s'",
                       o->name, text));
    }
    LP_TRY(lp_parse_count(o->name, side, (uint64_t)o->low, (uint64_t)o->high, &pixels, err));
    *value = (lp_resize_to){(size_t)pixels, x != NULL};
done:
    return status;
}

/* "12", one block; "9-12", several. */
static lp_status store_layers(const cli_option *o, const char *text, lp_layers *value,
                              lp_error *err) {
    char first[32];
    uint64_t from = 0, to = 0;
    const char *dash = strchr(text, '-');
    int length = (int)(dash != NULL ? dash - text : (long)strlen(text));
    (void)snprintf(first, sizeof first, "%.*s", length < 31 ? length : 31, text);
    lp_status status;
    LP_TRY(lp_parse_count(o->name, first, (uint64_t)o->low, (uint64_t)o->high, &from, err));
    LP_TRY(lp_parse_count(o->name, dash != NULL ? dash + 1 : first, from, (uint64_t)o->high, &to,
                          err));
    *value = (lp_layers){(size_t)from, (size_t)to};
done:
    return status;
}

/* The index of the name goes into an enum, which has the size of an int (checked in settings.c). */
static lp_status store_choice(const cli_option *o, const char *text, int *value, lp_error *err) {
    int found = lp_text_index(o->choices, text, -1);
    if (found >= 0) {
        *value = found;
        return LP_OK;
    }
    char names[256] = "", meant[LP_SPELLING_TEXT];
    lp_spelling near = lp_spelling_of(text);
    for (int i = 0; o->choices[i] != NULL; i++) {
        lp_spelling_try(&near, o->choices[i]);
    }
    option_choices(names, sizeof names, o->choices);
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found '%.100s'%s", o->name, names, text,
                   lp_spelling_text(&near, meant));
}

lp_status option_store(const cli_option *o, const char *text, void *value, lp_error *err) {
    uint64_t count = 0;
    lp_status status = LP_OK;
    switch (o->kind) {
    case CLI_TEXT:
    case CLI_OUT_FILE:
    case CLI_OUT_FOLDER:
        *(const char **)value = text;
        return text[0] != '\0' || o->may_be_empty
                   ? LP_OK
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found nothing", o->name,
                             o->argument);
    case CLI_PICTURE:
    case CLI_PAGE:
        *(const char **)value = text;
        status =
            o->kind == CLI_PAGE ? lp_html_check_path(text, err) : lp_chart_check_path(text, err);
        return status == LP_OK ? LP_OK : lp_prefix(err, status, "%s: ", o->name);
    case CLI_REAL:
        return lp_parse_real(o->name, text, o->low, o->high, value, err);
    case CLI_COUNT:
        status = lp_parse_count(o->name, text, (uint64_t)o->low, (uint64_t)o->high, &count, err);
        *(size_t *)value = (size_t)count;
        break;
    case CLI_COUNTS:
        return store_counts(o, text, value, err);
    case CLI_RESIZE:
        return store_resize(o, text, value, err);
    case CLI_LAYERS:
        return store_layers(o, text, value, err);
    case CLI_CHOICE:
        return store_choice(o, text, value, err);
    case CLI_FLAG:
        *(bool *)value = true;
        break;
    }
    return status;
}
