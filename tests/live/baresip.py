"""baresip as a phone: one folder each, driven over its control port."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live import audio, processes
from tests.live.network import Network, host_port
from tests.live.phone import Account

MODULES = Path("/usr/lib/baresip/modules")


@dataclass(slots=True)
class Baresip:
    """A running baresip. ``tone`` is what it says; what it heard is in ``heard`` after the call's end.

    Its SIP socket lives on an address of its own. Its audio is announced at the host from which the
    kernel really sends it: baresip binds RTP to every address, so on loopback that is 127.0.0.1.
    """

    account: Account
    folder: Path
    host: str
    port: int
    tone: int
    process: subprocess.Popen[bytes]
    events: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    answers: dict[str, asyncio.Future[str]] = field(default_factory=dict)
    _seen: list[dict[str, Any]] = field(default_factory=list)
    _writer: asyncio.StreamWriter | None = None
    _reader: asyncio.Task[None] | None = None
    _commands: int = 0

    async def connect(self) -> None:
        """Reach the control port of a phone that has just been started."""
        async with asyncio.timeout(10):
            while True:
                try:
                    reader, self._writer = await asyncio.open_connection(self.host, self.port + 2)
                    break
                except OSError:
                    assert self.process.poll() is None, f"baresip ended: {self.log()[-2000:]}"
                    await asyncio.sleep(0.02)
        self._reader = asyncio.create_task(self._read(reader))
        # a command in the first moments after the connect is lost in baresip 1.0.0
        await asyncio.sleep(0.1)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                length = await reader.readuntil(b":")
                body = await reader.readexactly(int(length[:-1]) + 1)
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            message = json.loads(body[:-1])
            if message.get("response"):
                self.answers.pop(message["token"]).set_result(message.get("data", ""))
            else:
                self.events.put_nowait(message)

    async def command(self, command: str, params: str = "") -> str:
        """Run a baresip command; what it printed."""
        assert self._writer
        self._commands += 1
        token = str(self._commands)
        self.answers[token] = asyncio.get_running_loop().create_future()
        answer = self.answers[token]
        body = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._writer.write(b"%d:%s," % (len(body), body))
        async with asyncio.timeout(5):
            return await answer

    async def wait_for(self, kind: str, within_s: float = 5.0, **wanted: str) -> dict[str, Any]:
        """The next event of ``kind`` (such as ``CALL_ESTABLISHED``) not yet waited for; others are kept."""
        for event in self._seen:
            if _fits(event, kind, wanted):
                self._seen.remove(event)
                return event
        try:
            async with asyncio.timeout(within_s):
                while not _fits(event := await self.events.get(), kind, wanted):
                    self._seen.append(event)
                return event
        except TimeoutError:
            seen = ", ".join(f"{event['type']} {event.get('param', '')}" for event in self._seen)
            raise AssertionError(
                f"{self.account.number} waited {within_s:g} s for {kind}; it saw: {seen}"
            ) from None

    def forget(self) -> None:
        """What has happened so far is not waited for any more."""
        self._seen.clear()
        while not self.events.empty():
            self.events.get_nowait()

    async def stays_quiet(self, kind: str, for_s: float) -> None:
        """Fails when an event of ``kind`` comes within ``for_s`` seconds."""
        try:
            event = await self.wait_for(kind, for_s)
        except AssertionError:
            return
        raise AssertionError(f"{self.account.number} got {event}, expected none")

    async def registered(self, within_s: float = 6.0) -> None:
        """Wait until the office has accepted this phone."""
        status = await self.registration(within_s)
        assert status.startswith("200"), f"{self.account.number} is not registered: {status}"

    async def registration(self, within_s: float = 6.0) -> str:
        """The office's last word on this phone's REGISTER, such as ``403 Forbidden``."""
        try:
            async with asyncio.timeout(within_s):
                while not (outcome := self._registration_outcome()):
                    await asyncio.sleep(0.03)
                return outcome
        except TimeoutError:
            raise AssertionError(f"{self.account.number} got no answer to REGISTER: {self.log()[-3000:]}") from None

    def _registration_outcome(self) -> str:
        lines = re.findall(r"reg: \S+: (\d{3} [^\n]*)|\{\d/\w+/v\d\} (200 OK)", self.log())
        return "".join(lines[-1]) if lines else ""

    async def dial(self, number: str) -> None:
        """Call ``number`` at the office."""
        await self.command("dial", f"sip:{number}@{self.account.office}")

    async def rings(self, within_s: float = 5.0) -> None:
        """Wait for an incoming call."""
        await self.wait_for("CALL_INCOMING", within_s)

    async def accept(self) -> None:
        """Answer the call that rings."""
        await self.command("accept")

    async def talks(self, within_s: float = 5.0) -> None:
        """Wait until the call is up."""
        await self.wait_for("CALL_ESTABLISHED", within_s)

    async def hang_up(self) -> None:
        """End, refuse or give up the current call."""
        await self.command("hangup")

    async def decline(self) -> None:
        """Refuse the call that rings; baresip says 486."""
        await self.command("hangup")

    async def ended(self, within_s: float = 5.0) -> str:
        """Wait for the call's end; why it ended, in the phone's words."""
        return str((await self.wait_for("CALL_CLOSED", within_s)).get("param", ""))

    async def hold(self) -> None:
        await self.command("hold")

    async def resume(self) -> None:
        await self.command("resume")

    async def digits(self, digits: str) -> None:
        """Press keys (RFC 4733)."""
        for digit in digits:
            await self.command("sndcode", digit)

    async def speak(self, file: Path) -> None:
        """Say what is in a WAV file (8000 Hz, mono) from now on, instead of the tone."""
        await self.command("ausrc", f"aufile,{file}")

    @property
    def heard(self) -> Path:
        """The recording of what the phone heard in its last call."""
        return self._recording("dec")

    def _recording(self, which: str) -> Path:
        recordings = sorted(self.folder.glob(f"dump-*-{which}.wav"))
        assert recordings, f"{self.account.number} recorded nothing: no audio ran"
        return recordings[-1]

    def log(self) -> str:
        """Everything baresip printed, the SIP messages included."""
        return (self.folder / "log").read_text(errors="replace")

    def messages(self, start: str) -> list[str]:
        """SIP messages that begin with ``start`` (such as ``CANCEL`` or ``SIP/2.0 486``), either way, in order."""
        blocks = re.findall(r"\n(?:UDP|TCP|TLS) \S+ -> \S+\r?\n(.*?)\x1b\[;m", self.log(), re.S)
        return [block for block in blocks if block.startswith(start)]

    async def close(self, *, hard: bool = False) -> None:
        """Switch the phone off; ``hard`` pulls its plug, so that it does not unregister."""
        if not hard and self.process.poll() is None and self._writer:
            try:
                await self.command("quit")
                await asyncio.to_thread(self.process.wait, 3)
            except (TimeoutError, ConnectionError, subprocess.TimeoutExpired):
                hard = True
        if self._writer:
            self._writer.close()
        if self._reader:
            self._reader.cancel()
        processes.kill_group(self.process)
        self.process.wait()


def _fits(event: dict[str, Any], kind: str, wanted: dict[str, str]) -> bool:
    return event["type"] == kind and all(event.get(name) == value for name, value in wanted.items())


async def start_baresip(
    account: Account,
    folder: Path,
    network: Network,
    *,
    tone: int = audio.TONES[0],
    answer: str = "manual",
    host: str | None = None,
    instance: str | None = None,
    settings: str = "",
    codecs: tuple[str, ...] = (),
) -> Baresip:
    """Start a phone for ``account``; ``host`` is ``::1`` for an IPv6 phone, else an address of its own.

    ``instance`` is the phone's identity (a UUID) when it shall be the same as an earlier phone's. ``settings`` are
    more parameters of its account, each behind a semicolon. ``codecs`` are all that it has (``pcma``, ``pcmu``,
    ``g722``, ``opus``), and without G.711 among them it has 16000 samples a second; else it has G.711.
    """
    processes.needs("baresip")
    folder.mkdir(parents=True)
    is_ipv6 = account.office.startswith("[") if host is None else ":" in host
    host = host or ("::1" if is_ipv6 else network.host())
    ports = network.ports(64)
    port = ports[0]
    rate = 16000 if codecs and not {"pcma", "pcmu"} & set(codecs) else 8000
    audio.write_tone(folder / "tone.wav", tone, 60, rate)
    (folder / "contacts").touch()
    if instance:
        (folder / "uuid").write_text(instance)
    (folder / "config").write_text(
        _config(folder, host, port, ports, "::1" if is_ipv6 else "127.0.0.1", codecs, rate)
    )
    if codecs:
        settings += f";audio_codecs={','.join(_CODECS[name] for name in codecs)}"
    (folder / "accounts").write_text(
        f"<{account.uri};transport={account.transport}>;auth_pass={account.password};"
        f"regint={account.expires_s};answermode={answer};ptime=20{settings}\n"
    )
    log = folder / "log"
    process = processes.start(["baresip", "-6" if is_ipv6 else "-4", "-f", folder, "-s", "-v"], log=log, cwd=folder)
    phone = Baresip(account, folder, host, port, tone, process)
    try:
        await phone.connect()
    except BaseException:
        processes.stop(process)
        raise
    return phone


_CODECS = {"pcma": "pcma", "pcmu": "pcmu", "g722": "G722/16000/1", "opus": "opus/48000/2"}


def _config(
    folder: Path, host: str, port: int, ports: range, audio_host: str, codecs: tuple[str, ...], rate: int
) -> str:
    more = [name for name in ("g722", "opus") if name in codecs]
    modules = ("g711", *more, "aufile", "sndfile")
    applications = ("contact", "menu", "ctrl_tcp")
    return "\n".join(
        [
            "poll_method epoll",
            f"sip_listen {host_port(host, port)}",
            f"audio_source aufile,{folder}/tone.wav",
            f"ausrc_srate {rate}",
            f"auplay_srate {rate}",
            "ausrc_channels 1",
            "auplay_channels 1",
            f"rtp_ports {ports[4]}-{ports[-1]}",
            "rtp_timeout 0",
            "jitter_buffer_delay 5-10",
            f"net_interface {audio_host}",
            f"module_path {MODULES}",
            *(f"module {name}.so" for name in modules),
            "module_tmp uuid.so",
            "module_tmp account.so",
            *(f"module_app {name}.so" for name in applications),
            f"ctrl_tcp_listen {host_port(host, port + 2)}",
            f"snd_path {folder}",
            "",
        ]
    )
