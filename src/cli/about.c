/* Every outside library names its version here, so this file includes all their headers. */
#include "cli/about.h"

#include <archive.h>
#include <cairo.h>
#include <cblas.h>
#include <curl/curl.h>
#include <jansson.h>
#include <linear.h>
#include <openssl/evp.h>
#include <png.h>
#include <stdio.h> /* before jpeglib.h, which needs it */
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include <jpeglib.h>
#ifdef LP_HAS_GIFLIB
#include <gif_lib.h>
#endif
#ifdef LP_HAS_MATIO
#include <matio.h>
#endif
#ifdef LP_HAS_WEBP
#include <webp/decode.h>
#endif

#include "base/note.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/help.h"
#include "linprobe/version.h"
#include "math/amx.h"
#include "math/dispatch.h"
#include "math/linalg.h"
#include "math/linear_bfloat16.h"

#ifndef LP_COMMIT /* by the Makefile */
#define LP_COMMIT "unknown"
#endif

/* "NAME  VALUE", the value wrapped beside its name. */
static void line(FILE *out, const char *name, const char *value) {
    int column = fprintf(out, "%-12s  ", name);
    help_wrap(out, (size_t)column, (size_t)column, value);
}

/* ---- libraries --------------------------------------------------------------------------------
 */

static void print_libraries(FILE *out) {
    enum { TEXT = 64 };
    char liblinear[TEXT], webp[TEXT] = "not built in", matio[TEXT] = "not built in";
    const char *gif = "not built in";
    (void)snprintf(liblinear, sizeof liblinear, "%d.%d", liblinear_version / 100,
                   liblinear_version % 100);
#ifdef LP_HAS_GIFLIB
    gif = LP_STRING(GIFLIB_MAJOR) "." LP_STRING(GIFLIB_MINOR) "." LP_STRING(GIFLIB_RELEASE);
#endif
#ifdef LP_HAS_WEBP
    int number = WebPGetDecoderVersion();
    (void)snprintf(webp, sizeof webp, "%d.%d.%d", number >> 16, number >> 8 & 0xff, number & 0xff);
#endif
#ifdef LP_HAS_MATIO
    int major, minor, release;
    Mat_GetLibraryVersion(&major, &minor, &release);
    (void)snprintf(matio, sizeof matio, "%d.%d.%d", major, minor, release);
#endif
#ifdef LIBJPEG_TURBO_VERSION
    static const char jpeg[] = "turbo " LP_STRING(LIBJPEG_TURBO_VERSION);
#else
    static const char jpeg[] = LP_STRING(JPEG_LIB_VERSION);
#endif
    line(out, "OpenBLAS", lp_math_blas_version());
    line(out, "liblinear", liblinear);
    line(out, "libarchive", archive_version_details());
    line(out, "libcurl", curl_version());
    line(out, "libcrypto", OpenSSL_version(OPENSSL_VERSION));
    line(out, "jansson", JANSSON_VERSION);
    line(out, "zlib", zlibVersion());
    line(out, "libpng", png_get_libpng_ver(NULL));
    line(out, "libjpeg", jpeg);
    line(out, "cairo", cairo_version_string());
    line(out, "giflib", gif);
    line(out, "libwebp", webp);
    line(out, "libmatio", matio);
}

/* ---- processor --------------------------------------------------------------------------------
 */

enum { FEATURES = 256 };

/* Adds a feature that a kernel asks for, if this processor has it. */
static void list_feature(lp_note *list, const char *name, bool there) {
    if (there) {
        lp_note_put(list, "%s%s", list->used > 0 ? " " : "", name);
    }
}

/* "avx2 fma avx512f" */
static void list_features(char text[FEATURES]) {
    lp_note list = {text, FEATURES, 0};
    text[0] = '\0';
#if LP_X86
    list_feature(&list, "avx2", LP_SUPPORTS("avx2"));
    list_feature(&list, "fma", LP_SUPPORTS("fma"));
    list_feature(&list, "avx512f", LP_SUPPORTS("avx512f"));
    list_feature(&list, "avx512bw", LP_SUPPORTS("avx512bw"));
    list_feature(&list, "avx512cd", LP_SUPPORTS("avx512cd"));
    list_feature(&list, "avx512dq", LP_SUPPORTS("avx512dq"));
    list_feature(&list, "avx512vl", LP_SUPPORTS("avx512vl"));
    list_feature(&list, "avx512vnni", LP_SUPPORTS("avx512vnni"));
    list_feature(&list, "avx512bf16", LP_SUPPORTS("avx512bf16"));
    list_feature(&list, "amx", lp_has_amx());
#endif
    list_feature(&list, "neon", LP_NEON != 0);
}

static const char *float32_kernels(void) {
#if LP_X86
    return LP_SUPPORTS("avx512f") ? "AVX-512" : LP_SUPPORTS_AVX2 ? "AVX2" : "plain";
#else
    return LP_NEON ? "NEON" : "plain";
#endif
}

static const char *bfloat16_kernels(void) {
    return lp_has_amx() ? "AMX" : lp_linear_bfloat16_is_fast() ? "AVX-512 BF16" : "as float32";
}

/* Of 8-bit integers, and of 16-bit ones where there is no AMX. */
static const char *integer_kernels(void) {
#if LP_X86
    return LP_SUPPORTS("avx512vnni") ? "AVX-512 VNNI" : LP_SUPPORTS_AVX2 ? "AVX2" : "plain";
#else
    return "plain";
#endif
}

/* The processor's name, where the system tells it. */
static void find_processor(char name[FEATURES]) {
    (void)snprintf(name, FEATURES, "unknown model");
    FILE *file = fopen("/proc/cpuinfo", "re");
    char text[FEATURES];
    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        const char *value = strchr(text, ':');
        if (value != NULL && strncmp(text, "model name", 10) == 0) {
            (void)snprintf(name, FEATURES, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void about_print(FILE *out) {
    char text[2 * FEATURES + 32], name[FEATURES], features[FEATURES];
    struct utsname system;
    (void)fprintf(out, "linprobe %s\n", lp_version());
    line(out, "commit", LP_COMMIT);
#ifdef __clang__
    line(out, "compiler", __VERSION__);
#else
    line(out, "compiler", "gcc " __VERSION__);
#endif
    print_libraries(out);
    if (uname(&system) == 0) {
        (void)snprintf(text, sizeof text, "%.64s %.64s, %.64s", system.sysname, system.release,
                       system.machine);
        line(out, "system", text);
    }
    find_processor(name);
    list_features(features);
    (void)snprintf(text, sizeof text, "%s, %zu threads; %s", name, lp_processor_count(),
                   features[0] != '\0' ? features : "no feature that a kernel asks for");
    line(out, "processor", text);
    (void)snprintf(text, sizeof text, "float32 %s; bfloat16 %s; int16 %s; int8 %s; OpenBLAS %s",
                   float32_kernels(), bfloat16_kernels(), lp_has_amx() ? "AMX" : integer_kernels(),
                   integer_kernels(), lp_math_blas_corename());
    line(out, "kernels", text);
}
