#include "address.h"

#include <arpa/inet.h>
#include <string.h>

bool address_read(union address *address, const char *host, uint16_t port)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
        address->v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1)
        address->v6.sin6_family = AF_INET6;
    else
        return false;
    address_set_port(address, port);
    return true;
}

void address_write_host(const union address *address, char *text)
{
    const void *host = address->any.sa_family == AF_INET6 ? (const void *)&address->v6.sin6_addr
                                                           : (const void *)&address->v4.sin_addr;
    if (!inet_ntop(address->any.sa_family, host, text, INET6_ADDRSTRLEN))
        text[0] = '\0';
}

socklen_t address_size(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

uint16_t address_port(const union address *address)
{
    return ntohs(address->v4.sin_port);
}

void address_set_port(union address *address, uint16_t port)
{
    address->v4.sin_port = htons(port);
}

bool address_is_known(const union address *address)
{
    return address->any.sa_family != AF_UNSPEC;
}

bool address_is_wildcard(const union address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
    return address->v4.sin_addr.s_addr == INADDR_ANY;
}

bool address_has_same_host(const union address *one, const union address *other)
{
    if (one->any.sa_family != other->any.sa_family)
        return false;
    if (one->any.sa_family == AF_INET)
        return one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    if (one->any.sa_family == AF_INET6)
        return memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
    return false;
}
