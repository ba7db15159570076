/* One source, several processors: a kernel's body is compiled for each kind and chosen at run time.
 *
 *     LP_BODY void add_bias(float *x, size_t n, const float *bias) { ... }
 *     LP_KERNEL(lp_add_bias, add_bias, (float *x, size_t n, const float *bias), (x, n, bias))
 *
 * A kernel whose inner loop is written for each kind of processor names its calls (LP_VERSIONS).
 *
 * All versions give the same bits: none fuses a*b+c unasked (-ffp-contract=off), and sums run over
 * LP_LANES partial sums in a fixed order.  fmaf stands where one rounding is meant; a processor
 * without it takes the plain version, and there it is a slow call of the C library.  The compiler
 * extensions of the math stage stand here and in amx.h. (target_clones would do the same, but Clang
 * 14 gives the chosen function another name, and it does not work under sanitizers.) */
#ifndef LP_MATH_DISPATCH_H
#define LP_MATH_DISPATCH_H

#include <math.h>
#include <stdbool.h>

/* True: no version for registers of 512 bits or for AMX is taken.  Benchmarks and tests set it
 * before they pack weights; the library and the program never do. */
extern bool lp_without_avx512;

/* Partial sums of a reduction: the floats of one 512-bit register. */
enum { LP_LANES = 16 };

#if defined(__GNUC__)
#define LP_BODY static inline __attribute__((always_inline))
#else
#define LP_BODY static inline
#endif

/* a * b + c, rounded once where the processor does that fast. */
#ifdef FP_FAST_FMAF
#define LP_MULTIPLY_ADD(a, b, c) fmaf(a, b, c)
#else
#define LP_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

/* The cache line of an address, which may be anywhere: to be read soon, into the second-level
 * cache; to be written soon. */
#if defined(__GNUC__)
#define LP_WILL_READ(address) __builtin_prefetch(address, 0, 2)
#define LP_WILL_WRITE(address) __builtin_prefetch(address, 1, 3)
#else
#define LP_WILL_READ(address) ((void)(address))
#define LP_WILL_WRITE(address) ((void)(address))
#endif

/* Whether the versions below exist, and what a function for some of them is marked with. */
#if defined(__GNUC__) && defined(__x86_64__)
#define LP_X86 1
#define LP_TARGET(features) __attribute__((target(features)))
#define LP_SUPPORTS(feature) __builtin_cpu_supports(feature)
#define LP_SUPPORTS_AVX2 (LP_SUPPORTS("avx2") && LP_SUPPORTS("fma")) /* for "avx2,fma" */
#define LP_SUPPORTS_512(feature) (!lp_without_avx512 && LP_SUPPORTS(feature))
/* A vector of sums, as it is here: gcc 12 would move what is done with it behind a loop into the
 * loop, or all products of a step before its sums, and then there are too few registers. */
#define LP_IN_REGISTER(vector) __asm__("" : "+v"(vector))
#define LP_BFLOAT16 "avx512f,avx512bw,avx512bf16,prfchw" /* a target */
#else
#define LP_X86 0
#endif

/* Arm's 64-bit processors: all have registers of 128 bits and fused multiply-adds, so that one
 * version is enough, which stands in the place of the plain one.  Their rounding is that of x86's,
 * and so are the bits. */
#if defined(__GNUC__) && defined(__aarch64__) && defined(__ARM_NEON)
#define LP_NEON 1
#else
#define LP_NEON 0
#endif

/* Whether products and sums are fused where kernels may choose (LP_MULTIPLY_ADD and its versions):
 * the one thing of a processor that their results depend on. */
static inline bool lp_fuses(void) {
#if LP_X86
    return LP_SUPPORTS("avx512f") || LP_SUPPORTS_AVX2;
#elif defined(FP_FAST_FMAF)
    return true;
#else
    return false;
#endif
}

/* The kernel of the version that every processor has. */
#if LP_NEON
#define LP_PLAIN(name) name##_neon
#else
#define LP_PLAIN(name) name##_plain
#endif

/* Defines body_plain, body_avx2 and body_avx512, which make these calls, and `name`, which takes
 * the version for this processor: the last one where it has `feature_512`, compiled for
 * `target_512`. */
#if LP_X86
#define LP_VERSIONS(name, body, parameters, arguments, call_plain, call_avx2, feature_512,         \
                    target_512, call_512)                                                          \
    static void body##_plain parameters {                                                          \
        call_plain;                                                                                \
    }                                                                                              \
    LP_TARGET("avx2,fma") static void body##_avx2 parameters {                                     \
        call_avx2;                                                                                 \
    }                                                                                              \
    LP_TARGET(target_512) static void body##_avx512 parameters {                                   \
        call_512;                                                                                  \
    }                                                                                              \
    void name parameters {                                                                         \
        if (LP_SUPPORTS_512(feature_512)) {                                                        \
            body##_avx512 arguments;                                                               \
        } else if (LP_SUPPORTS_AVX2) {                                                             \
            body##_avx2 arguments;                                                                 \
        } else {                                                                                   \
            body##_plain arguments;                                                                \
        }                                                                                          \
    }
#else
#define LP_VERSIONS(name, body, parameters, arguments, call_plain, call_avx2, feature_512,         \
                    target_512, call_512)                                                          \
    static void body##_plain parameters {                                                          \
        call_plain;                                                                                \
    }                                                                                              \
    void name parameters {                                                                         \
        body##_plain arguments;                                                                    \
    }
#endif

/* The same of one body for all. */
#define LP_KERNEL(name, body, parameters, arguments)                                               \
    LP_VERSIONS(name, body, parameters, arguments, body arguments, body arguments, "avx512f",      \
                "avx512f", body arguments)

#endif
