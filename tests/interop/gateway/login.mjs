// A person, a client of theirs, and bare requests: what the journeys at the gateway share.

import { Agent } from '../agent.mjs';
import { check, env, equal } from '../steps.mjs';
import { Wallet } from '../wallet.mjs';

/**
 * Logs a person in with a client library, and gives what the client then holds. With `scope` the client asks for that,
 * and not for what it was told to ask for.
 */
export async function login({ library, person, finish, scope }) {
  const wallet = new Wallet('none');
  const { Client, StreamableHTTPClientTransport, UnauthorizedError } = library;
  const transport = () => new StreamableHTTPClientTransport(new URL(env('MCP_URL')), { authProvider: wallet });
  const stranger = new Client({ name: 'stranger', version: '1.0.0' });
  const refused = await stranger.connect(transport()).then(() => undefined, (error) => error);
  check(refused instanceof UnauthorizedError, `the client was not sent to a login: ${refused?.stack}`);
  const url = new URL(wallet.authorizationUrl);
  if (scope) url.searchParams.set('scope', scope);
  const callback = await new Agent({ login: person }).authorize(url.href, wallet.redirectUrl);
  await transport().finishAuth(finish === 'callback' ? callback.searchParams : callback.searchParams.get('code'));
  check(wallet.held?.access_token, 'the client holds no access token');
  return { wallet, transport };
}

/** A request past the client library. */
export async function bare(body, { token, method = 'POST', headers = {} }) {
  const response = await fetch(env('MCP_URL'), {
    method,
    signal: AbortSignal.timeout(20_000),
    headers: {
      accept: 'application/json, text/event-stream',
      ...body ? { 'content-type': 'application/json' } : {},
      authorization: `Bearer ${token}`,
      ...headers,
    },
    ...body ? { body: JSON.stringify(body) } : {},
  });
  return {
    method,
    url: env('MCP_URL'),
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  };
}

/** Tokens are short-lived here; this gives one that is good. */
export async function fresh(wallet) {
  const { client, held } = wallet;
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: held.refresh_token, client_id: client.client_id });
  const response = await fetch(`${env('BASE_URL')}/oauth/token`, { method: 'POST', body });
  equal(response.status, 200, 'status of a refresh');
  wallet.held = await response.json();
  return wallet.held.access_token;
}

export const initialize = {
  jsonrpc: '2.0',
  id: 'begin',
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bare', version: '1' } },
};

/** A bare session: its id. */
export async function begin(token) {
  const answer = await bare(initialize, { token });
  equal(answer.status, 200, 'status of initialize', answer);
  const session = answer.headers['mcp-session-id'];
  const told = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const accepted = await bare(told, { token, headers: { 'mcp-session-id': session } });
  equal(accepted.status, 202, 'status of notifications/initialized', accepted);
  return session;
}

export function call(name, parameters = {}) {
  return { jsonrpc: '2.0', id: 'call', method: 'tools/call', params: { name, arguments: parameters } };
}

export const textOf = ({ content }) => content?.[0]?.text ?? '';

/** The message of an answer, whether it came as JSON or as an event. */
export function messageOf(answer) {
  const isStream = (answer.headers['content-type'] ?? '').startsWith('text/event-stream');
  if (!isStream) return JSON.parse(answer.body);
  const data = answer.body.split('\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
  return data.find(({ id }) => id !== undefined);
}
