/* Fits and predicts on plain binary arrays, so that Python tests reach the solvers without the
 * command line.
 *
 * usage: fit_npy FOLDER N F K SOLVER C [tolerance=T] [bias=B] [iterations=I] [threads=T]
 *                [standardize=1] [weight=1]
 * reads   FOLDER/x.f4 [N, F], FOLDER/y.i8 [N]
 * writes  FOLDER/w.f8 [K, F], FOLDER/b.f8 [K], FOLDER/predicted.i8 [N], FOLDER/probe
 * prints  name value, a line each.  Exit status 3 when not converged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "linprobe/probe.h"
#include "math/blas_memory.h"
#include "peak.h"

static lp_error err;

static const void *load(const char *folder, const char *name, size_t size, lp_map *map) {
    char *path = lp_path_join(folder, name);
    if (path == NULL || lp_map_open(path, map, &err) != LP_OK || map->size != size) {
        (void)fprintf(stderr, "%s/%s: expected %zu bytes\n", folder, name, size);
        exit(1);
    }
    lp_free(path);
    return map->data;
}

static void store(const char *folder, const char *name, const void *bytes, size_t size) {
    char *path = lp_path_join(folder, name);
    if (path == NULL || lp_file_write(path, bytes, size, &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    lp_free(path);
}

/* Seconds that all threads of this process have computed. */
static double processor_seconds(void) {
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int main(int argc, char **argv) {
    lp_fit_options options;
    lp_fit_report report;
    lp_probe *probe;
    lp_map maps[2];
    if (argc < 7) {
        return 2;
    }
    const char *folder = argv[1];
    size_t n = strtoul(argv[2], NULL, 10);
    size_t f = strtoul(argv[3], NULL, 10);
    size_t k = strtoul(argv[4], NULL, 10);
    lp_blas_choose_kernels(); /* as the program does */
    if (lp_blas_reserve(&err) != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    lp_fit_defaults(&options);
    int solver = 0;
    while (lp_solver_names[solver] != NULL && strcmp(lp_solver_names[solver], argv[5]) != 0) {
        solver++;
    }
    if (lp_solver_names[solver] == NULL) {
        return 2;
    }
    options.solver = (lp_solver)solver;
    options.C = strtod(argv[6], NULL);
    for (int i = 7; i < argc; i++) {
        const char *value = strchr(argv[i], '=');
        if (value == NULL) {
            return 2;
        }
        value++;
        switch (argv[i][0] == 't' ? argv[i][1] : argv[i][0]) {
        case 'o':
            options.tolerance = strtod(value, NULL);
            break;
        case 'h':
            options.threads = strtoul(value, NULL, 10);
            break;
        case 'b':
            options.bias = strtod(value, NULL);
            break;
        case 's':
            options.standardize = true;
            break;
        case 'w':
            options.class_weight = LP_CLASS_WEIGHT_BALANCED;
            break;
        case 'i':
            options.max_iterations = strtoul(value, NULL, 10);
            break;
        default:
            return 2;
        }
    }
    const float *x = load(folder, "x.f4", n * f * sizeof *x, &maps[0]);
    const int64_t *y = load(folder, "y.i8", n * sizeof *y, &maps[1]);
    int64_t *predicted = lp_alloc(n, sizeof *predicted);
    if (predicted == NULL) {
        return 1;
    }
    lp_examples train = {n, f, k, x, y};
    double before = processor_seconds();
    lp_status status = lp_probe_fit(&train, &options, &probe, &report, &err);
    double processor = processor_seconds() - before;
    if (probe == NULL) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    store(folder, "w.f8", lp_probe_weights(probe), k * f * sizeof(double));
    store(folder, "b.f8", lp_probe_intercepts(probe), k * sizeof(double));
    if (lp_probe_predict(probe, x, n, predicted, options.threads, &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    store(folder, "predicted.i8", predicted, n * sizeof *predicted);
    char *path = lp_path_join(folder, "probe");
    if (lp_probe_save(probe, path, &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    lp_free(path);
    print_memory();
    (void)printf("converged %d\niterations %zu\npasses %zu\nnot_converged %zu\nobjective %.17g\n"
                 "gradient %.17g\ngap %.17g\nseconds %.6f\nprocessor %.6f\nstopped_by %s\n",
                 report.converged, report.iterations, report.passes, report.not_converged,
                 report.objective, report.gradient, report.gap, report.seconds, processor,
                 report.stopped_by);
    lp_probe_free(probe);
    lp_free(predicted);
    lp_map_close(&maps[0]);
    lp_map_close(&maps[1]);
    return status == LP_NOT_CONVERGED ? 3 : 0;
}
