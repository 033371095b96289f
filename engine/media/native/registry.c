#include "registry.h"

#include <stdlib.h>

enum { SLOT_BITS = 20, FIRST_SIZE = 64 };

static bool grow(struct registry *registry)
{
    uint32_t size = registry->size ? registry->size * 2 : FIRST_SIZE;
    if (size > 1u << SLOT_BITS)
        return false;
    struct leg **slots = realloc(registry->slots, size * sizeof(struct leg *));
    if (!slots)
        return false;
    registry->slots = slots;
    uint32_t *free_slots = realloc(registry->free_slots, size * sizeof *free_slots);
    if (!free_slots)
        return false;
    registry->free_slots = free_slots;
    for (uint32_t slot = registry->size; slot < size; slot++) {
        slots[slot] = NULL;
        free_slots[registry->free_count++] = slot;
    }
    registry->size = size;
    return true;
}

bool registry_add(struct registry *registry, struct leg *leg)
{
    if (registry->free_count == 0 && !grow(registry))
        return false;
    uint32_t slot = registry->free_slots[--registry->free_count];
    leg->id = ++registry->serial << SLOT_BITS | slot;
    registry->slots[slot] = leg;
    return true;
}

struct leg *registry_find(const struct registry *registry, uint64_t id)
{
    uint64_t slot = id & ((1u << SLOT_BITS) - 1);
    if (slot >= registry->size || !registry->slots[slot] || registry->slots[slot]->id != id)
        return NULL;
    return registry->slots[slot];
}

void registry_remove(struct registry *registry, const struct leg *leg)
{
    uint32_t slot = (uint32_t)(leg->id & ((1u << SLOT_BITS) - 1));
    registry->slots[slot] = NULL;
    registry->free_slots[registry->free_count++] = slot;
}

void registry_end(struct registry *registry)
{
    free(registry->slots);
    free(registry->free_slots);
    *registry = (struct registry){0};
}
