"""``frontdesk trunk``: the outside lines."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from engine.core.options import is_host, split_host
from engine.core.peering import Identity, ReliableProvisional
from engine.core.views import TrunkView
from engine.desk.documents import trunk_document, trunk_settings
from engine.desk.lines import AddTrunk, ListTrunks, RemoveTrunk, SetTrunk, ShowTrunk, TrunkFields
from engine.store.outside import Preset, Srtp, TrunkTransport
from tui.cli.asking import ask
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The outside lines: carriers and other servers.",
    epilog="Example: frontdesk trunk list",
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Letters, digits, dots, dashes and underscores.")]
Host = Annotated[
    str | None,
    typer.Option("--host", metavar="HOST[:PORT]", help="The carrier. Without a port its DNS is asked (SRV)."),
]
Transport = Annotated[
    TrunkTransport | None,
    typer.Option(
        "--transport",
        metavar="|".join(TrunkTransport),
        parser=one_of(TrunkTransport),
        help="SIP over; auto: what its DNS prefers (NAPTR).",
    ),
]
Register = Annotated[
    bool | None, typer.Option("--register/--no-register", help="Register with --username and --password.")
]
Username = Annotated[str | None, typer.Option("--username", metavar="U", help="The login at the carrier.")]
Password = Annotated[str | None, typer.Option("--password", metavar="P", help="Its password.")]
Proxy = Annotated[
    str | None, typer.Option("--proxy", metavar="HOST[:PORT]", help="Send everything there instead of to --host.")
]
FromAddress = Annotated[
    list[str] | None,
    typer.Option("--from-address", metavar="CIDR", help="Take calls from this network, too. Repeatable."),
]
MaxIn = Annotated[
    str | None, typer.Option("--max-in", metavar="N", help="Calls from it at once, or unlimited; 0 forbids them.")
]
MaxOut = Annotated[
    str | None, typer.Option("--max-out", metavar="N", help="Calls over it at once, or unlimited; 0 forbids them.")
]
Reserve = Annotated[
    int | None,
    typer.Option(
        "--reserve-emergency", metavar="N", parser=whole_number(0), help="Keep N of --max-out for emergencies."
    ),
]
Reliable = Annotated[
    ReliableProvisional | None,
    typer.Option(
        "--reliable-provisional",
        metavar="|".join(ReliableProvisional),
        parser=one_of(ReliableProvisional),
        help="Reliable provisional responses (100rel).",
    ),
]
NewCallId = Annotated[
    bool | None,
    typer.Option(
        "--new-call-id/--no-new-call-id",
        help="A Call-ID of its own for each REGISTER, for carriers that answer 'Invalid CSeq number'.",
    ),
]
IdentityOption = Annotated[
    Identity | None,
    typer.Option(
        "--identity", metavar="|".join(Identity), parser=one_of(Identity), help="Where it is told who calls."
    ),
]
PresetOption = Annotated[
    Preset | None,
    typer.Option("--preset", metavar="|".join(Preset), parser=one_of(Preset), help="Habits of a kind of carrier."),
]
SrtpOption = Annotated[
    Srtp | None, typer.Option("--srtp", metavar="|".join(Srtp), parser=one_of(Srtp), help="Encrypted audio.")
]
OverLimit = Annotated[
    int | None,
    typer.Option("--over-limit", metavar="486|503", parser=whole_number(0), help="What calls beyond --max-in get."),
]
Codecs = Annotated[list[str] | None, typer.Option("--codec", metavar="C", help="Allow this codec, best first.")]
Trusted = Annotated[
    bool | None,
    typer.Option("--trusted/--not-trusted", help="Believe what it says of callers, and tell it withheld numbers."),
]
Clear = Annotated[
    list[str] | None, typer.Option("--clear", metavar="FIELD", help="Empty a field, such as proxy or from-address.")
]
_FIELD_OF = {"from_address": "addresses", "codec": "codecs"}
"""Options whose field has another name."""


@app.command(
    "add",
    epilog="Example: frontdesk trunk add telekom --host sip.example.org --register --username 493055 --password P",
)
def add(
    ctx: typer.Context,
    name: Name,
    host: Host = None,
    transport: Transport = None,
    register: Register = None,
    username: Username = None,
    password: Password = None,
    proxy: Proxy = None,
    from_address: FromAddress = None,
    max_in: MaxIn = None,
    max_out: MaxOut = None,
    reserve_emergency: Reserve = None,
    reliable_provisional: Reliable = None,
    new_call_id: NewCallId = None,
    identity: IdentityOption = None,
    preset: PresetOption = None,
    srtp: SrtpOption = None,
    over_limit: OverLimit = None,
    codec: Codecs = None,
    trusted: Trusted = None,
    state: StateOption = None,
) -> None:
    """Add an outside line; it registers at once when it is told to."""
    fields = _fields(
        host, max_in, max_out, None, transport=transport, registers=register, username=username, password=password,
        proxy=proxy, addresses=_tuple(from_address), reserve_emergency=reserve_emergency,
        reliable_provisional=reliable_provisional, new_call_id=new_call_id, identity=identity, preset=preset,
        srtp=srtp, over_limit=over_limit, codecs=_tuple(codec), is_trusted=trusted,
    )  # fmt: skip
    ask(folder_of(ctx, state), AddTrunk(name, fields), makes_office=True)
    print(f"trunk {name} is added")


@app.command("set", epilog="Example: frontdesk trunk set telekom --max-out 4 --max-in unlimited")
def change(
    ctx: typer.Context,
    name: Name,
    host: Host = None,
    transport: Transport = None,
    register: Register = None,
    username: Username = None,
    password: Password = None,
    proxy: Proxy = None,
    from_address: FromAddress = None,
    max_in: MaxIn = None,
    max_out: MaxOut = None,
    reserve_emergency: Reserve = None,
    reliable_provisional: Reliable = None,
    new_call_id: NewCallId = None,
    identity: IdentityOption = None,
    preset: PresetOption = None,
    srtp: SrtpOption = None,
    over_limit: OverLimit = None,
    codec: Codecs = None,
    trusted: Trusted = None,
    clear: Clear = None,
    state: StateOption = None,
) -> None:
    """Change what is named; everything else stays as it is, and so do running calls."""
    fields = _fields(
        host, max_in, max_out, clear, transport=transport, registers=register, username=username, password=password,
        proxy=proxy, addresses=_tuple(from_address), reserve_emergency=reserve_emergency,
        reliable_provisional=reliable_provisional, new_call_id=new_call_id, identity=identity, preset=preset,
        srtp=srtp, over_limit=over_limit, codecs=_tuple(codec), is_trusted=trusted,
    )  # fmt: skip
    if fields == TrunkFields():
        raise typer.BadParameter("name what should change, see --help")
    ask(folder_of(ctx, state), SetTrunk(name, fields))
    print(f"trunk {name} is changed")


@app.command("list", epilog="Example: frontdesk trunk list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List all outside lines: where they stand, what they carry, what was refused."""
    views: tuple[TrunkView, ...] = ask(folder_of(ctx, state), ListTrunks())
    if json:
        print_json([trunk_document(view) for view in views])
        return
    rows = [
        (
            view.name,
            view.state.value,
            _gauge(view.active_in, view.max_in),
            _gauge(view.active_out, view.max_out),
            view.refused_in + view.refused_out or None,
            view.last_error,
        )
        for view in views
    ]
    print_table(
        ("name", "state", "in", "out", "refused", "last error"),
        rows,
        "There is no outside line yet: add one with 'frontdesk trunk add NAME --host HOST'.",
    )


@app.command("show", epilog="Example: frontdesk trunk show telekom")
def show(ctx: typer.Context, name: Name, json: JsonOption = False, state: StateOption = None) -> None:
    """Show how one outside line is configured; its password is not told."""
    settings = trunk_settings(ask(folder_of(ctx, state), ShowTrunk(name)))
    if json:
        print_json(settings)
    else:
        print_facts(
            (key, _limit(value) if key in ("max_in", "max_out") else value) for key, value in settings.items()
        )


@app.command("remove", epilog="Example: frontdesk trunk remove telekom")
def remove(ctx: typer.Context, name: Name, state: StateOption = None) -> None:
    """Remove an outside line, unregistering it; its running calls go on."""
    ask(folder_of(ctx, state), RemoveTrunk(name))
    print(f"trunk {name} is removed")


def _fields(
    host: str | None, max_in: str | None, max_out: str | None, clear: list[str] | None, **given: Any
) -> TrunkFields:
    emptied = {_FIELD_OF.get(word, word) for word in (word.replace("-", "_") for word in clear or ())}
    for name, text in (("max_in", max_in), ("max_out", max_out)):
        if text == "unlimited":
            emptied.add(name)
        elif text is not None:
            if not (text.isascii() and text.isdigit() and len(text) <= 9):
                raise typer.BadParameter("use a number or unlimited", param_hint=f"--{name.replace('_', '-')}")
            given[name] = int(text)
    if host is not None:
        given["host"], given["port"] = _place(host)
        if given["port"] is None:
            emptied.add("port")
    return TrunkFields(**given, clear=frozenset(emptied))


def _place(text: str) -> tuple[str, int | None]:
    host, port = split_host(text)
    if port is None and not is_host(text.strip("[]")):
        raise typer.BadParameter(f"'{text}' cannot be used: give HOST or HOST:PORT", param_hint="--host")
    return host, port


def _tuple(items: list[str] | None) -> tuple[str, ...] | None:
    return tuple(items) if items else None


def _gauge(active: int, limit: int | None) -> str:
    return f"{active}/{_limit(limit)}" if limit != 0 else "forbidden"


def _limit(limit: object) -> object:
    return "∞" if limit is None else limit
