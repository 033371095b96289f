/* The engine's table of open legs: ids that are never reused. */
#ifndef FRONTDESK_REGISTRY_H
#define FRONTDESK_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leg.h"

struct registry {
    struct leg **slots;
    uint32_t *free_slots;
    uint32_t size;
    uint32_t free_count;
    uint64_t serial;
};

/* Enters a leg and gives it its id; false when memory is out. */
bool registry_add(struct registry *registry, struct leg *leg);

/* The leg of an id, or NULL when it is closed or never was. */
struct leg *registry_find(const struct registry *registry, uint64_t id);

void registry_remove(struct registry *registry, const struct leg *leg);
void registry_end(struct registry *registry);

static inline uint32_t registry_count(const struct registry *registry)
{
    return registry->size - registry->free_count;
}

#endif
