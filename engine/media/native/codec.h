/* The codecs whose audio the gateway understands: linear samples at 8000 Hz to payload octets and back. */
#ifndef FRONTDESK_CODEC_H
#define FRONTDESK_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "g722.h"

enum codec { CODEC_NONE, CODEC_PCMA, CODEC_PCMU, CODEC_G722 };

enum { CODEC_RATE = 8000, CODEC_MOST_SAMPLES = 960 }; /* 120 ms: no peer sends longer packets */

/* All of them make one octet of a sample at 8000 Hz: of G.722, whose clock says 8000 as well (RFC 3551 4.5.2), the upper
 * band is left empty and not listened to. */
void codec_encode(enum codec codec, struct g722 *g722, uint8_t *octets, const int16_t *samples, size_t count);
void codec_decode(enum codec codec, struct g722 *g722, int16_t *samples, const uint8_t *octets, size_t count);

/* The codec of an SDP encoding name, compared without case; CODEC_NONE when it is none of ours. */
enum codec codec_named(const char *encoding, uint32_t clock_rate);

#endif
