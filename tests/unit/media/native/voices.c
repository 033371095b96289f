/* The codecs: whatever comes in, and as a filter from standard input to standard output. */
#include <string.h>

#include "bank.h"
#include "check.h"
#include "codec.h"
#include "noise.h"
#include "scale.h"

enum { PACKETS = 60000, LONGEST = 1500, PIECE = 320 };

static const enum codec ALL[] = {CODEC_PCMA, CODEC_PCMU, CODEC_G722, CODEC_OPUS};

static void random_payloads(void)
{
    struct chance chance = {7};
    struct voice hearing, speaking;
    voice_begin(&hearing);
    voice_begin(&speaking);
    for (int i = 0; i < PACKETS; i++) {
        uint8_t octets[LONGEST], made[CODEC_MOST_OCTETS];
        int16_t samples[CODEC_MOST_WIDE];
        size_t size = chance_next(&chance) % (i % 3 ? 200 : LONGEST);
        for (size_t at = 0; at < size; at++)
            octets[at] = (uint8_t)chance_next(&chance);
        enum codec codec = ALL[i % 4], into = ALL[chance_next(&chance) % 4];
        bool is_wide = codec_is_wide(codec) && codec_is_wide(into) && (chance_next(&chance) & 1);
        size_t count = i % 7 ? voice_decode(&hearing, codec, is_wide, samples, octets, size)
                             : voice_recover(&hearing, codec, is_wide, samples, octets, size);
        CHECK(count <= (is_wide ? CODEC_MOST_WIDE : CODEC_MOST_SAMPLES));
        if (count)
            CHECK(voice_encode(&speaking, into, is_wide, made, samples, count) <= CODEC_MOST_OCTETS);
    }
    voice_end(&hearing);
    voice_end(&speaking);
}

/* Every length in whole 10 ms comes back as long as it went. */
static void lengths(void)
{
    struct voice hearing, speaking;
    int16_t samples[CODEC_MOST_WIDE] = {0}, again[CODEC_MOST_WIDE];
    uint8_t octets[CODEC_MOST_OCTETS];
    voice_begin(&hearing);
    voice_begin(&speaking);
    for (size_t codec = 0; codec < sizeof ALL / sizeof ALL[0]; codec++) {
        if (ALL[codec] == CODEC_OPUS && codec_named("opus", 48000) == CODEC_NONE)
            continue;
        for (size_t ms = 10; ms <= 120; ms += 10) {
            for (int wide = 0; wide <= codec_is_wide(ALL[codec]); wide++) {
                size_t count = ms * (wide ? 16 : 8);
                size_t size = voice_encode(&speaking, ALL[codec], wide != 0, octets, samples, count);
                CHECK(size > 0 && voice_decode(&hearing, ALL[codec], wide != 0, again, octets, size) == count);
            }
        }
    }
    voice_end(&hearing);
    voice_end(&speaking);
}

/* Clocks of 8000 and of 48000 Hz, over the wrap of either. */
static void clocks(void)
{
    struct scale scale = {0};
    uint32_t first = scale_timestamp(&scale, 0xfffff000u, 48000, 8000);
    for (uint32_t i = 1; i < 100; i++)
        CHECK(scale_timestamp(&scale, 0xfffff000u + 960 * i, 48000, 8000) == first + 160 * i);
    CHECK(scale_timestamp(&scale, 0xfffff000u + 960 * 98, 48000, 8000) == first + 160 * 98);
    CHECK(scale_timestamp(&scale, 77, 8000, 8000) == 77);
    scale = (struct scale){0};
    first = scale_timestamp(&scale, 0, 48000, 8000);
    for (uint32_t i = 1; i < 7; i++)
        CHECK(scale_timestamp(&scale, i, 48000, 8000) == first + i / 6); /* no part of a unit is lost */
}

static void levels(void)
{
    int16_t samples[8000];
    uint32_t seed = 1;
    double power = 0;
    noise_fill(&seed, 30, samples, 8000);
    for (int i = 0; i < 8000; i++)
        power += (double)samples[i] * samples[i] / 8000;
    double wanted = 32768.0 * 0.0316228;
    CHECK(power > 0.9 * wanted * wanted && power < 1.1 * wanted * wanted);
    noise_fill(&seed, 255, samples, 8000);
    for (int i = 0; i < 8000; i++)
        CHECK(samples[i] >= -1 && samples[i] <= 1);
}

static void halves(void)
{
    struct bank down = {0}, up = {0};
    int16_t wide[640], narrow[320], again[640];
    for (int i = 0; i < 640; i++)
        wide[i] = 1000;
    bank_halve(&down, narrow, wide, 320);
    bank_double(&up, again, narrow, 320);
    CHECK(narrow[319] == 1000 && again[639] == 1000 && again[638] == 1000);
}

void test_voices(void)
{
    random_payloads();
    lengths();
    clocks();
    levels();
    halves();
}

void test_g722_encode(void)
{
    struct g722 g722;
    int16_t samples[PIECE];
    uint8_t octets[PIECE / 2];
    g722_begin(&g722);
    for (size_t count; (count = fread(samples, sizeof *samples, PIECE, stdin) / 2) > 0;) {
        g722_encode_wide(&g722, octets, samples, count);
        fwrite(octets, 1, count, stdout);
    }
}

void test_g722_decode(void)
{
    struct g722 g722;
    int16_t samples[PIECE];
    uint8_t octets[PIECE / 2];
    g722_begin(&g722);
    for (size_t count; (count = fread(octets, 1, PIECE / 2, stdin)) > 0;) {
        g722_decode_wide(&g722, samples, octets, count);
        fwrite(samples, sizeof *samples, 2 * count, stdout);
    }
}
