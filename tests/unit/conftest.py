"""What the unit tests share: they pass on the plain modules and on the compiled ones (``make compiled-tests``)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from engine.sip import message

IS_COMPILED = not str(message.__file__).endswith(".py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with _plain_modules_only():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with _plain_modules_only():
        return (yield)


@contextmanager
def _plain_modules_only() -> Iterator[None]:
    """A test that puts something in the place of a method says nothing of compiled classes, which allow it not."""
    try:
        yield
    except AttributeError as error:
        if IS_COMPILED and "is read-only" in str(error):
            pytest.skip("for plain modules only: it replaces a method")
        raise


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if IS_COMPILED:
        for item in items:
            if item.get_closest_marker("plain"):
                item.add_marker(pytest.mark.skip(reason="for plain modules only: it replaces a method"))
