"""The table of all commands: what role each needs, what is refused in words, and who handles it."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from engine.core.audit import AuditEntry, Outcome
from engine.core.errors import LocalError, RefusedError
from engine.core.text import shown
from engine.desk import (
    commands,
    contact_commands,
    contacts,
    deed_commands,
    deeds,
    dialling,
    dry_run,
    extension_commands,
    hours_commands,
    ladder_commands,
    lines,
    machine,
    machine_commands,
    module_commands,
    office_commands,
    operator_commands,
    phone,
    phone_commands,
    record_commands,
    route_commands,
    screening_commands,
    service_commands,
    services,
    transfer_commands,
    trunk_commands,
)
from engine.desk.commands import Command
from engine.desk.counter import Counter
from engine.pbx.rights import demand_role
from engine.store.configuration import Role

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One command: the least role, the deed in words, its handler."""

    role: Role
    deed: str
    handle: Callable[[Counter, Any], Awaitable[Any]]
    is_change: bool = True
    """Whether it changes something, so that the logs must say who did it."""
    is_told_later: bool = False
    """The audit log hears how it ended from whoever carries it out; here only of a refusal."""


_V, _R, _S, _A = Role.VIEWER, Role.RECEPTIONIST, Role.SUPERVISOR, Role.ADMIN

TABLE: dict[type[Command], Entry] = {
    commands.ListExtensions: Entry(_V, "list extensions", extension_commands.list_extensions, is_change=False),
    commands.ShowExtension: Entry(_V, "see an extension", extension_commands.show_extension, is_change=False),
    commands.AddExtension: Entry(_A, "add an extension", extension_commands.add_extension),
    commands.SetExtension: Entry(_A, "change an extension", extension_commands.set_extension),
    commands.ResetPassword: Entry(_A, "change a password", extension_commands.reset_password),
    commands.RemoveExtension: Entry(_A, "remove an extension", extension_commands.remove_extension),
    commands.ListOperators: Entry(_A, "list operators", operator_commands.list_operators, is_change=False),
    commands.ShowOperator: Entry(_A, "see an operator", operator_commands.show_operator, is_change=False),
    commands.AddOperator: Entry(_A, "add an operator", operator_commands.add_operator),
    commands.SetOperator: Entry(_A, "change an operator", operator_commands.set_operator),
    commands.RemoveOperator: Entry(_A, "remove an operator", operator_commands.remove_operator),
    lines.ListTrunks: Entry(_V, "list trunks", trunk_commands.list_trunks, is_change=False),
    lines.ShowTrunk: Entry(_V, "see a trunk", trunk_commands.show_trunk, is_change=False),
    lines.AddTrunk: Entry(_A, "add a trunk", trunk_commands.add_trunk),
    lines.SetTrunk: Entry(_A, "change a trunk", trunk_commands.set_trunk),
    lines.RemoveTrunk: Entry(_A, "remove a trunk", trunk_commands.remove_trunk),
    commands.ListRegistrations: Entry(
        _V, "list registered phones", office_commands.list_registrations, is_change=False
    ),
    commands.RemoveRegistration: Entry(_A, "forget a registered phone", office_commands.remove_registration),
    commands.GetParams: Entry(_V, "see parameters", office_commands.get_params, is_change=False),
    commands.SetParam: Entry(_A, "change a parameter", office_commands.set_param),
    commands.ListCalls: Entry(_V, "list calls", office_commands.list_calls, is_change=False),
    commands.ListLamps: Entry(_V, "see the lamps", office_commands.list_lamps, is_change=False),
    commands.AuditLamps: Entry(_R, "audit the lamps", office_commands.audit_lamps),
    commands.ListRecords: Entry(_V, "list call records", record_commands.list_records, is_change=False),
    commands.CountCalls: Entry(_V, "list call records", record_commands.count_calls, is_change=False),
    commands.SaveRecords: Entry(_R, "save call records", record_commands.save_records),
    commands.ReleaseCall: Entry(_R, "release a call", deed_commands.release_call),
    commands.TransferCall: Entry(_R, "transfer a call", deed_commands.transfer_call),
    deeds.Park: Entry(_R, "park a call", deed_commands.park),
    deeds.Record: Entry(_R, "record a call", deed_commands.record),
    deeds.Supervise: Entry(_R, "come into a call", deed_commands.supervise, is_told_later=True),
    deeds.Override: Entry(_R, "override", deed_commands.override, is_told_later=True),
    deeds.Pull: Entry(_R, "pull a caller", deed_commands.pull, is_told_later=True),
    deeds.PickUp: Entry(_R, "pick up a call", deed_commands.pick_up, is_told_later=True),
    deeds.ListAudit: Entry(_S, "see the audit log", deed_commands.list_audit, is_change=False),
    commands.ReadLadder: Entry(_V, "see a call's messages", ladder_commands.read_ladder, is_change=False),
    commands.SaveLadder: Entry(_R, "save a call's messages", ladder_commands.save_ladder),
    commands.GetStatus: Entry(_V, "see the engine's status", office_commands.get_status, is_change=False),
    commands.ShowCertificate: Entry(
        _V, "see the TLS certificate", office_commands.show_certificate, is_change=False
    ),
    commands.ReloadCertificate: Entry(_A, "read the TLS certificate again", office_commands.reload_certificate),
    commands.ExportConfiguration: Entry(_A, "export the configuration", transfer_commands.export_configuration),
    commands.ImportConfiguration: Entry(_A, "import a configuration", transfer_commands.import_configuration),
    dialling.ListRoutes: Entry(_V, "list routes", route_commands.list_routes, is_change=False),
    dialling.ShowRoute: Entry(_V, "see a route", route_commands.show_route, is_change=False),
    dialling.AddRoute: Entry(_A, "add a route", route_commands.add_route),
    dialling.SetRoute: Entry(_A, "change a route", route_commands.set_route),
    dialling.CheckRoute: Entry(_A, "add a route", route_commands.check_route_typed, is_change=False),
    dialling.RemoveRoute: Entry(_A, "remove a route", route_commands.remove_route),
    dialling.TryRoute: Entry(_V, "try a number", dry_run.try_route, is_change=False),
    dialling.ListInbound: Entry(_V, "list inbound numbers", route_commands.list_inbound, is_change=False),
    dialling.AddInbound: Entry(_A, "add an inbound number", route_commands.add_inbound),
    dialling.SetInbound: Entry(_A, "change an inbound number", route_commands.set_inbound),
    dialling.CheckInbound: Entry(_A, "add an inbound number", route_commands.check_inbound_typed, is_change=False),
    dialling.RemoveInbound: Entry(_A, "remove an inbound number", route_commands.remove_inbound),
    dialling.ListLevels: Entry(_V, "list call levels", hours_commands.list_levels, is_change=False),
    dialling.AddLevel: Entry(_A, "add a call level", hours_commands.add_level),
    dialling.SetLevel: Entry(_A, "change a call level", hours_commands.set_level),
    dialling.RemoveLevel: Entry(_A, "remove a call level", hours_commands.remove_level),
    dialling.ListSchedules: Entry(_V, "list schedules", hours_commands.list_schedules, is_change=False),
    dialling.AddSchedule: Entry(_A, "add a schedule", hours_commands.add_schedule),
    dialling.SetSchedule: Entry(_A, "change a schedule", hours_commands.set_schedule),
    dialling.RemoveSchedule: Entry(_A, "remove a schedule", hours_commands.remove_schedule),
    dialling.GetNight: Entry(_V, "see the night switch", hours_commands.get_night, is_change=False),
    dialling.SetNight: Entry(_R, "turn the night switch", hours_commands.set_night),
    dialling.ListScreening: Entry(_V, "list screening rows", screening_commands.list_screening, is_change=False),
    dialling.AddScreenRow: Entry(_A, "add a screening row", screening_commands.add_screen_row),
    dialling.SetScreenRow: Entry(_A, "change a screening row", screening_commands.set_screen_row),
    dialling.RemoveScreenRow: Entry(_A, "remove a screening row", screening_commands.remove_screen_row),
    dialling.ListAddresses: Entry(_V, "list addresses", screening_commands.list_addresses, is_change=False),
    dialling.PutAddress: Entry(_A, "allow or block an address", screening_commands.put_address),
    dialling.RemoveAddress: Entry(_A, "take an address from the list", screening_commands.remove_address),
    services.ListServices: Entry(_V, "list services", service_commands.list_services, is_change=False),
    services.ReadService: Entry(_A, "read a service", module_commands.read_service, is_change=False),
    services.CheckService: Entry(_A, "write a service", module_commands.check_service, is_change=False),
    services.WriteService: Entry(_A, "write a service", module_commands.write_service),
    services.RemoveService: Entry(_A, "remove a service", module_commands.remove_service),
    services.RunService: Entry(_R, "run a service", service_commands.run_service),
    services.ListMessages: Entry(_R, "list messages", service_commands.list_messages, is_change=False),
    services.RemoveMessages: Entry(_A, "remove messages", service_commands.remove_messages),
    services.ListRecordings: Entry(_A, "list recordings", service_commands.list_recordings, is_change=False),
    services.ListTriggers: Entry(_V, "list triggers", service_commands.list_triggers, is_change=False),
    services.AddTrigger: Entry(_A, "add a trigger", service_commands.add_trigger),
    services.SetTrigger: Entry(_A, "change a trigger", service_commands.set_trigger),
    services.CheckTrigger: Entry(_A, "add a trigger", service_commands.check_trigger_typed, is_change=False),
    services.RemoveTrigger: Entry(_A, "remove a trigger", service_commands.remove_trigger),
    services.ListGroups: Entry(_V, "list groups", service_commands.list_groups, is_change=False),
    services.ShowGroup: Entry(_V, "see a group", service_commands.show_group, is_change=False),
    services.AddGroup: Entry(_A, "add a group", service_commands.add_group),
    services.SetGroup: Entry(_A, "change a group", service_commands.set_group),
    services.CheckGroup: Entry(_A, "add a group", service_commands.check_group_typed, is_change=False),
    services.RemoveGroup: Entry(_A, "remove a group", service_commands.remove_group),
    services.SetForward: Entry(_R, "forward an extension", service_commands.set_forward),
    services.SetDiversion: Entry(_R, "forward an extension", service_commands.set_diversion),
    services.CheckDiversion: Entry(_R, "forward an extension", service_commands.check_diversion, is_change=False),
    services.SetDnd: Entry(_R, "turn do not disturb", service_commands.set_dnd),
    phone.TakeCall: Entry(_R, "answer a waiting call", phone_commands.take_call),
    phone.HoldCall: Entry(_R, "hold a call", phone_commands.hold_call),
    phone.HandOn: Entry(_R, "transfer a call", phone_commands.hand_on),
    phone.ParkCaller: Entry(_R, "park a call", phone_commands.park_caller),
    phone.Consult: Entry(_R, "ask back in a call", phone_commands.consult),
    phone.CompleteConsult: Entry(_R, "transfer a call", phone_commands.complete_consult),
    phone.GoBackToCaller: Entry(_R, "ask back in a call", phone_commands.go_back),
    phone.RecallCaller: Entry(_R, "fetch a caller back", phone_commands.recall_caller),
    phone.DialNumber: Entry(_R, "call a number", phone_commands.dial_number),
    contacts.ListContacts: Entry(_V, "list contacts", contact_commands.list_contacts, is_change=False),
    contacts.ShowContact: Entry(_V, "see a contact", contact_commands.show_contact, is_change=False),
    contacts.AddContact: Entry(_R, "add a contact", contact_commands.add_contact),
    contacts.SetContact: Entry(_R, "change a contact", contact_commands.set_contact),
    contacts.RemoveContact: Entry(_R, "remove a contact", contact_commands.remove_contact),
    contacts.ImportContacts: Entry(_A, "import contacts", contact_commands.import_contacts),
    contacts.SetNote: Entry(_R, "note something on a caller", contact_commands.set_note),
    contacts.LookUpCaller: Entry(_V, "look a caller up", contact_commands.look_up_caller, is_change=False),
    machine.GetMachine: Entry(_V, "see the machine", machine_commands.get_machine, is_change=False),
    machine.ListBackups: Entry(_A, "list backups", machine_commands.list_backups, is_change=False),
    machine.StartBackup: Entry(_A, "write a backup", machine_commands.start_backup),
    machine.GetBackup: Entry(_A, "list backups", machine_commands.get_backup, is_change=False),
    machine.RemoveBackup: Entry(_A, "remove a backup", machine_commands.remove_backup),
    machine.ReadLog: Entry(_A, "read the log", machine_commands.read_log, is_change=False),
    machine.SaveLog: Entry(_A, "save the log", machine_commands.save_log),
    commands.StopEngine: Entry(_A, "stop the office", office_commands.stop_engine),
}


async def carry_out(counter: Counter, command: Command) -> Any:
    """Do what is asked if the asker may; raises ``NotAllowedError``, or what the handler refuses."""
    entry = TABLE.get(type(command))
    if entry is None:
        raise LocalError(f"no handler for {type(command).__name__}")
    if not entry.is_change:
        demand_role(counter.asker, entry.role, entry.deed)
        return await entry.handle(counter, command)
    subject = _subject(command)
    about = f" ({subject})" if subject else ""
    try:
        demand_role(counter.asker, entry.role, entry.deed)
        result = await entry.handle(counter, command)
    except RefusedError as error:
        _log.info("%s was refused to %s%s: %s", counter.asker.name, entry.deed, about, shown(str(error), 200))
        _audit(counter, command, subject, Outcome.REFUSED, error.what)
        raise
    _log.info("%s asked to %s%s: done", counter.asker.name, entry.deed, about)
    if not entry.is_told_later:
        _audit(counter, command, subject, Outcome.DONE, getattr(command, "reason", None))
    return result


def _subject(command: Command) -> str | None:
    """Whom or what a command is about; never its fields, which may hold a password."""
    for name in ("target", "number", "login", "name", "extension", "id"):
        value = getattr(command, name, None)
        if isinstance(value, (str, int)):
            return shown(str(value))
    return None


def _audit(counter: Counter, command: Command, subject: str | None, outcome: Outcome, reason: str | None) -> None:
    """Keep a deed for whoever asks later."""
    counter.store.put_audit(
        AuditEntry(
            at=counter.clock.wall(),
            who=counter.asker.name,
            acting=getattr(command, "acting", None) or counter.asker.extension,
            action=_action_of(command),
            target=subject,
            outcome=outcome,
            reason=shown(reason, 200) if reason else None,
        )
    )


def _action_of(command: Command) -> str:
    """The word of the audit log: ``set-trunk``; for deeds on calls what the command line calls them."""
    word = getattr(command, "deed", None) or _WORDS.get(type(command))
    return str(word or re.sub(r"(?<!^)(?=[A-Z])", "-", type(command).__name__).lower())


def deeds_by_action() -> dict[str, str]:
    """What each word of the audit log stands for; the ways to come into a call are not among them."""
    return {
        str(_WORDS.get(kind) or re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()): entry.deed
        for kind, entry in TABLE.items()
        if entry.is_change
    }


_WORDS: dict[type[Command], str] = {
    commands.ReleaseCall: "release",
    commands.TransferCall: "transfer",
    deeds.PickUp: "pickup",
}
