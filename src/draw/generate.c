/* Data stage: files of generated pictures.
 *
 * Picture i of a file is drawn from a generator state of its own, seeded by (seed, file, i), so
 * that threads can share the work.  Blocks of pictures are drawn in parallel and written in order.
 */
#include "draw/generate.h"

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
    for (; status == LP_OK && job->first < count; job->first += BLOCK) {
        size_t block = count - job->first < BLOCK ? count - job->first : BLOCK;
        status = lp_parallel_for(threads, block, draw_record, job, err);
        if (status == LP_OK) {
            status = lp_writer_put(images, job->records, block * job->record, err);
        }
        for (size_t i = 0; captions != NULL && status == LP_OK && i < block; i++) {
            const char *text = job->captions + i * LP_CAPTION;
            status = lp_writer_put(captions, text, strlen(text), err);
        }
    }
    return status;
}

static lp_status open_in(const char *folder, const char *name, lp_writer **writer, lp_error *err) {
    char *path = lp_path_join(folder, name);
    *writer = NULL;
    if (path == NULL) {
        return lp_fail_memory(err, name, 1, strlen(folder));
    }
    lp_status status = lp_writer_open(path, writer, err);
    lp_free(path);
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
    lp_random_seed(&random, seed);
    for (int i = 0; i <= (int)kind; i++) { /* pictures of different files have nothing in common */
        job.seed = lp_random_next(&random);
    }
    job.record = LP_DRAWING_BYTES + (kind == CAPTIONED ? 0 : LABELS);
    job.records = lp_alloc(BLOCK, job.record);
    job.captions = kind == CAPTIONED ? lp_alloc(BLOCK, LP_CAPTION) : NULL;
    lp_status status = LP_OK;
    if (job.records == NULL || (kind == CAPTIONED && job.captions == NULL)) {
        status = lp_fail_memory(err, name, BLOCK, job.record + LP_CAPTION);
    }
    if (status == LP_OK) {
        status = open_in(folder, name, &images, err);
    }
    if (status == LP_OK && kind == CAPTIONED) {
        status = open_in(folder, "captions.txt", &captions, err);
    }
    if (status == LP_OK) {
        threads = threads > 0 ? threads : lp_processor_count();
        status = write_blocks(&job, count, threads, images, captions, err);
    }
    status = close_writer(captions, status, err);
    status = close_writer(images, status, err);
    lp_free(job.records);
    lp_free(job.captions);
    return status;
}

static lp_status write_names(const char *folder, lp_error *err) {
    lp_writer *fine = NULL, *coarse = NULL;
    lp_status status = open_in(folder, "fine_label_names.txt", &fine, err);
    for (size_t i = 0; status == LP_OK && i < LP_GENERATED_CLASSES; i++) {
        lp_drawing drawing;
        char name[LP_CLASS_NAME];
        lp_generated_class(i, &drawing, name);
        status = lp_writer_printf(fine, err, "%s\n", name);
    }
    status = close_writer(fine, status, err);
    if (status == LP_OK) {
        status = open_in(folder, "coarse_label_names.txt", &coarse, err);
    }
    for (size_t i = 0; status == LP_OK && i < LP_SHAPES_PROBE; i++) {
        status = lp_writer_printf(coarse, err, "%s\n", lp_shape_name(i));
    }
    return close_writer(coarse, status, err);
}

/* Makes out/name and gives its path. */
static lp_status make_folder(const char *out, const char *name, char **folder, lp_error *err) {
    *folder = lp_path_join(out, name);
    if (*folder == NULL) {
        return lp_fail_memory(err, out, 1, strlen(name));
    }
    return lp_make_folders(*folder, err);
}

lp_status lp_generate_dataset(const char *out, uint64_t seed, size_t train_per_class,
                              size_t test_per_class, size_t threads, lp_error *err) {
    size_t most = MAX_PICTURES_A_CLASS;
    if (train_per_class - 1 >= most || test_per_class - 1 >= most) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "pictures a class: expected 1 to %zu, found %zu for training and %zu for "
                       "testing",
                       most, train_per_class, test_per_class);
    }
    char *folder;
    lp_status status = make_folder(out, "cifar-100-binary", &folder, err);
    if (status == LP_OK) {
        status = write_names(folder, err);
    }
    if (status == LP_OK) {
        status = write_pictures(folder, "train.bin", TRAIN, seed,
                                train_per_class * LP_GENERATED_CLASSES, threads, err);
    }
    if (status == LP_OK) {
        status = write_pictures(folder, "test.bin", TEST, seed,
                                test_per_class * LP_GENERATED_CLASSES, threads, err);
    }
    lp_free(folder);
    return status;
}

lp_status lp_generate_captioned(const char *out, uint64_t seed, size_t count, size_t threads,
                                lp_error *err) {
    size_t most = (size_t)MAX_PICTURES_A_CLASS * LP_GENERATED_CLASSES;
    if (count - 1 >= most) {
        return lp_fail(err, LP_ERR_ARGUMENT, "captioned pictures: expected 1 to %zu, found %zu",
                       most, count);
    }
    char *folder;
    lp_status status = make_folder(out, "captioned", &folder, err);
    if (status == LP_OK) {
        status = write_pictures(folder, "images.bin", CAPTIONED, seed, count, threads, err);
    }
    lp_free(folder);
    return status;
}
