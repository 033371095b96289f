#define _GNU_SOURCE
#include "ports.h"

#include <errno.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXPEDITED_FORWARDING = 0xb8 };

bool ports_begin(struct ports *ports, uint16_t first, uint16_t last)
{
    uint32_t even = (uint32_t)first + (first & 1);
    *ports = (struct ports){.first = (uint16_t)even};
    if (last < even + 1)
        return false;
    ports->pairs = (last - even + 1) / 2;
    ports->taken = calloc(ports->pairs, sizeof *ports->taken);
    return ports->taken != NULL;
}

void ports_end(struct ports *ports)
{
    free(ports->taken);
    ports->taken = NULL;
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

static enum ports_outcome bind_pair(const union address *host, uint16_t port, int *rtp_fd, int *rtcp_fd)
{
    *rtp_fd = bind_port(host, port);
    if (*rtp_fd >= 0) {
        *rtcp_fd = bind_port(host, (uint16_t)(port + 1));
        if (*rtcp_fd >= 0)
            return PORTS_BOUND;
        int error = errno;
        close(*rtp_fd);
        errno = error;
    }
    return errno == EADDRINUSE || errno == EACCES ? PORTS_EXHAUSTED : PORTS_FAILED;
}

enum ports_outcome ports_take(struct ports *ports, const union address *host, int *rtp_fd, int *rtcp_fd,
                              uint16_t *port)
{
    for (uint32_t tries = 0; tries < ports->pairs && ports->taken_pairs < ports->pairs; tries++) {
        uint32_t pair = ports->next;
        ports->next = (pair + 1) % ports->pairs;
        if (ports->taken[pair])
            continue;
        *port = (uint16_t)(ports->first + 2 * pair);
        enum ports_outcome outcome = bind_pair(host, *port, rtp_fd, rtcp_fd);
        if (outcome == PORTS_EXHAUSTED)
            continue;
        if (outcome == PORTS_BOUND) {
            ports->taken[pair] = true;
            ports->taken_pairs++;
        }
        return outcome;
    }
    return PORTS_EXHAUSTED;
}

void ports_give_back(struct ports *ports, uint16_t port)
{
    uint32_t pair = ((uint32_t)port - ports->first) / 2;
    ports->taken[pair] = false;
    ports->taken_pairs--;
}
