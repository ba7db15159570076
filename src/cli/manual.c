/* Manual pages: usage, summary, details and options as --help has them, in roff. */
#include "cli/manual.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/general.h"
#include "cli/help.h"

/* Text of which roff takes nothing as its own.  `start`: it begins a line. */
static void put(FILE *out, const char *text, bool start) {
    for (; *text != '\0'; text++) {
        if (start && (*text == '.' || *text == '\'')) {
            (void)fputs("\\&", out);
        }
        start = *text == '\n';
        if (*text == '\\') {
            (void)fputs("\\e", out);
        } else if (*text == '-') {
            (void)fputs("\\-", out);
        } else {
            (void)fputc(*text, out);
        }
    }
}

static void put_paragraphs(FILE *out, const char *text) {
    for (size_t size; *text != '\0'; text += size) {
        char line[2048];
        size = strcspn(text, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)size, text);
        (void)fputs(".PP\n", out);
        put(out, line, true);
        (void)fputc('\n', out);
        size += text[size] == '\n';
    }
}

static void put_options(FILE *out, cli_section section, const cli_option *options,
                        const void *settings, bool *headed) {
    char text[HELP_TEXT];
    for (const cli_option *o = options; o->name != NULL; o++) {
        if (o->section != section) {
            continue;
        }
        if (!*headed) {
            (void)fprintf(out, ".SS %s\n", help_heading(section));
            *headed = true;
        }
        (void)fputs(".TP\n\\fB", out);
        if (o->letter != '\0') {
            (void)fprintf(out, "\\-%c\\fR, \\fB", o->letter);
        }
        put(out, o->name, false);
        (void)fputs("\\fR", out);
        if (o->argument != NULL) {
            (void)fputs(" \\fI", out);
            put(out, o->argument, false);
            (void)fputs("\\fR", out);
        }
        (void)fputc('\n', out);
        help_option(o, settings, text);
        put(out, text, true);
        (void)fputc('\n', out);
    }
}

static void put_usage(FILE *out, const cli_command *command) {
    for (const char *form = command->usage; *form != '\0';) {
        char line[512];
        size_t size = strcspn(form, "\n");
        (void)snprintf(line, sizeof line, "%.*s", (int)size, form);
        (void)fprintf(out, "%s\\fBlinprobe %s\\fR ", form == command->usage ? "" : ".br\n",
                      command->name);
        put(out, line, false);
        (void)fputc('\n', out);
        form += size + (form[size] == '\n');
    }
}

static void put_end(FILE *out) {
    (void)fputs(
        ".SH EXIT STATUS\n0 when all is well, 1 after a failure, 2 for wrong usage, 3 when a "
        "solver stopped before it converged, and 128 and the signal's number after a "
        "signal.\n",
        out);
}

static lp_status print_command(FILE *out, const cli_command *command, lp_error *err) {
    lp_status status;
    void *settings = lp_alloc_zeroed(1, command->size);
    LP_TRY(lp_allocated(settings, "settings", 1, command->size, err));
    if (command->defaults != NULL) {
        command->defaults(settings);
    }
    (void)fprintf(out, ".TH LINPROBE\\-%s 1 \"\" \"linprobe %s\" \"linprobe\"\n.SH NAME\n",
                  command->name, LP_VERSION);
    (void)fprintf(out, "linprobe\\-%s \\- ", command->name);
    put(out, command->summary, false);
    (void)fputs("\n.SH SYNOPSIS\n", out);
    put_usage(out, command);
    (void)fputs(".SH DESCRIPTION\n", out);
    put(out, command->summary, true);
    (void)fputs(".\n", out);
    if (command->details != NULL) {
        put_paragraphs(out, command->details);
    }
    (void)fputs(".SH OPTIONS\n", out);
    for (int section = 0; section < CLI_SECTIONS; section++) {
        bool headed = false;
        for (const cli_group *g = command->groups; g->options != NULL; g++) {
            put_options(out, (cli_section)section, g->options, (const char *)settings + g->offset,
                        &headed);
        }
        put_options(out, (cli_section)section, general_options, &general, &headed);
    }
    put_end(out);
    (void)fputs(".SH SEE ALSO\n.BR linprobe (1)\n", out);
done:
    lp_free(settings);
    return status;
}

lp_status manual_print(FILE *out, const cli_command *command, lp_error *err) {
    if (command != NULL) {
        return print_command(out, command, err);
    }
    (void)fprintf(out,
                  ".TH LINPROBE 1 \"\" \"linprobe %s\" \"linprobe\"\n.SH NAME\n"
                  "linprobe \\- linear probes of frozen image encoders\n.SH SYNOPSIS\n"
                  "\\fBlinprobe\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n.SH DESCRIPTION\n"
                  "Runs a frozen image encoder over labelled images, trains L2\\-regularised "
                  "logistic regression on the features and scores it.\n.SH COMMANDS\n",
                  LP_VERSION);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, ".TP\n.BR linprobe\\-%s (1)\n", cli_commands[i]->name);
        put(out, cli_commands[i]->summary, true);
        (void)fputs(".\n", out);
    }
    put_end(out);
    return LP_OK;
}
