"""The verb ``http``: a listed host is asked, while the caller waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from engine.net.web import DEFAULT_S, WebError
from engine.pbx.in_service import InService
from engine.pbx.verbs.activity import Activity

log = logging.getLogger(__name__)

_METHODS = ("GET", "POST")


class Fetching(Activity):
    """Waits for a page."""

    def __init__(self, at: InService, url: str, asked: Mapping[str, Any]) -> None:
        super().__init__(at)
        self._url = url
        self._asked = asked
        self._task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self._task = self.at.exchange.crew.start(self._fetch(), "a service's request by HTTP")

    async def _fetch(self) -> None:
        asked = self._asked
        headers = asked.get("headers")
        try:
            page = await self.at.exchange.web.fetch(
                self._url,
                method=asked.get("method") or "GET",
                body=asked.get("body") or "",
                headers={str(name): str(value) for name, value in headers.items()} if headers else {},
                timeout_s=float(asked.get("timeout") or DEFAULT_S),
            )
        except WebError as error:
            log.info("service %s of call %s gets no page: %s", self.at.service, self.at.call.id, error)
            self.at.over(failure=str(error))
        except Exception:
            log.exception("service %s of call %s gets no page", self.at.service, self.at.call.id)
            self.at.over(failure="it cannot be asked")
        else:
            self.at.over({"status": page.status, "body": page.body, "type": page.kind})

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()


async def http(at: InService, asked: Mapping[str, Any]) -> None:
    method = asked.get("method") or "GET"
    if method not in _METHODS:
        at.over(failure=f"a service asks with {' or '.join(_METHODS)} alone")
    elif asked.get("body") and method == "GET":
        at.over(failure="GET takes no body: use POST")
    else:
        await at.do(Fetching(at, asked["url"], asked))
