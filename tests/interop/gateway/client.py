"""PyPI's fastmcp, which is built on mcp, calls one tool with a token: `client.py TOOL ARGUMENTS`, with MCP_URL and TOKEN."""

import asyncio
import json
import os
import sys

from fastmcp import Client


async def main(tool, arguments):
    came = []

    async def progress(step, total, message):
        came.append(step)

    async with Client(os.environ["MCP_URL"], auth=os.environ["TOKEN"]) as client:
        result = await client.call_tool(tool, arguments, progress_handler=progress)
    print(json.dumps({"text": result.content[0].text, "progress": came}))


asyncio.run(main(sys.argv[1], json.loads(sys.argv[2])))
