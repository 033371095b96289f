"""The site parameters: their names, types, defaults and what each is for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from engine.core.errors import NotFoundError, RefusedError
from engine.core.options import HostPort
from engine.core.paths import DATA
from engine.core.web_rows import read_rows

HIDDEN = "(kept)"
"""What is told of a secret."""


@dataclass(frozen=True, slots=True)
class Param:
    """One site parameter; ``read`` turns its text into its value or raises ``ValueError``."""

    name: str
    default: Any
    read: Callable[[str], Any]
    help: str
    is_secret: bool = False
    """Kept like a password: set, and never told."""

    def parse(self, text: str) -> Any:
        """The value that ``text`` means; raises ``RefusedError`` that names what is allowed."""
        try:
            return self.read(text)
        except ValueError as error:
            said = "that" if self.is_secret else f"'{text}'"
            raise RefusedError(f"{said} is no value for {self.name}", str(error)) from None

    def shown(self, value: Any) -> Any:
        """A value as it may be told."""
        return HIDDEN if self.is_secret and value is not None else value


def _choice(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"use one of {', '.join(words)}")
        return text

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"use a whole number from {low} to {high}")
        return int(text)

    return read


def _text(text: str) -> str:
    if not text.strip() or any(ord(char) < 32 for char in text):
        raise ValueError("use a line of text")
    return text.strip()


def _codecs(text: str) -> tuple[str, ...]:
    names = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [name for name in names if name not in RELAYED_CODECS]
    if unknown or not names:
        raise ValueError(f"use a comma-separated list of {', '.join(RELAYED_CODECS)}")
    return tuple(dict.fromkeys(names))


def _code(text: str) -> str | None:
    if text in ("off", ""):
        return None
    if len(text) > _LONGEST_CODE or not set(text) <= set("0123456789*#"):
        raise ValueError(f"use up to {_LONGEST_CODE} digits, * and #, or 'off'")
    return text


def _outside_prefix(text: str) -> str | None:
    if text == "rules":
        return text
    try:
        return _code(text)
    except ValueError:
        raise ValueError(
            f"use up to {_LONGEST_CODE} digits, * and #, 'off' when outside numbers are dialled as they are, "
            "or 'rules' when only routes lead outside"
        ) from None


def _digits(most: int) -> Callable[[str], str | None]:
    def read(text: str) -> str | None:
        if text in ("off", ""):
            return None
        if len(text) > most or not text.isascii() or not text.isdigit():
            raise ValueError(f"use up to {most} digits, or 'off'")
        return text

    return read


def _tones(text: str) -> str:
    known = tuple(tomllib.loads((DATA / "tones.toml").read_text("utf-8")))
    if text.lower() not in known:
        raise ValueError(f"use one of {', '.join(known)}")
    return text.lower()


def _timezone(text: str) -> str | None:
    if text in ("system", "off", ""):
        return None
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError):
        raise ValueError(
            "use a name such as Europe/Berlin or Asia/Shanghai, or 'off' for the machine's own"
        ) from None


def _file(text: str) -> str | None:
    if text in ("off", ""):
        return None
    if not text.startswith("/") or not text.isprintable():
        raise ValueError("use a file's whole path, from / on, or 'off'")
    return text


def _origins(text: str) -> tuple[str, ...]:
    if text in ("off", ""):
        return ()
    origins = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("use origins such as https://phone.example.org, by commas, * for all, or 'off'")
    return origins


_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")


def _mail_server(text: str) -> str | None:
    if text in ("off", ""):
        return None
    try:
        server = HostPort.parse(text, 0)
    except RefusedError as error:
        raise ValueError(error.mend) from None
    if not server.host:
        raise ValueError("use HOST or HOST:PORT, or 'off'")
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}" if server.port else host


def _mail_address(text: str) -> str | None:
    if text in ("off", ""):
        return None
    if len(text) > _LONGEST_MAIL or not _MAIL.fullmatch(text):
        raise ValueError("use an address such as pbx@example.org, or 'off'")
    return text


def _word(text: str) -> str | None:
    if text in ("off", ""):
        return None
    if len(text) > _LONGEST_MAIL or not text.isprintable():
        raise ValueError(f"use up to {_LONGEST_MAIL} characters on one line, or 'off'")
    return text


_LONGEST_CODE = 16
_LONGEST_MAIL = 254
_MAIL = re.compile(r"[!-~]+@[!-~]+")

RELAYED_CODECS = ("PCMA", "PCMU", "G722", "OPUS", "G729", "GSM", "ILBC", "SPEEX")
"""Audio encodings the gateway relays between legs that agree on one."""

PARAMS: dict[str, Param] = {
    param.name: param
    for param in (
        Param("office_name", "Frontdesk", _text, "the office's name, shown in the console's title"),
        Param("ring_timeout_s", 60, _whole(5, 600), "seconds a phone rings before the call counts as not answered"),
        Param(
            "silent_party_s", 60, _whole(20, 3600),
            "seconds a party may send neither audio nor RTCP before its phone is asked whether it is there",
        ),
        Param(
            "second_phone", "refuse", _choice("refuse", "replace"),
            "what a second phone meets when its extension has no multi-device right",
        ),
        Param("registration_min_s", 60, _whole(10, 3600), "shortest registration accepted; shorter ones get 423"),
        Param("registration_max_s", 3600, _whole(60, 86400), "longest registration granted"),
        Param(
            "session_expires_s", 1800, _whole(90, 86400),
            "seconds after which a session over a trunk with the ims preset must be refreshed",
        ),
        Param("session_min_s", 90, _whole(90, 3600), "shortest refresh interval taken; shorter ones get 422"),
        Param("codecs", ("PCMA", "PCMU", "G722", "OPUS"), _codecs, "codecs offered to phones, best first"),
        Param(
            "transcoding", "on", _choice("on", "off"),
            "whether two parties without a common codec talk all the same, converted by the gateway; off: 488",
        ),
        Param(
            "digest", "md5", _choice("md5", "sha-256", "both"),
            "digest algorithms in challenges; some phones give up where SHA-256 is named at all",
        ),
        Param("language", "en", _choice("en", "zh"), "the language that services speak to callers"),
        Param("tones", "de", _tones, "the country whose ringing and busy tones callers hear, such as de or us"),
        Param("park_timeout_s", 60, _whole(5, 3600), "seconds after which a parked call comes back to its parker"),
        Param(
            "overstep_protects", "either", _choice("either", "dialled"),
            "whom an overstep right protects from operators: either party of a call, or only the dialled one",
        ),
        Param(
            "lamp_parties", "pickup", _choice("all", "pickup", "off"),
            "whose phones are told by lamps with whom others talk: all, those with the right pickup, or none",
        ),
        Param(
            "dnd_lamp", "dark", _choice("dark", "lit"),
            "what a lamp (BLF) shows of who does not want to be disturbed; presence tells it in either case",
        ),
        Param(
            "ws_origins", (), _origins,
            "web pages whose scripts may connect by WebSocket, as https://phone.example.org, by commas; * for all",
        ),
        Param("barge_in_tone", 1, _whole(0, 1), "1: all hear a short tone when an operator breaks in; 0: none"),
        Param(
            "override_trunk_limit", 0, _whole(0, 1),
            "1: an operator with the right override may call over an outside line that is full; 0: nobody may",
        ),
        Param("code_record", "*1", _code, "what to press in a call to have it recorded; 'off' for no such code"),
        Param("code_echo_test", "*43", _code, "what to dial to hear oneself; 'off' for no such code"),
        Param(
            "outside_prefix", "9", _outside_prefix,
            "what is dialled before outside numbers; 'off' for nothing, 'rules' when only routes lead outside",
        ),
        Param(
            "announce_refusals", "on", _choice("on", "off"),
            "whether callers are told in words why a call cannot go outside or come in, before it is refused",
        ),
        Param("timezone", None, _timezone, "time zone of schedules, such as Europe/Berlin; 'off': the machine's"),
        Param("country_code", None, _digits(4), "the office's own country without +, such as 49; 'off' if unknown"),
        Param("national_prefix", "0", _digits(4), "what is dialled before a number of the own country"),
        Param("international_prefix", "00", _digits(6), "what is dialled before a country code"),
        Param(
            "trunk_number_form", "dialled", _choice("dialled", "plus", "bare"),
            "how outside lines are told numbers: as dialled, as +4930… or as 4930…",
        ),
        Param(
            "tls_certificate", None, _file,
            "PEM file of the TLS certificate and its chain; 'off' for tls/cert.pem in the state folder",
        ),
        Param("tls_key", None, _file, "PEM file of its key; 'off' when it stands in the same file"),
        Param(
            "gVarSipRegSameDialog", 1, _whole(0, 1),
            "1: REGISTERs to a carrier share one Call-ID; 0: each has its own, where CSeq is called invalid",
        ),
        Param(
            "trunk_ca", None, _file,
            "PEM file of the authorities that may vouch for trunks over TLS; 'off' for those of the system",
        ),
        Param(
            "voicemail", "boxes", _choice("boxes", "all", "off"),
            "who has calls that it does not take sent to its box: who has a voicemail PIN or a mail address "
            "('boxes'), all, or nobody ('off')",
        ),
        Param("voicemail_after_s", 25, _whole(5, 600), "seconds a phone rings before its caller goes to the box"),
        Param("mail_server", None, _mail_server, "where mail about messages goes, HOST or HOST:PORT, or 'off'"),
        Param(
            "mail_tls", "starttls", _choice("off", "starttls", "tls"),
            "how the mail server is spoken to: port 587 with STARTTLS, 465 with TLS, or 25 in plain ('off')",
        ),
        Param("mail_user", None, _word, "the login at the mail server; 'off' for none"),
        Param("mail_password", None, _word, "its password, which is never shown again", is_secret=True),
        Param("mail_from", None, _mail_address, "whom mails are from; 'off': the login, where that is an address"),
        Param("mail_attach", "on", _choice("on", "off"), "whether the message itself is attached to its mail"),
        Param(
            "http_allow", (), read_rows,
            "hosts that services may ask by HTTP: https, plain where a row says http://; 'off' for none",
        ),
        Param("trace_mb", 32, _whole(0, 1024), "MB of memory for the SIP messages of live and recent calls"),
        Param("record_keep_days", 730, _whole(1, 36500), "days a call record is kept"),
    )
}  # fmt: skip


def param_named(name: str) -> Param:
    """The parameter called ``name``; raises ``NotFoundError`` when there is none."""
    try:
        return PARAMS[name]
    except KeyError:
        raise NotFoundError(f"there is no parameter '{name}'", "see 'frontdesk param get'") from None


def host_port_of(text: str) -> tuple[str, int | None]:
    """Host and port of a parameter such as ``mail_server``; ``None`` where it names no port."""
    parsed = HostPort.parse(text, 0)
    return parsed.host, parsed.port or None


def param_text(value: Any) -> str:
    """A parameter's value as it is typed."""
    if value is None:
        return "off"
    return (",".join(value) or "off") if isinstance(value, tuple) else str(value)
