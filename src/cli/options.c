/* Option parsing: --name VALUE, --name=VALUE, --flag; everything else is a word; "--" ends them. */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/interrupt.h"
#include "report/chart.h"
#include "report/html.h"

const char *const cli_formats[] = {"text", "csv", "json", NULL};

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

int cli_fail(const cli_command *command, lp_status status, const lp_error *err) {
    (void)fflush(stdout);
    (void)fprintf(stderr, "linprobe %s: %s\n", command->name,
                  err->text[0] != '\0' ? err->text : lp_status_name(status));
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

static void print_help(const cli_command *command, const cli_option *options) {
    (void)printf("usage: linprobe %s %s\n\n%s.\n", command->name, command->usage, command->summary);
    if (command->details != NULL) {
        (void)printf("\n%s\n", command->details);
    }
    (void)printf("\noptions:\n");
    for (const cli_option *o = options; o->name != NULL; o++) {
        char left[64];
        const char *help = o->help;
        (void)snprintf(left, sizeof left, "%s%s%s", o->name, o->argument != NULL ? " " : "",
                       o->argument != NULL ? o->argument : "");
        for (bool first = true; help != NULL; first = false) {
            const char *end = strchr(help, '\n');
            int length = end != NULL ? (int)(end - help) : (int)strlen(help);
            (void)printf("  %-22s  %.*s\n", first ? left : "", length, help);
            help = end != NULL ? end + 1 : NULL;
        }
    }
    (void)printf("  %-22s  %s\n", "--help", "this text");
}

int cli_usage_error(const cli_command *command, const char *text) {
    (void)fprintf(stderr,
                  "linprobe %s: %s\nusage: linprobe %s %s\n`linprobe %s --help` explains.\n",
                  command->name, text, command->name, command->usage, command->name);
    return CLI_USAGE;
}

/* "1,2,4" */
static lp_status store_counts(const cli_option *o, const char *text, lp_error *err) {
    cli_counts *counts = o->value;
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

/* A text stored in a choice or parsed as a number; LP_ERR_ARGUMENT with the allowed values. */
static lp_status store(const cli_option *o, const char *text, lp_error *err) {
    uint64_t count;
    lp_status status;
    switch (o->kind) {
    case CLI_TEXT:
        if (text[0] == '\0') {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected %s, found nothing", o->name,
                           o->argument);
        }
        *(const char **)o->value = text;
        return LP_OK;
    case CLI_PICTURE:
    case CLI_PAGE:
        *(const char **)o->value = text;
        status =
            o->kind == CLI_PAGE ? lp_html_check_path(text, err) : lp_chart_check_path(text, err);
        return status == LP_OK ? status : lp_prefix(err, status, "%s: ", o->name);
    case CLI_REAL:
        return lp_parse_real(o->name, text, o->low, o->high, o->value, err);
    case CLI_COUNT:
        status = lp_parse_count(o->name, text, (uint64_t)o->low, (uint64_t)o->high, &count, err);
        if (status == LP_OK) {
            *(size_t *)o->value = (size_t)count;
        }
        return status;
    case CLI_COUNTS:
        return store_counts(o, text, err);
    case CLI_CHOICE:
        for (int i = 0; o->choices[i] != NULL; i++) {
            if (strcmp(text, o->choices[i]) == 0) {
                *(int *)o->value = i;
                return LP_OK;
            }
        }
        break;
    case CLI_FLAG:
        break;
    }
    int used = snprintf(err->text, sizeof err->text, "%s: expected ", o->name);
    for (int i = 0; o->choices[i] != NULL; i++) {
        used += snprintf(err->text + used, sizeof err->text - (size_t)used, "%s%s",
                         i == 0                      ? ""
                         : o->choices[i + 1] != NULL ? ", "
                                                     : " or ",
                         o->choices[i]);
    }
    (void)snprintf(err->text + used, sizeof err->text - (size_t)used, ", found '%.100s'", text);
    return LP_ERR_ARGUMENT;
}

static const cli_option *find(const cli_option *options, const char *name, size_t length) {
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0) {
            return o;
        }
    }
    return NULL;
}

int cli_parse(const cli_command *command, const cli_option *options, int argc, char **argv,
              const char **words, size_t min_words, size_t max_words, size_t *word_count) {
    enum { MAX_OPTIONS = 64 };
    bool seen[MAX_OPTIONS] = {false};
    size_t count = 0;
    bool ended = false;
    lp_error err;
    char text[512];
    for (int i = 1; i < argc; i++) {
        if (!ended && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            print_help(command, options);
            return cli_finish(CLI_OK);
        }
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
        } else if (ended || word[0] != '-' || word[1] == '\0') {
            if (count == max_words) {
                (void)snprintf(text, sizeof text, "unexpected argument '%.100s'", word);
                return cli_usage_error(command, text);
            }
            words[count++] = word;
        } else {
            const char *equals = strchr(word, '=');
            size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
            const cli_option *o = find(options, word, length);
            if (o == NULL) {
                (void)snprintf(text, sizeof text, "unknown option '%.100s'", word);
                return cli_usage_error(command, text);
            }
            seen[o - options] = true;
            if (o->kind == CLI_FLAG) {
                if (equals != NULL) {
                    (void)snprintf(text, sizeof text, "%s takes no argument", o->name);
                    return cli_usage_error(command, text);
                }
                *(bool *)o->value = true;
                continue;
            }
            const char *value = equals != NULL ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (value == NULL) {
                (void)snprintf(text, sizeof text, "%s needs an argument: %s", o->name, o->argument);
                return cli_usage_error(command, text);
            }
            if (store(o, value, &err) != LP_OK) {
                return cli_usage_error(command, err.text);
            }
        }
    }
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (o->required && !seen[o - options]) {
            (void)snprintf(text, sizeof text, "%s %s is missing", o->name, o->argument);
            return cli_usage_error(command, text);
        }
        const cli_option *needed = o->needs != NULL ? find(options, o->needs, strlen(o->needs)) : o;
        if (seen[o - options] && !seen[needed - options]) {
            (void)snprintf(text, sizeof text, "%s needs %s %s", o->name, needed->name,
                           needed->argument);
            return cli_usage_error(command, text);
        }
    }
    if (count < min_words) {
        (void)snprintf(text, sizeof text, "expected %zu argument%s, found %zu", min_words,
                       min_words == 1 ? "" : "s", count);
        return cli_usage_error(command, text);
    }
    if (word_count != NULL) {
        *word_count = count;
    }
    return CLI_CONTINUE;
}
