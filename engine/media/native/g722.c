#include "g722.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_STEP = 32, EMPTY_UPPER_BAND = 3 << 6, MOST_LEVELS = 30 };

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
    g722->step = FIRST_STEP;
}

/* Clause 3.5: the step follows the codes. */
static void adapt_step(struct g722 *g722, int coarse)
{
    g722->log_step = within(((g722->log_step * 127) >> 7) + MOVES[MOVE_OF[coarse]], 0, 18432);
    int shift = 8 - (g722->log_step >> 11);
    int value = ANTILOG[(g722->log_step >> 6) & 31];
    g722->step = (shift < 0 ? value << -shift : value >> shift) << 2;
}

/* Clause 3.6: the two poles follow the signs of the partial reconstructions. */
static void adapt_poles(struct g722 *g722)
{
    const int *partial = g722->partial;
    int twice = saturate(g722->pole[1] * 4);
    bool is_same = (partial[0] ^ partial[1]) >= 0, is_same_before = (partial[0] ^ partial[2]) >= 0;
    int lean = is_same ? -twice : twice;
    lean = lean > INT16_MAX ? INT16_MAX : lean;
    int second = (lean >> 7) + (is_same_before ? 128 : -128) + ((g722->pole[2] * 32512) >> 15);
    second = within(second, -12288, 12288);
    int most = saturate(15360 - second);
    int first = saturate((is_same ? 192 : -192) + ((g722->pole[1] * 32640) >> 15));
    g722->pole[1] = within(first, -most, most);
    g722->pole[2] = second;
}

/* The six zeros follow the signs of the differences. */
static void adapt_zeros(struct g722 *g722)
{
    const int *difference = g722->difference;
    int gain = difference[0] == 0 ? 0 : 128;
    for (int i = 1; i < 7; i++) {
        int way = (difference[i] ^ difference[0]) < 0 ? -gain : gain;
        g722->zero[i] = saturate(way + ((g722->zero[i] * 32640) >> 15));
    }
}

/* Block 4: takes a quantised difference into the predictor and predicts the next sample. */
static void predict(struct g722 *g722, int difference)
{
    g722->difference[0] = difference;
    g722->reconstructed[0] = saturate(g722->signal + difference);
    g722->partial[0] = saturate(g722->zeros + difference);
    adapt_poles(g722);
    adapt_zeros(g722);
    for (int i = 6; i > 0; i--)
        g722->difference[i] = g722->difference[i - 1];
    for (int i = 2; i > 0; i--) {
        g722->reconstructed[i] = g722->reconstructed[i - 1];
        g722->partial[i] = g722->partial[i - 1];
    }
    int poles = 0, zeros = 0;
    for (int i = 1; i < 3; i++)
        poles = saturate(poles + ((g722->pole[i] * saturate(2 * g722->reconstructed[i])) >> 15));
    for (int i = 6; i > 0; i--)
        zeros = saturate(zeros + ((g722->zero[i] * saturate(2 * g722->difference[i])) >> 15));
    g722->zeros = zeros;
    g722->signal = saturate(poles + zeros);
}

static void follow(struct g722 *g722, int code)
{
    int coarse = code >> 2;
    int difference = (g722->step * COARSE[coarse]) >> 15;
    adapt_step(g722, coarse);
    predict(g722, difference);
}

static int quantise(const struct g722 *g722, int sample)
{
    int error = saturate(sample - g722->signal);
    int size = error >= 0 ? error : -(error + 1);
    int level = 1;
    while (level < MOST_LEVELS && size >= (DECISION[level] * g722->step) >> 12)
        level++;
    return error < 0 ? NEGATIVE[level] : POSITIVE[level];
}

void g722_encode(struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = quantise(g722, samples[i] >> 1);
        follow(g722, code);
        octets[i] = (uint8_t)(EMPTY_UPPER_BAND | code);
    }
}

void g722_decode(struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int code = octets[i] & 63;
        int value = within(g722->signal + ((g722->step * FINE[code]) >> 15), -16384, 16383);
        follow(g722, code);
        samples[i] = (int16_t)(value * 2);
    }
}
