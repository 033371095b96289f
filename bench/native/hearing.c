/* Hears digits in samples of 16 bit at 8000 Hz from standard input: prints each with the second at which it was
 * recognised, and at the end the nanoseconds that a frame of 20 ms took. */
#include <stdio.h>
#include <time.h>

#include "digits.h"
#include "dtmf.h"

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(void)
{
    static const char digits[] = "0123456789*#ABCD";
    struct dtmf_hearer hearer;
    int16_t frame[160];
    double spent = 0;
    unsigned long frames = 0;
    dtmf_listen(&hearer);
    while (fread(frame, sizeof frame[0], 160, stdin) == 160) {
        double before = now();
        int event = dtmf_hear(&hearer, frame, 160);
        spent += now() - before;
        frames++;
        if (event >= 0)
            printf("%c %.3f\n", digits[event], (double)frames * 0.02);
    }
    printf("frame %.0f\n", frames ? spent / (double)frames * 1e9 : 0.0);
    return 0;
}
