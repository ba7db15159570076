#include <stdio.h>
int main(void) {
    puts("linprobe");
    return 0;
}
