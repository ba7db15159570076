/* A generated data set in CIFAR-100's binary format, and captioned pictures for pretraining an
 * encoder that has not seen the data set's classes.
 *
 * A class is a combination "pattern colour shape" ("striped_red_star"); the superclass is its
 * shape. Captioned pictures show other combinations only, and never the shapes, patterns and
 * colours that drawing.h keeps for the probe.
 *
 * The same arguments give the same bytes on every machine, for any number of threads. */
#ifndef LP_DRAW_GENERATE_H
#define LP_DRAW_GENERATE_H

#include <stddef.h>
#include <stdint.h>
#include "draw/drawing.h"
#include "linprobe/status.h"

enum { LP_GENERATED_CLASSES = 100, LP_CLASS_NAME = 32, LP_CAPTION = 80 };

/* The combination of class `fine`, and its name. */
void lp_generated_class(size_t fine, lp_drawing *drawing, char name[LP_CLASS_NAME]);

/* Writes out/cifar-100-binary/ train.bin and test.bin, with so many pictures a class, classes in
 * turn, fine_label_names.txt and coarse_label_names.txt.  Each file is complete or not there.
 * Counts are 1 to 100,000; threads 0 is one a processor. */
LP_MUST_USE lp_status lp_generate_dataset(const char *out, uint64_t seed, size_t train_per_class,
                                          size_t test_per_class, size_t threads, lp_error *err);

/* Writes out/captioned/ images.bin, uint8 [count, 3, 32, 32], and captions.txt, a line each. */
LP_MUST_USE lp_status lp_generate_captioned(const char *out, uint64_t seed, size_t count,
                                            size_t threads, lp_error *err);

#endif
