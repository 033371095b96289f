#define _GNU_SOURCE
#include "opus_voice.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

/* The ABI of libopus.so.0, as opus_defines.h has it. */
enum {
    OPUS_APPLICATION_VOIP = 2048,
    OPUS_SET_BITRATE = 4002,
    OPUS_SET_COMPLEXITY = 4010,
    OPUS_SET_INBAND_FEC = 4012,
    OPUS_SET_PACKET_LOSS_PERC = 4014,
    OPUS_SET_DTX = 4016,
    BITRATE_WIDE = 28000,
    BITRATE_NARROW = 20000,
    COMPLEXITY = 4,
    EXPECTED_LOSS_PERCENT = 5,
    PIECE_MS = 10, /* what lengths that no frame has are put together from */
};

static struct {
    const char *(*version)(void);
    int (*encoder_size)(int channels);
    int (*encoder_init)(void *encoder, int32_t rate, int channels, int application);
    int (*encoder_ctl)(void *encoder, int request, ...);
    int32_t (*encode)(void *encoder, const int16_t *samples, int count, uint8_t *octets, int32_t most);
    int (*decoder_size)(int channels);
    int (*decoder_init)(void *decoder, int32_t rate, int channels);
    int (*decode)(void *decoder, const uint8_t *octets, int32_t size, int16_t *samples, int most, int recovers);
    int (*samples_in)(const uint8_t *octets, int32_t size, int32_t rate);
    int (*repacketizer_size)(void);
    void *(*repacketizer_init)(void *repacketizer);
    int (*repacketizer_cat)(void *repacketizer, const uint8_t *octets, int32_t size);
    int32_t (*repacketizer_out)(void *repacketizer, uint8_t *octets, int32_t most);
} library;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_loaded;

static bool find(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    memcpy(function, &found, sizeof found); /* ISO C knows no cast from an object to a function */
    return found != NULL;
}

static void load(void)
{
    void *handle = dlopen("libopus.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return;
    is_loaded = find(handle, "opus_get_version_string", &library.version) &&
                find(handle, "opus_encoder_get_size", &library.encoder_size) &&
                find(handle, "opus_encoder_init", &library.encoder_init) &&
                find(handle, "opus_encoder_ctl", &library.encoder_ctl) &&
                find(handle, "opus_encode", &library.encode) &&
                find(handle, "opus_decoder_get_size", &library.decoder_size) &&
                find(handle, "opus_decoder_init", &library.decoder_init) &&
                find(handle, "opus_decode", &library.decode) &&
                find(handle, "opus_packet_get_nb_samples", &library.samples_in) &&
                find(handle, "opus_repacketizer_get_size", &library.repacketizer_size) &&
                find(handle, "opus_repacketizer_init", &library.repacketizer_init) &&
                find(handle, "opus_repacketizer_cat", &library.repacketizer_cat) &&
                find(handle, "opus_repacketizer_out", &library.repacketizer_out);
    if (!is_loaded)
        dlclose(handle);
}

const char *opus_voice_version(void)
{
    pthread_once(&once, load);
    return is_loaded ? library.version() : NULL;
}

struct opus_voice {
    int32_t encoder_rate; /* 0: not begun */
    int32_t decoder_rate;
    void *encoder;
    void *decoder;
    void *repacketizer;
};

void opus_voice_free(struct opus_voice *voice)
{
    if (!voice)
        return;
    free(voice->encoder);
    free(voice->decoder);
    free(voice->repacketizer);
    free(voice);
}

static struct opus_voice *made(struct opus_voice **voice)
{
    if (!*voice && opus_voice_version())
        *voice = calloc(1, sizeof **voice);
    return *voice;
}

/* Begins anew at another rate, which happens when what a leg hears turns wide or narrow. */
static bool begin_encoder(struct opus_voice *voice, int32_t rate)
{
    if (voice->encoder_rate == rate)
        return true;
    if (!voice->encoder)
        voice->encoder = malloc((size_t)library.encoder_size(1));
    if (!voice->repacketizer)
        voice->repacketizer = malloc((size_t)library.repacketizer_size());
    voice->encoder_rate = 0;
    if (!voice->encoder || !voice->repacketizer ||
        library.encoder_init(voice->encoder, rate, 1, OPUS_APPLICATION_VOIP) != 0)
        return false;
    int bitrate = rate > CODEC_RATE ? BITRATE_WIDE : BITRATE_NARROW;
    library.encoder_ctl(voice->encoder, OPUS_SET_BITRATE, (int32_t)bitrate);
    library.encoder_ctl(voice->encoder, OPUS_SET_COMPLEXITY, (int32_t)COMPLEXITY);
    library.encoder_ctl(voice->encoder, OPUS_SET_INBAND_FEC, (int32_t)1);
    library.encoder_ctl(voice->encoder, OPUS_SET_PACKET_LOSS_PERC, (int32_t)EXPECTED_LOSS_PERCENT);
    library.encoder_ctl(voice->encoder, OPUS_SET_DTX, (int32_t)0);
    voice->encoder_rate = rate;
    return true;
}

static bool is_frame(size_t milliseconds)
{
    return milliseconds == 10 || milliseconds == 20 || milliseconds == 40 || milliseconds == 60;
}

/* A length such as 30 ms goes as several frames of one packet (RFC 6716 section 3.2). */
static size_t encode_pieces(struct opus_voice *voice, uint8_t *octets, const int16_t *samples, size_t pieces,
                            size_t piece)
{
    uint8_t frames[CODEC_MOST_SAMPLES / (CODEC_RATE / 1000) / PIECE_MS][CODEC_MOST_OCTETS / 8];
    library.repacketizer_init(voice->repacketizer);
    for (size_t i = 0; i < pieces; i++) {
        int32_t size = library.encode(voice->encoder, samples + i * piece, (int)piece, frames[i], sizeof frames[i]);
        if (size <= 0 || library.repacketizer_cat(voice->repacketizer, frames[i], size) != 0)
            return 0;
    }
    int32_t size = library.repacketizer_out(voice->repacketizer, octets, CODEC_MOST_OCTETS);
    return size > 0 ? (size_t)size : 0;
}

size_t opus_voice_encode(struct opus_voice **own, bool is_wide, uint8_t *octets, const int16_t *samples, size_t count)
{
    struct opus_voice *voice = made(own);
    int32_t rate = is_wide ? 2 * CODEC_RATE : CODEC_RATE;
    size_t per_ms = (size_t)rate / 1000, piece = per_ms * PIECE_MS;
    if (!voice || count == 0 || count % piece || count > per_ms * 120 || !begin_encoder(voice, rate))
        return 0;
    if (!is_frame(count / per_ms))
        return encode_pieces(voice, octets, samples, count / piece, piece);
    int32_t size = library.encode(voice->encoder, samples, (int)count, octets, CODEC_MOST_OCTETS);
    return size > 0 ? (size_t)size : 0;
}

static bool begin_decoder(struct opus_voice *voice, int32_t rate)
{
    if (voice->decoder_rate == rate)
        return true;
    if (!voice->decoder)
        voice->decoder = malloc((size_t)library.decoder_size(1));
    voice->decoder_rate = 0;
    if (!voice->decoder || library.decoder_init(voice->decoder, rate, 1) != 0)
        return false;
    voice->decoder_rate = rate;
    return true;
}

size_t opus_voice_decode(struct opus_voice **own, bool is_wide, int16_t *samples, const uint8_t *octets, size_t size,
                         bool recovers)
{
    struct opus_voice *voice = made(own);
    int32_t rate = is_wide ? 2 * CODEC_RATE : CODEC_RATE;
    if (!voice || size == 0 || size > INT16_MAX || !begin_decoder(voice, rate))
        return 0;
    int most = library.samples_in(octets, (int32_t)size, rate);
    if (most <= 0 || most > (is_wide ? CODEC_MOST_WIDE : CODEC_MOST_SAMPLES))
        return 0;
    int count = library.decode(voice->decoder, octets, (int32_t)size, samples, most, recovers);
    return count > 0 ? (size_t)count : 0;
}
