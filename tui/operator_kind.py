"""Who may log in to the console, as the console lists and types it."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.errors import RefusedError
from engine.desk.checks import check_key, check_login, check_operator_password
from engine.desk.commands import (
    AddOperator,
    Command,
    ListExtensions,
    ListOperators,
    OperatorFields,
    RemoveOperator,
    SetOperator,
)
from engine.desk.dialling import Checked, Flaw
from engine.store.configuration import Operator, Role
from tui.kind import Ask, Field, Kind, TextLine, Values, checked, text_of, word_of
from tui.texts import N_, _, plural
from tui.widgets.columns import Column

ROLE_WORDS = {
    Role.VIEWER: N_("viewer"),
    Role.RECEPTIONIST: N_("receptionist"),
    Role.SUPERVISOR: N_("supervisor"),
    Role.ADMIN: N_("administrator"),
}
ROLE_SAYS = {
    Role.VIEWER: N_("sees the office and changes nothing"),
    Role.RECEPTIONIST: N_("answers, transfers, parks, forwards; turns the night switch"),
    Role.SUPERVISOR: N_("also reads the audit log"),
    Role.ADMIN: N_("may do everything"),
}


class Operators(Kind):
    title = N_("Operators")
    new_title = N_("New operator")
    empty = N_("no operators")
    remove_text = N_("The login ends at once, its password is gone for good.")
    columns = (
        Column(12, usual=16, grow=1, most=32, title=N_("Login")),
        Column(12, usual=14, grow=1, most=24, title=N_("Role")),
        Column(9, grow=1, most=15, title=N_("Phone")),
        Column(9, grow=1, most=16, title=N_("Password")),
        Column(11, grow=1, most=16, title=N_("Public keys"), to_right=True),
    )
    fields = (
        Field("login", N_("Login"), N_("such as reception")),
        Field("role", N_("Role"), "viewer, receptionist, supervisor, admin"),
        Field("extension", N_("Own phone"), N_("an extension; empty: none")),
        Field("password", N_("Password"), N_("empty: stays; for a new one, a strong one"), is_secret=True),
        Field("key", N_("Add a public key"), "ssh-ed25519 AAAA… anna@laptop"),
        Field("has_no_keys", N_("Take all keys away"), is_tick=True),
    )
    listing = ListOperators
    fixed = frozenset({"login"})
    has_detail = True

    def key(self, item: Operator) -> str:
        return item.login

    name = key

    def cells(self, item: Operator) -> tuple[str, ...]:
        password = _("is set") if item.password_hash else _("none")
        return item.login, _(ROLE_WORDS[item.role]), item.extension or "", password, str(len(item.keys) or "")

    def detail(self, item: Operator) -> Sequence[TextLine]:
        lines: list[TextLine] = [
            ((f"{_(ROLE_WORDS[item.role])}: ", "strong"), (_(ROLE_SAYS[item.role]), "text")),
        ]
        if item.extension is None:
            lines.append(((_("has no phone of its own: it cannot answer or call from the console"), "quiet"),))
        if item.keys:
            lines.append(((plural("{n} key may log in:", "{n} keys may log in:", len(item.keys)), "text"),))
        lines += [((f"  {_key_in_short(line)}", "quiet"),) for line in item.keys]
        return lines

    def values(self, item: Operator | None) -> dict[str, str | bool]:
        return {
            "login": item.login if item else "",
            "role": item.role.value if item else Role.RECEPTIONIST.value,
            "extension": (item.extension or "") if item else "",
            "password": "",
            "key": "",
            "has_no_keys": False,
        }

    async def check(self, ask: Ask, values: Values, item: Operator | None) -> Checked:
        login, extension = item.login if item else text_of(values, "login"), text_of(values, "extension")
        typed = checked(
            ("login", lambda: check_login(login)),
            ("role", lambda: word_of(values, "role", Role)),
            ("password", lambda: values["password"] and check_operator_password(login, str(values["password"]))),
            ("key", lambda: text_of(values, "key") and check_key(text_of(values, "key"))),
        )
        flaws = list(typed.flaws)
        if item is None and any(each.login == login for each in await ask(ListOperators())):
            flaws.append(Flaw("login", f"operator {login} exists already", "choose another login"))
        if extension and all(each.number != extension for each in await ask(ListExtensions())):
            flaws.append(Flaw("extension", f"there is no extension {extension}", "add it first, or name another"))
        return Checked(tuple(flaws))

    def save(self, values: Values, item: Operator | None) -> Command:
        before = self.values(item)
        clear = {"extension"} if item and item.extension and not text_of(values, "extension") else set()
        clear |= {"keys"} if values["has_no_keys"] else set()
        key, password = text_of(values, "key"), str(values["password"])
        changed = {name for name in ("role", "extension") if values[name] != before[name] or item is None}
        fields = OperatorFields(
            password=password or None,
            add_keys=(key,) if key else (),
            role=word_of(values, "role", Role) if "role" in changed else None,
            extension=(text_of(values, "extension") or None) if "extension" in changed else None,
            clear=frozenset(clear),
        )
        return SetOperator(item.login, fields) if item else AddOperator(text_of(values, "login"), fields)

    def remove(self, item: Operator) -> Command:
        return RemoveOperator(item.login)

    def restore(self, item: Operator) -> Command | None:
        return None


def _key_in_short(line: str) -> str:
    """Kind, end and comment of an OpenSSH key: enough to tell one from another."""
    kind, body, *comment = line.split(None, 2)
    return f"{kind} …{body[-12:]} {' '.join(comment)}".rstrip()


def refuse_own_login(asker: str, item: Operator) -> None:
    """Who removes the own login would be shown out in the middle of it."""
    if asker == item.login:
        raise RefusedError("this is your own login", "let another administrator do it")
