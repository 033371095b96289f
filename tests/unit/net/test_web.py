"""What services ask by HTTP: of a real server on this machine, and what is never asked."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web

from engine.core.web_rows import is_public, read_row, read_rows
from engine.net import web as asking
from engine.net.certificate import make_certificate, read_identity
from engine.net.web import MOST_AT_ONCE, MOST_BYTES, Web, WebError


class Host:
    """A host of the test: what it was asked, and where it listens."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.bodies: list[str] = []
        self.port = 0
        self.held = asyncio.Event()
        self.waiting = 0
        self.is_full = asyncio.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.text())
        match request.path:
            case "/long":
                return web.Response(text="a" * (MOST_BYTES + 1))
            case "/full":
                return web.Response(text="a" * MOST_BYTES)
            case "/latin":
                return web.Response(body="Müller".encode("latin-1"), content_type="text/plain", charset="latin-1")
            case "/unknown-charset":
                return web.Response(body="Müller".encode(), headers={"Content-Type": "text/plain; charset=klingon"})
            case "/packed":
                return web.Response(body=gzip.compress(b"a" * 10**7), headers={"Content-Encoding": "gzip"})
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                while True:
                    await response.write(b"a" * 1000)
            case "/slow":
                self.waiting += 1
                if self.waiting == MOST_AT_ONCE:
                    self.is_full.set()
                await self.held.wait()
            case path if path.startswith("/to/"):
                raise web.HTTPFound(request.query["url"])
            case "/circle":
                raise web.HTTPFound("/circle")
            case "/keep":
                raise web.HTTPTemporaryRedirect("/page")
            case "/missing":
                raise web.HTTPNotFound(text="nothing")
        return web.json_response({"path": request.path})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    async for each in serving(host):
        yield each


async def serving(host: Host, tls: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", host.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host.port = runner.addresses[0][1]
    try:
        yield host
    finally:
        host.held.set()
        await runner.cleanup()


def asker(*rows: str) -> Web:
    return Web(lambda: read_rows(",".join(rows)), "Frontdesk/test")


async def refusal(client: Web, url: str, timeout_s: float = 5.0) -> str:
    with pytest.raises(WebError) as refused:
        await client.fetch(url, timeout_s=timeout_s)
    return str(refused.value)


# -- what is asked ----------------------------------------------------------------------------------------------


async def test_a_listed_host_is_asked_and_answers(host: Host) -> None:
    page = await asker(host.base).fetch(f"{host.base}/page?caller=101", headers={"X-Key": "secret"})
    assert page == (200, '{"path": "/page"}', "application/json")
    (request,) = host.asked
    assert (request.method, request.query_string) == ("GET", "caller=101")
    assert (request.headers["X-Key"], request.headers["User-Agent"]) == ("secret", "Frontdesk/test")
    assert "Cookie" not in request.headers


async def test_a_body_is_posted_as_it_is(host: Host) -> None:
    headers = {"Content-Type": "application/json"}
    await asker(host.base).fetch(f"{host.base}/page", method="POST", body='{"name": "Müller"}', headers=headers)
    assert host.bodies == ['{"name": "Müller"}']
    assert (host.asked[0].method, host.asked[0].content_type) == ("POST", "application/json")


async def test_an_answer_that_is_no_success_is_an_answer(host: Host) -> None:
    page = await asker(host.base).fetch(f"{host.base}/missing")
    assert (page.status, page.body) == (404, "nothing")


@pytest.mark.parametrize("path", ["latin", "unknown-charset"])
async def test_an_answer_is_text(host: Host, path: str) -> None:
    assert (await asker(host.base).fetch(f"{host.base}/{path}")).body == "Müller"


async def test_a_name_on_the_list_may_lead_to_listed_networks(host: Host) -> None:
    rows = f"http://localhost:{host.port}"
    url = f"http://localhost:{host.port}/page"
    assert await refusal(asker(rows), url) == "localhost leads to the own network: see the parameter http_allow"
    for network in ("127.0.0.1", "127.0.0.0/8"):
        assert (await asker(rows, network).fetch(url)).status == 200
    assert len(host.asked) == 2


async def test_a_certificate_must_be_believed(tmp_path: Path) -> None:
    pair = tmp_path / "cert.pem", tmp_path / "key.pem"
    make_certificate(*pair, datetime.now(UTC))
    host = Host()
    believer = Web(
        lambda: read_rows(f"127.0.0.1:{host.port}"), "test", lambda: ssl.create_default_context(cafile=str(pair[0]))
    )
    async for _ in serving(host, read_identity(*pair).server):
        url = f"https://127.0.0.1:{host.port}/page"
        assert "certificate is not believed" in await refusal(asker(f"127.0.0.1:{host.port}"), url)
        assert (await believer.fetch(url)).status == 200


# -- what is not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "url"),
    [
        ("off", "https://example.com/"),
        ("example.com", "https://example.org/"),
        ("example.com", "http://example.com/"),
        ("http://example.com", "https://example.com/"),
        ("example.com", "https://example.com:8443/"),
        ("example.com", "https://evil-example.com/"),
        ("*.example.com", "https://example.com/"),
        ("*.example.com", "https://example.com.evil.test/"),
        ("10.0.0.0/8", "https://10.0.0.1/"),
        ("example.com", "https://example.com@evil.test/"),
    ],
)
async def test_who_is_not_listed_is_not_asked(rows: str, url: str) -> None:
    why = await refusal(asker(rows), url)
    assert "http_allow" in why or why.startswith("that is no address of a page")


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "ftp://example.com/", "file:///etc/passwd", "https://", "https:///x", "https://user@example.com/",
        "https://user:pass@example.com/", "https://example.com/\r\nHost: evil", "https://exa mple.com/", "https://[::1/",
        "https://example.com:99999/", "https://example.com:x/", "javascript:1", "https://" + "a" * 70_000,
    ],
)  # fmt: skip
async def test_what_is_no_page_is_refused(url: str) -> None:
    why = await refusal(asker("example.com"), url)
    assert why.startswith("that is no address of a page") or "http_allow" in why


async def test_a_redirection_is_followed_to_listed_hosts_alone(host: Host) -> None:
    client = asker(host.base)
    assert (await client.fetch(f"{host.base}/to/?url=/page")).status == 200
    evil = await refusal(client, f"{host.base}/to/?url=http://127.0.0.1:1/")
    assert evil == "127.0.0.1:1 may not be asked in plain: see the parameter http_allow"
    assert "http_allow" in await refusal(client, f"{host.base}/to/?url=https://169.254.169.254/latest")
    assert "no address of a page" in await refusal(client, f"{host.base}/to/?url=file:///etc/passwd")


async def test_a_redirection_in_a_circle_ends(host: Host) -> None:
    assert await refusal(asker(host.base), f"{host.base}/circle") == "the host redirects again and again"
    assert len(host.asked) == 4


async def test_what_was_meant_for_one_host_is_not_told_another(host: Host) -> None:
    async for other in serving(Host()):
        client = asker(host.base, other.base)
        await client.fetch(f"{host.base}/to/?url={other.base}/page", headers={"Authorization": "Bearer secret"})
        assert "Authorization" in host.asked[0].headers
        assert "Authorization" not in other.asked[0].headers


async def test_a_post_is_repeated_only_where_the_host_says_so(host: Host) -> None:
    client = asker(host.base)
    await client.fetch(f"{host.base}/to/?url=/page", method="POST", body="x")
    await client.fetch(f"{host.base}/keep", method="POST", body="x")
    assert [request.method for request in host.asked] == ["POST", "GET", "POST", "POST"]


async def test_an_answer_has_an_end(host: Host) -> None:
    client = asker(host.base)
    assert len((await client.fetch(f"{host.base}/full")).body) == MOST_BYTES
    for path in ("long", "endless"):
        assert await refusal(client, f"{host.base}/{path}") == f"the answer is longer than {MOST_BYTES} bytes"
    assert "packs its answer" in await refusal(client, f"{host.base}/packed")


async def test_a_host_that_says_nothing_is_given_up(host: Host) -> None:
    client = asker(host.base)
    assert await refusal(client, f"{host.base}/slow", timeout_s=0.2) == "there is no answer within 0.2 s"
    host.held.set()
    assert (await client.fetch(f"{host.base}/slow")).status == 200


async def test_only_some_are_asked_at_once(host: Host) -> None:
    client = asker(host.base)
    tasks = [asyncio.create_task(client.fetch(f"{host.base}/slow")) for _ in range(MOST_AT_ONCE + 3)]
    await host.is_full.wait()
    await asyncio.sleep(0.05)
    assert host.waiting == MOST_AT_ONCE
    host.held.set()
    assert [page.status for page in await asyncio.gather(*tasks)] == [200] * len(tasks)


async def test_who_gives_up_waiting_makes_room(host: Host) -> None:
    client = asker(host.base)
    for _ in range(2):
        tasks = [asyncio.create_task(client.fetch(f"{host.base}/slow")) for _ in range(MOST_AT_ONCE)]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert (await client.fetch(f"{host.base}/page")).status == 200


async def test_a_host_that_is_not_there_says_so_without_the_address(host: Host) -> None:
    assert await refusal(asker("http://127.0.0.1:1"), "http://127.0.0.1:1/?key=secret") in (
        "the host cannot be reached: Connection refused",
        "the host cannot be reached: Connect call failed ('127.0.0.1', 1)",
    )


def test_the_library_is_loaded_by_the_first_request_alone() -> None:
    said = "import sys, engine.pbx.office; print('aiohttp' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert asking.__name__ in sys.modules


# -- rows -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("CRM.example.com, crm.example.com", ("crm.example.com",)),
        ("https://a.test:443/,http://a.test:80,http://b.test:8080", ("a.test", "http://a.test", "http://b.test:8080")),
        ("[::1]:8443,fe80::1,10.1.2.3/8,*.a.test", ("[::1]:8443", "[fe80::1]", "10.0.0.0/8", "*.a.test")),
        ("off", ()), ("", ()),
    ],
)  # fmt: skip
def test_rows_are_kept_in_one_form(text: str, kept: tuple[str, ...]) -> None:
    assert read_rows(text) == kept
    assert read_rows(",".join(kept)) == kept


@pytest.mark.parametrize(
    "text",
    ["*", "a b", "ftp://a.test", "https://", "a.test:0", "a.test:99999", "a.test/path", "*.*.test", "user@a.test",
     "[::1", "[::1]x", "10.0.0.0/33", "a.test:", "http://a.test/x", "::g"],
)  # fmt: skip
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="comma-separated list"):
        read_rows(text)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "::",
     "fe80::1", "fd00::1", "64:ff9b::a00:1", "2002:a00:1::1", "ff0e::1", "255.255.255.255",
     "fec0::1", "::7f00:1", "::ffff:0:7f00:1", "64:ff9b:1::a00:1"],
)  # fmt: skip
def test_an_address_of_the_own_network_is_none_of_the_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_public_network(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_row_with_a_star_stands_for_names_below_it() -> None:
    assert read_row("*.a.test").lets_in("https", "x.y.a.test", 443)
    assert not read_row("*.a.test").lets_in("https", "xa.test", 443)
