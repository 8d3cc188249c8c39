"""The google-genai client: built on first use, in the loop that uses it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from kinetoscope_gemini._key import Key
from kinetoscope_gemini._settings import Settings

__all__ = ["Client"]


class Client:
    """What we use of the client. It retries nothing by itself: see `_takes`."""

    def __init__(self, key: Key, settings: Settings) -> None:
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

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aio.aclose()
        await self._http.aclose()
        self._client.close()
