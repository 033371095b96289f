"""What the office refuses, in the console's language: the engine speaks English and knows no catalog."""

from __future__ import annotations

import re
from functools import cache

from engine.core.errors import RefusedError
from tui.texts import N_, _, language

TEMPLATES = (
    N_("'{0}' cannot be cleared"),
    N_("'{0}' is no extension number"),
    N_("'{0}' is no host"),
    N_("'{0}' is no login"),
    N_("'{0}' is no mail address"),
    N_("'{0}' is no name of a trunk"),
    N_("'{0}' is no name"),
    N_("'{0}' is no network"),
    N_("'{0}' is no outside number"),
    N_("'{0}' is no port"),
    N_("add it first, or name another"),
    N_("ask again"),
    N_("ask an operator with the role {0} or above"),
    N_("audio keys would travel in the clear"),
    N_("audio over trunks cannot be encrypted yet"),
    N_("call {0} has changed meanwhile"),
    N_("call {0} is just ending"),
    N_("cannot write {0}: {1}"),
    N_("change it with 'frontdesk extension set {0}'"),
    N_("change it with 'frontdesk trunk set {0}'"),
    N_("change them with 'frontdesk operator set {0}'"),
    N_("choose another, or leave it out to get a strong one"),
    N_("extension {0} exists already"),
    N_("extension {0} is led to by {1}"),
    N_("give a line such as 'ssh-ed25519 AAAA… anna@laptop'"),
    N_("give a name such as sip.example.org, or an address"),
    N_("give an address or a network such as 192.0.2.0/24 or 2001:db8::/32"),
    N_("give it --host HOST[:PORT]"),
    N_("give it --username and --password"),
    N_("give the public one: the file that ends in .pub"),
    N_("keep at most {0}"),
    N_("leave this console"),
    N_("look at it again and release it then"),
    N_("lower --reserve-emergency, or raise --max-out"),
    N_("make another with 'frontdesk operator add --role admin'"),
    N_("make room, then try again"),
    N_("max-calls cannot be {0}"),
    N_("max-devices cannot be {0}"),
    N_("max-out cannot be {0}"),
    N_("name one of them by its id"),
    N_("no engine runs on {0}"),
    N_("nothing of call {0} is kept"),
    N_("operator {0} exists already"),
    N_("over-limit cannot be {0}"),
    N_("remove or change that route first"),
    N_("remove that first, or lead it elsewhere"),
    N_("remove that inbound number first"),
    N_("say one of them"),
    N_("see 'frontdesk calls' and 'frontdesk records'"),
    N_("see 'frontdesk calls'"),
    N_("see 'frontdesk extension list'"),
    N_("see 'frontdesk level list'"),
    N_("see 'frontdesk operator list'"),
    N_("see 'frontdesk param get'"),
    N_("see 'frontdesk trunk list'"),
    N_("see the parameter trace_mb"),
    N_("start it with 'frontdesk run'"),
    N_("start it with --tls HOST:PORT"),
    N_("the engine does not listen for TLS"),
    N_("the login {0} has been removed"),
    N_("the messages of call {0} are no longer there"),
    N_("the name cannot be used"),
    N_("the name is empty"),
    N_("the password has characters that cannot be typed"),
    N_("the password has {0} characters"),
    N_("the password is the login itself"),
    N_("the password is the number itself"),
    N_("the right {0} is both given and taken"),
    N_("the {0} cannot be used"),
    N_("there is no call '{0}'"),
    N_("there is no codec '{0}'"),
    N_("there is no extension {0}"),
    N_("there is no level '{0}'"),
    N_("there is no operator {0}"),
    N_("there is no parameter '{0}'"),
    N_("there is no right '{0}'"),
    N_("there is no trunk '{0}'"),
    N_("they are kept in memory until the engine stops or newer calls need the room"),
    N_("this is a private key"),
    N_("this is no OpenSSH public key"),
    N_("this is the last administrator who can log in"),
    N_("trunk {0} cannot register without a login"),
    N_("trunk {0} exists already"),
    N_("trunk {0} has no host"),
    N_("trunk {0} is used by inbound number {1}"),
    N_("trunk {0} is used by route {1}"),
    N_("type one, or take it away with --clear name"),
    N_("use --srtp off; TLS works without it"),
    N_("use --transport tls, or --srtp off"),
    N_("use 0 to {0}, or unlimited"),
    N_("use 1 to {0}"),
    N_("use 1 to {0}, or unlimited"),
    N_("use 2 to 15 digits"),
    N_("use 2 to 20 digits, perhaps behind +"),
    N_("use 486 or 503"),
    N_("use a number from 1 to 65535, or leave it out"),
    N_("use at most 32 letters, digits, dots, dashes and underscores, a letter first"),
    N_("use at most 32 letters, digits, dots, dashes and underscores, no dash first"),
    N_("use letters, digits and signs"),
    N_("use one line of at most 128 characters"),
    N_("use one line of at most 64 characters"),
    N_("use one of {0}"),
    N_("use one such as anna@example.org"),
    N_("use some of {0}"),
    N_("use {0} to 128, or leave it out to get a strong one"),
    N_("{0} ({1}) may not {2}"),
    N_("{0} cannot be {1}"),
    N_("{0} has {1} calls ({2})"),
    N_("{0} is both given and cleared"),
    N_("{0} lines cannot be kept free of {1}"),
    N_("{0} would have {1} keys"),
)
"""What the desk refuses and the mends it names, with numbers where the engine fills something in."""

STORE_TEMPLATES = (
    N_("the disk is full ({0})"),
    N_("another program keeps the database locked ({0})"),
    N_("the database is damaged ({0})"),
    N_("the database cannot be written ({0})"),
    N_("the disk does not take what is written ({0})"),
    N_("the database {0} refuses: {1}"),
    N_("free some space on its disk"),
    N_("close the program that has it open"),
    N_("nothing was changed; put a backup in its place, or move the file away to begin anew"),
    N_("check the owner and permissions of the folder and the file"),
    N_("check the disk and the space left on it"),
    N_("check the file and its disk"),
)
"""What a database that refuses is said to mean."""

TLS_TEMPLATES = (
    N_("there is no certificate {0}"),
    N_("there is no key {0}"),
    N_("the certificate {0} may not be read"),
    N_("the key {0} may not be read"),
    N_("the certificate {0} cannot be read ({1})"),
    N_("the key {0} cannot be read ({1})"),
    N_("{0} holds no certificate"),
    N_("{0} holds no private key"),
    N_("the key {0} is locked with a password"),
    N_("the key {0} does not belong to {1}"),
    N_("{0} cannot be used ({1})"),
    N_("no certificate can be made in {0} ({1})"),
    N_("the TLS certificate {0} expired on {1}"),
    N_("the TLS certificate {0} ends on {1}"),
    N_("put it there, in PEM form"),
    N_("let the user that runs Frontdesk read it (chown, chmod)"),
    N_("put one in PEM form there, its chain behind it"),
    N_("put the certificate's key in PEM form there"),
    N_("put the two there that were made together"),
    N_("have another one made"),
    N_("put a new one there"),
    N_("mend that file"),
    N_("mend that folder"),
)
"""What is wrong with a TLS certificate, as alarms say it."""

LINE_TEMPLATES = (
    N_("'{0}' cannot be looked up ({1})"),
    N_("'{0}' does not resolve"),
    N_("'{0}' offers no SIP over {1}"),
    N_("ask the carrier"),
    N_("choose another --transport"),
    N_("correct the trunk's host, or its entry in the DNS"),
    N_("have the carrier mend it"),
    N_("have the carrier renew it, and see that this machine's clock is right"),
    N_("name the PEM file of its authority with the parameter trunk_ca"),
    N_("no name server answers"),
    N_("put their certificates there in PEM form"),
    N_("see that the name server runs, or name one with --resolver"),
    N_("see that the trunk's address and transport are right"),
    N_("see that this machine's clock is right"),
    N_("see that user and password are right"),
    N_("start it with {0} HOST:PORT"),
    N_("the authorities of {0} cannot be read ({1})"),
    N_("the carrier refuses to register '{0}' ({1} {2})"),
    N_("the certificate of '{0}' is refused ({1})"),
    N_("the certificate of '{0}' is refused, it is for {1}"),
    N_("the name server refuses"),
    N_("the office has no {0} socket for the {1} address of '{2}'"),
    N_("this machine has no name server"),
    N_("use one of its names as the trunk's host, or have the carrier mend it"),
    N_("wait, or ask the carrier"),
    N_("{0} cannot be reached ({1})"),
    N_("{0} does not answer"),
    N_("{0} says {1}"),
)
"""What is wrong with an outside line."""

DEEDS = (
    N_("add an extension"),
    N_("change a password"),
    N_("change an extension"),
    N_("list extensions"),
    N_("release a call"),
    N_("remove an extension"),
    N_("save a call's messages"),
    N_("see a call's messages"),
    N_("see an extension"),
    N_("see digests and keys"),
)
"""What a role may lack the right to do."""


def refusal_text(error: RefusedError) -> str:
    """What was refused and what to do, for the operator to read."""
    what, mend = translated(error.what), translated(error.mend)
    return _("{what}: {mend}").format(what=what, mend=mend) if mend else what


def translated(text: str) -> str:
    """An English text of the engine in the console's language; what is not known stays as it is."""
    if language() == "en" or not text:
        return text
    what, colon, mend = text.rpartition(": ")  # an alarm says both in one line
    if colon and (mended := _known(mend)) is not None:
        return _("{what}: {mend}").format(what=translated(what), mend=mended)
    return _known(text) or text


def _known(text: str) -> str | None:
    if (whole := _(text)) != text:
        return whole
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            return _(template).format(*(_(value) for value in found.groups()))
    return None


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """The templates as patterns; those that say more of themselves come first."""
    known = (*TEMPLATES, *STORE_TEMPLATES, *TLS_TEMPLATES, *LINE_TEMPLATES)
    ordered = sorted(known, key=lambda text: -len(re.sub(r"\{\d\}", "", text)))
    return [(_pattern(template), template) for template in ordered if "{" in template]


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{\d\}", template)
    return re.compile("(.+)".join(re.escape(part) for part in parts), re.DOTALL)
