"""What all tables share: constraint names that migrations can rely on, and instants that are always aware."""

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, Dialect, MetaData, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)


class Instant(TypeDecorator[dt.datetime]):
    """An aware moment, kept in UTC on databases that have no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(dt.UTC) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        moment: dt.datetime | None = value
        return moment.replace(tzinfo=dt.UTC) if moment and moment.tzinfo is None else moment
