/* linprobe generate: pictures drawn from a seed, as a data set or with captions. */
#include <stdio.h>

#include "cli/options.h"
#include "draw/generate.h"

static int run(const cli_command *command, int argc, char **argv) {
    const char *out = NULL;
    size_t seed = 1, train = 50, test = 20, captions = 0, threads = 0;
    const cli_option options[] = {{.name = "--out",
                                   .argument = "DIR",
                                   .help = "folder that gets the files",
                                   .kind = CLI_TEXT,
                                   .value = &out,
                                   .required = true},
                                  {.name = "--seed",
                                   .argument = "N",
                                   .help = "other pictures of the same classes (default: 1)",
                                   .kind = CLI_COUNT,
                                   .value = &seed,
                                   .low = 0,
                                   .high = 1e15},
                                  {.name = "--train",
                                   .argument = "N",
                                   .help = "training pictures a class (default: 50)",
                                   .kind = CLI_COUNT,
                                   .value = &train,
                                   .low = 1,
                                   .high = 1e5},
                                  {.name = "--test",
                                   .argument = "N",
                                   .help = "test pictures a class (default: 20)",
                                   .kind = CLI_COUNT,
                                   .value = &test,
                                   .low = 1,
                                   .high = 1e5},
                                  {.name = "--captions",
                                   .argument = "N",
                                   .help = "N pictures with captions instead, for pretraining",
                                   .kind = CLI_COUNT,
                                   .value = &captions,
                                   .low = 1,
                                   .high = 1e7},
                                  CLI_THREADS_OPTION(&threads),
                                  {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, NULL, 0, 0, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_status status = captions > 0 ? lp_generate_captioned(out, seed, captions, threads, &err)
                                    : lp_generate_dataset(out, seed, train, test, threads, &err);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_generate = {
    .name = "generate",
    .summary = "draws a data set of 100 classes in CIFAR-100's format",
    .run = run,
    .usage = "--out DIR [options]",
    .details =
        "DIR/cifar-100-binary gets train.bin, test.bin and the names of the classes, which are\n"
        "combinations of a pattern, a colour and a shape.  With --captions, DIR/captioned gets\n"
        "images.bin (uint8 [N, 3, 32, 32]) and captions.txt: other combinations, described in\n"
        "words.  The same options give the same bytes on every machine.",
};
