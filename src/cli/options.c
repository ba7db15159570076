/* Option parsing: --name VALUE, --name=VALUE, --flag; everything else is a word; "--" ends them.
 *
 *   1. the tables of all groups become one list of slots: an option, where its value goes, whether
 *      it was seen
 *   2. every argument is a word or fills a slot
 *   3. what is required must have been seen, and what a seen option needs */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "linprobe/encoder.h"
#include "report/chart.h"
#include "report/html.h"

static char command_line[4096];

/* Appends up to `length` bytes; what does not fit is left out. */
static void put(size_t *used, const char *bytes, size_t length) {
    for (; length > 0 && *bytes != '\0' && *used + 1 < sizeof command_line; length--) {
        command_line[(*used)++] = *bytes++;
    }
}

void cli_keep_command_line(int argc, char **argv) {
    size_t used = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = i == 0 ? "linprobe" : argv[i];
        bool plain = word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`*?[]{}()<>|&;!#~") == NULL;
        put(&used, i > 0 ? " " : "", 1);
        put(&used, "'", plain ? 0 : 1);
        for (; *word != '\0'; word++) { /* within quotes only the quote itself is special */
            put(&used, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
        }
        put(&used, "'", plain ? 0 : 1);
    }
    json_t *text = lp_json_any_text(command_line); /* it goes into JSON files, which are UTF-8 */
    (void)snprintf(command_line, sizeof command_line, "%s",
                   text != NULL ? json_string_value(text) : "");
    json_decref(text);
}

const char *cli_command_line(void) {
    return command_line;
}

int cli_work(const cli_command *command, lp_status (*work)(void *job, lp_error *err), void *job) {
    lp_error err = {0};
    lp_status status = work(job, &err);
    if (status == LP_OK) {
        return CLI_OK;
    }
    if (status != LP_NOT_CONVERGED || err.text[0] != '\0') {
        (void)fflush(stdout);
        (void)fprintf(stderr, "linprobe %s: %s\n", command->name,
                      err.text[0] != '\0' ? err.text : lp_status_name(status));
    }
    if (status == LP_CANCELLED && interrupt_signal() != 0) {
        return 128 + interrupt_signal();
    }
    return status == LP_NOT_CONVERGED ? CLI_NOT_CONVERGED : CLI_FAILURE;
}

int cli_finish(int exit_status) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "linprobe: standard output: cannot be written: %s\n",
                      strerror(errno));
        return CLI_FAILURE;
    }
    return exit_status;
}

int cli_usage_error(const cli_command *command, const char *text) {
    (void)fprintf(stderr, "linprobe %s: %s\n", command->name, text);
    help_usage(stderr, command);
    (void)fprintf(stderr, "`linprobe %s --help` explains.\n", command->name);
    return CLI_USAGE;
}

/* ---- values ---- */

/* "1,2,4" */
static lp_status store_counts(const cli_option *o, const char *text, cli_counts *counts,
                              lp_error *err) {
    lp_status status = LP_OK;
    counts->count = 0;
    while (status == LP_OK && text != NULL) {
        char item[32];
        uint64_t value = 0;
        const char *comma = strchr(text, ',');
        size_t length = comma != NULL ? (size_t)(comma - text) : strlen(text);
        (void)snprintf(item, sizeof item, "%.*s", (int)(length < 31 ? length : 31), text);
        status = lp_parse_count(o->name, item, (uint64_t)o->low, (uint64_t)o->high, &value, err);
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
    LP_TRY(lp_parse_count(o->name, side, (uint64_t)o->low, (uint64_t)o->high, &pixels, err));
    if (strcmp(side, other) != 0) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected a side, as 256, or a square, as 256x256, "
                       "found '%.100s'",
                       o->name, text));
    }
    *value = (lp_resize_to){(size_t)pixels, x != NULL};
done:
    return status;
}

/* The index of the name goes into an enum, which has the size of an int (checked in settings.c). */
static lp_status store_choice(const cli_option *o, const char *text, int *value, lp_error *err) {
    for (int i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(text, o->choices[i]) == 0) {
            *value = i;
            return LP_OK;
        }
    }
    char names[256] = "";
    help_choices(names, sizeof names, o->choices);
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found '%.100s'", o->name, names, text);
}

/* LP_ERR_ARGUMENT with what was expected and found. */
static lp_status store(const cli_option *o, const char *text, void *value, lp_error *err) {
    uint64_t count = 0;
    lp_status status = LP_OK;
    switch (o->kind) {
    case CLI_TEXT:
    case CLI_OUT_FILE:
    case CLI_OUT_FOLDER:
        *(const char **)value = text;
        return text[0] != '\0' ? LP_OK
                               : lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found nothing",
                                         o->name, o->argument);
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
    case CLI_CHOICE:
        return store_choice(o, text, value, err);
    case CLI_FLAG:
        *(bool *)value = true;
        break;
    }
    return status;
}

/* ---- the command line ---- */

enum { MOST_OPTIONS = 64 };

typedef struct slot {
    const cli_option *option;
    void *value;
    const char *group_needs;
    bool seen;
} slot;

typedef struct slots {
    size_t count;
    slot all[MOST_OPTIONS];
} slots;

static void list_slots(const cli_group *groups, slots *s) {
    s->count = 0;
    for (const cli_group *g = groups; g->options != NULL; g++) {
        for (const cli_option *o = g->options; o->name != NULL; o++) {
            assert(s->count < MOST_OPTIONS);
            s->all[s->count++] = (slot){o, (char *)g->settings + o->offset, g->needs, false};
        }
    }
}

static slot *find(slots *s, const char *name, size_t length) {
    for (size_t i = 0; i < s->count; i++) {
        const char *known = s->all[i].option->name;
        if (strlen(known) == length && memcmp(known, name, length) == 0) {
            return &s->all[i];
        }
    }
    return NULL;
}

/* The option at argv[*i], which moves to its argument where that is a word of its own. */
static lp_status take_option(slots *s, int argc, char **argv, int *i, lp_error *err) {
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    slot *found = find(s, word, equals != NULL ? (size_t)(equals - word) : strlen(word));
    if (found == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "unknown option '%.100s'", word);
    }
    const cli_option *o = found->option;
    found->seen = true;
    if (o->kind == CLI_FLAG) {
        return equals == NULL ? store(o, "", found->value, err)
                              : lp_fail(err, LP_ERR_ARGUMENT, "%s takes no argument", o->name);
    }
    if (equals == NULL && *i + 1 == argc) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s needs an argument: %s", o->name, o->argument);
    }
    return store(o, equals != NULL ? equals + 1 : argv[++*i], found->value, err);
}

static lp_status check_needed(slots *s, const slot *asking, const char *name, lp_error *err) {
    const slot *needed = name != NULL && asking->seen ? find(s, name, strlen(name)) : NULL;
    return needed == NULL || needed->seen
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s needs %s %s", asking->option->name, name,
                         needed->option->argument);
}

static lp_status check_slots(slots *s, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < s->count; i++) {
        const slot *each = &s->all[i];
        if (each->option->required && !each->seen) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s %s is missing", each->option->name,
                           each->option->argument);
        }
        LP_TRY(check_needed(s, each, each->option->needs, err));
        LP_TRY(check_needed(s, each, each->group_needs, err));
    }
done:
    return status;
}

/* Everything that is to be written, before any work: a run of hours must not end with a folder that
 * cannot be written.  Prints what is wrong. */
static bool check_outputs(const cli_command *command, slots *s) {
    bool good = true;
    for (size_t i = 0; i < s->count; i++) {
        const cli_option *o = s->all[i].option;
        bool folder = o->kind == CLI_OUT_FOLDER;
        bool output =
            folder || o->kind == CLI_OUT_FILE || o->kind == CLI_PICTURE || o->kind == CLI_PAGE;
        const slot *needed = o->needs != NULL ? find(s, o->needs, strlen(o->needs)) : NULL;
        const char *path = output ? *(const char *const *)s->all[i].value : NULL;
        lp_error err;
        if (path == NULL || (needed != NULL && !needed->seen)) {
            continue;
        }
        if ((folder ? lp_check_out_folder(path, &err) : lp_check_out_file(path, &err)) != LP_OK) {
            (void)fprintf(stderr, "linprobe %s: %s: %s\n", command->name, o->name, err.text);
            good = false;
        }
    }
    return good;
}

lp_status cli_store_named(const cli_option *options, void *settings, const char *name,
                          const char *text, bool *found, lp_error *err) {
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (strncmp(o->name, "--", 2) == 0 && strcmp(o->name + 2, name) == 0) {
            *found = true;
            return store(o, text, (char *)settings + o->offset, err);
        }
    }
    *found = false;
    return LP_OK;
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int cli_parse(const cli_command *command, const cli_group *groups, int argc, char **argv,
              const char **words, size_t min_words, size_t max_words, size_t *word_count) {
    slots s;
    lp_error err = {0};
    lp_status status = LP_OK;
    size_t count = 0;
    bool ended = false;
    if (asks_for_help(argc, argv)) {
        help_print(stdout, command, groups);
        return cli_finish(CLI_OK);
    }
    list_slots(groups, &s);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
        } else if (!ended && word[0] == '-' && word[1] != '\0') {
            LP_TRY(take_option(&s, argc, argv, &i, &err));
        } else if (count < max_words) {
            words[count++] = word;
        } else {
            LP_TRY(lp_fail(&err, LP_ERR_ARGUMENT, "unexpected argument '%.100s'", word));
        }
    }
    LP_TRY(check_slots(&s, &err));
    if (count < min_words) {
        LP_TRY(lp_fail(&err, LP_ERR_ARGUMENT, "expected %zu argument%s, found %zu", min_words,
                       min_words == 1 ? "" : "s", count));
    }
    if (word_count != NULL) {
        *word_count = count;
    }
    if (!check_outputs(command, &s)) {
        return CLI_FAILURE;
    }
done:
    return status == LP_OK ? CLI_CONTINUE : cli_usage_error(command, err.text);
}
