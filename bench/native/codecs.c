/* Transcodes a minute of speech-like samples from one of our codecs to another and prints the nanoseconds that a frame
 * of 20 ms takes, the least of several turns. Arguments: the names of the two codecs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "codec.h"

enum { FRAMES = 3000, SAMPLES = 160, TURNS = 7 };

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int count, char **arguments)
{
    static uint8_t in[FRAMES][SAMPLES], out[FRAMES][SAMPLES];
    if (count != 3)
        return 2;
    enum codec from = codec_named(arguments[1], CODEC_RATE), to = codec_named(arguments[2], CODEC_RATE);
    if (from == CODEC_NONE || to == CODEC_NONE)
        return 2;
    struct g722 encoder, decoder, again;
    g722_begin(&encoder);
    for (int i = 0; i < FRAMES; i++) {
        int16_t samples[SAMPLES];
        for (int j = 0; j < SAMPLES; j++) {
            double t = (i * SAMPLES + j) / 8000.0;
            samples[j] = (int16_t)(6000 * sin(2764 * t) * sin(25 * t) + rand() % 800);
        }
        codec_encode(from, &encoder, in[i], samples, SAMPLES);
    }
    double least = 1e9;
    unsigned sum = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        g722_begin(&decoder);
        g722_begin(&again);
        double before = now();
        for (int i = 0; i < FRAMES; i++) {
            int16_t samples[SAMPLES];
            codec_decode(from, &decoder, samples, in[i], SAMPLES);
            codec_encode(to, &again, out[i], samples, SAMPLES);
            sum += out[i][7];
        }
        double spent = now() - before;
        least = spent < least ? spent : least;
    }
    printf("%.0f %u\n", least / FRAMES * 1e9, sum);
    return 0;
}
