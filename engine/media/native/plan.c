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
    }
}

enum g711_law plan_playable(const struct plan *plan, uint8_t *payload_type)
{
    for (unsigned i = 0; i < plan->formats; i++) {
        const struct format *format = &plan->format[i];
        *payload_type = format->payload_type;
        if (format->clock_rate != 8000)
            continue;
        if (strcasecmp(format->encoding, "PCMA") == 0)
            return G711_A;
        if (strcasecmp(format->encoding, "PCMU") == 0)
            return G711_MU;
    }
    return G711_NONE;
}
