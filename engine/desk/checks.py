"""What may be typed into a field: every limit of the office's configuration, and the words that refuse."""

from __future__ import annotations

import re
import unicodedata

from engine.core.errors import RefusedError
from engine.core.params import RELAYED_CODECS
from engine.pbx.rights import OWNER
from engine.store.configuration import Right
from engine.store.passwords import key_body

MOST_DEVICES = 20
MOST_CALLS = 1000
_NUMBER = re.compile(r"[0-9]{2,15}")
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_OUTSIDE_NUMBER = re.compile(r"\+?[0-9]{2,20}")
_TARGET = re.compile(r"\+?[0-9*#]{1,32}")
_PIN = re.compile(r"[0-9]{4,10}")
FORWARDS = ("forward_always", "forward_busy", "forward_no_answer", "forward_unreachable")
"""The fields of an extension that name where its calls go."""
_EMAIL = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")


def check_number(number: str) -> str:
    """An extension's number: digits only, since codes such as ``*75*101`` begin with ``*`` or ``#``."""
    if not _NUMBER.fullmatch(number):
        raise RefusedError(f"'{number}' is no extension number", "use 2 to 15 digits")
    return number


def check_name(name: str) -> str:
    """A name as shown on phones: one line of at most 64 characters."""
    name = name.strip()
    if not name:
        raise RefusedError("the name is empty", "type one, or take it away with --clear name")
    if len(name) > 64 or _has_control(name):
        raise RefusedError("the name cannot be used", "use one line of at most 64 characters")
    return name


def check_phone_password(number: str, password: str) -> str:
    """A phone's password: typable, and never the number itself, which is what attackers try first."""
    _check_password(password, least=4)
    if password == number:
        raise RefusedError(
            "the password is the number itself", "choose another, or leave it out to get a strong one"
        )
    return password


def check_operator_password(login: str, password: str) -> str:
    """A console password."""
    _check_password(password, least=6)
    if password == login:
        raise RefusedError(
            "the password is the login itself", "choose another, or leave it out to get a strong one"
        )
    return password


def check_max_devices(count: int) -> int:
    if not 1 <= count <= MOST_DEVICES:
        raise RefusedError(f"max-devices cannot be {count}", f"use 1 to {MOST_DEVICES}")
    return count


def check_max_calls(count: int) -> int:
    if not 1 <= count <= MOST_CALLS:
        raise RefusedError(f"max-calls cannot be {count}", f"use 1 to {MOST_CALLS}, or unlimited")
    return count


def check_max_out(count: int) -> int:
    """Calls to the outside at once; 0 forbids them."""
    if not 0 <= count <= MOST_CALLS:
        raise RefusedError(f"max-out cannot be {count}", f"use 0 to {MOST_CALLS}, or unlimited")
    return count


def check_outside_number(number: str) -> str:
    """The number that the outside sees, as the carrier wants it."""
    if not _OUTSIDE_NUMBER.fullmatch(number):
        raise RefusedError(f"'{number}' is no outside number", "use 2 to 20 digits, perhaps behind +")
    return number


def check_target(number: str) -> str:
    """A number that calls are forwarded to, as the extension itself would dial it."""
    if not _TARGET.fullmatch(number):
        raise RefusedError(f"'{number}' is no number to forward to", "use digits, * and #, as they are dialled")
    return number


def check_pin(pin: str) -> str:
    if not _PIN.fullmatch(pin):
        raise RefusedError("that is no PIN", "use 4 to 10 digits")
    return pin


def check_right(word: str) -> Right:
    try:
        return Right(word)
    except ValueError:
        raise RefusedError(f"there is no right '{word}'", f"use one of {', '.join(Right)}") from None


def check_codecs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Codec names in order of preference, in upper case, each once."""
    upper = tuple(name.strip().upper() for name in names)
    for name in upper:
        if name not in RELAYED_CODECS:
            raise RefusedError(f"there is no codec '{name}'", f"use some of {', '.join(RELAYED_CODECS)}")
    return tuple(dict.fromkeys(upper))


def check_email(address: str) -> str:
    if len(address) > 254 or not _EMAIL.fullmatch(address) or _has_control(address):
        raise RefusedError(f"'{address}' is no mail address", "use one such as anna@example.org")
    return address


def check_login(login: str) -> str:
    if not _LOGIN.fullmatch(login):
        raise RefusedError(
            f"'{login}' is no login", "use at most 32 letters, digits, dots, dashes and underscores, a letter first"
        )
    if login == OWNER.name:
        raise RefusedError(f"'{login}' stands for whoever owns the office's folder", "choose another login")
    return login


def check_key(line: str) -> str:
    """An OpenSSH public key line."""
    line = line.strip()
    if "PRIVATE KEY" in line:
        raise RefusedError("this is a private key", "give the public one: the file that ends in .pub")
    if key_body(line) is None or _has_control(line):
        raise RefusedError("this is no OpenSSH public key", "give a line such as 'ssh-ed25519 AAAA… anna@laptop'")
    return line


def check_clear(asked: frozenset[str], allowed: tuple[str, ...], given: frozenset[str]) -> None:
    """Refuse to empty what cannot be empty, or what gets a value by the same command."""
    for name in sorted(asked):
        if name not in allowed:
            raise RefusedError(f"'{name}' cannot be cleared", f"use one of {', '.join(allowed)}")
        if name in given:
            raise RefusedError(f"{name} is both given and cleared", "say one of them")


def _check_password(password: str, least: int) -> None:
    if len(password) < least or len(password) > 128:
        raise RefusedError(
            f"the password has {len(password)} characters",
            f"use {least} to 128, or leave it out to get a strong one",
        )
    if _has_control(password):
        raise RefusedError("the password has characters that cannot be typed", "use letters, digits and signs")


def _has_control(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text)
