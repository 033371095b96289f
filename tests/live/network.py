"""Addresses of a live test run: loopback addresses and ports that no other run on this machine holds."""

from __future__ import annotations

import socket
from dataclasses import dataclass

LOWEST_PORT, PORTS_PER_SLICE, SLICES = 14000, 1400, 11


@dataclass(slots=True)
class Network:
    """One slice of 127.5.0.0/16 and of the low ports, held as long as the test run lives."""

    slice: int
    held_by: socket.socket
    hosts_taken: int = 0
    ports_taken: int = 0

    def host(self) -> str:
        """An IPv4 loopback address that nobody else uses."""
        self.hosts_taken += 1
        return f"127.5.{self.slice * 16 + self.hosts_taken // 250}.{self.hosts_taken % 250 + 1}"

    def ports(self, how_many: int) -> range:
        """Consecutive ports from an even one on, for what shares an address (::1, phones' audio)."""
        need = how_many + how_many % 2
        for _ in range(PORTS_PER_SLICE):
            if self.ports_taken + need > PORTS_PER_SLICE:
                self.ports_taken = 0
            first = LOWEST_PORT + self.slice * PORTS_PER_SLICE + self.ports_taken
            if all(_is_free(port) for port in range(first, first + need)):
                self.ports_taken += need
                return range(first, first + need)
            self.ports_taken += 2
        raise RuntimeError(f"no {how_many} ports in a row are free")


def take_network() -> Network:
    """Take a slice; the kernel gives it back when this process ends, however it ends."""
    for number in range(SLICES):
        lock = socket.socket(socket.AF_UNIX)
        try:
            lock.bind(f"\0frontdesk-live-{number}")
        except OSError:
            lock.close()
            continue
        return Network(number, lock)
    raise RuntimeError(f"{SLICES} live test runs hold the loopback addresses: wait for one to end")


def host_port(host: str, port: int) -> str:
    """``host:port`` with brackets round an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_free(port: int) -> bool:
    return all(
        _can_bind(family, kind, host, port)
        for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "0.0.0.0"))
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)
    )


def _can_bind(family: int, kind: int, host: str, port: int) -> bool:
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # connections of an earlier phone that linger do not keep the next one from listening
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
