/* linprobe generate: pictures drawn from a seed, as a data set or with captions. */
#include "cli/commands.h"
#include "cli/settings.h"
#include "draw/generate.h"

typedef struct generate_settings {
    const char *out;
    size_t seed, train, test, captions;
    cli_output_settings output;
} generate_settings;

#define AT(member) offsetof(generate_settings, member)
static const cli_option own[] = {
    {CLI_OUTPUT, "--out", "DIR", CLI_OUT_FOLDER, AT(out), .letter = 'o', .required = true,
     .help = "folder that gets the files"},
    {CLI_OUTPUT, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15,
     .help = "another seed gives other pictures of the same classes"},
    {CLI_OUTPUT, "--train", "N", CLI_COUNT, AT(train), .low = 1, .high = 1e5,
     .help = "training pictures a class"},
    {CLI_OUTPUT, "--test", "N", CLI_COUNT, AT(test), .low = 1, .high = 1e5,
     .help = "test pictures a class"},
    {CLI_OUTPUT, "--captions", "N", CLI_COUNT, AT(captions), .low = 1, .high = 1e7,
     .help = "N pictures with captions instead, for pretraining"},
    {.name = NULL}};
#undef AT

static lp_status generate(void *job, lp_error *err) {
    const generate_settings *s = job;
    size_t threads = s->output.threads;
    return s->captions > 0 ? lp_generate_captioned(s->out, s->seed, s->captions, threads, err)
                           : lp_generate_dataset(s->out, s->seed, s->train, s->test, threads, err);
}

#define AT(member) offsetof(generate_settings, member)
static const cli_group groups[] = {
    {own, 0, NULL}, {cli_threads_option, AT(output), NULL}, {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    generate_settings *s = settings;
    s->seed = 1;
    s->train = 50;
    s->test = 20;
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "draws a data set of 100 classes in CIFAR-100's format",
    .size = sizeof(generate_settings),
    .defaults = set_defaults,
    .groups = groups,
    .work = generate,
    .usage = "--out DIR [options]",
    .details =
        "DIR/cifar-100-binary gets train.bin, test.bin and the names of the classes, which are "
        "combinations of a pattern, a colour and a shape. With --captions, DIR/captioned gets "
        "images.bin (uint8 [N, 3, 32, 32]) and captions.txt: other combinations, described in "
        "words. The same options give the same bytes on every machine.",
};
