/* Transcodes speech-like sound from one of our codecs to another and prints the nanoseconds that a frame of 20 ms takes,
 * the least of several turns. Arguments: the names of the two codecs, and a file of the first one's octets where that has
 * 160 of them a frame. With the name "samples" alone it writes a minute of the sound (16 bit, 16000 Hz) instead. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "codec.h"

enum { FRAMES = 3000, OCTETS = 160, NARROW = 160, WIDE = 320, TURNS = 5 };

static uint8_t in[FRAMES][CODEC_MOST_OCTETS];
static size_t size_in[FRAMES];

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void make(int frame, int16_t *samples, int count)
{
    for (int j = 0; j < count; j++) {
        double t = (frame * count + j) / (50.0 * count);
        samples[j] = (int16_t)(6000 * sin(2764 * t) * sin(25 * t) + rand() % 800);
    }
}

static int write_samples(void)
{
    for (int i = 0; i < FRAMES; i++) {
        int16_t samples[WIDE];
        make(i, samples, WIDE);
        fwrite(samples, sizeof *samples, WIDE, stdout);
    }
    return 0;
}

static bool read_frames(const char *path)
{
    FILE *file = fopen(path, "rb");
    for (int i = 0; file && i < FRAMES; i++)
        size_in[i] = fread(in[i], 1, OCTETS, file);
    if (file)
        fclose(file);
    return file && size_in[FRAMES - 2] == OCTETS;
}

static void make_frames(enum codec from)
{
    struct voice voice;
    bool is_wide = codec_is_wide(from);
    voice_begin(&voice);
    for (int i = 0; i < FRAMES; i++) {
        int16_t samples[WIDE];
        make(i, samples, is_wide ? WIDE : NARROW);
        size_in[i] = voice_encode(&voice, from, is_wide, in[i], samples, is_wide ? WIDE : NARROW);
    }
    voice_end(&voice);
}

static double turn_ns(enum codec from, enum codec to, unsigned *sum)
{
    struct voice hearing, speaking;
    bool is_wide = codec_is_wide(from) && codec_is_wide(to);
    voice_begin(&hearing);
    voice_begin(&speaking);
    double before = now();
    for (int i = 0; i < FRAMES; i++) {
        int16_t samples[CODEC_MOST_WIDE];
        uint8_t out[CODEC_MOST_OCTETS];
        size_t count = voice_decode(&hearing, from, is_wide, samples, in[i], size_in[i]);
        size_t size = count ? voice_encode(&speaking, to, is_wide, out, samples, count) : 0;
        *sum += size ? out[size / 2] : 0;
    }
    double spent = now() - before;
    voice_end(&hearing);
    voice_end(&speaking);
    return spent / FRAMES * 1e9;
}

static enum codec named(const char *name)
{
    return codec_named(name, strcmp(name, "OPUS") == 0 ? 48000 : CODEC_RATE);
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "samples") == 0)
        return write_samples();
    if (count < 3)
        return 2;
    enum codec from = named(arguments[1]), to = named(arguments[2]);
    if (from == CODEC_NONE || to == CODEC_NONE)
        return 2;
    if (count < 4)
        make_frames(from);
    else if (!read_frames(arguments[3]))
        return 2;
    double least = 1e12;
    unsigned sum = 0;
    for (int turn = 0; turn < TURNS; turn++) {
        double spent = turn_ns(from, to, &sum);
        least = spent < least ? spent : least;
    }
    printf("%.0f %u\n", least, sum);
    return 0;
}
