#define _GNU_SOURCE
#include "pair.h"

#include <errno.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXPEDITED_FORWARDING = 0xb8 };

struct pair *pair_make(const union address *host, uint16_t number)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return NULL;
    pair->rtp = (struct port){.pair = pair, .fd = -1};
    pair->rtcp = (struct port){.pair = pair, .fd = -1, .is_rtcp = true};
    pair->host = *host;
    pair->number = number;
    list_begin(&pair->rest_link);
    atomic_init(&pair->state, PAIR_WANTED);
    return pair;
}

static int bind_port(const union address *host, uint16_t port)
{
    int family = host->any.sa_family;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int class = EXPEDITED_FORWARDING, only_v6 = 1;
    union address local = *host;
    address_set_port(&local, port);
    /* Without the DSCP mark the calls still work, so its failure is none. */
    if (family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
        if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6) < 0)
            goto failed;
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &class, sizeof class);
    }
    if (bind(fd, &local.any, address_size(&local)) == 0)
        return fd;
failed:;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

enum pair_outcome pair_bind(struct pair *pair)
{
    pair->rtp.fd = bind_port(&pair->host, pair->number);
    if (pair->rtp.fd >= 0) {
        pair->rtcp.fd = bind_port(&pair->host, (uint16_t)(pair->number + 1));
        if (pair->rtcp.fd >= 0)
            return PAIR_BOUND;
        int error = errno;
        pair_close(pair);
        errno = error;
    }
    return errno == EADDRINUSE || errno == EACCES ? PAIR_IN_USE : PAIR_FAILED;
}

void pair_close(struct pair *pair)
{
    if (pair->rtp.fd >= 0)
        close(pair->rtp.fd);
    if (pair->rtcp.fd >= 0)
        close(pair->rtcp.fd);
    pair->rtp.fd = pair->rtcp.fd = -1;
}
