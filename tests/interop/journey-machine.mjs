// Machines and other callers without a browser: npm @modelcontextprotocol/client 2 with its own providers for client
// credentials (secret, key) and for a company's assertion; curl with an API key and with the company's token.
// `node journey-machine.mjs`, with the environment of run.mjs.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

import {
  Client, ClientCredentialsProvider, createPrivateKeyJwtAuth, CrossAppAccessProvider, discoverAndRequestJwtAuthGrant,
  PrivateKeyJwtProvider, StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';

import { check, env, equal, finish, journey } from './steps.mjs';

const step = journey('machine');
const mcpUrl = env('MCP_URL');
const baseUrl = env('BASE_URL');
const secret = env('MACHINE_SECRET');
const privateKey = await readFile(env('MACHINE_KEY_FILE'), 'utf8');
const keyOwner = 'machine-with-key';
const metadata = await (await fetch(`${baseUrl}/.well-known/oauth-authorization-server`)).json();

await step('the metadata names what is served here', async () => {
  const has = (member, ...values) => {
    for (const value of values) check(metadata[member]?.includes(value), `${member} has no ${value}: ${JSON.stringify(metadata[member])}`);
  };
  has('grant_types_supported', 'authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer');
  has('token_endpoint_auth_methods_supported', 'none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt');
  has('token_endpoint_auth_signing_alg_values_supported', 'ES256');
  check(metadata.jwks_uri, 'no jwks_uri');
});

await step('by its secret, a machine is who it is, and no person stands behind it', async () => {
  const provider = new ClientCredentialsProvider({ clientId: 'machine', clientSecret: secret, expectedIssuer: baseUrl });
  await mustBe(provider, { subject: 'machine', client: 'machine', source: 'client_credentials', person: false });
  check(!provider.tokens().refresh_token, 'a machine has got a refresh token');
});

await step('by another secret it is not', async () => {
  const provider = new ClientCredentialsProvider({ clientId: 'machine', clientSecret: `${secret}.`, expectedIssuer: baseUrl });
  await mustFail(() => whoami(provider), /invalid_client/);
});

await step('by its key, a machine is who it is', async () => {
  const provider = new PrivateKeyJwtProvider({ clientId: keyOwner, privateKey, algorithm: 'ES256', expectedIssuer: baseUrl });
  await mustBe(provider, { subject: keyOwner, client: keyOwner, source: 'client_credentials', person: false });
});

await step('a machine that has a key is known by no other, and an assertion counts once', async () => {
  const other = new PrivateKeyJwtProvider({
    clientId: keyOwner, privateKey: await readFile(env('DOCUMENT_KEY_FILE'), 'utf8'), algorithm: 'ES256', expectedIssuer: baseUrl,
  });
  await mustFail(() => whoami(other), /invalid_client/);
  const fields = new URLSearchParams({ grant_type: 'client_credentials' });
  await createPrivateKeyJwtAuth({ issuer: keyOwner, subject: keyOwner, privateKey, alg: 'ES256', audience: baseUrl })(new Headers(), fields);
  equal((await post(metadata.token_endpoint, fields)).status, 200, 'status of the first use');
  const again = await post(metadata.token_endpoint, fields);
  equal(again.status, 401, 'status of the second', again);
  equal(JSON.parse(again.body).error, 'invalid_client', 'error', again);
});

await step('by an assertion of the company, a client acts for a person, without a browser', async () => {
  const provider = new CrossAppAccessProvider({
    clientId: 'desk',
    clientSecret: secret,
    expectedIssuer: baseUrl,
    assertion: async ({ authorizationServerUrl, resourceUrl, scope, fetchFn }) => {
      const { jwtAuthGrant } = await discoverAndRequestJwtAuthGrant({
        idpUrl: env('COMPANY'),
        audience: String(authorizationServerUrl).replace(/\/$/, ''),
        resource: String(resourceUrl),
        idToken: await signed({ sub: 'judy', aud: 'desk' }),
        clientId: 'desk',
        clientSecret: 'any',
        scope,
        fetchFn,
      });
      return jwtAuthGrant;
    },
  });
  await mustBe(provider, { subject: 'company|judy', client: 'desk', source: 'assertion', person: true });
  check(!provider.tokens().refresh_token, 'an assertion has brought a refresh token');
});

await step('an assertion for another client, or for another server, is refused', async () => {
  const person = { sub: 'judy', aud: baseUrl, client_id: 'desk', resource: mcpUrl };
  for (const claims of [{ ...person, client_id: 'machine' }, { ...person, aud: 'https://other.example' }, { ...person, resource: 'https://other.example/mcp' }]) {
    const assertion = await signed(claims, 'oauth-id-jag+jwt');
    const answer = await post(metadata.token_endpoint, new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, client_id: 'desk', client_secret: secret,
    }));
    equal(answer.status, 400, `status for ${JSON.stringify(claims)}`, answer);
  }
});

await step('an API key lets a program in, by curl', async () => {
  const key = env('API_KEY');
  const known = await curl('/who', key);
  equal(known.status, '200', 'status', known.body);
  const who = JSON.parse(known.body);
  equal(who.subject, 'key|nightly', 'subject', known.body);
  equal(who.source, 'api_key', 'source', known.body);
  equal(who.person, false, 'person', known.body);
  equal((await curl('/who', `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).status, '401', 'status of a key with a slip');
});

await step('the company’s own access token lets in, for the audience that was named', async () => {
  const known = await curl('/who', await signed({ sub: 'judy', aud: env('COMPANY_AUDIENCE'), client_id: 'reports' }, 'at+jwt'));
  equal(known.status, '200', 'status', known.body);
  const who = JSON.parse(known.body);
  equal(who.subject, 'company|judy', 'subject', known.body);
  equal(who.source, 'trusted_issuer', 'source', known.body);
  const other = await curl('/who', await signed({ sub: 'judy', aud: 'https://other.example', client_id: 'reports' }, 'at+jwt'));
  equal(other.status, '401', 'status for another audience', other.body);
});

await step('a service that cannot verify a token asks about it', async () => {
  const provider = new ClientCredentialsProvider({ clientId: 'machine', clientSecret: secret, expectedIssuer: baseUrl });
  await whoami(provider);
  const { access_token: token } = provider.tokens();
  const ask = (id) => post(metadata.introspection_endpoint, new URLSearchParams({ token, client_id: id, client_secret: secret }));
  const told = JSON.parse((await ask('neighbour')).body);
  equal(told.active, true, 'active', JSON.stringify(told));
  equal(told.sub, 'machine', 'sub', JSON.stringify(told));
  const refused = await ask('desk');
  check(refused.status !== 200 || JSON.parse(refused.body).active === false, 'one that may not ask was told', refused);
});

await finish(0);

async function whoami(authProvider) {
  const client = new Client({ name: 'machine', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), { authProvider }));
  const result = await client.callTool({ name: 'whoami', arguments: {} });
  await client.close();
  return JSON.parse(result.content[0].text);
}

async function mustBe(authProvider, expected) {
  const who = await whoami(authProvider);
  for (const [name, value] of Object.entries(expected)) equal(who[name], value, name, JSON.stringify(who));
}

async function mustFail(run, words) {
  const result = await run().catch((error) => error);
  check(result instanceof Error, `it was let in: ${JSON.stringify(result)}`);
  const said = `${result.name} ${result.message} ${result.code ?? ''} ${result.errorCode ?? ''}`;
  check(words.test(said), `not refused by ${words}, but: ${said}`);
}

/** A token of the company with these claims. */
async function signed(claims, typ = 'JWT') {
  const answer = await fetch(`${env('COMPANY')}/_sign`, { method: 'POST', body: JSON.stringify({ ...claims, header: { typ } }) });
  return (await answer.json()).token;
}

async function curl(path, token) {
  const { stdout } = await promisify(execFile)('curl', [
    '--silent', '--show-error', '--max-time', '20', '--write-out', '\n%{http_code}',
    '--header', `Authorization: Bearer ${token}`, `${baseUrl}${path}`,
  ]);
  const at = stdout.lastIndexOf('\n');
  return { status: stdout.slice(at + 1), body: stdout.slice(0, at) };
}

async function post(url, body) {
  const response = await fetch(url, { method: 'POST', body, signal: AbortSignal.timeout(20_000) });
  return { method: 'POST', url, status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}
