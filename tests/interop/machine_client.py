"""PyPI's mcp as a client without a browser: `machine_client.py secret|key|assertion` prints what the tool answers.

Of run.mjs: MCP_URL, BASE_URL, MACHINE_SECRET, MACHINE_KEY_FILE, COMPANY.
"""

import asyncio
import os
import sys
from pathlib import Path

import httpx2
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

MCP_URL = os.environ["MCP_URL"]
ISSUER = os.environ["BASE_URL"]
SECRET = os.environ["MACHINE_SECRET"]
COMPANY = os.environ["COMPANY"]


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


def by_secret():
    return ClientCredentialsOAuthProvider(MCP_URL, Memory(), "machine", SECRET, issuer=ISSUER)


def by_key():
    name = "machine-with-key"
    key = Path(os.environ["MACHINE_KEY_FILE"]).read_text()
    signed = SignedJWTParameters(issuer=name, subject=name, signing_key=key, signing_algorithm="ES256")
    return PrivateKeyJWTOAuthProvider(MCP_URL, Memory(), name, signed.create_assertion_provider(), issuer=ISSUER)


def by_assertion():
    return IdentityAssertionOAuthProvider(MCP_URL, Memory(), "desk", SECRET, ISSUER, fetch_assertion)


async def fetch_assertion(audience, resource):
    """The person has logged in at the company: its ID token becomes an assertion (RFC 8693)."""
    async with httpx2.AsyncClient() as http:
        signed = await http.post(f"{COMPANY}/_sign", json={"sub": "leo", "aud": "desk"})
        exchange = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
            "subject_token": signed.json()["token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "audience": audience,
            "resource": resource,
        }
        answer = await http.post(f"{COMPANY}/token", data=exchange)
        return answer.json()["access_token"]


async def main():
    provider = {"secret": by_secret, "key": by_key, "assertion": by_assertion}[sys.argv[1]]()
    async with httpx2.AsyncClient(auth=provider, timeout=20) as http:
        async with streamable_http_client(MCP_URL, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                result = await session.call_tool("whoami", {})
                print(result.content[0].text)


asyncio.run(main())
