// The journey with npm @modelcontextprotocol/client 2 as a client that is known by the
// document at its own URL: public, and with a key. `node journey-document.mjs`, with the
// environment of run.mjs.

import { readFile } from 'node:fs/promises';

import { Client, createPrivateKeyJwtAuth, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { mcpJourney } from './mcp-journey.mjs';
import { env } from './steps.mjs';

const library = { Client, StreamableHTTPClientTransport, UnauthorizedError };
const withKey = env('DOCUMENT_WITH_KEY');

await mcpJourney({
  title: 'document, public', library, authMethod: 'none', login: 'grace', finish: 'callback', document: env('DOCUMENT_OPEN'),
});
await mcpJourney({
  title: 'document, with a key',
  library,
  authMethod: 'private_key_jwt',
  login: 'heidi',
  finish: 'callback',
  document: withKey,
  authenticate: createPrivateKeyJwtAuth({
    issuer: withKey, subject: withKey, privateKey: await readFile(env('DOCUMENT_KEY_FILE'), 'utf8'), alg: 'ES256', audience: env('BASE_URL'),
  }),
});
