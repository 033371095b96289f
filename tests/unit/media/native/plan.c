#include "g711.h"
#include "plan.h"

#include <string.h>

#include "check.h"
#include "clip.h"
#include "ports.h"
#include "registry.h"

static void payloads_meet_by_encoding_and_clock(void)
{
    struct plan one = {.formats = 4, .format = {{96, 48000, "opus"}, {8, 8000, "PCMA"}, {101, 8000, "telephone-event"},
                                                {102, 48000, "telephone-event"}}};
    struct plan other = {.formats = 3, .format = {{111, 48000, "OPUS"}, {0, 8000, "PCMU"},
                                                  {97, 8000, "telephone-event"}}};
    struct route routes[RTP_PAYLOAD_TYPES];
    plan_route(routes, &one, &other);
    CHECK(routes[96].becomes == 111 && routes[96].clock_rate == 48000 && !routes[96].is_event);
    CHECK(routes[8].becomes == 0 && routes[8].into == CODEC_PCMU && routes[8].clock_rate == 8000);
    CHECK(routes[101].becomes == 97 && routes[101].is_event && routes[102].becomes == ROUTE_NOWHERE);
    CHECK(routes[0].clock_rate == 0 && routes[0].becomes == ROUTE_NOWHERE);
    plan_route(routes, &one, NULL);
    CHECK(routes[96].becomes == ROUTE_NOWHERE && routes[96].clock_rate == 48000);
}

static void what_is_not_common_is_converted(void)
{
    struct plan narrow = {.formats = 2, .format = {{8, 8000, "PCMA"}, {101, 8000, "telephone-event"}}};
    struct plan wide = {.formats = 2, .format = {{9, 8000, "G722"}, {101, 8000, "telephone-event"}}};
    struct plan opus = {.formats = 3, .format = {{96, 48000, "opus"}, {97, 48000, "telephone-event"}, {13, 8000, "CN"}}};
    struct route routes[RTP_PAYLOAD_TYPES];
    plan_route(routes, &wide, &narrow);
    CHECK(routes[9].into == CODEC_PCMA && routes[9].becomes == 8 && !routes[9].is_wide);
    if (codec_named("opus", 48000) == CODEC_NONE)
        return;
    plan_route(routes, &wide, &opus);
    CHECK(routes[9].into == CODEC_OPUS && routes[9].is_wide && routes[9].clock_of_other == 48000);
    CHECK(routes[101].becomes == 97 && routes[101].clock_of_other == 48000);
    plan_route(routes, &opus, &narrow);
    CHECK(routes[96].into == CODEC_PCMA && !routes[96].is_wide && routes[96].clock_of_other == 8000);
    CHECK(routes[97].becomes == 101 && routes[97].clock_of_other == 8000);
    CHECK(routes[13].is_noise && routes[13].becomes == ROUTE_NOWHERE);
    CHECK(plan_knows_noise(&opus) && !plan_knows_noise(&narrow));
}

static void the_first_format_that_we_speak_is_played(void)
{
    uint8_t payload_type;
    struct plan plan = {.formats = 3, .format = {{18, 8000, "G729"}, {0, 8000, "PCMU"}, {8, 8000, "PCMA"}}};
    CHECK(plan_playable(&plan, &payload_type) == CODEC_PCMU && payload_type == 0);
    plan.format[1].clock_rate = 16000;
    CHECK(plan_playable(&plan, &payload_type) == CODEC_PCMA && payload_type == 8);
    plan.formats = 1;
    CHECK(plan_playable(&plan, &payload_type) == CODEC_NONE);
    plan.format[0] = (struct format){9, 8000, "G722"};
    CHECK(plan_playable(&plan, &payload_type) == CODEC_G722 && payload_type == 9);
}

static void g711_has_the_known_codes(void)
{
    const int16_t samples[] = {0, -1, 8, 32767, -32768, 1000, -1000};
    const uint8_t a[] = {0xd5, 0x55, 0xd5, 0xaa, 0x2a, 0xfa, 0x7a}, mu[] = {0xff, 0x7f, 0xfe, 0x80, 0x00, 0xce, 0x4e};
    uint8_t octets[7];
    g711_encode(octets, samples, 7, G711_A);
    CHECK(memcmp(octets, a, 7) == 0);
    g711_encode(octets, samples, 7, G711_MU);
    CHECK(memcmp(octets, mu, 7) == 0);
}

static void clips_repeat_or_end_in_silence(void)
{
    struct clip *clip = clip_make((const int16_t[]){1, 2, 3}, 3);
    int16_t out[8];
    CHECK(clip && clip_read(clip, 2, out, 8, 1) == 1);
    CHECK(out[0] == 3 && out[1] == 1 && out[7] == 1 + (7 - 1) % 3);
    CHECK(clip_read(clip, 1, out, 8, 0) == 3 && out[1] == 3 && out[2] == 0 && out[7] == 0);
    clip_release(clip_hold(clip));
    clip_release(clip);
    clip_release(NULL);
}

void test_plan(void)
{
    payloads_meet_by_encoding_and_clock();
    what_is_not_common_is_converted();
    the_first_format_that_we_speak_is_played();
    g711_has_the_known_codes();
    clips_repeat_or_end_in_silence();
}

static void ranges_hold_whole_pairs_only(void)
{
    struct ports ports;
    CHECK(!ports_begin(&ports, 30001, 30002));
    CHECK(ports_begin(&ports, 30001, 30005) && ports.first == 30002 && ports.pairs == 2);
    CHECK(ports_begin(&ports, 0xffff - 1, 0xffff) && ports.pairs == 1);
    CHECK(!ports_begin(&ports, 0xffff, 0xffff));
}

static void ids_are_never_used_again(void)
{
    struct registry registry = {0};
    struct leg *legs[200];
    uint64_t newest = 0;
    for (int i = 0; i < 200; i++) {
        legs[i] = calloc(1, sizeof *legs[i]);
        CHECK(legs[i] && registry_add(&registry, legs[i]) && legs[i]->id > newest);
        newest = legs[i]->id;
    }
    for (int i = 0; i < 200; i += 2) {
        uint64_t id = legs[i]->id;
        registry_remove(&registry, legs[i]);
        CHECK(!registry_find(&registry, id));
        CHECK(registry_add(&registry, legs[i]) && legs[i]->id > newest && registry_find(&registry, legs[i]->id));
        CHECK(!registry_find(&registry, id));
        newest = legs[i]->id;
    }
    CHECK(registry_count(&registry) == 200 && !registry_find(&registry, 0) && !registry_find(&registry, UINT64_MAX));
    for (int i = 0; i < 200; i++)
        free(legs[i]);
    registry_end(&registry);
}

void test_ports(void)
{
    ranges_hold_whole_pairs_only();
    ids_are_never_used_again();
}
