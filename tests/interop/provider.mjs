// A real OpenID provider (npm oidc-provider) with the one app that the proxy has
// there: a confidential client, PKCE required, rotating refresh tokens, short
// access tokens, and the package's own login and consent forms.
//
//   PROVIDER_PORT     loopback port; 0 or unset: any free one
//   BASE_URLS         base URLs of the proxy, with spaces between; their callbacks are its redirect URIs
//   CLIENT_ID, CLIENT_SECRET
//   CLIENT_JWK        a public key; then `{CLIENT_ID}-with-key` authenticates by `private_key_jwt`
//   ACCESS_TOKEN_TTL  seconds, default 3600
//
// Prints one line of JSON when it listens: issuer, endpoints, client. `GET /_seen` and `POST /_control` are for
// the journeys alone: what it has answered so far; and what an administrator does: `rotate=1` signs with a new key,
// `disable=<account>` and `enable=<account>`; and `slow=<ms>`: how long each answer of the token endpoint takes from
// now on.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import process from 'node:process';

import Provider, { errors } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const HOST = '127.0.0.1';
const baseUrls = (process.env.BASE_URLS ?? '').split(' ').filter(Boolean);
if (baseUrls.length === 0) {
  console.error('provider.mjs: BASE_URLS is not set (the proxies whose callback to allow)');
  process.exit(2);
}
const clientId = process.env.CLIENT_ID ?? 'tower-oauth-proxy';
// Characters that differ between raw and form-encoded: Basic credentials are encoded (RFC 6749 2.3.1).
const clientSecret = process.env.CLIENT_SECRET ?? 'interop+secret/with=signs & a space %41';
const accessTokenTtl = Number(process.env.ACCESS_TOKEN_TTL ?? 3600);

const CLIENT = {
  redirect_uris: baseUrls.map((url) => `${url.replace(/\/$/, '')}/oauth/callback`),
  grant_types: ['authorization_code', 'refresh_token', TOKEN_EXCHANGE],
  response_types: ['code'],
};

const server = createServer();
server.listen(Number(process.env.PROVIDER_PORT ?? 0), HOST);
await once(server, 'listening');
const issuer = `http://${HOST}:${server.address().port}`;

const seen = {
  authorization_code: 0, refresh_token: 0, revoked_grants: 0, revocations: 0, keys: 0, introspections: 0, exchanged: [], errors: [],
};
const disabled = new Set();
let slowness = 0;
// What was issued outlives a restart.
const adapter = createMemoryAdapter();
let keys = [newKey('key-1')];
let answer = provider().callback();

/** As after a restart with these keys. */
function provider() {
  const provider = new Provider(issuer, {
    adapter,
    clients: [{
      client_id: clientId,
      client_secret: clientSecret,
      token_endpoint_auth_method: 'client_secret_basic',
      ...CLIENT,
    }, ...process.env.CLIENT_JWK ? [{
      client_id: `${clientId}-with-key`,
      jwks: { keys: [JSON.parse(process.env.CLIENT_JWK)] },
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      ...CLIENT,
    }] : []],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    cookies: { keys: ['a key for tests only'] },
    jwks: { keys },
    scopes: ['openid', 'profile', 'email', 'offline_access', 'notes:read', 'notes:write', 'notes:admin'],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    findAccount: (_ctx, id) => (disabled.has(id) ? undefined : {
      accountId: id,
      claims: () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.com`, email_verified: true }),
    }),
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    ttl: {
      AccessToken: accessTokenTtl,
      AuthorizationCode: 60,
      Grant: 3600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 3600,
      Session: 3600,
    },
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
    },
  });
  provider.on('grant.success', (ctx) => { seen[ctx.oidc.params.grant_type] += 1; });
  provider.on('grant.error', (_ctx, error) => { seen.errors.push(`token: ${describe(error)}`); });
  provider.on('authorization.error', (_ctx, error) => { seen.errors.push(`authorize: ${describe(error)}`); });
  provider.on('revocation.error', (_ctx, error) => { seen.errors.push(`revoke: ${describe(error)}`); });
  provider.on('introspection.error', (_ctx, error) => { seen.errors.push(`introspect: ${describe(error)}`); });
  provider.on('userinfo.error', (_ctx, error) => { seen.errors.push(`userinfo: ${describe(error)}`); });
  provider.on('server_error', (_ctx, error) => { seen.errors.push(`server: ${describe(error)}`); });
  provider.on('grant.revoked', () => { seen.revoked_grants += 1; });
  provider.registerGrantType(TOKEN_EXCHANGE, exchange, ['audience', 'subject_token', 'subject_token_type', 'scope']);
  return provider;
}

/** The package leaves token exchange to its user: a token of this client becomes one for another audience. */
async function exchange(ctx) {
  const { client, params, provider: { AccessToken } } = ctx.oidc;
  const subject = await AccessToken.find(params.subject_token);
  if (!subject || subject.clientId !== client.clientId || !params.audience) {
    throw new errors.InvalidRequest('the subject token or the audience is not right');
  }
  const token = new AccessToken({ accountId: subject.accountId, client, grantId: subject.grantId, gty: 'token_exchange' });
  token.scope = params.scope ?? subject.scope;
  ctx.oidc.entity('AccessToken', token);
  seen.exchanged.push(params.audience);
  ctx.body = {
    access_token: await token.save(),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: token.expiration,
    scope: token.scope,
  };
}

/** `POST /_control`: what an administrator does. */
function control(body) {
  const told = new URLSearchParams(body);
  if (told.has('rotate')) {
    keys = [newKey(`key-${seen.keys + Date.now()}`), ...keys].slice(0, 2);
    answer = provider().callback();
  }
  if (told.has('slow')) slowness = Number(told.get('slow'));
  for (const name of told.getAll('disable')) disabled.add(name);
  for (const name of told.getAll('enable')) disabled.delete(name);
}

function newKey(kid) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

server.on('request', async (request, response) => {
  if (request.url === '/_seen' || request.url === '/_control') {
    if (request.method === 'POST') {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      control(Buffer.concat(chunks).toString('utf8'));
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(seen));
    return;
  }
  if (request.method === 'POST' && request.url === '/token/revocation') seen.revocations += 1;
  if (request.method === 'POST' && request.url === '/token/introspection') seen.introspections += 1;
  if (request.url === '/jwks') seen.keys += 1;
  if (request.url === '/token' && slowness > 0) await new Promise((done) => { setTimeout(done, slowness); });
  answer(request, response);
});

console.log(JSON.stringify({
  issuer,
  authorize: `${issuer}/auth`,
  token: `${issuer}/token`,
  revocation: `${issuer}/token/revocation`,
  userinfo: `${issuer}/me`,
  introspection: `${issuer}/token/introspection`,
  control: `${issuer}/_control`,
  client_id: clientId,
  client_secret: clientSecret,
}));

function describe(error) {
  return [error.error ?? error.name, error.error_description ?? error.message, error.error_detail]
    .filter(Boolean).join(': ');
}
