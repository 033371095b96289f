/* A host and port as the sockets speak them, IPv4 or IPv6. */
#ifndef FRONTDESK_ADDRESS_H
#define FRONTDESK_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union address {
    struct sockaddr any; /* sa_family AF_UNSPEC: no address */
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Reads an IPv4 or IPv6 literal; false when it is neither. */
bool address_read(union address *address, const char *host, uint16_t port);

/* Writes the host as a literal into text, which holds INET6_ADDRSTRLEN octets. */
void address_write_host(const union address *address, char *text);

socklen_t address_size(const union address *address);
uint16_t address_port(const union address *address);
void address_set_port(union address *address, uint16_t port);
bool address_is_known(const union address *address);
bool address_is_wildcard(const union address *address);
bool address_has_same_host(const union address *one, const union address *other);

static inline bool address_is_equal(const union address *one, const union address *other)
{
    /* v4 and v6 keep their port at the same place. */
    return one->v4.sin_port == other->v4.sin_port && address_has_same_host(one, other);
}

#endif
