"""The database's tables; times are seconds since 1970 in UTC, lists are comma- or line-separated text."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class SiteRow(SQLModel, table=True):
    """Facts about the office itself, such as its digest realm."""

    __tablename__ = "site"
    name: str = Field(primary_key=True)
    value: str


class ExtensionRow(SQLModel, table=True):
    __tablename__ = "extension"
    number: str = Field(primary_key=True)
    name: str | None = None
    md5: str
    sha256: str
    previous_md5: str | None = None
    previous_sha256: str | None = None
    multi_device: bool
    max_devices: int
    max_calls: int | None = None
    rights: str
    hold: str
    codecs: str
    email: str | None = None
    reliable_provisional: str
    level: str | None = None
    max_out: int | None = None
    outside_number: str | None = None
    plan: str
    from_network: str | None = None
    forward_always: str | None = None
    forward_busy: str | None = None
    forward_no_answer: str | None = None
    forward_unreachable: str | None = None
    dnd: bool = False
    voicemail_pin: str | None = Field(default=None, repr=False)


class TrunkRow(SQLModel, table=True):
    """An outside line. Its password stands in the clear: every digest of ours is made from it."""

    __tablename__ = "trunk"
    name: str = Field(primary_key=True)
    host: str
    port: int | None = None
    transport: str
    registers: bool
    username: str | None = None
    password: str | None = Field(default=None, repr=False)
    proxy: str | None = None
    addresses: str
    max_in: int | None = None
    max_out: int | None = None
    reserve_emergency: int
    reliable_provisional: str
    new_call_id: bool | None = None
    identity: str
    preset: str
    srtp: str
    over_limit: int
    codecs: str
    is_trusted: bool


class RouteRow(SQLModel, table=True):
    __tablename__ = "route"
    id: int | None = Field(default=None, primary_key=True)
    called: str
    caller: str
    plan: str
    strip: int
    prepend: str
    caller_as: str
    level: str | None = None
    when: str | None = None
    is_emergency: bool
    trunks: str
    extension: str | None = None
    group: str | None = None
    service: str | None = None


class InboundRow(SQLModel, table=True):
    __tablename__ = "inbound"
    id: int | None = Field(default=None, primary_key=True)
    trunk: str
    called: str
    when: str | None = None
    extension: str | None = None
    group: str | None = None
    service: str | None = None


class TriggerRow(SQLModel, table=True):
    """At a point of a call a service takes it; settings are pairs in JSON."""

    __tablename__ = "trigger"
    id: int | None = Field(default=None, primary_key=True)
    number: str
    service: str
    point: str
    plan: str | None = None
    settings: str


class GroupRow(SQLModel, table=True):
    __tablename__ = "group"
    number: str = Field(primary_key=True)
    kind: str
    members: str
    order: str
    timeout: int


class MemoryRow(SQLModel, table=True):
    """What a service remembers; values are JSON."""

    __tablename__ = "memory"
    service: str = Field(primary_key=True)
    owner: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str


class LevelRow(SQLModel, table=True):
    __tablename__ = "level"
    name: str = Field(primary_key=True)
    rank: int


class ScheduleRow(SQLModel, table=True):
    __tablename__ = "schedule"
    name: str = Field(primary_key=True)
    when: str
    holidays: str


class ScreenTableRow(SQLModel, table=True):
    __tablename__ = "screen"
    id: int | None = Field(default=None, primary_key=True)
    caller: str
    called: str
    rate: int
    is_white: bool


class AddressTableRow(SQLModel, table=True):
    __tablename__ = "address"
    network: str = Field(primary_key=True)
    is_white: bool


class ContactRow(SQLModel, table=True):
    """A name and a note for a number outside."""

    __tablename__ = "contact"
    number: str = Field(primary_key=True)
    name: str | None = None
    note: str | None = None


class OperatorRow(SQLModel, table=True):
    __tablename__ = "operator"
    login: str = Field(primary_key=True)
    role: str
    password_hash: str | None = None
    keys: str
    extension: str | None = None


class ParamRow(SQLModel, table=True):
    """A site parameter that differs from its default."""

    __tablename__ = "param"
    name: str = Field(primary_key=True)
    value: str


class BindingRow(SQLModel, table=True):
    __tablename__ = "binding"
    extension: str = Field(primary_key=True)
    contact: str = Field(primary_key=True)
    call_id: str
    cseq: int
    transport: str
    local_host: str
    local_port: int
    source_host: str
    source_port: int
    expires_at: float
    registered_at: float
    q: float
    instance: str | None = None
    user_agent: str | None = None
    path: str
    reg_id: int | None = None


class SubscriptionRow(SQLModel, table=True):
    __tablename__ = "subscription"
    call_id: str = Field(primary_key=True)
    local_tag: str = Field(primary_key=True)
    event: str
    event_id: str | None = None
    watched: str
    watcher: str
    is_list: bool
    local_address: str
    remote_address: str
    remote_tag: str | None = None
    remote_target: str
    routes: str
    cseq: int
    remote_cseq: int | None = None
    version: int
    contact: str
    transport: str
    local_host: str
    local_port: int
    remote_host: str
    remote_port: int
    granted_at: float
    expires_at: float


class RecordRow(SQLModel, table=True):
    """A finished call. Its own key, because a call's short id may come again after years."""

    __tablename__ = "record"
    row: int | None = Field(default=None, primary_key=True)
    id: str = Field(index=True)
    linked_id: str = Field(index=True)
    caller: str
    callee: str
    started_at: float = Field(index=True)
    answered_at: float | None = None
    ended_at: float
    released_by: str
    cause: str
    trunk_in: str | None = None
    trunk_out: str | None = None
    codec: str | None = None
    mos: float | None = None
    recording: str | None = None


class AuditRow(SQLModel, table=True):
    """A deed that somebody may have to answer for; triggers keep rows from being changed or removed."""

    __tablename__ = "audit"
    row: int | None = Field(default=None, primary_key=True)
    at: float = Field(index=True)
    who: str
    acting: str | None = None
    action: str
    target: str | None = None
    outcome: str
    reason: str | None = None


AUDIT = SQLModel.metadata.tables["audit"]
BINDINGS = SQLModel.metadata.tables["binding"]
SUBSCRIPTIONS = SQLModel.metadata.tables["subscription"]
RECORDS = SQLModel.metadata.tables["record"]
