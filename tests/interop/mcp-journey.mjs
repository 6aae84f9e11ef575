// The whole life of a login, as a stock MCP client lives it: register, login, tool
// call, refresh after expiry, several processes on one refresh token, revoke. The
// client library does discovery, registration, PKCE, redemption and refresh by
// itself; this file only plays the person and looks at what comes out.

import { Agent } from './agent.mjs';
import { check, env, equal, journey, sleep, until } from './steps.mjs';
import { Wallet } from './wallet.mjs';

/**
 * Runs the journey with one client library. With `document`, the client does not register: it is the URL of that
 * document, and authenticates by `authenticate` where it has a key.
 *
 * `library` is `{ Client, StreamableHTTPClientTransport, UnauthorizedError }`;
 * `finish` what it wants at the end of the login: `code` or `callback` (all parameters).
 */
export async function mcpJourney({ title, library, authMethod, login, finish, document, authenticate }) {
  const { Client, StreamableHTTPClientTransport, UnauthorizedError } = library;
  const step = journey(title);
  const mcpUrl = env('MCP_URL');
  const accessTokenTtl = Number(env('ACCESS_TOKEN_TTL'));
  const upstreamTtl = Number(env('UPSTREAM_ACCESS_TOKEN_TTL'));
  const seenAtProvider = async () => (await fetch(`${env('PROVIDER_ISSUER')}/_seen`)).json();

  const wallet = new Wallet(authMethod);
  if (document) Object.assign(wallet, { clientMetadataUrl: document, addClientAuthentication: authenticate });
  const before = await seenAtProvider();
  let session;
  let metadata;

  await step('a call without a token is challenged, and names where to go', async () => {
    const answer = await rawCall(mcpUrl);
    equal(answer.status, 401, 'status', answer);
    const challenge = answer.headers['www-authenticate'] ?? '';
    check(/^Bearer\b/.test(challenge), 'the challenge is not Bearer', answer);
    check(!/\berror=/.test(challenge), 'no credentials came, so the challenge has no error (RFC 6750 3.1)', answer);
    const [, location] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
    check(location, 'the challenge names no resource_metadata (RFC 9728 5.1)', answer);
    const resource = await json(location);
    equal(resource.resource, mcpUrl, 'resource', JSON.stringify(resource));
    const [issuer] = resource.authorization_servers;
    metadata = await json(wellKnown(issuer));
    equal(metadata.issuer, issuer, 'issuer', JSON.stringify(metadata));
  });

  if (document) {
    await step(`the client is known by its document (${authMethod}) and wants a browser`, async () => {
      equal(metadata.client_id_metadata_document_supported, true, 'client_id_metadata_document_supported');
      check(metadata.token_endpoint_auth_methods_supported.includes(authMethod), `${authMethod} is not served`, JSON.stringify(metadata));
      await connectMustAskForLogin();
      equal(wallet.client?.client_id, document, 'client_id');
      check(wallet.authorizationUrl, 'the client asked for no browser');
    });
  } else await step(`the client registers itself (${authMethod}) and wants a browser`, async () => {
    await connectMustAskForLogin();
    check(wallet.client?.client_id, 'the client holds no client_id');
    equal(wallet.client.token_endpoint_auth_method, authMethod, 'token_endpoint_auth_method', JSON.stringify(wallet.client));
    check(Boolean(wallet.client.client_secret) === (authMethod !== 'none'), 'a secret is for confidential clients, and for them only');
    check(wallet.authorizationUrl, 'the client asked for no browser');
  });

  await step('the person approves, logs in at the provider, and comes back with a code', async () => {
    const callback = await new Agent({ login }).authorize(wallet.authorizationUrl, wallet.redirectUrl);
    const { code, state, iss, error } = Object.fromEntries(callback.searchParams);
    check(!error, `the callback carries an error: ${callback}`);
    check(code, `the callback carries no code: ${callback}`);
    equal(state, wallet.issuedState, 'state');
    equal(iss, metadata.issuer, 'iss (RFC 9207)');
    const transport = newTransport(wallet);
    await transport.finishAuth(finish === 'callback' ? callback.searchParams : code);
    check(wallet.held?.access_token, 'the client holds no access token');
    check(wallet.held?.refresh_token, 'the client holds no refresh token');
  });

  await step('the tool answers who the person is', async () => {
    session = await connect(wallet);
    const { tools } = await session.listTools();
    check(tools.some(({ name }) => name === 'whoami'), `no tool whoami: ${JSON.stringify(tools)}`);
    await mustBeThePerson(session);
  });

  await step('an expired access token is refused', () => mustExpire());

  await step('the client refreshes by itself, and the call succeeds', async () => {
    const old = wallet.held;
    await mustBeThePerson(session);
    check(wallet.held.access_token !== old.access_token, 'the access token is still the old one');
    check(wallet.held.refresh_token !== old.refresh_token, 'the refresh token was not rotated');
    equal(wallet.logins, 1, 'times that the client asked for a browser');
  });

  await step('past the upstream token’s expiry, the proxy has refreshed at the provider', async () => {
    await sleep(upstreamTtl * 1000 + 500);
    await mustBeThePerson(session);
    const seen = await seenAtProvider();
    check(
      seen.refresh_token > before.refresh_token,
      `the provider was asked for no refresh: ${JSON.stringify(seen)}`,
    );
    equal(seen.errors.length, before.errors.length, 'refusals at the provider', JSON.stringify(seen.errors));
  });

  await step('five processes that share one refresh token all go on', async () => {
    await mustExpire();
    const wallets = Array.from({ length: 5 }, () => wallet.copy());
    await Promise.all(wallets.map(async (own) => {
      const client = await connect(own);
      await mustBeThePerson(client);
      await client.close();
      equal(own.logins, 1, 'times that the client asked for a browser');
    }));
    const successors = new Set(wallets.map((own) => own.held.refresh_token));
    equal(successors.size, 1, 'live refresh tokens of one grant');
    wallet.held = wallets[0].held;
    await mustBeThePerson(session);
  });

  await step('a revoked token is refused at once, and so is its refresh token', async () => {
    const { access_token: token, refresh_token: refreshToken } = wallet.held;
    const alive = await rawCall(mcpUrl, token);
    check(alive.status !== 401, 'the token is dead before it was revoked', alive);
    const answer = await form(metadata.revocation_endpoint, { token, token_type_hint: 'access_token' }, wallet);
    equal(answer.status, 200, 'status of the revocation', answer);
    const dead = await rawCall(mcpUrl, token);
    equal(dead.status, 401, 'status of a call with the revoked token', dead);
    check(/error="invalid_token"/.test(dead.headers['www-authenticate'] ?? ''), 'the challenge does not say invalid_token', dead);
    const refresh = await form(metadata.token_endpoint, { grant_type: 'refresh_token', refresh_token: refreshToken }, wallet);
    equal(refresh.status, 400, 'status of a refresh after revocation', refresh);
    equal(JSON.parse(refresh.body).error, 'invalid_grant', 'error', refresh);
    const seen = await seenAtProvider();
    check(seen.revocations > before.revocations, `the provider was asked for no revocation: ${JSON.stringify(seen)}`);
  });

  await step('the client then wants a browser again', async () => {
    await session.close().catch(() => {});
    await connectMustAskForLogin();
    equal(wallet.logins, 2, 'times that the client asked for a browser');
  });

  function newTransport(authProvider) {
    return new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider });
  }

  async function connect(authProvider) {
    const client = new Client({ name: title, version: '1.0.0' });
    await client.connect(newTransport(authProvider));
    return client;
  }

  async function connectMustAskForLogin() {
    try {
      await connect(wallet);
    } catch (error) {
      if (error instanceof UnauthorizedError) return;
      throw error;
    }
    throw new Error('the client connected without a login');
  }

  async function mustBeThePerson(client) {
    const result = await client.callTool({ name: 'whoami', arguments: {} });
    const text = result.content?.[0]?.text ?? '';
    check(!result.isError, `the tool failed: ${text}`);
    const who = JSON.parse(text);
    equal(who.subject, login, 'subject', text);
    equal(who.client, wallet.client.client_id, 'client', text);
    const scopes = Array.isArray(who.scopes) ? who.scopes : String(who.scopes).split(' ');
    for (const scope of env('SCOPES').split(' ')) check(scopes.includes(scope), `scope ${scope} was not granted`, text);
  }

  async function mustExpire() {
    const token = wallet.held.access_token;
    const answer = await until(`expiry of a token that lives ${accessTokenTtl} s`, accessTokenTtl + 5, async () => {
      const tried = await rawCall(mcpUrl, token);
      return tried.status === 401 ? tried : undefined;
    });
    check(/error="invalid_token"/.test(answer.headers['www-authenticate'] ?? ''), 'the challenge does not say invalid_token', answer);
  }
}

/** A call past the client library, to see the bare answer. */
async function rawCall(url, token) {
  return take(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
    }),
  });
}

/** A form at the token or revocation endpoint, authenticated as registered (RFC 6749 2.3.1). */
async function form(url, fields, { client, addClientAuthentication: authenticate }) {
  const { client_id: id, client_secret: secret, token_endpoint_auth_method: method } = client;
  const headers = new Headers();
  const body = new URLSearchParams(fields);
  if (authenticate) {
    await authenticate(headers, body, url);
  } else if (method === 'client_secret_basic') {
    headers.set('authorization', `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`);
  } else {
    body.set('client_id', id);
    if (method === 'client_secret_post') body.set('client_secret', secret);
  }
  return take(url, { method: 'POST', headers, body });
}

async function take(url, init) {
  const abort = AbortSignal.timeout(20_000);
  const response = await fetch(url, { redirect: 'manual', signal: abort, ...init });
  const headers = Object.fromEntries(response.headers);
  // A stream of events need not end: its beginning is the answer.
  if ((headers['content-type'] ?? '').startsWith('text/event-stream')) {
    await response.body?.cancel();
    return { method: init.method, url, status: response.status, headers, body: '(event stream)' };
  }
  return { method: init.method, url, status: response.status, headers, body: await response.text() };
}

async function json(url) {
  const response = await fetch(url);
  const body = await response.text();
  check(response.status === 200, `GET ${url}`, { url, status: response.status, headers: Object.fromEntries(response.headers), body });
  return JSON.parse(body);
}

function wellKnown(issuer) {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname}`;
}
