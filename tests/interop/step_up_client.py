"""PyPI's mcp and fastmcp as clients that are given more scopes on the way: `step_up_client.py mcp|fastmcp`.

Prints `READY`, reads `CALL <tool>`, prints `ANSWER <text>` or `ERROR <words>`. A login prints `AUTHORIZE <url>` before that: `mcp` then
reads the final URL as a line, `fastmcp` opens BROWSER and listens by itself. Of run.mjs: MCP_URL.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import httpx2
from fastmcp import Client
from fastmcp.client.auth import OAuth
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

MCP_URL = os.environ["MCP_URL"]
REDIRECT_URI = "http://127.0.0.1:49153/callback"


class Memory:
    """What a client keeps between calls."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def next_line():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def open_browser(url):
    print("AUTHORIZE", url, flush=True)


async def come_back():
    returned = parse_qs(urlsplit(await next_line()).query)
    one = {name: values[0] for name, values in returned.items()}
    return AuthorizationCodeResult(code=one["code"], state=one.get("state"), iss=one.get("iss"))


@asynccontextmanager
async def of_mcp():
    metadata = OAuthClientMetadata(
        client_name="PyPI mcp",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        token_endpoint_auth_method="none",
    )
    provider = OAuthClientProvider(MCP_URL, metadata, Memory(), open_browser, come_back)
    async with httpx2.AsyncClient(auth=provider, timeout=30) as http:
        async with streamable_http_client(MCP_URL, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()

                async def call(tool):
                    result = await session.call_tool(tool, {})
                    return result.content[0].text

                yield call


@asynccontextmanager
async def of_fastmcp():
    async with Client(MCP_URL, auth=OAuth(callback_host="127.0.0.1")) as client:

        async def call(tool):
            result = await client.call_tool(tool, {})
            return result.content[0].text

        yield call


async def main():
    client = {"mcp": of_mcp, "fastmcp": of_fastmcp}[sys.argv[1]]
    async with client() as call:
        print("READY", flush=True)
        while line := await next_line():
            tool = line.removeprefix("CALL ")
            try:
                print("ANSWER", await call(tool), flush=True)
            except Exception as error:
                print("ERROR", " ".join(f"{type(error).__name__}: {error}".split()), flush=True)


asyncio.run(main())
