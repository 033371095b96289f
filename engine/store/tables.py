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


BINDINGS = SQLModel.metadata.tables["binding"]
RECORDS = SQLModel.metadata.tables["record"]
