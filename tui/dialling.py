"""Routes, inbound numbers, levels, schedules, screening and addresses as the console lists and types them."""

from __future__ import annotations

from engine.desk import dialling
from engine.desk.commands import Command
from engine.desk.dialling import Checked, InboundFields, RouteFields, ScheduleView, ScreenView
from engine.desk.hours_commands import checked_schedule
from engine.desk.routing_checks import check_network, check_rank, check_word
from engine.desk.screening_commands import checked_screen_row
from engine.store.outside import AddressRow, InboundRule, Level, RouteRule, Schedule, ScreenRow
from tui.kind import Ask, Field, Kind, Values, checked, flaw_of, list_of, text_of, whole_of
from tui.texts import N_, _
from tui.widgets.columns import Column


class Routes(Kind):
    title = N_("Routes")
    new_title = N_("New route")
    empty = N_("no routes yet: numbers behind the outside prefix go over the trunks in order")
    columns = (
        Column(4, title=N_("No."), to_right=True),
        Column(8, usual=12, grow=2, most=32, title=N_("Called")),
        Column(6, grow=1, most=20, title=N_("Caller")),
        Column(8, grow=1, most=20, title=N_("Plan"), drop=4),
        Column(12, usual=20, grow=3, most=60, title=N_("Leads to")),
        Column(10, usual=12, grow=1, most=24, title=N_("Digits"), drop=3),
        Column(9, grow=1, most=20, title=N_("Level"), drop=2),
        Column(8, grow=1, most=20, title=N_("Hours"), drop=1),
    )
    fields = (
        Field("called", N_("Called prefix"), N_("such as 900, or * for any")),
        Field("caller", N_("Caller prefix"), N_("* is any")),
        Field("plan", N_("Dial plan")),
        Field("trunks", N_("Trunks, best first"), N_("such as telekom, cheap")),
        Field("extension", N_("or extension"), N_("such as 101")),
        Field("group", N_("or group"), N_("such as 600")),
        Field("service", N_("or service"), N_("such as echo")),
        Field("strip", N_("Digits taken away"), N_("at the front")),
        Field("prepend", N_("Digits put before"), N_("may stay empty")),
        Field("caller_as", N_("Caller is shown as"), N_("outside, keep or a number")),
        Field("level", N_("Call level needed"), N_("empty: none")),
        Field("when", N_("Only by schedule"), N_("empty: always")),
        Field("is_emergency", N_("Emergency number"), is_tick=True),
    )
    listing = dialling.ListRoutes

    def key(self, item: RouteRule) -> str:
        return str(item.id)

    def name(self, item: RouteRule) -> str:
        return _("route {id} ({called})").format(id=item.id, called=item.called)

    def cells(self, item: RouteRule) -> tuple[str, ...]:
        digits = (f"−{item.strip}" if item.strip else "") + (f" +{item.prepend}" if item.prepend else "")
        level = _("emergency") if item.is_emergency else item.level or ""
        target = ", ".join(item.trunks) or _target(item)
        return str(item.id), item.called, item.caller, item.plan, target, digits.strip(), level, item.when or ""

    def values(self, item: RouteRule | None) -> dict[str, str | bool]:
        rule = item or RouteRule(0, "")
        return {
            "called": rule.called,
            "caller": rule.caller,
            "plan": rule.plan,
            "trunks": ", ".join(rule.trunks),
            "extension": rule.extension or "",
            "group": rule.group or "",
            "service": rule.service or "",
            "strip": str(rule.strip),
            "prepend": rule.prepend,
            "caller_as": rule.caller_as,
            "level": rule.level or "",
            "when": rule.when or "",
            "is_emergency": rule.is_emergency,
        }

    async def check(self, ask: Ask, values: Values, item: RouteRule | None) -> Checked:
        strip = flaw_of("strip", lambda: whole_of(values, "strip"))
        if strip is not None:
            return Checked((strip,))
        answer: Checked = await ask(dialling.CheckRoute(self._fields(values), item.id if item else None))
        return answer

    def save(self, values: Values, item: RouteRule | None) -> Command:
        fields = self._fields(values)
        return dialling.SetRoute(item.id, fields) if item else dialling.AddRoute(fields)

    def remove(self, item: RouteRule) -> Command:
        return dialling.RemoveRoute(item.id)

    def _fields(self, values: Values) -> RouteFields:
        blank = frozenset(name for name in _ROUTE_CLEARS if not text_of(values, name))
        return RouteFields(
            called=text_of(values, "called"),
            caller=text_of(values, "caller") or None,
            plan=text_of(values, "plan") or None,
            strip=whole_of(values, "strip") if text_of(values, "strip") else None,
            prepend=text_of(values, "prepend") or None,
            caller_as=text_of(values, "caller_as") or None,
            level=text_of(values, "level") or None,
            when=text_of(values, "when") or None,
            is_emergency=bool(values["is_emergency"]),
            trunks=list_of(values, "trunks"),
            extension=text_of(values, "extension") or None,
            group=text_of(values, "group") or None,
            service=text_of(values, "service") or None,
            clear=blank,
        )


class Inbound(Kind):
    title = N_("Inbound numbers")
    new_title = N_("New inbound number")
    empty = N_("no inbound numbers yet: calls reach an extension by its number or outside number")
    columns = (
        Column(4, title=N_("No."), to_right=True),
        Column(10, grow=1, most=32, title=N_("Trunk")),
        Column(10, usual=16, grow=2, most=32, title=N_("Called")),
        Column(12, grow=2, most=40, title=N_("Leads to")),
        Column(8, grow=1, most=32, title=N_("Hours"), drop=1),
    )
    fields = (
        Field("trunk", N_("Trunk"), N_("such as telekom")),
        Field("called", N_("Called prefix"), N_("such as 4930555, or * for any")),
        Field("extension", N_("Extension"), N_("such as 101")),
        Field("group", N_("or group"), N_("such as 600")),
        Field("service", N_("or service"), N_("such as echo")),
        Field("when", N_("Only by schedule"), N_("empty: always")),
    )
    listing = dialling.ListInbound

    def key(self, item: InboundRule) -> str:
        return str(item.id)

    def name(self, item: InboundRule) -> str:
        return _("inbound number {id} ({called})").format(id=item.id, called=item.called)

    def cells(self, item: InboundRule) -> tuple[str, ...]:
        return str(item.id), item.trunk, item.called, _target(item), item.when or ""

    def values(self, item: InboundRule | None) -> dict[str, str | bool]:
        rule = item or InboundRule(0, "", "")
        return {
            "trunk": rule.trunk,
            "called": rule.called,
            "extension": rule.extension or "",
            "group": rule.group or "",
            "service": rule.service or "",
            "when": rule.when or "",
        }

    async def check(self, ask: Ask, values: Values, item: InboundRule | None) -> Checked:
        answer: Checked = await ask(dialling.CheckInbound(self._fields(values), item.id if item else None))
        return answer

    def save(self, values: Values, item: InboundRule | None) -> Command:
        fields = self._fields(values)
        return dialling.SetInbound(item.id, fields) if item else dialling.AddInbound(fields)

    def remove(self, item: InboundRule) -> Command:
        return dialling.RemoveInbound(item.id)

    def _fields(self, values: Values) -> InboundFields:
        return InboundFields(
            trunk=text_of(values, "trunk"),
            called=text_of(values, "called"),
            extension=text_of(values, "extension") or None,
            group=text_of(values, "group") or None,
            service=text_of(values, "service") or None,
            when=text_of(values, "when") or None,
            clear=frozenset() if text_of(values, "when") else frozenset({"when"}),
        )


class Levels(Kind):
    title = N_("Call levels")
    new_title = N_("New call level")
    empty = N_("no call levels yet: every extension may dial every number")
    columns = (Column(12, grow=1, most=40, title=N_("Level")), Column(6, title=N_("Rank"), to_right=True))
    fields = (
        Field("name", N_("Name"), N_("such as international")),
        Field("rank", N_("Rank"), N_("who has a higher one may dial more")),
    )
    listing = dialling.ListLevels

    def key(self, item: Level) -> str:
        return item.name

    name = key

    def cells(self, item: Level) -> tuple[str, ...]:
        return item.name, str(item.rank)

    def values(self, item: Level | None) -> dict[str, str | bool]:
        return {"name": item.name if item else "", "rank": str(item.rank) if item else ""}

    async def check(self, ask: Ask, values: Values, item: Level | None) -> Checked:
        return checked(
            ("name", lambda: check_word(text_of(values, "name"), "level")),
            ("rank", lambda: check_rank(whole_of(values, "rank"))),
        )

    def save(self, values: Values, item: Level | None) -> Command:
        rank = whole_of(values, "rank")
        return dialling.SetLevel(item.name, rank) if item else dialling.AddLevel(text_of(values, "name"), rank)

    def remove(self, item: Level) -> Command:
        return dialling.RemoveLevel(item.name)


class Schedules(Kind):
    title = N_("Schedules")
    new_title = N_("New schedule")
    empty = N_("no schedules yet: every route holds at any time")
    columns = (
        Column(12, grow=1, most=32, title=N_("Schedule")),
        Column(20, usual=30, grow=3, most=120, title=N_("Hours")),
        Column(9, title=N_("Now")),
        Column(14, grow=2, most=80, title=N_("Holidays"), drop=1),
    )
    fields = (
        Field("name", N_("Name"), N_("such as office")),
        Field("when", N_("Hours"), "mo-fr 09:00-17:30, sa 10:00-12:00"),
        Field("holidays", N_("Holidays"), N_("2026-12-24, or 12-25 for every year")),
    )
    listing = dialling.ListSchedules

    def key(self, item: ScheduleView) -> str:
        return item.schedule.name

    name = key

    def cells(self, item: ScheduleView) -> tuple[str, ...]:
        now = _("holds") if item.holds else _("holds not")
        return item.schedule.name, item.schedule.when, now, ", ".join(item.schedule.holidays)

    def values(self, item: ScheduleView | None) -> dict[str, str | bool]:
        schedule = item.schedule if item else Schedule("", "")
        return {"name": schedule.name, "when": schedule.when, "holidays": ", ".join(schedule.holidays)}

    async def check(self, ask: Ask, values: Values, item: ScheduleView | None) -> Checked:
        hours = Schedule("x", text_of(values, "when"))
        return checked(
            ("name", lambda: check_word(text_of(values, "name"), "schedule")),
            ("when", lambda: checked_schedule(hours)),
            ("holidays", lambda: checked_schedule(Schedule("x", "mo", list_of(values, "holidays") or ()))),
        )

    def save(self, values: Values, item: ScheduleView | None) -> Command:
        name, when, holidays = text_of(values, "name"), text_of(values, "when"), list_of(values, "holidays") or ()
        if item is None:
            return dialling.AddSchedule(name, when, holidays)
        return dialling.SetSchedule(item.schedule.name, when, holidays)

    def remove(self, item: ScheduleView) -> Command:
        return dialling.RemoveSchedule(item.schedule.name)


class Screening(Kind):
    title = N_("Screening")
    new_title = N_("New screening row")
    empty = N_("no calls are screened")
    columns = (
        Column(4, title=N_("No."), to_right=True),
        Column(10, usual=14, grow=2, most=32, title=N_("Caller")),
        Column(10, usual=14, grow=2, most=32, title=N_("Called")),
        Column(12, grow=1, most=20, title=N_("Blocks")),
        Column(8, title=N_("Hits"), to_right=True),
    )
    fields = (
        Field("caller", N_("Caller prefix"), N_("*, anonymous, or digits")),
        Field("called", N_("Called prefix"), N_("* is any")),
        Field("rate", N_("Per cent blocked"), N_("0 to 100")),
        Field("is_white", N_("Passes always"), is_tick=True),
    )
    listing = dialling.ListScreening

    def key(self, item: ScreenView) -> str:
        return str(item.row.id)

    def name(self, item: ScreenView) -> str:
        return f"{item.row.caller} → {item.row.called}"

    def cells(self, item: ScreenView) -> tuple[str, ...]:
        row = item.row
        blocks = _("passes always") if row.is_white else f"{row.rate} %"
        return str(row.id), row.caller, row.called, blocks, str(item.hits)

    def values(self, item: ScreenView | None) -> dict[str, str | bool]:
        row = item.row if item else ScreenRow(0, "", "*")
        return {"caller": row.caller, "called": row.called, "rate": str(row.rate), "is_white": row.is_white}

    async def check(self, ask: Ask, values: Values, item: ScreenView | None) -> Checked:
        return checked(
            ("caller", lambda: checked_screen_row(ScreenRow(0, text_of(values, "caller"), "*"))),
            ("called", lambda: checked_screen_row(ScreenRow(0, "*", text_of(values, "called")))),
            ("rate", lambda: checked_screen_row(self._row(values))),
        )

    def save(self, values: Values, item: ScreenView | None) -> Command:
        row = self._row(values)
        if item is None:
            return dialling.AddScreenRow(row.caller, row.called, row.rate, row.is_white)
        return dialling.SetScreenRow(item.row.id, row.caller, row.called, row.rate, row.is_white)

    def remove(self, item: ScreenView) -> Command:
        return dialling.RemoveScreenRow(item.row.id)

    def _row(self, values: Values) -> ScreenRow:
        is_white = bool(values["is_white"])
        rate = 0 if is_white else whole_of(values, "rate")
        return ScreenRow(0, text_of(values, "caller") or "*", text_of(values, "called") or "*", rate, is_white)


class Addresses(Kind):
    title = N_("Addresses")
    new_title = N_("New network")
    empty = N_("no network is blocked")
    columns = (Column(20, grow=1, most=50, title=N_("Network")), Column(16, grow=1, most=30, title=N_("Is")))
    fields = (
        Field("network", N_("Network"), N_("such as 192.0.2.0/24")),
        Field("is_white", N_("Let in always"), is_tick=True),
    )
    listing = dialling.ListAddresses
    fixed = frozenset({"network"})

    def key(self, item: AddressRow) -> str:
        return item.network

    name = key

    def cells(self, item: AddressRow) -> tuple[str, ...]:
        return item.network, _("let in always") if item.is_white else _("blocked")

    def values(self, item: AddressRow | None) -> dict[str, str | bool]:
        return {"network": item.network if item else "", "is_white": bool(item and item.is_white)}

    async def check(self, ask: Ask, values: Values, item: AddressRow | None) -> Checked:
        return checked(("network", lambda: check_network(text_of(values, "network"))))

    def save(self, values: Values, item: AddressRow | None) -> Command:
        network = item.network if item else text_of(values, "network")
        return dialling.PutAddress(network, bool(values["is_white"]))

    def remove(self, item: AddressRow) -> Command:
        return dialling.RemoveAddress(item.network)


DIALLING: tuple[Kind, ...] = (Routes(), Inbound(), Levels(), Schedules())
SCREENING: tuple[Kind, ...] = (Screening(), Addresses())
"""The lists of the two screens, in the order in which each walks them."""
_ROUTE_CLEARS = ("caller", "plan", "strip", "prepend", "caller_as", "level", "when")


def _target(rule: RouteRule | InboundRule) -> str:
    if rule.extension is not None:
        return _("extension {number}").format(number=rule.extension)
    if rule.group is not None:
        return _("group {number}").format(number=rule.group)
    if rule.service is not None:
        return _("service {name}").format(name=rule.service)
    return _("nowhere")
