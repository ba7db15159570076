/* Printing --help: the options of all groups, sorted by heading; each with its default as the
 * settings hold it. */
#include "cli/help.h"

#include <stdarg.h>
#include <string.h>

enum { WIDTH = 80, LEFT = 24, HELP_MAX = 1024 };

static const char *const headings[CLI_SECTIONS] = {"input", "encoder", "method",
                                                   "probe", "output",  "general"};

/* Bytes up to the next place where a line may break: not in brackets, nor between "default" and
 * what it is. */
static size_t word_length(const char *text) {
    static const char glue[] = "default";
    const size_t glue_length = sizeof glue - 1;
    size_t length = 0;
    for (bool inside = false; text[length] != '\0' && text[length] != '\n'; length++) {
        bool glued =
            length >= glue_length && memcmp(text + length - glue_length, glue, glue_length) == 0;
        inside = text[length] == '[' || (inside && text[length] != ']');
        if (text[length] == ' ' && !inside && !glued) {
            break;
        }
    }
    return length;
}

void help_wrap(FILE *out, size_t column, size_t indent, const char *text) {
    bool line_is_empty = true;
    while (*text != '\0') {
        size_t length = word_length(text);
        if (*text == '\n' || (!line_is_empty && column + 1 + length > WIDTH)) {
            (void)fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
            line_is_empty = true;
        }
        if (length > 0) {
            (void)fprintf(out, "%s%.*s", line_is_empty ? "" : " ", (int)length, text);
            column += length + (line_is_empty ? 0 : 1);
            line_is_empty = false;
        }
        text += length;
        text += *text == ' ' || (*text == '\n' && length == 0) ? 1 : 0;
    }
    (void)fputc('\n', out);
}

void help_usage(FILE *out, const cli_command *command) {
    const char *start = "usage:";
    for (const char *form = command->usage, *end; form != NULL; form = end) {
        char line[512];
        end = strchr(form, '\n');
        int length = end != NULL ? (int)(end - form) : (int)strlen(form);
        (void)snprintf(line, sizeof line, "%.*s", length, form);
        int column = fprintf(out, "%-6s linprobe %s ", start, command->name);
        help_wrap(out, (size_t)column, (size_t)column, line);
        end = end != NULL ? end + 1 : NULL;
        start = "";
    }
}

void help_choices(char *out, size_t room, const char *const *names) {
    size_t used = 0;
    for (size_t i = 0; names[i] != NULL && used < room; i++) {
        const char *before = i == 0 ? "" : names[i + 1] != NULL ? ", " : " or ";
        used += (size_t)snprintf(out + used, room - used, "%s%s", before, names[i]);
    }
}

LP_PRINTF(2, 3)
static void add(char text[HELP_MAX], const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + used, HELP_MAX - used, format, args);
    va_end(args);
}

/* A number outside of the allowed range says that nothing is set: there is no default to print. */
static void add_default(char text[HELP_MAX], const cli_option *o, const void *value) {
    double number = o->kind == CLI_REAL    ? *(const double *)value
                    : o->kind == CLI_COUNT ? (double)*(const size_t *)value
                                           : 0;
    switch (o->kind) {
    case CLI_FLAG:
    case CLI_RESIZE: /* as the model was trained */
        break;
    case CLI_TEXT:
    case CLI_OUT_FILE:
    case CLI_OUT_FOLDER:
    case CLI_PICTURE:
    case CLI_PAGE:
        if (*(const char *const *)value != NULL) {
            add(text, "default %s", *(const char *const *)value);
        }
        break;
    case CLI_REAL:
    case CLI_COUNT:
        if (number >= o->low && number <= o->high) {
            add(text, "default %g", number);
        }
        break;
    case CLI_COUNTS:
        for (size_t i = 0; i < ((const cli_counts *)value)->count; i++) {
            add(text, "%s%zu", i == 0 ? "default " : ",", ((const cli_counts *)value)->values[i]);
        }
        break;
    case CLI_CHOICE:
        if (!o->required) {
            add(text, "default %s", o->choices[*(const int *)value]);
        }
        break;
    }
}

/* "help (choices; default)" */
static void print_option(FILE *out, const cli_option *o, const void *settings) {
    char text[HELP_MAX] = "", choices[HELP_MAX] = "", value[HELP_MAX] = "";
    if (o->kind == CLI_CHOICE) {
        help_choices(choices, sizeof choices, o->choices);
    }
    add_default(value, o, (const char *)settings + o->offset);
    add(text, "%s", o->help);
    if (choices[0] != '\0' || value[0] != '\0') {
        add(text, " (%s%s%s)", choices, choices[0] != '\0' && value[0] != '\0' ? "; " : "", value);
    }
    int column = fprintf(out, "  %s%s%s", o->name, o->argument != NULL ? " " : "",
                         o->argument != NULL ? o->argument : "");
    (void)fprintf(out, "%*s", column < LEFT ? LEFT - column : 2, "");
    help_wrap(out, column < LEFT ? LEFT : (size_t)column + 2, LEFT, text);
}

void help_print(FILE *out, const cli_command *command, const cli_group *groups) {
    char summary[HELP_MAX] = "";
    help_usage(out, command);
    add(summary, "\n%s.", command->summary);
    help_wrap(out, 0, 0, summary);
    if (command->details != NULL) {
        (void)fputc('\n', out);
        help_wrap(out, 0, 0, command->details);
    }
    for (int section = 0; section < CLI_SECTIONS; section++) {
        bool headed = false;
        for (const cli_group *g = groups; g->options != NULL; g++) {
            for (const cli_option *o = g->options; o->name != NULL; o++) {
                if (o->section == (cli_section)section) {
                    (void)fprintf(out, "%s%s%s", headed ? "" : "\n",
                                  headed ? "" : headings[section], headed ? "" : ":\n");
                    headed = true;
                    print_option(out, o, g->settings);
                }
            }
        }
        if (section == CLI_GENERAL) {
            (void)fprintf(out, "%s  %-*s%s\n", headed ? "" : "\ngeneral:\n", LEFT - 2, "--help",
                          "print this text");
        }
    }
}
