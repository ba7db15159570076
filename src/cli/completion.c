/* Completions of commands, options and their values for bash, zsh and fish. */
#include "cli/manual.h"

#include <string.h>

#include "base/error.h"
#include "cli/general.h"

static bool is_path(cli_kind kind) {
    return kind == CLI_TEXT || kind == CLI_OUT_FILE || kind == CLI_OUT_FOLDER ||
           kind == CLI_PICTURE || kind == CLI_PAGE;
}

/* Calls `put` for every option of a command, the general ones last. */
static void walk(FILE *out, const cli_command *command,
                 void (*put)(FILE *out, const cli_command *command, const cli_option *option)) {
    for (const cli_group *g = command->groups; g->options != NULL; g++) {
        for (const cli_option *o = g->options; o->name != NULL; o++) {
            put(out, command, o);
        }
    }
    for (const cli_option *o = general_options; o->name != NULL; o++) {
        put(out, command, o);
    }
}

static void put_choices(FILE *out, const cli_option *o) {
    for (size_t i = 0; o->choices[i] != NULL; i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", o->choices[i]);
    }
}

/* Text inside single quotes of a shell; letters of `special` get a backslash. */
static void put_quoted(FILE *out, const char *text, const char *special, const char *quote) {
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            (void)fputs(quote, out);
        } else {
            (void)fprintf(out, strchr(special, *text) != NULL ? "\\%c" : "%c", *text);
        }
    }
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void bash_name(FILE *out, const cli_command *command, const cli_option *o) {
    (void)command;
    (void)fprintf(out, " %s", o->name);
    if (o->letter != '\0') {
        (void)fprintf(out, " -%c", o->letter);
    }
}

static void bash_value(FILE *out, const cli_command *command, const cli_option *o) {
    if (o->kind == CLI_FLAG) {
        return;
    }
    (void)fprintf(out, "    '%s %s'", command->name, o->name);
    if (o->letter != '\0') {
        (void)fprintf(out, " | '%s -%c'", command->name, o->letter);
    }
    (void)fputs(") ", out);
    if (o->kind == CLI_CHOICE) {
        (void)fputs("words='", out);
        put_choices(out, o);
        (void)fputs("'", out);
    } else {
        (void)fputs(is_path(o->kind) ? "files" : ":", out);
    }
    (void)fputs(" ;;\n", out);
}

static void put_bash(FILE *out) {
    (void)fputs("# bash completion of linprobe, made from its tables of options\n"
                "_linprobe() {\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local command=${COMP_WORDS[1]} words=\n"
                "    files() { compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\")); }\n"
                "    COMPREPLY=()\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ] || { [ \"$COMP_CWORD\" -eq 2 ] && "
                "[ \"$command\" = help ]; }; then\n"
                "        COMPREPLY=($(compgen -W 'help",
                out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, " %s", cli_commands[i]->name);
    }
    /* --name=value comes as three words */
    (void)fputs("' -- \"$word\"))\n        return\n    fi\n"
                "    if [ \"$word\" = '=' ]; then word=; "
                "elif [ \"$before\" = '=' ]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
                "    case \"$command $before\" in\n",
                out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        walk(out, cli_commands[i], bash_value);
    }
    (void)fputs("    *)\n        case $word in\n        -*) case $command in\n", out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, "            %s) words='", cli_commands[i]->name);
        walk(out, cli_commands[i], bash_name);
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("            esac ;;\n        *) files ;;\n        esac ;;\n    esac\n"
                "    [ -z \"$words\" ] || COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                "}\ncomplete -F _linprobe linprobe\n",
                out);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

static void zsh_option(FILE *out, const cli_command *command, const cli_option *o) {
    (void)command;
    (void)fputs(" \\\n        ", out);
    if (o->letter != '\0') {
        (void)fprintf(out, "{-%c,%s}", o->letter, o->name);
    } else {
        (void)fputs(o->name, out);
    }
    (void)fputs("'[", out);
    put_quoted(out, o->help, "[]:\\", "'\\''");
    (void)fputs("]", out);
    if (o->kind != CLI_FLAG) {
        (void)fputs(":", out);
        put_quoted(out, o->argument, "[]:\\", "'\\''");
        (void)fputs(":", out);
        if (o->kind == CLI_CHOICE) {
            (void)fputs("(", out);
            put_choices(out, o);
            (void)fputs(")", out);
        } else if (is_path(o->kind)) {
            (void)fputs("_files", out);
        }
    }
    (void)fputs("'", out);
}

static void put_zsh(FILE *out) {
    (void)fputs("#compdef linprobe\n# made from linprobe's tables of options\n"
                "_linprobe() {\n    if ((CURRENT == 2)); then\n        local -a commands\n"
                "        commands=(\n",
                out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, "            '%s:", cli_commands[i]->name);
        put_quoted(out, cli_commands[i]->summary, ":\\", "'\\''");
        (void)fputs("'\n", out);
    }
    (void)fputs("        )\n        _describe command commands\n        return\n    fi\n"
                "    local command=$words[2]\n    shift words\n    ((CURRENT--))\n"
                "    case $command in\n",
                out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, "    %s) _arguments -s", cli_commands[i]->name);
        walk(out, cli_commands[i], zsh_option);
        (void)fputs(" \\\n        '*:file:_files' ;;\n", out);
    }
    (void)fputs("    esac\n}\n_linprobe \"$@\"\n", out);
}

/* ---- fish ------------------------------------------------------------------------------------ */

static void fish_option(FILE *out, const cli_command *command, const cli_option *o) {
    (void)fprintf(out, "complete -c linprobe -n '__fish_seen_subcommand_from %s'", command->name);
    if (o->letter != '\0') {
        (void)fprintf(out, " -s %c", o->letter);
    }
    if (o->name[1] == '-') {
        (void)fprintf(out, " -l %s", o->name + 2);
    } else {
        (void)fprintf(out, " -s %s", o->name + 1);
    }
    if (o->kind == CLI_CHOICE) {
        (void)fputs(" -x -a '", out);
        put_choices(out, o);
        (void)fputs("'", out);
    } else if (o->kind != CLI_FLAG) {
        (void)fputs(is_path(o->kind) ? " -r -F" : " -x", out);
    }
    (void)fputs(" -d '", out);
    put_quoted(out, o->help, "\\", "\\'");
    (void)fputs("'\n", out);
}

static void put_fish(FILE *out) {
    (void)fputs("# fish completion of linprobe, made from its tables of options\n", out);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        (void)fprintf(out, "complete -c linprobe -n __fish_use_subcommand -f -a %s -d '",
                      cli_commands[i]->name);
        put_quoted(out, cli_commands[i]->summary, "\\", "\\'");
        (void)fputs("'\n", out);
        walk(out, cli_commands[i], fish_option);
    }
}

lp_status completion_print(FILE *out, const char *shell, lp_error *err) {
    if (strcmp(shell, "bash") == 0) {
        put_bash(out);
    } else if (strcmp(shell, "zsh") == 0) {
        put_zsh(out);
    } else if (strcmp(shell, "fish") == 0) {
        put_fish(out);
    } else {
        return lp_fail(err, LP_ERR_ARGUMENT, "expected bash, zsh or fish, found '%.100s'", shell);
    }
    return LP_OK;
}
