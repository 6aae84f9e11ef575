// A service in another language, which verifies this server's tokens by its key set alone (npm jose), while the
// server's key is replaced in two restarts: first the new key is published, then it signs.
// `node journey-key-set.mjs`, with the environment of run.mjs.

import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { newKey } from './company.mjs';
import { freePort, start } from './processes.mjs';
import { atEnd, check, env, equal, finish, journey, until } from './steps.mjs';

const step = journey('key set');
const port = await freePort();
const baseUrl = `http://localhost:${port}`;
const resource = `${baseUrl}/who`;
const secret = 'a secret of a machine in the journeys';
const folder = await mkdtemp(join(tmpdir(), 'tower-oauth-proxy-keys-'));
atEnd(() => rm(folder, { recursive: true, force: true }));
const [old, next] = [await newKey(join(folder, 'old.pem')), await newKey(join(folder, 'next.pem'))];

let server = await step('a server starts that signs with a key of its own', () => startServer([old]));
const { jwks_uri: keySetUrl } = await (await fetch(`${baseUrl}/.well-known/oauth-authorization-server`)).json();
// The service of a neighbour, which runs all the while. It may ask again at once for a key it does not know.
const keySet = createRemoteJWKSet(new URL(keySetUrl), { cooldownDuration: 0 });

const before = await step('a service knows by the key set whose token it is, and for what', async () => {
  const token = await newToken();
  equal(await verified(token), old.jwk.kid, 'kid');
  const other = jwtVerify(token, keySet, { issuer: baseUrl, audience: 'https://other.example' });
  check(await other.then(() => false, () => true), 'it is good for another audience');
  const [head, body, signature] = token.split('.');
  const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  check(await verified(forged).then(() => false, () => true), 'a forged one is good');
  return token;
});

await step('the key set is published for anyone, and may be kept', async () => {
  const answer = await fetch(keySetUrl, { headers: { origin: 'https://page.example' } });
  equal(answer.headers.get('access-control-allow-origin'), '*', 'access-control-allow-origin');
  check(/max-age=\d/.test(answer.headers.get('cache-control') ?? ''), `cache-control: ${answer.headers.get('cache-control')}`);
  for (const key of (await answer.json()).keys) check(!('d' in key) && !('k' in key), `a secret is published: ${Object.keys(key)}`);
});

await step('first roll: the new key is published, the old one signs', async () => {
  server = await replaced([old, next]);
  equal(await verified(before), old.jwk.kid, 'kid of the token from before');
  equal(await verified(await newToken()), old.jwk.kid, 'kid');
  check((await publishedKids()).includes(next.jwk.kid), 'the new key is not published');
});

const after = await step('second roll: the new key signs, and tokens of the old one are still good', async () => {
  server = await replaced([next, old]);
  const token = await newToken();
  equal(await verified(token), next.jwk.kid, 'kid');
  equal(await verified(before), old.jwk.kid, 'kid of the token from before');
  equal((await call(before)).status, 200, 'status of a call with the token from before');
  return token;
});

await step('the old key is taken away: its tokens are good no more, the new one’s are', async () => {
  server = await replaced([next]);
  equal((await publishedKids()).join(), next.jwk.kid, 'keys');
  equal((await call(before)).status, 401, 'status of a call with the token from before');
  equal((await call(after)).status, 200, 'status of a call with the new one');
  const anew = createRemoteJWKSet(new URL(keySetUrl));
  check(await jwtVerify(before, anew).then(() => false, () => true), 'a service that asks anew takes the old token');
});

server.process.kill();
await finish(0);

/** Who signed it, where it is right for the service. */
async function verified(token) {
  const { payload } = await jwtVerify(token, keySet, { issuer: baseUrl, audience: resource, typ: 'at+jwt' });
  equal(payload.sub, 'machine', 'sub');
  return decodeProtectedHeader(token).kid;
}

async function newToken() {
  const answer = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`machine:${encodeURIComponent(secret)}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  equal(answer.status, 200, 'status of the token endpoint');
  return (await answer.json()).access_token;
}

function call(token) {
  return fetch(`${baseUrl}/who`, { headers: { authorization: `Bearer ${token}` } });
}

async function publishedKids() {
  return (await (await fetch(keySetUrl)).json()).keys.map(({ kid }) => kid);
}

async function replaced(keys) {
  server.process.kill();
  await once(server.process, 'close');
  return startServer(keys);
}

/** The first key signs. */
async function startServer(keys) {
  const child = start('server', env('INTEROP_SERVER'), [], {
    LISTEN: `127.0.0.1:${port}`,
    BASE_URL: baseUrl,
    UPSTREAM_ISSUER: '',
    UPSTREAM_AUTHORIZE_URL: `${env('PROVIDER_ISSUER')}/auth`,
    UPSTREAM_TOKEN_URL: `${env('PROVIDER_ISSUER')}/token`,
    UPSTREAM_USERINFO_URL: `${env('PROVIDER_ISSUER')}/me`,
    UPSTREAM_CLIENT_ID: 'any',
    UPSTREAM_CLIENT_SECRET: 'a client secret that the journey does not use',
    SCOPES: 'openid',
    SECRET_KEY: 'an operator secret for the interop journeys only',
    STORAGE: 'memory',
    SIGNING_KEY_FILE: keys.map(({ file }) => file).join(','),
    CLIENTS_FILE: JSON.stringify([{ id: 'machine', secret, machine: true, scopes: ['openid'] }]),
  });
  atEnd(() => child.process.kill());
  await until('the server to listen', 30, async () => {
    if (child.process.exitCode !== null) throw new Error(`the server did not start:\n${child.tail()}`);
    return fetch(`${baseUrl}/.well-known/oauth-authorization-server`).then(() => true, () => false);
  });
  return child;
}
