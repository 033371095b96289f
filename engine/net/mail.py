"""Mail goes out by SMTP to one server; the library is loaded with the first mail."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.core.errors import FrontdeskError

if TYPE_CHECKING:
    from email.message import EmailMessage

TIMEOUT_S = 30.0
PORTS = {"off": 25, "starttls": 587, "tls": 465}
_TOO_BIG = (523, 552)
_OF_THE_LOGIN = (454, 530, 534, 535, 538)


class MailError(FrontdeskError):
    """A mail was not taken; the text says why, without the login."""

    def __init__(self, why: str, *, is_final: bool = False, is_too_big: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final
        """Another attempt would fare no better."""
        self.is_too_big = is_too_big


class MailServer(NamedTuple):
    """Where mail goes."""

    host: str
    port: int
    tls: str
    """``starttls`` and ``tls`` demand a certificate that is believed; ``off`` speaks in plain."""
    user: str | None = None
    password: str | None = None


async def deliver(
    server: MailServer,
    message: EmailMessage,
    trust: Callable[[], ssl.SSLContext] = ssl.create_default_context,
) -> None:
    """Hand one mail to the server; raises ``MailError``."""
    library = await asyncio.to_thread(_library)
    context = await asyncio.to_thread(trust) if server.tls != "off" else None
    client = library.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password if server.user is not None else None,
        local_hostname=socket.gethostname() or "localhost",
        timeout=TIMEOUT_S,
        use_tls=server.tls == "tls",
        start_tls=server.tls == "starttls",
        tls_context=context,
    )
    try:
        async with asyncio.timeout(4 * TIMEOUT_S), client:
            await client.send_message(message)
    except TimeoutError:
        raise MailError(f"{server.host}:{server.port} is too slow") from None
    except (library.SMTPException, OSError, ValueError) as error:
        raise _told(server, error) from None


def _told(server: MailServer, error: Exception) -> MailError:
    cause = _first(error)
    code = getattr(cause, "code", None)
    below = getattr(cause.__cause__, "strerror", None) or getattr(cause, "strerror", None)
    said = str(below or getattr(cause, "message", None) or cause).replace("\r", " ").replace("\n", " ")[:200]
    if code is None:
        return MailError(f"{server.host}:{server.port}: {said or type(error).__name__}")
    if code in _OF_THE_LOGIN:
        return MailError(f"{server.host} refuses the login: {code} {said}")
    is_too_big = code in _TOO_BIG
    is_final = 500 <= code < 600 and not is_too_big and "Recipient" in type(cause).__name__
    return MailError(f"{server.host} says {code} {said}", is_final=is_final, is_too_big=is_too_big)


def _first(error: Exception) -> Exception:
    """What the only recipient was refused with."""
    refused: Any = getattr(error, "recipients", None)
    return refused[0] if isinstance(refused, list) and refused else error


def _library() -> Any:
    import aiosmtplib  # seldom wanted

    return aiosmtplib
