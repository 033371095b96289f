"""linphonec as a phone: a second make, driven over its standard input."""

from __future__ import annotations

import asyncio
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.live import audio, processes
from tests.live.network import Network
from tests.live.phone import Account


@dataclass(slots=True)
class Linphone:
    """A running linphonec; ``tone`` is what it says, ``heard`` grows while it talks."""

    account: Account
    folder: Path
    host: str
    port: int
    tone: int
    process: subprocess.Popen[bytes]
    says_keys_by_info: bool = False
    _read_up_to: int = 0

    @property
    def heard(self) -> Path:
        """The recording of what the phone heard in all its calls."""
        return self.folder / "heard.wav"

    def log(self) -> str:
        """Everything linphonec printed."""
        return (self.folder / "log").read_text(errors="replace")

    def sip_log(self) -> str:
        """Everything linphone logged, the SIP messages included."""
        path = self.folder / "sip.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def command(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    async def says(self, pattern: str, within_s: float = 6.0) -> str:
        """Wait for ``pattern`` in what linphonec prints from now on."""
        try:
            async with asyncio.timeout(within_s):
                while not (match := re.compile(pattern).search(self.log(), self._read_up_to)):
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(
                f"{self.account.number} waited {within_s:g} s for '{pattern}': {self.log()[-2000:]}"
            ) from None
        self._read_up_to = match.end()
        return match.group()

    async def registered(self, within_s: float = 8.0) -> None:
        """Type account and password in and wait until the office has accepted them."""
        self.command(f"register {self.account.uri} sip:{self.account.office} {self.account.password}")
        try:
            async with asyncio.timeout(within_s):
                while "to [LinphoneRegistrationOk]" not in (trace := self.sip_log()):
                    await asyncio.sleep(0.03)
        except TimeoutError:
            raise AssertionError(f"{self.account.number} is not registered: {trace[-3000:]}") from None

    async def dial(self, number: str) -> None:
        self.command(f"call sip:{number}@{self.account.office}")

    async def rings(self, within_s: float = 5.0) -> None:
        await self.says(r"Receiving new incoming call", within_s)

    async def accept(self) -> None:
        self.command("answer")

    async def talks(self, within_s: float = 5.0) -> None:
        await self.says(r"Call \d+ with .* connected|Media streams established", within_s)

    async def hang_up(self) -> None:
        self.command("terminate")

    async def decline(self) -> None:
        """Refuse the call that rings; linphone says 603."""
        self.command("terminate")

    async def ended(self, within_s: float = 5.0) -> str:
        return await self.says(r"Call \d+ with .* (ended|error)[^\n]*", within_s)

    async def digits(self, digits: str) -> None:
        """Press keys. Of those that go as INFO one waits for the other: linphonec sends no second one meanwhile."""
        done = re.compile(r"\[client\] \[INFO\] transaction \S+ from state \[\w+\] to \[COMPLETED\]")
        for digit in digits:
            before = len(done.findall(self.sip_log()))
            self.command(digit)
            async with asyncio.timeout(4):
                while self.says_keys_by_info and len(done.findall(self.sip_log())) == before:
                    await asyncio.sleep(0.03)

    async def hold(self) -> None:
        self.command("pause")

    async def resume(self) -> None:
        self.command("resume")

    async def close(self) -> None:
        """Switch the phone off."""
        if self.process.poll() is None:
            try:
                self.command("quit")
                await asyncio.to_thread(self.process.wait, 4)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                pass
        processes.stop(self.process, within_s=1)


async def start_linphone(
    account: Account,
    folder: Path,
    network: Network,
    *,
    tone: int = audio.TONES[2],
    host: str | None = None,
    reliable: bool = False,
    says_keys_by_info: bool = False,
) -> Linphone:
    """Start linphonec for ``account`` on an address of its own.

    A ``reliable`` one says that it knows reliable provisional responses, which it keeps to itself otherwise.
    Its keys are events (RFC 4733) unless it ``says_keys_by_info``.
    """
    processes.needs("linphonec")
    (folder / ".local/share/linphone").mkdir(parents=True)
    (folder / ".config").mkdir()
    host = host or network.host()
    ports = network.ports(20)
    audio.write_tone(folder / "tone.wav", tone, 60, rate=48000)
    (folder / "rc").write_text(_settings(account, host, ports, reliable, says_keys_by_info))
    process = processes.start(
        ["linphonec", "-S", "-d", "6", "-l", folder / "sip.log", "-c", folder / "rc"],
        log=folder / "log",
        cwd=folder,
        environment={"HOME": str(folder)},
        stdin=subprocess.PIPE,
    )
    phone = Linphone(account, folder, host, ports[0], tone, process, says_keys_by_info)
    try:
        await phone.says(r"linphonec> ", 10)
        for line in ("soundcard use files", f"play {folder}/tone.wav", f"record {phone.heard}"):
            phone.command(line)
    except BaseException:
        processes.stop(process)
        raise
    return phone


def _settings(account: Account, host: str, ports: range, reliable: bool, says_keys_by_info: bool) -> str:
    more = "supported=replaces, outbound, 100rel\n" if reliable else ""
    if says_keys_by_info:
        more += "use_info=1\nuse_rfc2833=0\n"
    return f"""[sip]
sip_port={ports[0]}
sip_tcp_port=0
sip_tls_port=0
bind_address={host}
guess_hostname=0
contact="{account.number}" <sip:{account.number}@{host}>
ipv6=0
inc_timeout=60
reg_expires={account.expires_s}
{more}[rtp]
audio_rtp_port={ports[4]}-{ports[-1]}
bind_address=127.0.0.1
[net]
mtu=0
[video]
enabled=0
"""
