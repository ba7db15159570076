/* AMX, of Intel's processors: eight registers, here of 12 or 16 rows of 64 bytes, and products of
 * them.  Of bytes, the sums have 32 bits and are exact but for what leaves these:
 *
 *   sums [12][16] += x [12][64] w [16][16][4]'       sum over k of x[i][k] w[k / 4][o][k % 4]
 *
 * Of bfloat16 they are float32:
 *
 *   sums [12][16] += x [12][32] w [16][16][2]'       (sum over even k) + (sum over odd k) of
 *                                                    x[i][k] w[k / 2][o][k % 2]
 *
 * both of them chains of fused multiply-adds from 0 in the order of k, rounded to the nearest;
 * subnormal numbers count as 0 (Intel's manual, volume 2, TDPBF16PS).
 *
 * The statements name registers by their numbers: 0 to 5 have 12 rows, as many as a tile of
 * math/tiles.h, and 6 and 7 have the 16 of w.  A thread calls lp_amx_begin, and lp_amx_end as soon
 * as it is done: until then the system saves 8 KB more for it.  These and the kernels around them
 * are compiled for LP_AMX, and run where lp_has_amx.
 *
 * Not by the compilers' own functions: gcc 12's loads do not tell it that memory is read. */
#ifndef LP_MATH_AMX_H
#define LP_MATH_AMX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "math/dispatch.h"

/* Whether this processor has AMX for 8-bit integers and bfloat16, AVX-512 VNNI and AVX-512 BF16,
 * and this process may use all.  Linux grants a process the registers when it asks, which the first
 * call does.  The answer stays the same.  Any thread may ask; the answer holds for all. */
bool lp_has_amx(void);

#if LP_X86

#define LP_AMX                                                                                     \
    "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,amx-tile,amx-int8,amx-bf16,prfchw"

/* Of one product of bytes, and of one of bfloat16. */
enum { LP_AMX_DEPTH = 64, LP_AMX_BFLOAT16_DEPTH = 32, LP_AMX_OUTPUTS = 16 };

/* A register from rows that lie `step` bytes apart, and back. */
#define LP_AMX_LOAD(number, from, step)                                                            \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #number                                          \
                     :                                                                             \
                     : "r"((const void *)(from)), "r"((size_t)(step))                              \
                     : "memory")
/* The same of rows that the first-level cache need not keep. */
#define LP_AMX_LOAD_ONCE(number, from, step)                                                       \
    __asm__ volatile("tileloaddt1 (%0,%1,1), %%tmm" #number                                        \
                     :                                                                             \
                     : "r"((const void *)(from)), "r"((size_t)(step))                              \
                     : "memory")
#define LP_AMX_STORE(number, to, step)                                                             \
    __asm__ volatile("tilestored %%tmm" #number ", (%0,%1,1)"                                      \
                     :                                                                             \
                     : "r"((void *)(to)), "r"((size_t)(step))                                      \
                     : "memory")
#define LP_AMX_CLEAR(number) __asm__ volatile("tilezero %%tmm" #number :::)

/* sums += x w; signs: "ss", "su", "us", "uu", whether x and whether w are signed. */
#define LP_AMX_ADD(signs, sums, x, w)                                                              \
    __asm__ volatile("tdpb" signs "d %%tmm" #w ", %%tmm" #x ", %%tmm" #sums :::)

/* The same of bfloat16. */
#define LP_AMX_ADD_BFLOAT16(sums, x, w)                                                            \
    __asm__ volatile("tdpbf16ps %%tmm" #w ", %%tmm" #x ", %%tmm" #sums :::)

/* The registers' sizes; they hold zeros then. */
LP_TARGET(LP_AMX) LP_BODY void lp_amx_begin(void) {
    static const struct {
        uint8_t palette, start, nothing[14];
        uint16_t bytes_of_a_row[16];
        uint8_t rows[16];
    } sizes = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {12, 12, 12, 12, 12, 12, 16, 16}};
    __asm__ volatile("ldtilecfg %0" : : "m"(sizes));
}

LP_TARGET(LP_AMX) LP_BODY void lp_amx_end(void) {
    __asm__ volatile("tilerelease" :::);
}

#endif

#endif
