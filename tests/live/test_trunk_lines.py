"""Outside lines over real sockets: Kamailio as carrier, carriers that are picky, names, certificates, IPv6."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.carrier import DOMAIN, Carrier, CarrierTls, open_carrier
from tests.live.certificates import Authority, make_authority
from tests.live.conftest import Phones
from tests.live.nameserver import NameServer, open_nameserver
from tests.live.network import Network, host_port
from tests.live.office import Office, open_office
from tests.live.outside import Outside, OutsidePhone, open_outside
from tests.live.processes import wait_until
from tests.live.registrar import Answer, Heard, open_registrar
from tests.live.script import Callee

USER, PASSWORD = "line77", "carrier-pass"
CALLER, CALLED = "201", "202"
SOON_S = 8.0
LOGIN = ("--register", "--username", USER, "--password", PASSWORD)


@pytest.fixture(scope="module")
def names(network: Network) -> Iterator[NameServer]:
    with open_nameserver(network.host(), 5300) as server:
        yield server


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, network: Network, names: NameServer) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    with open_office(folder, network, "--resolver", names.address, tls=True) as office:
        yield office


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def carrier(
    tmp_path_factory: pytest.TempPathFactory, network: Network, names: NameServer, authority: Authority
) -> Iterator[Carrier]:
    """Kamailio at ``carrier.test``, over UDP, TCP and TLS with a sound certificate."""
    certificate, key = authority.sign("carrier", DOMAIN)
    folder = tmp_path_factory.mktemp("carrier")
    outside = host_port(network.host(), 5060)
    with open_carrier(
        folder, network, {USER: PASSWORD}, outside=outside, tls=CarrierTls(certificate, key)
    ) as carrier:
        names.says(f"{DOMAIN}. 60 A {carrier.host}")
        yield carrier


@pytest.fixture
def outside(tmp_path: Path, network: Network) -> Iterator[Outside]:
    with open_outside(tmp_path, network) as outside:
        yield outside


@contextmanager
def trunk(office: Office, name: str, *options: str) -> Iterator[Callable[[], dict[str, Any]]]:
    """A trunk for a while; yields what ``trunk list`` says of it."""
    office.cli("trunk", "add", name, *options)
    try:
        yield lambda: shown(office, name)
    finally:
        office.cli("trunk", "remove", name)


def shown(office: Office, name: str) -> dict[str, Any]:
    (found,) = [item for item in office.json("trunk", "list") if item["name"] == name]
    return dict(found)


def becomes(look: Callable[[], dict[str, Any]], state: str, within_s: float = SOON_S) -> dict[str, Any]:
    """Wait until the trunk is in this state; what is shown of it then."""
    shown = look()
    deadline = time.monotonic() + within_s
    while shown["state"] != state:
        assert time.monotonic() < deadline, f"not {state} after {within_s:g} s, but {shown}"
        time.sleep(0.1)
        shown = look()
    return shown


# -- Kamailio ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_kamailio_takes_the_line_in_and_sees_it_leave(office: Office, carrier: Carrier, transport: str) -> None:
    with trunk(office, "kam", "--host", DOMAIN, "--transport", transport, *LOGIN) as look:
        assert becomes(look, "registered")["last_error"] is None
        with office.watch() as log:
            office.cli("trunk", "set", "kam", "--password", "wrong")
            refused = becomes(look, "failed")
            assert "401" in refused["last_error"]
            assert "see that user and password are right" in refused["last_error"]
            office.cli("trunk", "set", "kam", "--password", PASSWORD)
            assert becomes(look, "registered")["last_error"] is None
            wait_until(lambda: log.read_text().count('"trunk.changed"') >= 3, 3, "the changes are told")


# -- carriers that call a CSeq invalid --------------------------------------------------------------------------


def in_reason() -> Answer:
    return "400 Invalid CSeq number", []


def in_header() -> Answer:
    return "400 Bad Request", ["P-Registrar-Error: Invalid CSeq number"]


@pytest.mark.parametrize("form", [in_reason, in_header])
@pytest.mark.parametrize("way", ["healing", "site", "trunk"])
def test_a_carrier_that_calls_a_cseq_invalid(
    office: Office, network: Network, way: str, form: Callable[[], Answer]
) -> None:
    seen: set[str] = set()

    def judge(request: Heard) -> Answer | None:
        """An authorised REGISTER in the Call-ID of another one is refused."""
        mine = [other for other in registrar.registers[:-1] if other.call_id == request.call_id]
        return form() if mine else None

    with open_registrar(network.host(), 5060, USER, PASSWORD) as registrar:
        registrar.judge = judge
        if way == "site":
            office.cli("param", "set", "gVarSipRegSameDialog", "0")
        switch = ["--new-call-id"] if way == "trunk" else []
        with trunk(office, f"picky-{way}", "--host", registrar.host, *LOGIN, *switch) as look:
            assert becomes(look, "registered")["last_error"] is None
            assert len(registrar.contacts) == 1
        wait_until(lambda: not registrar.contacts, SOON_S, "the registration is taken back")
        office.cli("param", "set", "gVarSipRegSameDialog", "1")
    requests = registrar.registers
    ids = [request.call_id for request in requests]
    seen.update(ids)
    if way == "healing":
        assert ids[0] == ids[1], "the first answer to the challenge stays in its Call-ID"
        assert len(seen) == len(ids) - 1
    else:
        assert len(requests) == 3
        assert len(seen) == 3
    assert requests[-1].field("Expires") == "0"
    assert all(request.field("Contact") != "*" for request in requests)


def test_a_stop_takes_leave_and_a_start_knows_the_carrier(office: Office, network: Network) -> None:
    with open_registrar(network.host(), 5060, USER, PASSWORD) as registrar:
        registrar.judge = lambda request: in_header() if len(of_its_call(request)) > 1 else None

        def of_its_call(request: Heard) -> list[Heard]:
            return [other for other in registrar.registers if other.call_id == request.call_id]

        with trunk(office, "restarted", "--host", registrar.host, *LOGIN) as look:
            becomes(look, "registered")
            (contact,) = registrar.contacts
            office.stop()
            assert not registrar.contacts, "a stopping office takes its registration back"
            known = len(registrar.registers)
            office.start()
            becomes(look, "registered")
            assert registrar.contacts == {contact}
            assert len(registrar.registers) == known + 2, "asked and authorised, and no CSeq called invalid"


# -- names ------------------------------------------------------------------------------------------------------


def test_srv_leads_past_servers_that_fail(
    office: Office, network: Network, names: NameServer, carrier: Carrier
) -> None:
    silent, busy = network.host(), network.host()
    names.says(
        "_sip._udp.srv.test. 60 SRV 10 0 5060 silent.srv.test.",
        "_sip._udp.srv.test. 60 SRV 20 0 5070 busy.srv.test.",
        f"_sip._udp.srv.test. 60 SRV 30 0 {carrier.port} good.srv.test.",
        f"silent.srv.test. 60 A {silent}",
        f"busy.srv.test. 60 A {busy}",
        f"good.srv.test. 60 A {carrier.host}",
    )
    with open_registrar(busy, 5070, USER, PASSWORD) as registrar:
        registrar.judge = lambda request: ("503 Service Unavailable", [])
        with trunk(office, "srv", "--host", "srv.test", *LOGIN) as look:
            serving = becomes(look, "registered", 15)
            assert "says 503" in serving["last_error"]
            assert registrar.registers


@pytest.mark.parametrize("transport", ["udp", "tcp", "auto"])
def test_naptr_names_the_service_and_the_transport(
    office: Office, names: NameServer, carrier: Carrier, transport: str
) -> None:
    host, over = f"{transport}.naptr.test", "udp" if transport == "udp" else "tcp"
    names.says(
        f'{host}. 60 NAPTR 10 10 "s" "SIP+D2{over[0].upper()}" "" _sip._{over}.other.{host}.',
        f'{host}. 60 NAPTR 20 10 "s" "SIPS+D2T" "" _sips._tcp.nowhere.{host}.',
        f"_sip._{over}.other.{host}. 60 SRV 1 1 {carrier.port} at.{host}.",
        f"at.{host}. 60 A {carrier.host}",
    )
    with trunk(office, "naptr", "--host", host, "--transport", transport, *LOGIN) as look:
        becomes(look, "registered")


def test_a_host_that_does_not_resolve_is_shown_until_it_does(
    office: Office, names: NameServer, carrier: Carrier
) -> None:
    with trunk(office, "later", "--host", "later.test", *LOGIN) as look:
        assert "'later.test' does not resolve: correct" in becomes(look, "unreachable")["last_error"]
        names.says(f"later.test. 60 A {carrier.host}")
        becomes(look, "registered", 25)


@pytest.mark.parametrize("trouble", ["refuses", "silent"])
async def test_a_call_goes_to_the_next_server_of_its_line(
    office: Office, network: Network, names: NameServer, phones: Phones, outside: Outside, trouble: str
) -> None:
    first, second, zone = network.host(), network.host(), f"{trouble}.two.test"
    names.says(
        f"_sip._udp.{zone}. 60 SRV 10 0 5060 first.{zone}.",
        f"_sip._udp.{zone}. 60 SRV 20 0 5060 second.{zone}.",
        f"first.{zone}. 60 A {first}",
        f"second.{zone}. 60 A {second}",
    )
    broken = Callee().asked("INVITE").says("503 Service Unavailable").asked("ACK").script()
    refusing = outside.waits(broken, first) if trouble == "refuses" else None
    with trunk(office, "two", "--host", zone):
        await is_carried(office, phones, outside.waits("outside_callee", second))
    if refusing is not None:
        await refusing.plays_to_the_end()


async def is_carried(office: Office, phones: Phones, called: OutsidePhone) -> str:
    """A call to the outside, answered by ``called``; what crossed its wire."""
    if CALLER not in office.passwords:
        office.extension(CALLER)
    anna = await phones.baresip(office.account(CALLER))
    await anna.registered()
    await anna.dial("94711")
    await anna.talks(8)
    await anna.hang_up()
    return await called.plays_to_the_end()


async def test_calls_go_over_ipv6_and_come_by_it(
    office: Office, network: Network, phones: Phones, outside: Outside
) -> None:
    port = network.ports(1)[0]
    weber = outside.waits("outside_callee", "::1", port=port)
    with trunk(office, "six", "--host", f"[::1]:{port}"):
        trace = await is_carried(office, phones, weber)
        assert "c=IN IP6 ::1" in trace.partition("SIP/2.0 180")[0]
        if CALLED not in office.passwords:
            office.extension(CALLED)
        anna = await phones.baresip(office.account(CALLED), answer="auto")
        await anna.registered()
        back = outside.calls(
            "outside_caller", "::1", CALLED, office.ipv6_address, port=port, says="", talks_ms="100"
        )
        await back.plays_to_the_end()
        await anna.ended()


def test_ipv6(office: Office, network: Network, tmp_path: Path) -> None:
    port = network.ports(1)[0]
    outside = host_port("::1", network.ports(1)[0])
    with (
        open_carrier(tmp_path / "six", network, {USER: PASSWORD}, outside=outside, host="::1", port=port),
        trunk(office, "six", "--host", f"[::1]:{port}", *LOGIN) as look,
    ):
        becomes(look, "registered")


# -- TLS --------------------------------------------------------------------------------------------------------


@contextmanager
def tls_door(host: str, certificate: Path, key: Path) -> Iterator[tuple[set[str | None], list[bytes]]]:
    """Shows a certificate to whoever connects; yields the names asked for, and what was said then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    asked: set[str | None] = set()
    context.sni_callback = lambda _stream, name, _context: asked.add(name)
    told: list[bytes] = []
    with socket.create_server((host, 5061)) as door:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = door.accept()
                    with contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as stream:
                        stream.settimeout(1.0)
                        told.append(stream.recv(1024))

        thread = threading.Thread(target=serve, name="TLS door", daemon=True)
        thread.start()
        try:
            yield asked, told
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_a_sound_certificate_is_trusted_once_its_authority_is_known(
    office: Office, carrier: Carrier, authority: Authority
) -> None:
    with trunk(office, "tls", "--host", DOMAIN, "--transport", "tls", *LOGIN) as look:
        error = becomes(look, "unreachable")["last_error"]
        assert f"the certificate of '{DOMAIN}' is refused" in error
        assert "name the PEM file of its authority with the parameter trunk_ca" in error
        office.cli("param", "set", "trunk_ca", str(authority.file))
        try:
            assert becomes(look, "registered")["last_error"] is None
        finally:
            office.cli("param", "set", "trunk_ca", "off")


async def test_a_call_goes_over_tls(
    office: Office, carrier: Carrier, authority: Authority, phones: Phones, outside: Outside
) -> None:
    office.cli("param", "set", "trunk_ca", str(authority.file))
    try:
        with trunk(office, "tls", "--host", DOMAIN, "--transport", "tls", *LOGIN) as look:
            becomes(look, "registered")
            host, _, port = carrier.outside.rpartition(":")
            trace = await is_carried(office, phones, outside.waits("outside_callee", host, port=int(port)))
            assert "SIP/2.0/TLS" in trace
    finally:
        office.cli("param", "set", "trunk_ca", "off")


@pytest.mark.parametrize(
    ("label", "shows", "days", "error"),
    [
        ("expired", "expired.test", (-20, -3), "(certificate has expired): have the carrier renew it"),
        ("wrong", "other.test", (-1, 30), "is refused, it is for other.test: use one of its names"),
    ],
)
@pytest.mark.parametrize("login", [LOGIN, ()], ids=["registering", "static"])
def test_a_bad_certificate_is_refused_and_shown(
    office: Office, network: Network, names: NameServer, authority: Authority,
    label: str, shows: str, days: tuple[int, int], error: str, login: tuple[str, ...],
) -> None:  # fmt: skip
    host, name = network.host(), f"{label}.test"
    if not any(str(rrset.name) == f"{name}." for rrset in names.zone):
        names.says(f"{name}. 1 A {host}")
    host = next(rrset[0].address for rrset in names.zone if str(rrset.name) == f"{name}.")
    office.cli("param", "set", "trunk_ca", str(authority.file))
    with tls_door(host, *authority.sign(label, shows, days=days)) as (asked, told):
        with trunk(office, label, "--host", name, "--transport", "tls", *login) as look:
            assert error in becomes(look, "unreachable")["last_error"]
        assert asked == {name}
        assert not any(told), "nothing was said behind it"
    office.cli("param", "set", "trunk_ca", "off")
