/* Intrusive doubly linked lists: a link that is in no list points at itself. */
#ifndef FRONTDESK_LIST_H
#define FRONTDESK_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *next;
    struct link *previous;
};

#define LIST_OWNER(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

static inline void list_begin(struct link *link)
{
    link->next = link->previous = link;
}

static inline void list_leave(struct link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    list_begin(link);
}

static inline void list_join(struct link *list, struct link *link)
{
    list_leave(link);
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

static inline bool list_is_empty(const struct link *list)
{
    return list->next == list;
}

#endif
