// One real provider behind the proxy, by discovery alone: login, renewal, a new key, revocation, an account that is
// disabled meanwhile; and what only some can: introspection, `private_key_jwt`, token exchange.
// `node provider-journey.mjs`, with the environment of real-providers.mjs.

import { createHash, randomBytes } from 'node:crypto';

import { Agent } from './agent.mjs';
import { check, env, equal, finish, journey, sleep } from './steps.mjs';

const step = journey(env('TITLE'));
const baseUrl = env('BASE_URL');
const { CAN_EXCHANGE: canExchange } = process.env;
const isPassthrough = env('MODE') === 'passthrough';
const upstreamTtl = Number(env('UPSTREAM_ACCESS_TOKEN_TTL'));
const redirectUri = 'http://127.0.0.1:49152/callback';
const pastUpstreamToken = () => sleep(upstreamTtl * 1000 + 1500);

const client = await step('the client registers', async () => {
  const answer = await post(`${baseUrl}/oauth/register`, JSON.stringify({
    client_name: 'Provider journey',
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
  }), { 'content-type': 'application/json' });
  equal(answer.status, 201, 'status', answer);
  return JSON.parse(answer.body).client_id;
});

let alice = await step('the person logs in, by what discovery said', () => login('alice'));
await step('the token lets in, and says who', () => mustBe('alice', alice));

if (isPassthrough) {
  await step('a token that the provider does not know is refused', async () => {
    const answer = await get(`${alice.access_token}x`);
    equal(answer.status, 401, 'status', answer);
  });
  await step('the provider’s token ends, and is refused', async () => {
    await pastUpstreamToken();
    equal((await get(alice.access_token)).status, 401, 'status');
  });
}

await step('the provider’s token is renewed when it has ended', async () => {
  if (!isPassthrough) await pastUpstreamToken();
  alice = await refreshed(alice);
  await mustBe('alice', alice);
});

await step('the provider signs with a new key: a login that follows is accepted', async () => {
  await control('rotate=1');
  const bob = await login('bob');
  await mustBe('bob', bob);
});

await step('… and so is a renewal of a grant from before', async () => {
  await pastUpstreamToken();
  alice = await refreshed(alice);
  await mustBe('alice', alice);
});

if (canExchange) {
  await step('a handler gets a token for another audience, on behalf of the person', async () => {
    const answer = await get(alice.access_token, '/on-behalf-of?audience=https://other.example');
    equal(answer.status, 200, 'status', answer);
    const { exchanged } = await control('');
    check(exchanged.includes('https://other.example'), `the provider saw ${JSON.stringify(exchanged)}`);
  });
}

await step('the client revokes, and the provider hears of it', async () => {
  const before = await control('');
  const bob = await login('bob');
  const token = isPassthrough ? bob.refresh_token : bob.access_token;
  const answer = await form('revoke', { token });
  equal(answer.status, 200, 'status', answer);
  const after = await control('');
  check(after.revocations > before.revocations, `the provider was asked for no revocation: ${JSON.stringify(after)}`);
  const refresh = await form('token', { grant_type: 'refresh_token', refresh_token: bob.refresh_token });
  equal(refresh.status, 400, 'status of a refresh after the revocation', refresh);
  equal(JSON.parse(refresh.body).error, 'invalid_grant', 'error', refresh);
});

await step('an account that is disabled meanwhile is let in no more', async () => {
  await control('disable=alice');
  await pastUpstreamToken();
  const answer = await get(alice.access_token);
  const refresh = await form('token', { grant_type: 'refresh_token', refresh_token: alice.refresh_token });
  // A refusal that speaks of the request may be a mistake of the operator: the grant is kept for a day, and closed.
  const [status, refreshStatus, error] = env('REFUSES_BY') === 'invalid_request'
    ? [503, 503, 'temporarily_unavailable'] : [401, 400, 'invalid_grant'];
  equal(answer.status, status, 'status', answer);
  equal(refresh.status, refreshStatus, 'status of a refresh', refresh);
  equal(JSON.parse(refresh.body).error, error, 'error', refresh);
});

await finish(0);

/** A whole login of one person in a browser of their own. */
async function login(person) {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${baseUrl}/oauth/authorize`);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: client,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: env('SCOPES'),
    state: person,
  });
  const agent = new Agent({ login: person });
  const callback = await agent.authorize(url, redirectUri);
  const code = callback.searchParams.get('code');
  check(code, `the callback carries no code: ${callback}; the browser went ${agent.trail()}`);
  const answer = await form('token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: redirectUri });
  equal(answer.status, 200, 'status of the redemption', answer);
  return JSON.parse(answer.body);
}

async function refreshed({ refresh_token: refreshToken }) {
  const answer = await form('token', { grant_type: 'refresh_token', refresh_token: refreshToken });
  equal(answer.status, 200, 'status of the refresh', answer);
  return { refresh_token: refreshToken, ...JSON.parse(answer.body) };
}

async function mustBe(person, { access_token: token }) {
  const answer = await get(token);
  equal(answer.status, 200, 'status', answer);
  const { subject } = JSON.parse(answer.body);
  equal(subject, JSON.parse(env('SUBJECTS'))[person], 'subject', answer);
}

function get(token, path = '/who') {
  return take(`${baseUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

function form(endpoint, fields) {
  return post(`${baseUrl}/oauth/${endpoint}`, new URLSearchParams({ ...fields, client_id: client }));
}

async function control(body) {
  const answer = await post(env('PROVIDER_CONTROL'), new URLSearchParams(body));
  equal(answer.status, 200, 'status', answer);
  return JSON.parse(answer.body);
}

function post(url, body, headers = {}) {
  return take(url, { method: 'POST', body, headers });
}

async function take(url, init) {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(20_000), ...init });
  return { method: init.method, url, status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
}
