#include "g722.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_STEP = 32,
    FIRST_UPPER_STEP = 8,
    EMPTY_UPPER_BAND = 3 << 6,
    MOST_LEVELS = 30,
    MOST_LOG_STEP = 18432,
    MOST_UPPER_LOG_STEP = 22528,
    UPPER_DECISION = 564,
    PIECE = 80, /* pairs of samples that pass the filter bank at once */
};

/* Decision levels of the 60-level quantiser and the codes of its positive and negative intervals (tables of 3.2). */
static const int DECISION[MOST_LEVELS] = {
    0,   35,  72,  110, 150, 190, 233,  276,  323,  370,  422,  473,  530,  587,  650,
    714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
};
static const uint8_t NEGATIVE[MOST_LEVELS + 1] = {
    0,  63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19,
    18, 17, 16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,
};
static const uint8_t POSITIVE[MOST_LEVELS + 1] = {
    0,  61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47,
    46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
};
/* Output levels by four and by six bits of a code. */
static const int COARSE[16] = {
    0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0,
};
static const int FINE[64] = {
    -136,  -136,  -136,  -136,  -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232,
    -9360, -8576, -7856, -7192, -6576,  -6000,  -5456,  -4944,  -4464,  -4008,  -3576,  -3168,  -2776,
    -2400, -2032, -1688, -1360, -1040,  -728,   24808,  21904,  19008,  16704,  14984,  13512,  12280,
    11192, 10232, 9360,  8576,  7856,   7192,   6576,   6000,   5456,   4944,   4464,   4008,   3576,
    3168,  2776,  2400,  2032,  1688,   1360,   1040,   728,    432,    136,    -432,   -136,
};
/* How a code moves the logarithm of the step, and the antilogarithm of its fraction. */
static const int MOVES[8] = {-60, -30, 58, 172, 334, 538, 1198, 3042};
static const int MOVE_OF[16] = {0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0};
static const int ANTILOG[32] = {
    2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
    2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
};

/* The upper band's: output levels by its two bits, and how they move the logarithm of its step. */
static const int UPPER[4] = {-7408, -1616, 7408, 1616};
static const int UPPER_MOVES[4] = {798, -214, 798, -214};

static int within(int value, int least, int most)
{
    return value < least ? least : value > most ? most : value;
}

static int saturate(int value)
{
    return within(value, INT16_MIN, INT16_MAX);
}

void g722_begin(struct g722 *g722)
{
    memset(g722, 0, sizeof *g722);
    g722->lower.step = FIRST_STEP;
    g722->upper.step = FIRST_UPPER_STEP;
}

/* Clause 3.5: the step follows the codes; downwards is how much the antilogarithm of nought is shifted. */
static void adapt_step(struct g722_band *band, int move, int most, int downwards)
{
    band->log_step = within(((band->log_step * 127) >> 7) + move, 0, most);
    int shift = downwards - (band->log_step >> 11);
    int value = ANTILOG[(band->log_step >> 6) & 31];
    band->step = (shift < 0 ? value << -shift : value >> shift) << 2;
}

/* Clause 3.6: the two poles follow the signs of the partial reconstructions. */
static void adapt_poles(struct g722_band *band)
{
    const int *partial = band->partial;
    int twice = saturate(band->pole[1] * 4);
    bool is_same = (partial[0] ^ partial[1]) >= 0, is_same_before = (partial[0] ^ partial[2]) >= 0;
    int lean = is_same ? -twice : twice;
    lean = lean > INT16_MAX ? INT16_MAX : lean;
    int second = (lean >> 7) + (is_same_before ? 128 : -128) + ((band->pole[2] * 32512) >> 15);
    second = within(second, -12288, 12288);
    int most = saturate(15360 - second);
    int first = saturate((is_same ? 192 : -192) + ((band->pole[1] * 32640) >> 15));
    band->pole[1] = within(first, -most, most);
    band->pole[2] = second;
}

/* The six zeros follow the signs of the differences, which move on by one; what they predict. */
static int adapt_zeros(struct g722_band *band)
{
    int *difference = band->difference, newest = difference[0], sum = 0;
    int gain = newest == 0 ? 0 : 128;
    for (int i = 6; i > 0; i--) {
        int way = (difference[i] ^ newest) < 0 ? -gain : gain;
        band->zero[i] = saturate(way + ((band->zero[i] * 32640) >> 15));
        difference[i] = difference[i - 1];
        sum = saturate(sum + ((band->zero[i] * saturate(2 * difference[i])) >> 15));
    }
    return sum;
}

/* Block 4: takes a quantised difference into the predictor and predicts the next sample. */
static void predict(struct g722_band *band, int difference)
{
    int *reconstructed = band->reconstructed, *partial = band->partial;
    band->difference[0] = difference;
    reconstructed[0] = saturate(band->signal + difference);
    partial[0] = saturate(band->zeros + difference);
    adapt_poles(band);
    band->zeros = adapt_zeros(band);
    partial[2] = partial[1];
    partial[1] = partial[0];
    reconstructed[2] = reconstructed[1];
    reconstructed[1] = reconstructed[0];
    int poles = saturate((band->pole[1] * saturate(2 * reconstructed[1])) >> 15);
    poles = saturate(poles + ((band->pole[2] * saturate(2 * reconstructed[2])) >> 15));
    band->signal = saturate(poles + band->zeros);
}

static void follow_lower(struct g722_band *band, int code)
{
    int coarse = code >> 2;
    int difference = (band->step * COARSE[coarse]) >> 15;
    adapt_step(band, MOVES[MOVE_OF[coarse]], MOST_LOG_STEP, 8);
    predict(band, difference);
}

static void follow_upper(struct g722_band *band, int code)
{
    int difference = (band->step * UPPER[code]) >> 15;
    adapt_step(band, UPPER_MOVES[code], MOST_UPPER_LOG_STEP, 10);
    predict(band, difference);
}

static int quantise_lower(const struct g722_band *band, int sample)
{
    int error = saturate(sample - band->signal);
    int size = error >= 0 ? error : -(error + 1);
    int level = 1; /* the first whose decision level lies above: these rise with the level */
    for (int half = 16; half > 0; half /= 2) {
        int tried = level + half - 1;
        if (tried < MOST_LEVELS && size >= (DECISION[tried] * band->step) >> 12)
            level = tried + 1;
    }
    return error < 0 ? NEGATIVE[level] : POSITIVE[level];
}

static int quantise_upper(const struct g722_band *band, int sample)
{
    int error = saturate(sample - band->signal);
    int size = error >= 0 ? error : -(error + 1);
    bool is_far = size >= (UPPER_DECISION * band->step) >> 12;
    return (error < 0 ? 0 : 2) + !is_far;
}

static uint8_t encode_lower(struct g722 *g722, int sample)
{
    int code = quantise_lower(&g722->lower, sample);
    follow_lower(&g722->lower, code);
    return (uint8_t)code;
}

static int decode_lower(struct g722 *g722, int code)
{
    struct g722_band *band = &g722->lower;
    int value = within(band->signal + ((band->step * FINE[code]) >> 15), -16384, 16383);
    follow_lower(band, code);
    return value;
}

static uint8_t encode_upper(struct g722 *g722, int sample)
{
    int code = quantise_upper(&g722->upper, sample);
    follow_upper(&g722->upper, code);
    return (uint8_t)(code << 6);
}

static int decode_upper(struct g722 *g722, int code)
{
    struct g722_band *band = &g722->upper;
    int value = within(band->signal + ((band->step * UPPER[code]) >> 15), -16384, 16383);
    follow_upper(band, code);
    return value;
}

void g722_encode(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        octets[i] = (uint8_t)(EMPTY_UPPER_BAND | encode_lower(g722, samples[i] >> 1));
}

void g722_decode(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = (int16_t)(decode_lower(g722, octets[i] & 63) * 2);
}

static void encode_piece(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count)
{
    int32_t even[PIECE], odd[PIECE];
    bank_filter(&g722->bank, samples, even, odd, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t lower = encode_lower(g722, (odd[i] + even[i]) >> 14);
        octets[i] = (uint8_t)(lower | encode_upper(g722, (odd[i] - even[i]) >> 14));
    }
}

void g722_encode_wide(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count)
{
    for (size_t at = 0; at < count; at += PIECE)
        encode_piece(g722, octets + at, samples + 2 * at, count - at < PIECE ? count - at : PIECE);
}

static void decode_piece(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count)
{
    int16_t bands[2 * PIECE] = {0};
    int32_t even[PIECE], odd[PIECE];
    for (size_t i = 0; i < count; i++) {
        int lower = decode_lower(g722, octets[i] & 63), upper = decode_upper(g722, octets[i] >> 6);
        bands[2 * i] = (int16_t)(lower + upper);
        bands[2 * i + 1] = (int16_t)(lower - upper);
    }
    bank_filter(&g722->bank, bands, even, odd, count);
    for (size_t i = 0; i < count; i++) {
        samples[2 * i] = (int16_t)saturate(odd[i] >> 11);
        samples[2 * i + 1] = (int16_t)saturate(even[i] >> 11);
    }
}

void g722_decode_wide(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count)
{
    for (size_t at = 0; at < count; at += PIECE)
        decode_piece(g722, samples + 2 * at, octets + at, count - at < PIECE ? count - at : PIECE);
}
