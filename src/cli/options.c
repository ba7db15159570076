/* Option parsing: --name VALUE, --name=VALUE, --flag, -n VALUE, -nVALUE, -f; everything else is a
 * word; "--" ends them.
 *
 *   1. the tables of all groups become one list of slots: an option, where its value goes, and the
 *      text that was given for it
 *   2. every argument is a word or fills a slot
 *   3. lines of the config file fill slots that are still empty
 *   4. what is required must have been given, and what a given option needs or excludes
 *   5. a look at the paths: what lies there may be what another one should be */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/spelling.h"
#include "base/team.h"
#include "cli/config_file.h"
#include "cli/general.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/option_value.h"

static char command_line[4096];

/* Appends up to `length` bytes to out [room]; what does not fit is left out. */
static void put(char *out, size_t room, const char *bytes, size_t length) {
    size_t used = strlen(out);
    for (; length > 0 && *bytes != '\0' && used + 1 < room; length--) {
        out[used++] = *bytes++;
    }
    out[used] = '\0';
}

void cli_quote(char out[CLI_QUOTED], const char *word) {
    bool plain = word[0] != '\0' && strpbrk(word, " \t\n'\"\\$`*?[]{}()<>|&;!#~") == NULL;
    out[0] = '\0';
    put(out, CLI_QUOTED, "'", plain ? 0 : 1);
    for (; *word != '\0'; word++) { /* within quotes only the quote itself is special */
        put(out, CLI_QUOTED, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    }
    put(out, CLI_QUOTED, "'", plain ? 0 : 1);
}

/* Appends a word behind a blank. */
static void keep_word(const char *word) {
    char quoted[CLI_QUOTED];
    cli_quote(quoted, word);
    put(command_line, sizeof command_line, " ", command_line[0] != '\0' ? 1 : 0);
    put(command_line, sizeof command_line, quoted, sizeof quoted);
}

/* It goes into JSON files, which are UTF-8. */
static void mask_command_line(void) {
    json_t *text = lp_json_any_text(command_line);
    (void)snprintf(command_line, sizeof command_line, "%s",
                   text != NULL ? json_string_value(text) : "");
    json_decref(text);
}

void cli_keep_command_line(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        keep_word(i == 0 ? "linprobe" : argv[i]);
    }
    mask_command_line();
}

const char *cli_command_line(void) {
    return command_line;
}

static char last_message[sizeof(((lp_error *)0)->text)];

const char *cli_last_message(void) {
    return last_message;
}

static void keep_message(const char *text) {
    (void)snprintf(last_message, sizeof last_message, "%s", text);
}

/* What all ranks know of, they know together; any other failure is of one rank. */
static void print_failure(const char *name, lp_status status, lp_error *err) {
    bool shared = status == LP_NOT_CONVERGED || status == LP_CANCELLED || lp_team_failure_named();
    (void)fflush(stdout);
    if (err->text[0] == '\0') {
        (void)lp_fail(err, status, "%s", lp_status_name(status));
    }
    if (lp_team_size() > 1 && !shared) {
        (void)lp_team_fail(err, status, lp_team_rank(), err->text);
    }
    keep_message(err->text);
    (void)fprintf(stderr, "linprobe %s: %s\n", name, err->text);
}

int cli_work(const char *name, lp_status (*work)(void *job, lp_error *err), void *job) {
    lp_error err = {0};
    lp_status status = work(job, &err);
    if (status == LP_OK) {
        return CLI_OK;
    }
    if (status != LP_NOT_CONVERGED || err.text[0] != '\0') {
        print_failure(name, status, &err);
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

/* Explains on standard error what is wrong with the words given; returns CLI_USAGE. */
static int usage_error(const cli_command *command, const char *text) {
    keep_message(text);
    (void)fprintf(stderr, "linprobe %s: %s\n", command->name, text);
    help_usage(stderr, command);
    (void)fprintf(stderr, "`linprobe %s --help` explains.\n", command->name);
    return CLI_USAGE;
}

/* ---- the list of options ---- */

enum { MOST_OPTIONS = 64 };

typedef struct slot {
    const cli_option *option;
    void *value;
    const char *group_needs;
    const char *given; /* the text; "" of a flag; NULL: not given */
    bool configured;   /* by the config file */
} slot;

typedef struct slots {
    size_t count;
    slot all[MOST_OPTIONS];
} slots;

static void add_slots(slots *s, const cli_option *options, void *settings, const char *needs) {
    for (const cli_option *o = options; o->name != NULL; o++) {
        assert(s->count < MOST_OPTIONS);
        s->all[s->count++] = (slot){o, (char *)settings + o->offset, needs, NULL, false};
    }
}

static void list_slots(const cli_command *command, void *settings, slots *s) {
    s->count = 0;
    for (const cli_group *g = command->groups; g->options != NULL; g++) {
        add_slots(s, g->options, (char *)settings + g->offset, g->needs);
    }
    add_slots(s, general_options, &general, NULL);
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

static slot *find_letter(slots *s, char letter) {
    for (size_t i = 0; i < s->count; i++) {
        const cli_option *o = s->all[i].option;
        if (o->letter == letter || (o->name[1] == letter && o->name[2] == '\0')) {
            return &s->all[i];
        }
    }
    return NULL;
}

/* ---- the command line ---- */

static lp_status unknown_option(slots *s, const char *word, lp_error *err) {
    char name[64], meant[LP_SPELLING_TEXT];
    (void)snprintf(name, sizeof name, "%s%.*s", word[1] == '-' ? "" : "-", (int)strcspn(word, "="),
                   word); /* -model may be --model */
    lp_spelling near = lp_spelling_of(name);
    for (size_t i = 0; i < s->count && strlen(name) > 3; i++) {
        lp_spelling_try(&near, s->all[i].option->name);
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "unknown option '%.100s'%s", word,
                   lp_spelling_text(&near, meant));
}

/* `text` is the option's argument, NULL of a flag. */
static lp_status fill(slot *to, const char *text, lp_error *err) {
    const cli_option *o = to->option;
    if (to->given != NULL && text != NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s is given twice: '%.100s' and '%.100s'", o->name,
                       to->given, text);
    }
    to->given = text != NULL ? text : "";
    return option_store(o, to->given, to->value, err);
}

/* The argument of an option: what is attached to it, or the next word, to which *i moves. */
static lp_status fill_from(slot *to, const char *attached, int argc, char **argv, int *i,
                           lp_error *err) {
    if (attached == NULL && *i + 1 == argc) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s needs an argument: %s", to->option->name,
                       to->option->argument);
    }
    return fill(to, attached != NULL ? attached : argv[++*i], err);
}

/* --name, --name=VALUE or --name VALUE at argv[*i]. */
static lp_status take_long(slots *s, int argc, char **argv, int *i, lp_error *err) {
    const char *word = argv[*i];
    const char *equals = strchr(word, '=');
    slot *found = find(s, word, equals != NULL ? (size_t)(equals - word) : strlen(word));
    if (found == NULL) {
        return unknown_option(s, word, err);
    }
    if (found->option->kind == CLI_FLAG) {
        return equals == NULL
                   ? fill(found, NULL, err)
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s takes no argument", found->option->name);
    }
    return fill_from(found, equals != NULL ? equals + 1 : NULL, argc, argv, i, err);
}

/* -n VALUE, -nVALUE, -n=VALUE, or several flags in one word, at argv[*i]. */
static lp_status take_short(slots *s, int argc, char **argv, int *i, lp_error *err) {
    const char *word = argv[*i];
    char name[64];
    lp_status status = LP_OK;
    (void)snprintf(name, sizeof name, "-%.*s", (int)strcspn(word, "="), word);
    if (find(s, name, strlen(name)) != NULL) {
        return unknown_option(s, word, err); /* -model */
    }
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        slot *found = find_letter(s, *letter);
        if (found == NULL) {
            return unknown_option(s, word, err);
        }
        if (found->option->kind != CLI_FLAG) {
            const char *attached = letter[1] == '=' ? letter + 2 : letter + 1;
            return fill_from(found, letter[1] != '\0' ? attached : NULL, argc, argv, i, err);
        }
        LP_TRY(fill(found, NULL, err));
    }
done:
    return status;
}

/* ---- words ---- */

static size_t words_of(const cli_word *w) {
    return w->most > 0 ? w->most : 1;
}

/* Stores the next argument that is no option; `count` were stored before it. */
static lp_status take_word(const cli_word *words, void *settings, size_t count, const char *text,
                           lp_error *err) {
    for (const cli_word *w = words; w != NULL && w->name != NULL; w++) {
        if (count < words_of(w)) {
            ((const char **)(void *)((char *)settings + w->offset))[count] = text;
            if (w->most > 0) {
                *(size_t *)(void *)((char *)settings + w->count_offset) = count + 1;
            }
            return LP_OK;
        }
        count -= words_of(w);
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "unexpected argument '%.100s'", text);
}

static lp_status check_words(const cli_word *words, size_t count, lp_error *err) {
    size_t least = 0;
    for (const cli_word *w = words; w != NULL && w->name != NULL; w++) {
        least += w->most > 0 ? w->least : !w->optional;
    }
    return count >= least ? LP_OK
                          : lp_fail(err, LP_ERR_ARGUMENT, "expected %zu argument%s, found %zu",
                                    least, least == 1 ? "" : "s", count);
}

/* ---- the config file ---- */

static lp_status take_setting(void *context, const char *key, const char *value, lp_error *err) {
    slots *s = context;
    char name[64];
    (void)snprintf(name, sizeof name, "%s%s", key[0] != '\0' && key[1] == '\0' ? "-" : "--", key);
    slot *found = find(s, name, strlen(name));
    if (found == NULL) {
        return unknown_option(s, name, err);
    }
    const cli_option *o = found->option;
    if (found->value == &general.config) {
        return lp_fail(err, LP_ERR_ARGUMENT, "a config file cannot name another one");
    }
    if (found->given != NULL && !found->configured) {
        return LP_OK; /* the command line wins */
    }
    bool flag = o->kind == CLI_FLAG, off = strcmp(value, "false") == 0;
    if (flag && !off && strcmp(value, "true") != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected true or false, found '%.100s'", key,
                       value);
    }
    if (flag && off) {
        return LP_OK;
    }
    found->configured = true;
    keep_word(name);
    if (!flag) {
        keep_word(value);
    }
    return fill(found, flag ? NULL : value, err);
}

/* ---- checks ---- */

static lp_status check_needed(slots *s, const slot *asking, const char *name, lp_error *err) {
    const slot *needed = name != NULL && asking->given != NULL ? find(s, name, strlen(name)) : NULL;
    return needed == NULL || needed->given != NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s needs %s %s", asking->option->name, name,
                         needed->option->argument);
}

static lp_status check_excluded(slots *s, const slot *asking, lp_error *err) {
    const char *name = asking->given != NULL ? asking->option->excludes : NULL;
    const slot *other = name != NULL ? find(s, name, strlen(name)) : NULL;
    return other == NULL || other->given == NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s and %s exclude each other", asking->option->name,
                         name);
}

static lp_status check_slots(slots *s, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < s->count; i++) {
        const slot *each = &s->all[i];
        if (each->option->required && each->given == NULL) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s %s is missing", each->option->name,
                           each->option->argument);
        }
        LP_TRY(check_needed(s, each, each->option->needs, err));
        LP_TRY(check_needed(s, each, each->group_needs, err));
        LP_TRY(check_excluded(s, each, err));
    }
done:
    return status;
}

/* A path that was given, and what was expected there. */
typedef struct given_path {
    const char *name, *path;
    cli_content expected, found;
} given_path;

static size_t list_paths(const cli_command *command, const void *settings, const slots *s,
                         given_path paths[MOST_OPTIONS + 4]) {
    size_t count = 0;
    for (const cli_word *w = command->words; w != NULL && w->name != NULL; w++) {
        const char *path = *(const char *const *)(const void *)((const char *)settings + w->offset);
        if (w->content != CONTENT_UNKNOWN && path != NULL) {
            paths[count++] = (given_path){w->name, path, w->content, content_of(path)};
        }
    }
    for (size_t i = 0; i < s->count; i++) {
        const cli_option *o = s->all[i].option;
        const char *path = s->all[i].given;
        if (o->content != CONTENT_UNKNOWN && path != NULL) {
            paths[count++] = (given_path){o->name, path, o->content, content_of(path)};
        }
    }
    return count;
}

/* A probe where features should be, and the like. */
static lp_status check_paths(const cli_command *command, const void *settings, const slots *s,
                             lp_error *err) {
    given_path paths[MOST_OPTIONS + 4];
    size_t count = list_paths(command, settings, s, paths);
    for (size_t i = 0; i < count; i++) {
        const given_path *wrong = &paths[i], *other = NULL;
        if (wrong->found == CONTENT_UNKNOWN || wrong->found == wrong->expected) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            other = paths[k].expected == wrong->found && paths[k].found == wrong->expected
                        ? &paths[k]
                        : other;
        }
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found %s: %.300s%s%s%s", wrong->name,
                       content_name(wrong->expected), content_name(wrong->found), wrong->path,
                       other != NULL ? "; it and " : "", other != NULL ? other->name : "",
                       other != NULL ? " are swapped" : "");
    }
    return LP_OK;
}

/* Everything that is to be written, before any work: a run of hours must not end with a folder that
 * cannot be written.  Makes the folders that files go to.  Prints what is wrong. */
static bool check_outputs(const cli_command *command, slots *s) {
    bool good = true;
    for (size_t i = 0; lp_team_rank() == 0 && i < s->count; i++) {
        const cli_option *o = s->all[i].option;
        bool folder = o->kind == CLI_OUT_FOLDER;
        bool output =
            folder || o->kind == CLI_OUT_FILE || o->kind == CLI_PICTURE || o->kind == CLI_PAGE;
        const slot *needed = o->needs != NULL ? find(s, o->needs, strlen(o->needs)) : NULL;
        const char *path = output ? *(const char *const *)s->all[i].value : NULL;
        lp_error err;
        if (path == NULL || (needed != NULL && needed->given == NULL)) {
            continue;
        }
        lp_status status = folder ? lp_check_out_folder(path, &err) : lp_check_out_file(path, &err);
        if (status == LP_OK && !folder) {
            status = lp_make_parents(path, &err);
        }
        if (status != LP_OK) {
            (void)fprintf(stderr, "linprobe %s: %s: %s\n", command->name, o->name, err.text);
            good = false;
        }
    }
    return good;
}

/* ---- a command ---- */

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

static lp_status parse(const cli_command *command, void *settings, slots *s, int argc, char **argv,
                       lp_error *err) {
    size_t count = 0;
    bool ended = false;
    lp_status status;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
        } else if (!ended && word[0] == '-' && word[1] != '\0') {
            LP_TRY(word[1] == '-' ? take_long(s, argc, argv, &i, err)
                                  : take_short(s, argc, argv, &i, err));
        } else {
            LP_TRY(take_word(command->words, settings, count++, word, err));
        }
    }
    if (general.config != NULL) {
        LP_TRY(config_read(general.config, take_setting, s, err));
        mask_command_line();
    }
    LP_TRY(check_slots(s, err));
    LP_TRY(check_words(command->words, count, err));
    LP_TRY(check_paths(command, settings, s, err));
    status = command->check != NULL ? command->check(settings, err) : LP_OK;
done:
    return status;
}

/* Whether this rank does the command's work. */
static bool choose_ranks(const cli_command *command) {
    size_t rank = lp_team_rank(), others = lp_team_size() - 1;
    if (others > 0 && !command->on_ranks) {
        general_note("%s works on one rank: the other %zu of the job wait for it", command->name,
                     others);
        lp_team_join(NULL);
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN), mine = (long)lp_processor_count();
    if (others > 0 && command->on_ranks && mine < processors) { /* mpirun binds ranks to cores */
        general_note("rank 0 may run on %ld of its machine's %ld processors (Open MPI: --bind-to "
                     "none lifts that)",
                     mine, processors);
    }
    return rank == 0 || command->on_ranks;
}

int cli_run(const cli_command *command, int argc, char **argv) {
    slots s;
    lp_error err = {0};
    int exit_status = CLI_OK;
    lp_status status;
    void *settings = lp_alloc_zeroed(1, command->size);
    LP_TRY(lp_allocated(settings, "settings", 1, command->size, &err));
    if (command->defaults != NULL) {
        command->defaults(settings);
    }
    list_slots(command, settings, &s);
    if (asks_for_help(argc, argv)) {
        help_print(stdout, command, settings);
    } else if (parse(command, settings, &s, argc, argv, &err) != LP_OK) {
        exit_status = usage_error(command, err.text);
    } else if (!check_outputs(command, &s)) {
        exit_status = CLI_FAILURE;
    } else if (choose_ranks(command)) {
        exit_status = cli_work(command->name, command->work, settings);
    }
done:
    if (status != LP_OK) {
        (void)fprintf(stderr, "linprobe %s: %s\n", command->name, err.text);
        exit_status = CLI_FAILURE;
    }
    lp_free(settings);
    return cli_finish(exit_status);
}

lp_status cli_store_named(const cli_option *options, void *settings, const char *name,
                          const char *text, bool *found, lp_error *err) {
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (strncmp(o->name, "--", 2) == 0 && strcmp(o->name + 2, name) == 0) {
            *found = true;
            return option_store(o, text, (char *)settings + o->offset, err);
        }
    }
    *found = false;
    return LP_OK;
}
