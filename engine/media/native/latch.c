#include "latch.h"

#include <string.h>

enum { FORMER_PACKETS = 25 };

static void lock(struct latch *latch, const union address *source)
{
    latch->locked = *source;
    latch->state = address_is_equal(source, &latch->announced) ? LATCH_EXACT : LATCH_GUESSED;
    latch->former.any.sa_family = AF_UNSPEC;
}

static void open_again(struct latch *latch)
{
    latch->former = latch->locked;
    latch->former_packets = FORMER_PACKETS;
    latch->state = LATCH_OPEN;
}

bool latch_knows_host(const struct latch *latch, const union address *source)
{
    if (!address_is_known(&latch->announced))
        return false;
    if (address_has_same_host(source, &latch->announced))
        return true;
    for (unsigned i = 0; i < latch->trusted_hosts; i++)
        if (address_has_same_host(source, &latch->trusted[i]))
            return true;
    return false;
}

void latch_announce(struct latch *latch, const union address *announced, const union address *trusted,
                    unsigned trusted_hosts)
{
    bool is_same = address_is_equal(announced, &latch->announced);
    latch->announced = *announced;
    latch->trusted_hosts = (uint8_t)(trusted_hosts > LATCH_TRUSTED_HOSTS ? LATCH_TRUSTED_HOSTS : trusted_hosts);
    memcpy(latch->trusted, trusted, latch->trusted_hosts * sizeof *trusted);
    if (latch->state == LATCH_OPEN)
        return;
    if (address_is_equal(announced, &latch->locked))
        latch->state = LATCH_EXACT;
    else if (!is_same || !latch_knows_host(latch, &latch->locked))
        open_again(latch);
}

bool latch_admit(struct latch *latch, const union address *source)
{
    if (latch->state != LATCH_OPEN) {
        if (address_is_equal(source, &latch->locked))
            return true;
        if (latch->state != LATCH_GUESSED || !address_is_equal(source, &latch->announced))
            return false;
        lock(latch, source);
        return true;
    }
    if (address_is_equal(source, &latch->former) && latch->former_packets > 0) {
        latch->former_packets--;
        return true;
    }
    if (!latch_knows_host(latch, source))
        return false;
    lock(latch, source);
    return true;
}

bool latch_admit_beside(struct latch *latch, const union address *source, const struct latch *rtp)
{
    if (latch_admit(latch, source))
        return true;
    if (latch->state != LATCH_OPEN || rtp->state == LATCH_OPEN || !address_has_same_host(source, &rtp->locked))
        return false;
    lock(latch, source);
    return true;
}

const union address *latch_target(const struct latch *latch)
{
    if (!address_is_known(&latch->announced) || address_port(&latch->announced) == 0 ||
        address_is_wildcard(&latch->announced))
        return NULL;
    return latch->state == LATCH_OPEN ? &latch->announced : &latch->locked;
}
