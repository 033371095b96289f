#include "bank.h"

#include <string.h>

enum { TAPS = 12, PIECE = 160 };

static const int16_t COEFFICIENT[TAPS] = {3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11};

static int16_t saturate(int32_t value)
{
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

static void filter_piece(struct bank *bank, const int16_t *samples, int32_t *even, int32_t *odd, size_t count)
{
    /* Even and odd samples apart: so each sum runs over neighbours. */
    int16_t evens[PIECE + TAPS - 1], odds[PIECE + TAPS - 1];
    for (size_t i = 0; i < TAPS - 1; i++) {
        evens[i] = bank->history[2 * i];
        odds[i] = bank->history[2 * i + 1];
    }
    for (size_t i = 0; i < count; i++) {
        evens[TAPS - 1 + i] = samples[2 * i];
        odds[TAPS - 1 + i] = samples[2 * i + 1];
    }
    for (size_t i = 0; i < count; i++) {
        int32_t even_sum = 0, odd_sum = 0;
        for (size_t tap = 0; tap < TAPS; tap++) {
            even_sum += evens[i + tap] * COEFFICIENT[tap];
            odd_sum += odds[i + tap] * COEFFICIENT[TAPS - 1 - tap];
        }
        even[i] = even_sum;
        odd[i] = odd_sum;
    }
    for (size_t i = 0; i < TAPS - 1; i++) {
        bank->history[2 * i] = evens[count + i];
        bank->history[2 * i + 1] = odds[count + i];
    }
}

void bank_filter(struct bank *bank, const int16_t *samples, int32_t *even, int32_t *odd, size_t count)
{
    for (size_t at = 0; at < count; at += PIECE)
        filter_piece(bank, samples + 2 * at, even + at, odd + at, count - at < PIECE ? count - at : PIECE);
}

void bank_halve(struct bank *bank, int16_t *narrow, const int16_t *wide, size_t count)
{
    int32_t even[PIECE], odd[PIECE];
    for (size_t at = 0; at < count; at += PIECE) {
        size_t piece = count - at < PIECE ? count - at : PIECE;
        filter_piece(bank, wide + 2 * at, even, odd, piece);
        for (size_t i = 0; i < piece; i++)
            narrow[at + i] = saturate((odd[i] + even[i]) >> 13);
    }
}

void bank_double(struct bank *bank, int16_t *wide, const int16_t *narrow, size_t count)
{
    int16_t twice[2 * PIECE];
    int32_t even[PIECE], odd[PIECE];
    for (size_t at = 0; at < count; at += PIECE) {
        size_t piece = count - at < PIECE ? count - at : PIECE;
        for (size_t i = 0; i < piece; i++)
            twice[2 * i] = twice[2 * i + 1] = narrow[at + i];
        filter_piece(bank, twice, even, odd, piece);
        for (size_t i = 0; i < piece; i++) {
            wide[2 * (at + i)] = saturate(odd[i] >> 12);
            wide[2 * (at + i) + 1] = saturate(even[i] >> 12);
        }
    }
}
