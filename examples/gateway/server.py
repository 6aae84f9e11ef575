"""An MCP server of FastMCP for the gateway. It listens on this host alone, for it believes what the gateway says.

    pip install fastmcp
    python server.py
"""

import asyncio
import json
import os

from fastmcp import Context, FastMCP
from fastmcp.server.dependencies import get_http_headers

mcp = FastMCP("Reports")


@mcp.tool
def whoami() -> str:
    """Says who is logged in, with which client and which scopes."""
    said = get_http_headers()
    who = {
        "subject": said.get("x-auth-subject"),
        "email": said.get("x-auth-email"),
        "client": said.get("x-auth-client"),
        "scopes": said.get("x-auth-scopes", "").split(),
    }
    return json.dumps(who)


@mcp.tool
async def count(steps: int, context: Context) -> str:
    """Counts, and says how far it is."""
    for step in range(steps):
        await asyncio.sleep(0.2)
        await context.report_progress(step + 1, steps)
    return f"counted to {steps}"


@mcp.tool
def delete_reports() -> str:
    """Deletes all reports. Who may do that, the gateway says."""
    return "all reports are gone"


if __name__ == "__main__":
    mcp.run(transport="http", host="127.0.0.1", port=int(os.environ.get("PORT", "3000")))
