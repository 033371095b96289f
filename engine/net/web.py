"""What services ask of the web: HTTP of listed hosts alone, small, soon over, and never on the loop's time.

The library is loaded with the first request, on a thread: an office whose services ask nothing pays nothing for it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from engine.core.errors import FrontdeskError
from engine.core.web_rows import WebRow, is_literal, may_lead_to, read_row

log = logging.getLogger(__name__)

MOST_BYTES = 65_536
"""Of an answer's body."""
MOST_AT_ONCE = 8
DEFAULT_S, LONGEST_S = 5.0, 30.0
_MOST_REDIRECTIONS = 3
_REDIRECTIONS = (301, 302, 303, 307, 308)
_KEEPS_METHOD = (307, 308)


class WebError(FrontdeskError):
    """A page cannot be had; the text says why, to whoever wrote the service."""


class Page(NamedTuple):
    """What a host has answered."""

    status: int
    body: str
    kind: str
    """Its media type, such as ``application/json``."""


class Web:
    """Asks listed hosts for pages. Belongs to one loop."""

    def __init__(
        self,
        allowed: Callable[[], tuple[str, ...]],
        agent: str,
        trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        """``allowed``: the rows of the parameter ``http_allow`` now; ``trust``: whose certificates are believed."""
        self._allowed = allowed
        self._agent = agent
        self._trust = trust
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._http: Any = None
        self._tls: ssl.SSLContext | None = None

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        body: str = "",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DEFAULT_S,
    ) -> Page:
        """A page, redirections to listed hosts followed; raises ``WebError``.

        ``timeout_s`` holds for all of it, waiting for others to be done included.
        """
        limit_s = min(timeout_s, LONGEST_S)
        try:
            async with asyncio.timeout(limit_s), self._room:
                await self._load()
                return await self._follow(url, method, body, dict(headers or {}))
        except TimeoutError:
            raise WebError(f"there is no answer within {limit_s:g} s") from None

    async def _load(self) -> None:
        if self._http is None:
            self._tls = await asyncio.to_thread(self._trust)
            self._http = await asyncio.to_thread(_library)

    async def _follow(self, text: str, method: str, body: str, headers: dict[str, str]) -> Page:
        rows = tuple(read_row(row) for row in self._allowed())
        url = self._read_url(text)
        connector = self._http.TCPConnector(resolver=_Resolver(rows), force_close=True, limit=1, ssl=self._tls)
        async with self._http.ClientSession(
            connector=connector,
            cookie_jar=self._http.DummyCookieJar(),
            headers={"User-Agent": self._agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
        ) as session:
            _demand_listed(rows, url)
            for _ in range(_MOST_REDIRECTIONS + 1):
                try:
                    async with session.request(
                        method, url, data=body.encode() if body else None, headers=headers, allow_redirects=False
                    ) as response:
                        target = response.headers.get("Location") if response.status in _REDIRECTIONS else None
                        if target is None:
                            return await _read(response)
                        before, url = url, url.join(self._read_url(target))
                        if response.status not in _KEEPS_METHOD:
                            method, body = "GET", ""
                except (self._http.ClientError, OSError, ValueError) as error:
                    raise WebError(_why(error)) from None
                _demand_listed(rows, url)
                if url.origin() != before.origin():
                    headers = {}  # what was meant for one host may be a secret to another
        raise WebError("the host redirects again and again")

    def _read_url(self, text: str) -> Any:
        try:
            return _library_url(text)
        except (ValueError, TypeError):
            raise WebError("that is no address of a page: use https://HOST/PATH") from None


async def _read(response: Any) -> Page:
    """The answer as text; raises ``WebError`` for one that is too long or packed."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WebError("the host packs its answer though it was asked not to")
    parts, size = [], 0
    async for part in response.content.iter_chunked(MOST_BYTES):
        size += len(part)
        if size > MOST_BYTES:
            raise WebError(f"the answer is longer than {MOST_BYTES} bytes")
        parts.append(part)
    charset = response.charset or "utf-8"
    try:
        text = b"".join(parts).decode(charset, "replace")
    except LookupError:
        text = b"".join(parts).decode("utf-8", "replace")
    return Page(response.status, text, response.content_type)


def _demand_listed(rows: tuple[WebRow, ...], url: Any) -> None:
    """Raise ``WebError`` unless this page is one that a service may ask for."""
    host, scheme, port = (url.raw_host or "").lower().rstrip("."), url.scheme, url.port
    if scheme not in ("http", "https") or not host or port is None or url.user or url.password:
        raise WebError("that is no address of a page: use https://HOST/PATH")
    if not any(row.lets_in(scheme, host, port) for row in rows):
        plain = " in plain" if scheme == "http" else ""
        raise WebError(f"{host}:{port} may not be asked{plain}: see the parameter http_allow")
    if is_literal(host) and not may_lead_to(rows, host):
        raise WebError(f"{host} is an address of the own network: see the parameter http_allow")


class _Resolver:
    """Finds the addresses of a host, and of those only where a service may lead."""

    def __init__(self, rows: tuple[WebRow, ...]) -> None:
        self._rows = rows

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[dict[str, Any]]:
        """As the library asks for it; raises ``OSError``."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        allowed = [each for each in found if may_lead_to(self._rows, str(each[4][0]))]
        if found and not allowed:
            raise WebError(f"{host} leads to the own network: see the parameter http_allow")
        return [
            {
                "hostname": host,
                "host": each[4][0],
                "port": port,
                "family": each[0],
                "proto": each[2],
                "flags": socket.AI_NUMERICHOST,
            }
            for each in allowed
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _library() -> Any:
    import aiohttp  # slow to load, and seldom wanted

    return aiohttp


def _library_url(text: str) -> Any:
    from yarl import URL  # as above; it comes along

    if any(ord(each) <= 32 or ord(each) == 127 for each in text):
        raise ValueError("a control character or a space")
    return URL(text)


def _why(error: Exception) -> str:
    """Without the address: a query may hold secrets."""
    cause = getattr(error, "os_error", None) or error
    certificate = getattr(error, "certificate_error", None)
    if certificate is not None or isinstance(cause, ssl.SSLError):
        return f"the host's certificate is not believed: {getattr(certificate or cause, 'verify_message', cause)}"
    said = getattr(cause, "strerror", None)
    return f"the host cannot be reached: {said or type(error).__name__}"
