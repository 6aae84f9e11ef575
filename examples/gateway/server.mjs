// An MCP server of the TypeScript SDK for the gateway. It listens on this host alone, for it believes what the gateway
// says.
//
//   npm install @modelcontextprotocol/sdk zod
//   node server.mjs

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const text = (said) => ({ content: [{ type: 'text', text: said }] });

function reports() {
  const server = new McpServer({ name: 'Reports', version: '1.0.0' });
  server.registerTool('whoami', { description: 'Says who is logged in, with which client and which scopes' }, ({ requestInfo }) => {
    const said = requestInfo.headers;
    return text(JSON.stringify({
      subject: said['x-auth-subject'],
      email: said['x-auth-email'],
      client: said['x-auth-client'],
      scopes: (said['x-auth-scopes'] ?? '').split(' '),
    }));
  });
  server.registerTool(
    'count',
    { description: 'Counts, and says how far it is', inputSchema: { steps: z.number() } },
    async ({ steps }, { _meta, sendNotification }) => {
      for (let step = 1; step <= steps; step += 1) {
        await sleep(200);
        const progressToken = _meta?.progressToken;
        if (progressToken === undefined) continue;
        await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: step, total: steps } });
      }
      return text(`counted to ${steps}`);
    },
  );
  // Who may do that, the gateway says.
  server.registerTool('delete_reports', { description: 'Deletes all reports' }, () => text('all reports are gone'));
  return server;
}

const sessions = new Map();

async function transportOf(request, response) {
  const id = request.headers['mcp-session-id'];
  if (id) {
    if (!sessions.has(id)) response.writeHead(404).end();
    return sessions.get(id);
  }
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (begun) => sessions.set(begun, transport),
  });
  transport.onclose = () => sessions.delete(transport.sessionId);
  await reports().connect(transport);
  return transport;
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname !== '/mcp') return response.writeHead(404).end();
  const transport = await transportOf(request, response);
  return transport?.handleRequest(request, response);
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1');
