/* Opus (RFC 6716, RFC 7587) by the system's libopus, where that is installed: it is looked for when it is first asked
 * for, and never needed to build. One channel. */
#ifndef FRONTDESK_OPUS_VOICE_H
#define FRONTDESK_OPUS_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One direction: an encoder or a decoder, made when it is first used. */
struct opus_voice;

/* What the library says of itself, such as "libopus 1.3.1"; NULL where there is none that can be used. */
const char *opus_voice_version(void);

void opus_voice_free(struct opus_voice *voice);

/* As voice_encode, voice_decode and voice_recover of codec.h, making *voice when it is NULL. */
size_t opus_voice_encode(struct opus_voice **voice, bool is_wide, uint8_t *octets, const int16_t *samples,
                         size_t count);
size_t opus_voice_decode(struct opus_voice **voice, bool is_wide, int16_t *samples, const uint8_t *octets, size_t size,
                         bool recovers);

#endif
