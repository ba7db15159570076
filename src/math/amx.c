/* Whether AMX may be used: the processor says that it has it and that the system saves its
 * registers (Intel's manual, volume 1, chapter 18), and Linux, from 5.16 on, grants them to a
 * process that asks (arch_prctl, Documentation/arch/x86/xstate.rst).  It refuses where a thread's
 * stack for signals is too small for them. */
#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* syscall */
#endif
#include "math/amx.h"

#if LP_X86 && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REQUEST_PERMISSION = 0x1023, TILE_SIZES = 17, TILES = 18 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool granted = false;

LP_TARGET("xsave") static bool registers_are_saved(void) {
    const unsigned long long both = 1ULL << TILE_SIZES | 1ULL << TILES;
    return ((unsigned long long)_xgetbv(0) & both) == both;
}

static bool processor_has_it(void) {
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, AMX_INT8 = 1 << 25 };
    const unsigned all = AMX_BF16 | AMX_TILE | AMX_INT8;
    unsigned a, b, c, d;
    return LP_SUPPORTS("avx512vnni") && LP_SUPPORTS("avx512bf16") && LP_SUPPORTS("avx512bw") &&
           LP_SUPPORTS("avx512dq") && LP_SUPPORTS("avx512vl") &&
           __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & all) == all &&
           registers_are_saved();
}

static void request(void) {
    granted = processor_has_it() && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILES) == 0;
}

bool lp_has_amx(void) {
    (void)pthread_once(&once, request);
    return granted;
}

#else

bool lp_has_amx(void) {
    return false;
}

#endif
