/* generate OUT SEED TRAIN TEST: a generated data set.  generate OUT SEED COUNT: captioned pictures.
 */
#include <stdio.h>

#include "base/text.h"
#include "data/generate.h"

int main(int argc, char **argv) {
    lp_error err;
    uint64_t seed, first, second = 0;
    if (argc < 4 || argc > 5) {
        (void)fprintf(stderr, "usage: generate OUT SEED TRAIN TEST | generate OUT SEED COUNT\n");
        return 2;
    }
    lp_status status = lp_parse_count("SEED", argv[2], 0, UINT64_MAX, &seed, &err);
    if (status == LP_OK) {
        status = lp_parse_count("TRAIN or COUNT", argv[3], 0, 10000000, &first, &err);
    }
    if (status == LP_OK && argc == 5) {
        status = lp_parse_count("TEST", argv[4], 0, 10000000, &second, &err);
    }
    if (status == LP_OK) {
        status = argc == 5
                     ? lp_generate_dataset(argv[1], seed, (size_t)first, (size_t)second, 0, &err)
                     : lp_generate_captioned(argv[1], seed, (size_t)first, 0, &err);
    }
    if (status != LP_OK) {
        (void)fprintf(stderr, "generate: %s\n", err.text);
        return 1;
    }
    return 0;
}
