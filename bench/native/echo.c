/* The least a relay can do: sends every datagram back from the socket it came to. echo HOST SOCKETS prints the ports. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "pace.h"

enum { BATCH = 8, SIZE = 2048, EVENTS = 256 };

static int open_socket(const char *host, uint16_t *port)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t size = sizeof local;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || inet_pton(AF_INET, host, &local.sin_addr) != 1 || bind(fd, (struct sockaddr *)&local, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&local, &size) < 0)
        fail("socket");
    *port = ntohs(local.sin_port);
    return fd;
}

static void echo(int fd, struct mmsghdr *messages)
{
    for (int i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
        messages[i].msg_hdr.msg_iov->iov_len = SIZE;
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count <= 0)
        return;
    for (int i = 0; i < count; i++)
        messages[i].msg_hdr.msg_iov->iov_len = messages[i].msg_len;
    (void)sendmmsg(fd, messages, (unsigned)count, MSG_DONTWAIT);
}

int main(int words, char **word)
{
    static uint8_t packet[BATCH][SIZE];
    struct sockaddr_in peer[BATCH];
    struct iovec space[BATCH];
    struct mmsghdr messages[BATCH];
    struct epoll_event events[EVENTS];
    if (words != 3)
        return 2;
    int poll = epoll_create1(0);
    for (int i = atoi(word[2]); i > 0; i--) {
        uint16_t port;
        struct epoll_event event = {.events = EPOLLIN, .data.fd = open_socket(word[1], &port)};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
            fail("epoll");
        printf("%d ", port);
    }
    printf("\n");
    fflush(stdout);
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < BATCH; i++) {
        space[i] = (struct iovec){.iov_base = packet[i], .iov_len = SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &peer[i], .msg_iov = &space[i], .msg_iovlen = 1};
    }
    for (;;) {
        int count = epoll_wait(poll, events, EVENTS, -1);
        for (int i = 0; i < count; i++)
            echo(events[i].data.fd, messages);
    }
}
