"""A router with a NAT: a network namespace of the test's own, with the office inside and others outside."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live import processes

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET."""
OUTSIDE = "198.18.0"
"""Hosts outside; 198.18.0.0/15 is nobody's (RFC 2544)."""


class Router:
    """The addresses outside. The office is seen from there at ``public`` alone, whatever it sends."""

    def __init__(self, office: str) -> None:
        self.office = office
        self.public = ""
        self._hosts = 0
        _run("ip", "link", "set", "lo", "up")
        for name in ("udp_timeout", "udp_timeout_stream"):  # a second of silence, and its bindings are forgotten
            Path(f"/proc/sys/net/netfilter/nf_conntrack_{name}").write_text("1")

    def host(self) -> str:
        """An address outside for a peer of the office: what it sends to the office's own address is lost."""
        self._hosts += 1
        host = f"{OUTSIDE}.{50 + self._hosts}"
        _run("ip", "address", "add", f"{host}/32", "dev", "lo")
        _run("iptables", "-t", "raw", "-A", "OUTPUT", "-s", host, "-d", self.office, "-j", "DROP")
        return host

    def get_address(self, number: int) -> str:
        """The provider gives us another public address: what was sent by the old one is lost from now on."""
        self.public = f"{OUTSIDE}.{number}"
        _run("ip", "address", "add", f"{self.public}/32", "dev", "lo")
        _run("iptables", "-t", "nat", "-F")
        _run("iptables", "-t", "nat", "-A", "OUTPUT", "-d", self.public, "-j", "DNAT", "--to", self.office)
        _run(
            "iptables", "-t", "nat", "-A", "POSTROUTING", "-s", self.office, "-d", f"{OUTSIDE}.0/24",
            "-j", "SNAT", "--to", self.public,
        )  # fmt: skip
        return self.public


@contextmanager
def open_router(office: str) -> Iterator[Router]:
    """Everything that is started meanwhile lives in the namespace of a router with ``office`` behind it."""
    processes.needs("iptables", "ip")
    system = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if system.unshare(_NEW_NETWORK) != 0:
            processes.lacks(
                f"this user may make no network namespace ({os.strerror(ctypes.get_errno())}): run it as root"
            )
        try:
            _demand_nat()
            yield Router(office)
        finally:
            assert system.setns(home, _NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(home)


def _demand_nat() -> None:
    """A kernel without NAT, or one that keeps it from this machine's root, can play no router."""
    for table in ("nat", "raw"):
        tried = subprocess.run(["iptables", "-t", table, "-S"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            processes.lacks(f"this kernel has no NAT for a namespace: {tried.stderr.strip()}")
    for name in ("udp_timeout", "udp_timeout_stream"):
        if not os.access(f"/proc/sys/net/netfilter/nf_conntrack_{name}", os.W_OK):
            processes.lacks(f"this kernel lets a namespace have no nf_conntrack_{name} of its own")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
