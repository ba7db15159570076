/* Printing --help: the options of all groups, sorted by heading; each with its default as the
 * settings hold it. */
#include "cli/help.h"

#include <stdarg.h>
#include <string.h>

#include "cli/general.h"
#include "cli/option_value.h"
#include "report/terminal.h"

enum { WIDTH = 80, NARROWEST = 40, LEFT = 28, NARROW_LEFT = 8 };

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

/* Of a terminal its own width; WIDTH elsewhere. */
static size_t width_of(FILE *out) {
    size_t columns = lp_terminal_columns(out);
    return columns == 0 ? WIDTH : columns < NARROWEST ? NARROWEST : columns;
}

void help_wrap(FILE *out, size_t column, size_t indent, const char *text) {
    const size_t width = width_of(out);
    bool line_is_empty = true;
    while (*text != '\0') {
        size_t length = word_length(text);
        if (*text == '\n' || (!line_is_empty && column + 1 + length > width)) {
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

LP_PRINTF(2, 3)
static void add(char text[HELP_TEXT], const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + used, HELP_TEXT - used, format, args);
    va_end(args);
}

/* A number outside of the allowed range says that nothing is set: there is no default to print. */
static void add_default(char text[HELP_TEXT], const cli_option *o, const void *value) {
    double number = o->kind == CLI_REAL    ? *(const double *)value
                    : o->kind == CLI_COUNT ? (double)*(const size_t *)value
                                           : 0;
    switch (o->kind) {
    case CLI_FLAG:
    case CLI_RESIZE: /* as the model was trained */
    case CLI_LAYERS:
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

const char *help_heading(cli_section section) {
    return headings[section];
}

void help_option(const cli_option *o, const void *settings, char text[HELP_TEXT]) {
    char choices[HELP_TEXT] = "", value[HELP_TEXT] = "";
    text[0] = '\0';
    if (o->kind == CLI_CHOICE) {
        option_choices(choices, sizeof choices, o->choices);
    }
    add_default(value, o, (const char *)settings + o->offset);
    add(text, "%s", o->help);
    if (choices[0] != '\0' || value[0] != '\0') {
        add(text, " (%s%s%s)", choices, choices[0] != '\0' && value[0] != '\0' ? "; " : "", value);
    }
}

static void print_option(FILE *out, const cli_option *o, const void *settings) {
    char text[HELP_TEXT];
    help_option(o, settings, text);
    /* -o, --out FILE */
    char form[64];
    if (o->letter != '\0') {
        (void)snprintf(form, sizeof form, "-%c, %s", o->letter, o->name);
    } else {
        (void)snprintf(form, sizeof form, "%s%s", o->name[1] == '-' ? "    " : "", o->name);
    }
    size_t left = width_of(out) < WIDTH ? NARROW_LEFT : LEFT;
    size_t column = (size_t)fprintf(out, "  %s%s%s", form, o->argument != NULL ? " " : "",
                                    o->argument != NULL ? o->argument : "");
    if (column + 2 > left) { /* the text begins on a line of its own */
        (void)fprintf(out, "\n%*s", (int)left, "");
    } else {
        (void)fprintf(out, "%*s", (int)(left - column), "");
    }
    help_wrap(out, left, left, text);
}

/* The options of one table that stand under a heading, which is printed before the first. */
static void print_section(FILE *out, cli_section section, const cli_option *options,
                          const void *settings, bool *headed) {
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (o->section == section) {
            (void)fprintf(out, "%s%s%s", *headed ? "" : "\n", *headed ? "" : headings[section],
                          *headed ? "" : ":\n");
            *headed = true;
            print_option(out, o, settings);
        }
    }
}

void help_print(FILE *out, const cli_command *command, const void *settings) {
    char summary[HELP_TEXT] = "";
    help_usage(out, command);
    add(summary, "\n%s.", command->summary);
    help_wrap(out, 0, 0, summary);
    if (command->details != NULL) {
        (void)fputc('\n', out);
        help_wrap(out, 0, 0, command->details);
    }
    for (int section = 0; section < CLI_SECTIONS; section++) {
        bool headed = false;
        for (const cli_group *g = command->groups; g->options != NULL; g++) {
            print_section(out, (cli_section)section, g->options, (const char *)settings + g->offset,
                          &headed);
        }
        print_section(out, (cli_section)section, general_options, &general, &headed);
    }
}
