#include "plan.h"

#include <strings.h>

static uint8_t counterpart(const struct format *format, const struct plan *other)
{
    for (unsigned i = 0; other && i < other->formats; i++) {
        const struct format *candidate = &other->format[i];
        if (candidate->clock_rate == format->clock_rate && strcasecmp(candidate->encoding, format->encoding) == 0)
            return candidate->payload_type;
    }
    return ROUTE_NOWHERE;
}

static void transcode(struct route *route, const struct plan *other)
{
    uint8_t payload_type = ROUTE_NOWHERE;
    route->into = plan_playable(other, &payload_type);
    if (route->into != CODEC_NONE)
        route->becomes = payload_type;
}

void plan_route(struct route routes[RTP_PAYLOAD_TYPES], const struct plan *plan, const struct plan *other)
{
    for (unsigned i = 0; i < RTP_PAYLOAD_TYPES; i++)
        routes[i] = (struct route){.becomes = ROUTE_NOWHERE};
    for (unsigned i = 0; i < plan->formats; i++) {
        const struct format *format = &plan->format[i];
        struct route *route = &routes[format->payload_type];
        route->clock_rate = format->clock_rate;
        route->becomes = counterpart(format, other);
        route->is_event = strcasecmp(format->encoding, "telephone-event") == 0;
        route->codec = codec_named(format->encoding, format->clock_rate);
        if (route->becomes == ROUTE_NOWHERE && route->codec != CODEC_NONE && other)
            transcode(route, other);
    }
}

enum codec plan_playable(const struct plan *plan, uint8_t *payload_type)
{
    for (unsigned i = 0; i < plan->formats; i++) {
        const struct format *format = &plan->format[i];
        enum codec codec = codec_named(format->encoding, format->clock_rate);
        *payload_type = format->payload_type;
        if (codec != CODEC_NONE)
            return codec;
    }
    return CODEC_NONE;
}
