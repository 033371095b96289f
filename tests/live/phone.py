"""What every make of phone has in common here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """What one types into a phone: number, password and the office's address."""

    number: str
    password: str
    office: str
    """``host:port``, an IPv6 host in brackets."""
    transport: str = "udp"
    expires_s: int = 120

    @property
    def uri(self) -> str:
        return f"sip:{self.number}@{self.office}"


class Phone(Protocol):
    """What every make of phone can do here."""

    account: Account
    tone: int

    async def registered(self, within_s: float = ...) -> None: ...
    async def dial(self, number: str) -> None: ...
    async def rings(self, within_s: float = ...) -> None: ...
    async def accept(self) -> None: ...
    async def talks(self, within_s: float = ...) -> None: ...
    async def hang_up(self) -> None: ...
    async def decline(self) -> None: ...
    async def ended(self, within_s: float = ...) -> str: ...
    async def hold(self) -> None: ...
    async def resume(self) -> None: ...
    async def close(self) -> None: ...
    @property
    def heard(self) -> Path: ...


async def connect(caller: Phone, callee: Phone) -> None:
    """``caller`` calls, ``callee`` answers; returns when both talk."""
    await caller.dial(callee.account.number)
    await callee.rings()
    await callee.accept()
    await callee.talks()
    await caller.talks()
