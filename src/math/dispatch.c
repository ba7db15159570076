#include "math/dispatch.h"

bool lp_without_avx512 = false;
