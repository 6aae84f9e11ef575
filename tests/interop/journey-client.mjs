// The journey with npm @modelcontextprotocol/client 2, which checks the issuer of
// the callback (RFC 9207): public, and with the secret in the form (as mcp-remote does).
// `node journey-client.mjs`, with the environment of run.mjs.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { mcpJourney } from './mcp-journey.mjs';

const library = { Client, StreamableHTTPClientTransport, UnauthorizedError };

await mcpJourney({ title: 'client 2, public', library, authMethod: 'none', login: 'carol', finish: 'callback' });
await mcpJourney({ title: 'client 2, post', library, authMethod: 'client_secret_post', login: 'dave', finish: 'callback' });
