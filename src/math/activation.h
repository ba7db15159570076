/* Activations of one value, inlined into the kernels that apply them. */
#ifndef LP_MATH_ACTIVATION_H
#define LP_MATH_ACTIVATION_H

#include <math.h>

#include "math/dispatch.h"
#include "math/exponential.h"

typedef enum lp_nonlinearity {
    LP_IDENTITY,
    LP_QUICK_GELU,   /* x sigmoid(1.702 x): OpenAI's CLIP.  Not GELU: they differ by up to 0.02 */
    LP_GELU,         /* x Phi(x), Phi the normal distribution function: torch.nn.GELU() */
    LP_GELU_TANH,    /* torch.nn.GELU(approximate='tanh') */
    LP_RELU,         /* negatives become 0 */
    LP_SILU,         /* x sigmoid(x) */
    LP_SIGMOID,      /* 1 / (1 + exp(-x)) */
    LP_RELU6,        /* what is not between 0 and 6 becomes the nearer of the two */
    LP_HARD_SIGMOID, /* relu6(x + 3) / 6: torch.nn.Hardsigmoid() */
    LP_HARD_SWISH    /* x relu6(x + 3) / 6: torch.nn.Hardswish() */
} lp_nonlinearity;

LP_BODY float lp_quick_gelu(float x) {
    return x / (1.0F + lp_exp_of_number(-1.702F * x));
}

/* The normal distribution function within 1.2e-7 (absolute), and within 2e-6 of its own value down
 * to Phi(-10).  With a = |x| and s = a / (3 + a):  Phi(-a) = exp(-a^2 / 2) (1/2 + s p(s)), p a
 * minimax polynomial of degree 8 for 0 <= a <= 14.5 (relative error 9e-9).  From a = 13.26 on the
 * exponential is 0. */
LP_BODY float lp_normal_distribution(float x) {
    float a = lp_at_most(fabsf(x), 13.26F);
    float s = a / (3.0F + a);
    float p = 0.0272343382F;
    p = fmaf(p, s, -0.0931114331F);
    p = fmaf(p, s, 0.0839382783F);
    p = fmaf(p, s, 0.00910545141F);
    p = fmaf(p, s, 0.0622581914F);
    p = fmaf(p, s, -0.158782527F);
    p = fmaf(p, s, -0.286965221F);
    p = fmaf(p, s, 1.05315483F);
    p = fmaf(p, s, -1.19682658F);
    float tail = lp_exp_within(-0.5F * a * a) * fmaf(s, p, 0.5F);
    return x < 0 ? tail : 1.0F - tail;
}

LP_BODY float lp_gelu(float x) {
    return x * lp_normal_distribution(x);
}

/* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), with 1 + tanh(u) = 2 / (1 + exp(-2u)) */
LP_BODY float lp_gelu_tanh(float x) {
    return x / (1.0F + lp_exp_of_number(-1.59576912F * x * (1.0F + 0.044715F * x * x)));
}

LP_BODY float lp_silu(float x) {
    return x / (1.0F + lp_exp_of_number(-x));
}

LP_BODY float lp_relu6(float x) {
    float positive = x < 0 ? 0 : x;
    return positive > 6 ? 6 : positive;
}

LP_BODY float lp_activate(lp_nonlinearity activation, float x) {
    switch (activation) {
    case LP_QUICK_GELU:
        return lp_quick_gelu(x);
    case LP_GELU:
        return lp_gelu(x);
    case LP_GELU_TANH:
        return lp_gelu_tanh(x);
    case LP_RELU:
        return x < 0 ? 0 : x;
    case LP_SILU:
        return lp_silu(x);
    case LP_SIGMOID:
        return 1.0F / (1.0F + lp_exp(-x));
    case LP_RELU6:
        return lp_relu6(x);
    case LP_HARD_SIGMOID:
        return lp_relu6(x + 3) / 6;
    case LP_HARD_SWISH:
        return x * lp_relu6(x + 3) / 6;
    case LP_IDENTITY:
        break;
    }
    return x;
}

/* Calls BODY(...) with the activation as a number that the compiler knows: a loop of its own for
 * each. */
#define LP_FOR_ACTIVATION(activation, call)                                                        \
    switch (activation) {                                                                          \
    case LP_QUICK_GELU:                                                                            \
        call(LP_QUICK_GELU);                                                                       \
        break;                                                                                     \
    case LP_GELU:                                                                                  \
        call(LP_GELU);                                                                             \
        break;                                                                                     \
    case LP_GELU_TANH:                                                                             \
        call(LP_GELU_TANH);                                                                        \
        break;                                                                                     \
    case LP_RELU:                                                                                  \
        call(LP_RELU);                                                                             \
        break;                                                                                     \
    case LP_SILU:                                                                                  \
        call(LP_SILU);                                                                             \
        break;                                                                                     \
    case LP_SIGMOID:                                                                               \
        call(LP_SIGMOID);                                                                          \
        break;                                                                                     \
    case LP_RELU6:                                                                                 \
        call(LP_RELU6);                                                                            \
        break;                                                                                     \
    case LP_HARD_SIGMOID:                                                                          \
        call(LP_HARD_SIGMOID);                                                                     \
        break;                                                                                     \
    case LP_HARD_SWISH:                                                                            \
        call(LP_HARD_SWISH);                                                                       \
        break;                                                                                     \
    case LP_IDENTITY:                                                                              \
        call(LP_IDENTITY);                                                                         \
        break;                                                                                     \
    }

#endif
