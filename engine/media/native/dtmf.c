#include "dtmf.h"

#include <stdbool.h>
#include <string.h>

enum {
    PRESSED_BLOCKS = 2, /* 26 to 38 ms: what is pressed for 40 ms is a digit, 20 ms are none (Q.24) */
    RELEASED_BLOCKS = 2,
    LEVEL = 4500, /* of each tone: together -8 dBm0, as telephones send them */
};

/* 2 cos(w) and sin(w) at 8000 Hz of 697, 770, 852, 941, 1209, 1336, 1477 and 1633 Hz. */
static const double RHYTHM[DTMF_TONES] = {
    1.707737809, 1.645281036, 1.568686984, 1.478204568, 1.164104023, 0.996370211, 0.798618389, 0.568532707,
};
static const double START[DTMF_TONES] = {
    0.520488130, 0.568561851, 0.620326758, 0.673593211, 0.813151558, 0.867070701, 0.916816321, 0.958745347,
};
/* The event at each row and column of the keypad. */
static const uint8_t KEYPAD[4][4] = {{1, 2, 3, 12}, {4, 5, 6, 13}, {7, 8, 9, 14}, {10, 0, 11, 15}};

static const float WEAKEST = 2.5e8f;      /* of a tone: about -37 dBm0 */
static const float NORMAL_TWIST = 6.3f;   /* the upper tone may be 8 dB weaker, the lower one 4 dB */
static const float REVERSE_TWIST = 2.5f;
static const float ABOVE_OTHERS = 6.3f;   /* each tone above its row or column, 8 dB */
static const float OF_ALL = 0.395f * DTMF_BLOCK; /* the two tones hold 79 % of all, so that 20 ms hardly fill two blocks */

void dtmf_begin(struct dtmf_maker *maker, unsigned event)
{
    unsigned row = 0, column = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (KEYPAD[i / 4][i % 4] == event) {
            row = i / 4;
            column = 4 + i % 4;
        }
    }
    const unsigned tones[2] = {row, column};
    for (int i = 0; i < 2; i++) {
        maker->rhythm[i] = RHYTHM[tones[i]];
        maker->before[i] = -LEVEL * START[tones[i]];
        maker->last[i] = 0;
    }
}

void dtmf_make(struct dtmf_maker *maker, int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (int tone = 0; tone < 2; tone++) {
            double next = maker->rhythm[tone] * maker->last[tone] - maker->before[tone];
            maker->before[tone] = maker->last[tone];
            maker->last[tone] = next;
            sum += next;
        }
        samples[i] = (int16_t)sum;
    }
}

static void begin_block(struct dtmf_hearer *hearer)
{
    memset(hearer->last, 0, sizeof hearer->last);
    memset(hearer->before, 0, sizeof hearer->before);
    hearer->energy = 0;
    hearer->samples = 0;
}

void dtmf_listen(struct dtmf_hearer *hearer)
{
    begin_block(hearer);
    hearer->candidate = hearer->present = -1;
    hearer->blocks = 0;
}

static int strongest(const float *power)
{
    int best = 0;
    for (int i = 1; i < 4; i++)
        best = power[i] > power[best] ? i : best;
    return best;
}

static bool stands_out(const float *power, int best)
{
    for (int i = 0; i < 4; i++) {
        if (i != best && power[best] < power[i] * ABOVE_OTHERS)
            return false;
    }
    return true;
}

/* The event in a whole block, -1 for none. */
static int judge(const struct dtmf_hearer *hearer)
{
    float power[DTMF_TONES];
    for (int i = 0; i < DTMF_TONES; i++)
        power[i] = hearer->last[i] * hearer->last[i] + hearer->before[i] * hearer->before[i] -
                   (float)RHYTHM[i] * hearer->last[i] * hearer->before[i];
    int row = strongest(power), column = strongest(power + 4);
    float low = power[row], high = power[4 + column];
    bool is_digit = low > WEAKEST && high > WEAKEST && low < high * NORMAL_TWIST && high < low * REVERSE_TWIST &&
                    stands_out(power, row) && stands_out(power + 4, column) && low + high > OF_ALL * hearer->energy;
    return is_digit ? KEYPAD[row][column] : -1;
}

/* A press is as many blocks with the same digit, its end as many without. */
static int take_block(struct dtmf_hearer *hearer)
{
    int event = judge(hearer);
    hearer->blocks = event == hearer->candidate ? hearer->blocks + 1 : 1;
    hearer->candidate = event;
    if (event < 0) {
        if (hearer->blocks >= RELEASED_BLOCKS)
            hearer->present = -1;
        return -1;
    }
    if (event == hearer->present || hearer->blocks < PRESSED_BLOCKS)
        return -1;
    hearer->present = event;
    return event;
}

int dtmf_hear(struct dtmf_hearer *hearer, const int16_t *samples, size_t count)
{
    int heard = -1;
    for (size_t i = 0; i < count; i++) {
        float sample = samples[i];
        hearer->energy += sample * sample;
        for (int tone = 0; tone < DTMF_TONES; tone++) {
            float next = (float)RHYTHM[tone] * hearer->last[tone] - hearer->before[tone] + sample;
            hearer->before[tone] = hearer->last[tone];
            hearer->last[tone] = next;
        }
        if (++hearer->samples == DTMF_BLOCK) {
            int event = take_block(hearer);
            heard = event >= 0 ? event : heard;
            begin_block(hearer);
        }
    }
    return heard;
}
