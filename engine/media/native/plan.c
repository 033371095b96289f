#include "plan.h"

#include <strings.h>

static const struct format *counterpart(const struct format *format, const struct plan *other)
{
    for (unsigned i = 0; other && i < other->formats; i++) {
        const struct format *candidate = &other->format[i];
        if (candidate->clock_rate == format->clock_rate && strcasecmp(candidate->encoding, format->encoding) == 0)
            return candidate;
    }
    return NULL;
}

/* Narrow audio becomes narrow and wide audio wide where that can be, else the first codec of the other leg. */
static void transcode(struct route *route, const struct plan *other)
{
    uint8_t payload_type = ROUTE_NOWHERE;
    route->into = (uint8_t)plan_playable(other, &payload_type);
    if (route->into == CODEC_NONE)
        return;
    for (unsigned i = 0; i < other->formats; i++) {
        enum codec codec = codec_named(other->format[i].encoding, other->format[i].clock_rate);
        if (codec == CODEC_NONE || codec_is_wide(codec) != codec_is_wide(route->codec))
            continue;
        route->into = (uint8_t)codec;
        payload_type = other->format[i].payload_type;
        break;
    }
    route->becomes = payload_type;
    route->clock_of_other = codec_clock(route->into);
    route->is_wide = codec_is_wide(route->codec) && codec_is_wide(route->into);
}

/* Digits beside audio that changes its clock change it too (RFC 4733 section 2.1). */
static void reclock(struct route *route, const struct plan *plan, const struct plan *other)
{
    uint8_t unused;
    enum codec from = plan_playable(plan, &unused), into = plan_playable(other, &unused);
    if (from == CODEC_NONE || into == CODEC_NONE || codec_clock(from) != route->clock_rate)
        return;
    struct format wanted = {.clock_rate = codec_clock(into), .encoding = "telephone-event"};
    const struct format *found = counterpart(&wanted, other);
    if (!found)
        return;
    route->becomes = found->payload_type;
    route->clock_of_other = found->clock_rate;
}

void plan_route(struct route routes[RTP_PAYLOAD_TYPES], const struct plan *plan, const struct plan *other)
{
    for (unsigned i = 0; i < RTP_PAYLOAD_TYPES; i++)
        routes[i] = (struct route){.becomes = ROUTE_NOWHERE};
    for (unsigned i = 0; i < plan->formats; i++) {
        const struct format *format = &plan->format[i];
        struct route *route = &routes[format->payload_type];
        const struct format *found = counterpart(format, other);
        route->clock_rate = route->clock_of_other = format->clock_rate;
        route->becomes = found ? found->payload_type : ROUTE_NOWHERE;
        route->is_event = strcasecmp(format->encoding, "telephone-event") == 0;
        route->is_noise = strcasecmp(format->encoding, "CN") == 0;
        route->codec = (uint8_t)codec_named(format->encoding, format->clock_rate);
        if (found || !other)
            continue;
        if (route->codec != CODEC_NONE)
            transcode(route, other);
        else if (route->is_event)
            reclock(route, plan, other);
    }
}

bool plan_knows_noise(const struct plan *plan)
{
    for (unsigned i = 0; i < plan->formats; i++) {
        if (strcasecmp(plan->format[i].encoding, "CN") == 0)
            return true;
    }
    return false;
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
