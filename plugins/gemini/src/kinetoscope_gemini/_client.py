"""The google-genai client: built on first use, in the loop that uses it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from kinetoscope_gemini._key import Key
from kinetoscope_gemini._settings import ReasonerSettings, Settings
from kinetoscope_gemini.errors import NoAnswer, RequestRefused

__all__ = ["Client"]

POLL_S: Final = 0.5
"""How often it is asked whether an upload is ready."""
MOST_POLLS: Final = 600


class Client:
    """What we use of the client. It retries nothing by itself: see `_takes`."""

    def __init__(self, key: Key, settings: Settings | ReasonerSettings) -> None:
        import httpx2
        from google import genai
        from google.genai import types

        self.key = key
        # An HTTP client of our own, or google-genai takes aiohttp where that is installed.
        self._http = httpx2.AsyncClient()
        options = types.HttpOptions(
            api_version=settings.api_version,
            timeout=max(1, round(settings.timeout_s * 1000)),
            httpx_async_client=self._http,
            base_url=settings.base_url,
        )
        # held: a client that is collected closes its connections
        self._client = genai.Client(api_key=key.reveal(), vertexai=False, http_options=options)
        self._models = self._client.aio.models

    async def generate(self, model: str, request: Mapping[str, Any]) -> Any:
        """Send a request and return the whole answer."""
        return await self._models.generate_content(
            model=model, contents=request["contents"], config=request["config"]
        )

    async def stream(self, model: str, request: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Send a request and return the events of its answer, as they come."""
        events = await self._models.generate_content_stream(
            model=model, contents=request["contents"], config=request["config"]
        )
        return cast("AsyncGenerator[Any, None]", events)

    async def upload(self, data: bytes, mime: str) -> tuple[str, str]:
        """Upload a file and wait until it can be used. Return its name and its URI.

        Raises:
            NoAnswer: it was not ready in time.
            RequestRefused: Gemini can't read it.
        """
        held = await self._client.aio.files.upload(file=io.BytesIO(data), config={"mime_type": mime})
        name = str(held.name)
        for _ in range(MOST_POLLS):
            state = str(getattr(held.state, "value", held.state))
            if state not in ("PROCESSING", "STATE_UNSPECIFIED", "None"):
                break
            await asyncio.sleep(POLL_S)
            held = await self._client.aio.files.get(name=name)
        else:
            await self.delete(name)
            raise NoAnswer("the film that was uploaded was not ready in time", reason="PROCESSING")
        if state != "ACTIVE" or not held.uri:
            await self.delete(name)
            raise RequestRefused(f"Gemini can't read the film that was uploaded ({state})", reason=state)
        return name, held.uri

    async def delete(self, name: str) -> None:
        """Delete an uploaded file; where that fails it is gone by itself after two days."""
        with suppress(Exception):
            await self._client.aio.files.delete(name=name)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aio.aclose()
        await self._http.aclose()
        self._client.close()
