"""Phones that watch lamps, and phones that make them blink: they measure when news of a change arrives.

``python -m bench.lamp_phones OFFICE HOSTS PLAN`` runs on the core of the load and prints one JSON document.
``OFFICE`` is host:port, ``HOSTS`` two addresses of ours by comma, ``PLAN`` a JSON object: ``passwords`` by number,
``caller``, ``watched`` and ``watchers`` (numbers), ``list`` (whom to subscribe to), ``rounds``.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from hashlib import md5
from typing import Any

import uvloop

from bench.hot_phones import digest
from bench.progress import say

Address = tuple[str, int]
_BRANCH = re.compile(rb"\r\nVia: [^\r]*;branch=z9hG4bK([^;\r]+)")
_COPIED = re.compile(rb"\r\n((?:Via|From|To|Call-ID|CSeq): [^\r]+)")
_CALL_ID = re.compile(rb"\r\nCall-ID: ([^\r]+)")
_CSEQ = re.compile(rb"\r\nCSeq: (\d+)")
_TO = re.compile(rb"\r\nTo: ([^\r]+)")
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")
_NEWS = re.compile(rb'entity="sip:(\d+)@[^"]*">\n(?:<dialog [^>]*>\n<state>(\w+))?')
_REALM = re.compile(rb'realm="([^"]+)"')
_SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
)
_BUFFER = 8 << 20
_T1 = 0.5
AT_ONCE = 48
"""Requests of ours that are under way at one time while everything is set up."""


class News:
    """What watchers have been told: when each of them first heard that a number took the awaited state."""

    def __init__(self) -> None:
        self.wanted = b""
        self.missing: set[tuple[str, bytes]] = set()
        self.heard: dict[tuple[str, bytes], float] = {}
        self.notifies = self.resent = self.octets = 0
        self._complete: asyncio.Event | None = None

    def await_state(self, state: str, watchers: Iterable[str], numbers: Iterable[str]) -> asyncio.Event:
        """Begin to wait until every watcher has heard it of every number."""
        self.wanted, self.heard = state.encode(), {}
        self.missing = {(watcher, number.encode()) for watcher in watchers for number in numbers}
        self.notifies = self.resent = self.octets = 0
        self._complete = asyncio.Event()
        return self._complete

    def take(self, watcher: str, data: bytes, at: float) -> None:
        """A NOTIFY has come."""
        self.notifies += 1
        self.octets += len(data)
        for number, state in _NEWS.findall(data):
            if state == self.wanted and (watcher, number) in self.missing:
                self.missing.discard((watcher, number))
                self.heard[watcher, number] = at
        if not self.missing and self._complete is not None:
            self._complete.set()


class Peer:
    """One socket of a phone, UDP or TCP; requests are sent again until they are answered."""

    def __init__(self, number: str, office: Address, news: News, transport: str = "UDP") -> None:
        self.number = number
        self.office = office
        self.transport = transport
        self.local: Address = ("", 0)
        self.invites: dict[str, bytes] = {}
        """By the number that is called: INVITEs that ring here."""
        self._news = news
        self._seen: set[tuple[bytes, bytes]] = set()
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self._write: Callable[[bytes], object] = lambda data: None
        self._arrived = asyncio.Event()
        self._serial = 0
        self._buffer = b""

    async def open(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        if self.transport == "TCP":
            stream, _ = await loop.create_connection(lambda: _Stream(self), *self.office, local_addr=(host, 0))
            self.local = stream.get_extra_info("sockname")[:2]
            self._write = stream.write
            return
        handle = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        handle.bind((host, 0))
        self.local = handle.getsockname()
        datagrams, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=handle)
        self._write = lambda data: datagrams.sendto(data, self.office)

    @property
    def contact(self) -> str:
        host, port = self.local
        return f"{host}:{port}" + (";transport=tcp" if self.transport == "TCP" else "")

    # -- what we ask --------------------------------------------------------------------------------------------

    async def ask(
        self, method: str, user: str, fields: str, login: tuple[str, str], body: str = "", call_id: str = ""
    ) -> bytes:
        """Send a request outside of dialogs and log in; the final answer. ``login``: number and password."""
        self._serial += 1
        call_id = call_id or f"{method}-{self._serial}-{self.local[1]}-{time.monotonic_ns()}"
        extra = ""
        for cseq in (1, 2):
            answer = await self.send(method, user, login[0], call_id, cseq, fields + extra, body)
            if answer[8:11] not in (b"401", b"407"):
                return answer
            found = _REALM.search(answer)
            assert found
            realm = found[1].decode()
            secret = md5(f"{login[0]}:{realm}:{login[1]}".encode(), usedforsecurity=False).hexdigest()
            value = digest(secret, realm, login[0], self._uri(user), method, answer)
            name = "Authorization" if answer[8:11] == b"401" else "Proxy-Authorization"
            extra = f"{name}: {value}\r\n"
        return answer

    async def send(
        self,
        method: str,
        user: str,
        sender: str,
        call_id: str,
        cseq: int,
        fields: str,
        body: str = "",
        *,
        to: str = "",
    ) -> bytes:
        """One request, again and again until a final response comes."""
        branch = f"{method}{cseq}{call_id}"
        extra = f"Contact: <sip:{sender}@{self.contact}>\r\n{fields}"
        if body:
            extra += "Content-Type: application/sdp\r\n"
        data = self._request(method, branch, user, sender, call_id, cseq, to=to, extra=extra, body=body)
        final: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[branch.encode()] = final
        try:
            for wait_s in (_T1, 2 * _T1, 4 * _T1, 8 * _T1, 8 * _T1, 8 * _T1):
                self._write(data)
                done, _ = await asyncio.wait([final], timeout=wait_s if self.transport == "UDP" else 16)
                if done:
                    break
            else:
                raise RuntimeError(f"{method} of {sender} to {user} got no answer")
        finally:
            self._waiting.pop(branch.encode(), None)
        answer = final.result()
        if method == "INVITE":
            found = _TO.search(answer)
            assert found
            tagged = found[1].decode()
            self._write(self._request("ACK", branch, user, sender, call_id, cseq, to=tagged))
        return answer

    def cancel(self, user: str, sender: str, call_id: str, cseq: int) -> None:
        """Take an INVITE back."""
        self._write(self._request("CANCEL", f"INVITE{cseq}{call_id}", user, sender, call_id, cseq))

    def _request(
        self,
        method: str,
        branch: str,
        user: str,
        sender: str,
        call_id: str,
        cseq: int,
        *,
        to: str = "",
        extra: str = "",
        body: str = "",
    ) -> bytes:
        local, uri = f"{self.local[0]}:{self.local[1]}", self._uri(user)
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} {local};branch=z9hG4bK{branch}",
            "Max-Forwards: 70",
            f"From: <sip:{sender}@{self.office[0]}>;tag={sender}",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            f"{extra}Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    async def ringing(self, numbers: Iterable[str]) -> None:
        """Wait until an INVITE has come for each of these numbers."""
        while not self.invites.keys() >= {*numbers}:
            self._arrived.clear()
            await self._arrived.wait()

    def ring(self, number: str) -> None:
        """Say 180 to the INVITE that waits for this number."""
        self._write(_response(self.invites[number], "180 Ringing", f"ring{number}", self.contact))

    def _uri(self, user: str) -> str:
        return f"sip:{user}@{self.office[0]}:{self.office[1]}"

    # -- what comes ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Bytes of a stream."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._buffer, 0, end + 2)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._buffer) < whole:
                return
            message, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self.take(message)

    def take(self, data: bytes) -> None:
        """One message."""
        at = time.monotonic()
        if data.startswith(b"SIP/2.0 "):
            self._take_response(data)
        elif data.startswith(b"NOTIFY "):
            self._write(_response(data, "200 OK"))
            cseq, call_id = _CSEQ.search(data), _CALL_ID.search(data)
            assert cseq
            assert call_id
            if (key := (call_id[1], cseq[1])) in self._seen:
                self._news.resent += 1
                return
            self._seen.add(key)
            self._news.take(self.number, data, at)
        elif data.startswith(b"INVITE "):
            self.invites[data[11 : data.index(b"@")].decode()] = data
            self._arrived.set()
        elif data.startswith(b"CANCEL "):
            number = data[11 : data.index(b"@")].decode()
            self._write(_response(data, "200 OK", f"ring{number}"))
            invite = self.invites.pop(number, None)
            if invite is not None:
                self._write(_response(invite, "487 Request Terminated", f"ring{number}", self.contact))
        elif not data.startswith(b"ACK "):
            self._write(_response(data, "200 OK", "tag"))

    def _take_response(self, data: bytes) -> None:
        branch = _BRANCH.search(data)
        if branch is None or data[8:9] == b"1":
            return
        final = self._waiting.get(branch[1]) if b" CANCEL\r\n" not in data else None
        if final is not None and not final.done():
            final.set_result(data)


def _response(request: bytes, status: str, tag: str = "", contact: str = "") -> bytes:
    lines = [f"SIP/2.0 {status}".encode()]
    for line in _COPIED.findall(request, 0, request.index(b"\r\n\r\n") + 2):
        is_bare = tag and line.startswith(b"To:") and b"tag=" not in line
        lines.append(line + f";tag={tag}".encode() if is_bare else line)
    if contact:
        lines.append(f"Contact: <sip:{contact}>".encode())
    return b"\r\n".join([*lines, b"Content-Length: 0", b"", b""])


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._peer.take(data)


class _Stream(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def data_received(self, data: bytes) -> None:
        self._peer.feed(data)


async def in_parallel(work: Iterable[Awaitable[object]]) -> None:
    """Everything, a few at a time."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[object]) -> None:
        async with room:
            await each

    await asyncio.gather(*map(one, work))


class Bench:
    """The phones, and what is measured with them."""

    def __init__(self, office: Address, hosts: list[str], plan: dict[str, Any]) -> None:
        self.office = office
        self.hosts = hosts
        self.plan = plan
        self.news = News()
        self.caller = Peer(plan["caller"], office, self.news)
        self.callees = Peer("callees", office, self.news)

    async def run(self) -> dict[str, Any]:
        watched, rounds = self.plan["watched"], self.plan["rounds"]
        await self.caller.open(self.hosts[0])
        await self.callees.open(self.hosts[0])
        await in_parallel(self._register(self.callees, number) for number in watched)
        gc.freeze()
        found: dict[str, Any] = {}
        watchers = self._watchers("UDP")
        await self._subscribe(watchers, watched[:1])
        found["one_change"] = await self._measure(watched[:1], rounds["one"])
        for name, transport in (("lists_tcp", "TCP"), ("lists_udp", "UDP")):
            panels = self._watchers(transport)
            tags = await self._subscribe(panels, [self.plan["list"]], "Supported: eventlist\r\n", settle_s=3.0)
            found[name] = await self._measure(watched, rounds["many"])
            await self._unsubscribe(tags)
        await self._subscribe(watchers, watched[1:], settle_s=3.0)
        found["singles"] = await self._measure(watched, rounds["many"])
        return found

    async def _register(self, peer: Peer, number: str) -> None:
        contact = f"Contact: <sip:{number}@{peer.contact}>\r\nExpires: 3600\r\n"
        answer = await peer.ask("REGISTER", number, contact, self._login(number))
        assert answer[8:11] == b"200", answer

    def _watchers(self, transport: str) -> list[Peer]:
        return [Peer(number, self.office, self.news, transport) for number in self.plan["watchers"]]

    async def _subscribe(
        self, watchers: list[Peer], numbers: list[str], extra: str = "", settle_s: float = 1.0
    ) -> list[tuple[Peer, str, str, str]]:
        made: list[tuple[Peer, str, str, str]] = []

        async def one(peer: Peer, number: str) -> None:
            if not peer.local[1]:
                await peer.open(self.hosts[1])  # not sooner: strangers that only connect displace each other
            call_id = f"w{number}-{peer.number}-{peer.transport}"
            fields = f"Event: dialog\r\nExpires: 3600\r\n{extra}"
            answer = await peer.ask("SUBSCRIBE", number, fields, self._login(peer.number), call_id=call_id)
            assert answer[8:11] == b"200", answer
            to = _TO.search(answer)
            assert to
            made.append((peer, number, call_id, to[1].decode()))

        began = time.monotonic()
        await in_parallel(one(peer, number) for number in numbers for peer in watchers)
        say(f"lamps: {len(made)} subscriptions in {time.monotonic() - began:.1f} s")
        await asyncio.sleep(settle_s)
        return made

    async def _unsubscribe(self, made: list[tuple[Peer, str, str, str]]) -> None:
        fields = "Event: dialog\r\nExpires: 0\r\n"
        await in_parallel(
            peer.send("SUBSCRIBE", number, peer.number, call_id, 3, fields, to=to)
            for peer, number, call_id, to in made
        )
        await asyncio.sleep(1.0)

    async def _measure(self, numbers: list[str], rounds: int) -> dict[str, Any]:
        """Let every number ring at the same moment, and be quiet again, and wait until every watcher knows."""
        late_ms: list[float] = []
        last_ms: list[float] = []
        quiet_ms: list[float] = []
        notifies = resent = octets = 0
        watchers = self.plan["watchers"]
        for round_ in range(rounds):
            calls = {number: f"call-{number}-{round_}-{time.monotonic_ns()}" for number in numbers}
            invites = [asyncio.ensure_future(self._invite(number, call)) for number, call in calls.items()]
            async with asyncio.timeout(30):
                await self.callees.ringing(numbers)
            await self._at_rest()
            complete = self.news.await_state("early", watchers, numbers)
            began = time.monotonic()
            for number in numbers:
                self.callees.ring(number)
            await self._complete(complete)
            moments = [(at - began) * 1000 for at in self.news.heard.values()]
            late_ms += moments
            last_ms.append(max(moments))
            notifies, resent = notifies + self.news.notifies, resent + self.news.resent
            octets += self.news.octets
            await self._at_rest()
            complete = self.news.await_state("terminated", watchers, numbers)
            began = time.monotonic()
            for number, call in calls.items():
                self.caller.cancel(number, self.plan["caller"], call, 2)
            await self._complete(complete)
            quiet_ms.append((time.monotonic() - began) * 1000)
            await asyncio.gather(*invites)
            await self._at_rest()
        return {
            "changes": len(numbers),
            "watchers": len(watchers),
            "rounds": rounds,
            **_figures(late_ms),
            "all_told_ms": [round(each) for each in last_ms],
            "all_told_of_the_end_ms": [round(each) for each in quiet_ms],
            "notifies_per_round": round(notifies / rounds),
            "kib_per_round": round(octets / rounds / 1024),
            "resent": resent,
        }

    async def _invite(self, number: str, call: str) -> None:
        fields = "Allow: INVITE, ACK, CANCEL, BYE\r\n"
        answer = await self.caller.ask(
            "INVITE", number, fields, self._login(self.plan["caller"]), _SDP, call_id=call
        )
        assert answer[8:11] == b"487", answer

    async def _complete(self, complete: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(30):
                await complete.wait()
        except TimeoutError:
            left = sorted(self.news.missing)[:5]
            raise RuntimeError(f"{len(self.news.missing)} were never told, such as {left}") from None

    async def _at_rest(self) -> None:
        """Until no NOTIFY has come for a while."""
        before = -1
        while self.news.notifies + self.news.resent != before:
            before = self.news.notifies + self.news.resent
            await asyncio.sleep(0.4)

    def _login(self, number: str) -> tuple[str, str]:
        return number, self.plan["passwords"][number]


def _figures(late_ms: list[float]) -> dict[str, float]:
    ordered = sorted(late_ms)
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 1),
        "p99_ms": round(ordered[int(len(ordered) * 0.99)], 1),
        "max_ms": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    print(json.dumps(uvloop.run(Bench((host, int(port)), sys.argv[2].split(","), json.loads(sys.argv[3])).run())))
