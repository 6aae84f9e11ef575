// The journey with npm @modelcontextprotocol/sdk 1: as a public client and as one
// that authenticates by Basic. `node journey-sdk.mjs`, with the environment of run.mjs.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { mcpJourney } from './mcp-journey.mjs';

const library = { Client, StreamableHTTPClientTransport, UnauthorizedError };

await mcpJourney({ title: 'sdk 1, public', library, authMethod: 'none', login: 'alice', finish: 'code' });
await mcpJourney({ title: 'sdk 1, basic', library, authMethod: 'client_secret_basic', login: 'bob', finish: 'code' });
