/* Data stage: files of generated pictures.
 *
 * Picture i of a file is drawn from a generator state of its own, seeded by (seed, file, i), so
 * that threads can share the work.  Blocks of pictures are drawn in parallel and written in order.
 */
#include "draw/generate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"

enum { BLOCK = 512, LABELS = 2, MAX_PICTURES_A_CLASS = 100000 };

enum file_kind { TRAIN, TEST, CAPTIONED };

/* Classes of one shape share patterns and colours in pairs, so that no single one of the three
 * words names the class. */
static void choose_class(size_t fine, lp_drawing *drawing) {
    static const size_t pick[5][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}};
    size_t shape = fine / 5;
    drawing->shape = shape;
    drawing->pattern = (shape + 3 * pick[fine % 5][0]) % LP_PATTERNS;
    drawing->colour = 3 * (shape + pick[fine % 5][1]) % LP_COLOURS;
}

void lp_generated_class(size_t fine, lp_drawing *drawing, char name[LP_CLASS_NAME]) {
    choose_class(fine, drawing);
    (void)snprintf(name, LP_CLASS_NAME, "%s_%s_%s", lp_pattern_name(drawing->pattern),
                   lp_colour_name(drawing->colour), lp_shape_name(drawing->shape));
}

static int is_probe_class(const lp_drawing *drawing) {
    for (size_t fine = 0; fine < LP_GENERATED_CLASSES; fine++) {
        lp_drawing other;
        choose_class(fine, &other);
        if (other.shape == drawing->shape && other.pattern == drawing->pattern &&
            other.colour == drawing->colour) {
            return 1;
        }
    }
    return 0;
}

static void choose_for_pretraining(lp_random *random, lp_drawing *drawing) {
    do {
        size_t shape =
            (size_t)lp_random_below(random, LP_SHAPES_SHARED + (LP_SHAPES - LP_SHAPES_PROBE));
        drawing->shape =
            shape < LP_SHAPES_SHARED ? shape : shape - LP_SHAPES_SHARED + LP_SHAPES_PROBE;
        drawing->pattern = (size_t)lp_random_below(random, LP_PATTERNS_SHARED);
        drawing->colour = (size_t)lp_random_below(random, LP_COLOURS_SHARED);
    } while (is_probe_class(drawing));
}

/* Pattern, colour and shape are always named, the rest now and then. */
static void write_caption(const lp_drawing *drawing, lp_random *random, char text[LP_CAPTION]) {
    uint64_t coins = lp_random_next(random) >> 61;
    const char *size = drawing->large ? "large " : "small ";
    const char *second = drawing->dark ? " and white" : " and black";
    const char *ground = drawing->dark ? " on a dark background" : " on a light background";
    (void)snprintf(
        text, LP_CAPTION, "a %s%s %s%s %s%s\n", (coins & 1) != 0 ? size : "",
        lp_pattern_name(drawing->pattern), lp_colour_name(drawing->colour),
        (coins & 2) != 0 && strcmp(lp_pattern_name(drawing->pattern), "plain") != 0 ? second : "",
        lp_shape_name(drawing->shape), (coins & 4) != 0 ? ground : "");
}

struct job {
    enum file_kind kind;
    uint64_t seed;
    size_t first;           /* picture of the block's first record */
    size_t record;          /* bytes */
    unsigned char *records; /* [BLOCK, record] */
    char *captions;         /* [BLOCK, LP_CAPTION], or NULL */
};

static lp_status draw_record(void *context, size_t index, size_t worker, lp_error *err) {
    const struct job *job = context;
    unsigned char *pixels = job->records + index * job->record;
    lp_random random;
    lp_drawing drawing;
    (void)worker;
    (void)err;
    lp_random_seed(&random, job->seed + job->first + index);
    if (job->kind == CAPTIONED) {
        choose_for_pretraining(&random, &drawing);
    } else {
        size_t fine = (job->first + index) % LP_GENERATED_CLASSES;
        choose_class(fine, &drawing);
        *pixels++ = (unsigned char)drawing.shape;
        *pixels++ = (unsigned char)fine;
    }
    drawing.large = (int)lp_random_below(&random, 2);
    drawing.dark = (int)lp_random_below(&random, 2);
    lp_drawing_paint(&drawing, &random, pixels);
    if (job->captions != NULL) {
        write_caption(&drawing, &random, job->captions + index * LP_CAPTION);
    }
    return LP_OK;
}

static lp_status write_blocks(struct job *job, size_t count, size_t threads, lp_writer *images,
                              lp_writer *captions, lp_error *err) {
    lp_status status = LP_OK;
    for (; job->first < count; job->first += BLOCK) {
        size_t block = count - job->first < BLOCK ? count - job->first : BLOCK;
        LP_TRY(lp_parallel_for(threads, block, draw_record, job, err));
        LP_TRY(lp_writer_put(images, job->records, block * job->record, err));
        for (size_t i = 0; captions != NULL && i < block; i++) {
            const char *text = job->captions + i * LP_CAPTION;
            LP_TRY(lp_writer_put(captions, text, strlen(text), err));
        }
    }
done:
    return status;
}

static lp_status open_in(const char *folder, const char *name, lp_writer **writer, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_in(path, folder, name, err));
    LP_TRY(lp_writer_open(path, writer, err));
done:
    return status;
}

/* Commits the writer if all went well so far, else aborts it. */
static lp_status close_writer(lp_writer *writer, lp_status status, lp_error *err) {
    if (status == LP_OK && writer != NULL) {
        return lp_writer_commit(writer, err);
    }
    lp_writer_abort(writer);
    return status;
}

static lp_status write_pictures(const char *folder, const char *name, enum file_kind kind,
                                uint64_t seed, size_t count, size_t threads, lp_error *err) {
    struct job job = {.kind = kind};
    lp_random random;
    lp_writer *images = NULL, *captions = NULL;
    lp_status status;
    lp_random_seed(&random, seed);
    for (int i = 0; i <= (int)kind; i++) { /* pictures of different files have nothing in common */
        job.seed = lp_random_next(&random);
    }
    job.record = LP_DRAWING_BYTES + (kind == CAPTIONED ? 0 : LABELS);
    job.records = lp_alloc(BLOCK, job.record);
    LP_TRY(lp_allocated(job.records, name, BLOCK, job.record, err));
    LP_TRY(open_in(folder, name, &images, err));
    if (kind == CAPTIONED) {
        job.captions = lp_alloc(BLOCK, LP_CAPTION);
        LP_TRY(lp_allocated(job.captions, name, BLOCK, LP_CAPTION, err));
        LP_TRY(open_in(folder, "captions.txt", &captions, err));
    }
    threads = threads > 0 ? threads : lp_processor_count();
    LP_TRY(write_blocks(&job, count, threads, images, captions, err));
done:
    status = close_writer(captions, status, err);
    status = close_writer(images, status, err);
    lp_free(job.records);
    lp_free(job.captions);
    return status;
}

/* One name a line: the classes', or the shapes', which are the superclasses. */
static lp_status write_names(const char *folder, const char *file, size_t count, bool classes,
                             lp_error *err) {
    lp_writer *writer = NULL;
    lp_status status;
    LP_TRY(open_in(folder, file, &writer, err));
    for (size_t i = 0; i < count; i++) {
        lp_drawing drawing;
        char name[LP_CLASS_NAME];
        lp_generated_class(i, &drawing, name);
        const char *line = classes ? name : lp_shape_name(i);
        LP_TRY(lp_writer_put(writer, line, strlen(line), err));
        LP_TRY(lp_writer_put(writer, "\n", 1, err));
    }
done:
    return close_writer(writer, status, err);
}

/* Makes out/name and prints its path. */
static lp_status make_folder(const char *out, const char *name, char folder[LP_PATH_ROOM],
                             lp_error *err) {
    lp_status status;
    LP_TRY(lp_path_in(folder, out, name, err));
    LP_TRY(lp_make_folders(folder, err));
done:
    return status;
}

lp_status lp_generate_dataset(const char *out, uint64_t seed, size_t train_per_class,
                              size_t test_per_class, size_t threads, lp_error *err) {
    enum { CLASSES = LP_GENERATED_CLASSES };
    char folder[LP_PATH_ROOM];
    size_t most = MAX_PICTURES_A_CLASS, train = train_per_class * CLASSES,
           test = test_per_class * CLASSES;
    lp_status status;
    if (train_per_class - 1 >= most || test_per_class - 1 >= most) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "pictures a class: expected 1 to %zu, found %zu for training and %zu for "
                       "testing",
                       most, train_per_class, test_per_class);
    }
    LP_TRY(make_folder(out, "cifar-100-binary", folder, err));
    LP_TRY(write_names(folder, "fine_label_names.txt", CLASSES, true, err));
    LP_TRY(write_names(folder, "coarse_label_names.txt", LP_SHAPES_PROBE, false, err));
    LP_TRY(write_pictures(folder, "train.bin", TRAIN, seed, train, threads, err));
    LP_TRY(write_pictures(folder, "test.bin", TEST, seed, test, threads, err));
done:
    return status;
}

lp_status lp_generate_captioned(const char *out, uint64_t seed, size_t count, size_t threads,
                                lp_error *err) {
    char folder[LP_PATH_ROOM];
    size_t most = (size_t)MAX_PICTURES_A_CLASS * LP_GENERATED_CLASSES;
    lp_status status;
    if (count - 1 >= most) {
        return lp_fail(err, LP_ERR_ARGUMENT, "captioned pictures: expected 1 to %zu, found %zu",
                       most, count);
    }
    LP_TRY(make_folder(out, "captioned", folder, err));
    LP_TRY(write_pictures(folder, "images.bin", CAPTIONED, seed, count, threads, err));
done:
    return status;
}
