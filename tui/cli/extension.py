"""``frontdesk extension``: the office's numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from engine.core.peering import ReliableProvisional
from engine.core.views import Lamp
from engine.desk.commands import (
    AddExtension,
    ExtensionFields,
    ListExtensions,
    ListLamps,
    ListRegistrations,
    NewPassword,
    RemoveExtension,
    ResetPassword,
    SetExtension,
    ShowExtension,
)
from engine.desk.documents import Document, extension_document
from engine.desk.services import GroupFields, SetGroup
from engine.store.configuration import Extension, HoldPolicy, Right
from engine.store.services import GroupKind
from tui.cli.asking import Ask, ask, reach
from tui.cli.options import JsonOption, StateOption, folder_of, one_of, whole_number
from tui.cli.output import print_facts, print_json, print_table
from tui.cli.typed import CommandLine

app = CommandLine(
    no_args_is_help=True,
    help="The office's numbers.",
    epilog="Example: frontdesk extension list",
    rich_markup_mode=None,
)

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Two to 15 digits.")]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Who or what rings there.")]
Password = Annotated[str | None, typer.Option("--password", metavar="P", help="Left out on adding: a strong one.")]
MultiDevice = Annotated[
    bool | None, typer.Option("--multi-device/--no-multi-device", help="One number, many phones.")
]
MaxDevices = Annotated[
    int | None,
    typer.Option("--max-devices", metavar="N", parser=whole_number(1), help="Phones with --multi-device."),
]
MaxCalls = Annotated[str | None, typer.Option("--max-calls", metavar="N", help="Calls before busy, or unlimited.")]
Rights = Annotated[
    list[Right] | None,
    typer.Option("--right", metavar="R", parser=one_of(Right), help=f"Give one of {', '.join(Right)}."),
]
NoRights = Annotated[
    list[Right] | None, typer.Option("--no-right", metavar="R", parser=one_of(Right), help="Take a right away.")
]
Codecs = Annotated[list[str] | None, typer.Option("--codec", metavar="C", help="Allow this codec, best first.")]
Hold = Annotated[
    HoldPolicy | None,
    typer.Option(
        "--hold",
        metavar="|".join(HoldPolicy),
        parser=one_of(HoldPolicy),
        help="Pass hold on by SIP, or play music ourselves.",
    ),
]
Level = Annotated[str | None, typer.Option("--level", metavar="L", help="The call level.")]
MaxOut = Annotated[
    str | None, typer.Option("--max-out", metavar="N", help="Calls to the outside at once, or unlimited.")
]
OutsideNumber = Annotated[
    str | None, typer.Option("--outside-number", metavar="N", help="The number that the outside sees.")
]
Plan = Annotated[str | None, typer.Option("--plan", metavar="NAME", help="The dial plan.")]
FromNetwork = Annotated[
    str | None, typer.Option("--from-network", metavar="CIDR", help="Its phones must be in this network.")
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
Email = Annotated[
    str | None,
    typer.Option(
        "--email", metavar="ADDRESS", help="Where its messages are mailed; calls it does not take go to its box."
    ),
]
VoicemailPin = Annotated[
    str | None,
    typer.Option(
        "--voicemail-pin", metavar="P", help="Opens its box elsewhere; calls it does not take go to its box."
    ),
]
Groups = Annotated[
    list[str] | None, typer.Option("--group", metavar="G", help="Becomes a member of this ring or hunt group.")
]
PickupGroups = Annotated[
    list[str] | None, typer.Option("--pickup-group", metavar="G", help="Becomes a member of this pickup group.")
]
Clear = Annotated[
    list[str] | None,
    typer.Option(
        "--clear",
        metavar="FIELD",
        help="Empty name, codecs, email, max_calls, level, max_out, outside_number, plan, from_network "
        "or voicemail_pin.",
    ),
]


@app.command("add", epilog="Example: frontdesk extension add 105 --name 'Anna Berger' --right pickup")
def add(
    ctx: typer.Context,
    number: Number,
    name: Name = None,
    password: Password = None,
    multi_device: MultiDevice = None,
    max_devices: MaxDevices = None,
    max_calls: MaxCalls = None,
    right: Rights = None,
    codec: Codecs = None,
    hold: Hold = None,
    level: Level = None,
    max_out: MaxOut = None,
    outside_number: OutsideNumber = None,
    plan: Plan = None,
    from_network: FromNetwork = None,
    reliable_provisional: Reliable = None,
    email: Email = None,
    voicemail_pin: VoicemailPin = None,
    group: Groups = None,
    pickup_group: PickupGroups = None,
    json: JsonOption = False,
    state: StateOption = None,
) -> None:
    """Add an extension; without --password a strong one is made up and printed once."""
    fields = _fields(
        name, password, multi_device, max_devices, max_calls, right, None, codec, hold, reliable_provisional, None
    )
    fields = _dialling(fields, level, max_out, outside_number, plan, from_network)
    fields = replace(fields, email=email, voicemail_pin=voicemail_pin)
    made = ask(folder_of(ctx, state), AddExtension(number, fields), makes_office=True)
    _join(folder_of(ctx, state), number, group, pickup_group)
    if json:
        print_json({"number": number, "password": made.password if made else None})
    else:
        print(f"extension {number} is added")
        _print_password(made)


@app.command("set", epilog="Example: frontdesk extension set 105 --max-calls unlimited --clear name")
def change(
    ctx: typer.Context,
    number: Number,
    name: Name = None,
    password: Password = None,
    multi_device: MultiDevice = None,
    max_devices: MaxDevices = None,
    max_calls: MaxCalls = None,
    right: Rights = None,
    no_right: NoRights = None,
    codec: Codecs = None,
    hold: Hold = None,
    level: Level = None,
    max_out: MaxOut = None,
    outside_number: OutsideNumber = None,
    plan: Plan = None,
    from_network: FromNetwork = None,
    reliable_provisional: Reliable = None,
    email: Email = None,
    voicemail_pin: VoicemailPin = None,
    group: Groups = None,
    pickup_group: PickupGroups = None,
    clear: Clear = None,
    state: StateOption = None,
) -> None:
    """Change what is named; everything else stays as it is."""
    fields = _fields(
        name,
        password,
        multi_device,
        max_devices,
        max_calls,
        right,
        no_right,
        codec,
        hold,
        reliable_provisional,
        clear,
    )
    fields = _dialling(fields, level, max_out, outside_number, plan, from_network)
    fields = replace(fields, email=email, voicemail_pin=voicemail_pin)
    if fields == ExtensionFields() and not (group or pickup_group):
        raise typer.BadParameter("name what should change, see --help")
    if fields != ExtensionFields():
        ask(folder_of(ctx, state), SetExtension(number, fields))
    _join(folder_of(ctx, state), number, group, pickup_group)
    print(f"extension {number} is changed")


@app.command("password", epilog="Example: frontdesk extension password 105")
def password_anew(ctx: typer.Context, number: Number, json: JsonOption = False, state: StateOption = None) -> None:
    """Make up a new password and print it once; the phone needs it at its next registration."""
    made = ask(folder_of(ctx, state), ResetPassword(number))
    if json:
        print_json({"number": number, "password": made.password})
    else:
        _print_password(made)


@app.command("list", epilog="Example: frontdesk extension list --json")
def list_all(ctx: typer.Context, json: JsonOption = False, state: StateOption = None) -> None:
    """List all extensions with their lamps and registered phones."""
    with reach(folder_of(ctx, state)) as asked:
        documents = _documents(asked, asked(ListExtensions()))
    if json:
        print_json(documents)
        return
    rows = [
        (d["number"], d["name"], d["lamp"], d["devices"], _calls(d), d["multi_device"], d["rights"])
        for d in documents
    ]
    print_table(
        ("number", "name", "lamp", "phones", "max calls", "many phones", "rights"),
        rows,
        "There is no extension yet: add one with 'frontdesk extension add NUMBER'.",
    )


@app.command("show", epilog="Example: frontdesk extension show 105")
def show(ctx: typer.Context, number: Number, json: JsonOption = False, state: StateOption = None) -> None:
    """Show one extension."""
    with reach(folder_of(ctx, state)) as asked:
        (document,) = _documents(asked, (asked(ShowExtension(number)),))
    if json:
        print_json(document)
    else:
        print_facts((name, _calls(document) if name == "max_calls" else value) for name, value in document.items())


@app.command("remove", epilog="Example: frontdesk extension remove 105")
def remove(ctx: typer.Context, number: Number, state: StateOption = None) -> None:
    """Remove an extension and its phones; its running calls go on."""
    ask(folder_of(ctx, state), RemoveExtension(number))
    print(f"extension {number} is removed")


def _join(folder: Path, number: str, groups: list[str] | None, pickup_groups: list[str] | None) -> None:
    """Make the extension a member of these groups."""
    for group in groups or ():
        ask(folder, SetGroup(group, GroupFields(add_members=(number,))))
    for group in pickup_groups or ():
        ask(folder, SetGroup(group, GroupFields(kind=GroupKind.PICKUP, add_members=(number,))))


def _fields(
    name: str | None,
    password: str | None,
    multi_device: bool | None,
    max_devices: int | None,
    max_calls: str | None,
    rights: list[Right] | None,
    no_rights: list[Right] | None,
    codecs: list[str] | None,
    hold: HoldPolicy | None,
    reliable_provisional: ReliableProvisional | None,
    clear: list[str] | None,
) -> ExtensionFields:
    emptied = {word.replace("-", "_") for word in clear or ()}
    if max_calls == "unlimited":
        emptied.add("max_calls")
        max_calls = None
    if max_calls is not None and not (max_calls.isascii() and max_calls.isdigit()):
        raise typer.BadParameter("use a number or unlimited", param_hint="--max-calls")
    return ExtensionFields(
        name=name,
        password=password,
        multi_device=multi_device,
        max_devices=max_devices,
        max_calls=int(max_calls) if max_calls is not None else None,
        add_rights=frozenset(right.value for right in rights or ()),
        remove_rights=frozenset(right.value for right in no_rights or ()),
        hold=hold,
        reliable_provisional=reliable_provisional,
        codecs=tuple(codecs) if codecs else None,
        clear=frozenset(emptied),
    )


def _dialling(
    fields: ExtensionFields,
    level: str | None,
    max_out: str | None,
    outside_number: str | None,
    plan: str | None,
    from_network: str | None,
) -> ExtensionFields:
    clear = fields.clear
    if max_out == "unlimited":
        clear, max_out = clear | {"max_out"}, None
    if max_out is not None and not (max_out.isascii() and max_out.isdigit()):
        raise typer.BadParameter("use a number or unlimited", param_hint="--max-out")
    return replace(
        fields,
        level=level,
        max_out=int(max_out) if max_out is not None else None,
        outside_number=outside_number,
        plan=plan,
        from_network=from_network,
        clear=clear,
    )


def _documents(asked: Ask, extensions: tuple[Extension, ...]) -> list[Document]:
    lamps = asked(ListLamps())
    phones = Counter(phone.extension for phone in asked(ListRegistrations()))
    return [extension_document(e, lamps.get(e.number, Lamp.UNREGISTERED), phones[e.number]) for e in extensions]


def _calls(document: Document) -> object:
    return document["max_calls"] or "unlimited"


def _print_password(made: NewPassword | None) -> None:
    if made is not None:
        print(f"password {made.password}   (shown this once; user name {made.account})")
