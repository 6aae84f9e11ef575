// A real OpenID provider (npm oidc-provider) with the one app that the proxy has
// there: a confidential client, PKCE required, rotating refresh tokens, short
// access tokens, and the package's own login and consent forms.
//
//   PROVIDER_PORT     loopback port; 0 or unset: any free one
//   BASE_URLS         base URLs of the proxy, with spaces between; their callbacks are its redirect URIs
//   CLIENT_ID, CLIENT_SECRET
//   ACCESS_TOKEN_TTL  seconds, default 3600
//
// Prints one line of JSON when it listens: issuer, endpoints, client. `GET /_seen`
// tells what it has answered so far, for the journeys' assertions.

import { createServer } from 'node:http';
import { once } from 'node:events';
import process from 'node:process';

import Provider from 'oidc-provider';

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

const server = createServer();
server.listen(Number(process.env.PROVIDER_PORT ?? 0), HOST);
await once(server, 'listening');
const issuer = `http://${HOST}:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: baseUrls.map((url) => `${url.replace(/\/$/, '')}/oauth/callback`),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
  }],
  cookies: { keys: ['a key for tests only'] },
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_ctx, id) => ({
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
    revocation: { enabled: true },
    userinfo: { enabled: true },
  },
});

const seen = { authorization_code: 0, refresh_token: 0, revoked_grants: 0, revocations: 0, errors: [] };
provider.on('grant.success', (ctx) => { seen[ctx.oidc.params.grant_type] += 1; });
provider.on('grant.error', (_ctx, error) => { seen.errors.push(`token: ${describe(error)}`); });
provider.on('authorization.error', (_ctx, error) => { seen.errors.push(`authorize: ${describe(error)}`); });
provider.on('revocation.error', (_ctx, error) => { seen.errors.push(`revoke: ${describe(error)}`); });
provider.on('userinfo.error', (_ctx, error) => { seen.errors.push(`userinfo: ${describe(error)}`); });
provider.on('server_error', (_ctx, error) => { seen.errors.push(`server: ${describe(error)}`); });
provider.on('grant.revoked', () => { seen.revoked_grants += 1; });

const answer = provider.callback();
server.on('request', (request, response) => {
  if (request.url === '/_seen') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(seen));
    return;
  }
  if (request.method === 'POST' && request.url === '/token/revocation') seen.revocations += 1;
  answer(request, response);
});

console.log(JSON.stringify({
  issuer,
  authorize: `${issuer}/auth`,
  token: `${issuer}/token`,
  revocation: `${issuer}/token/revocation`,
  userinfo: `${issuer}/me`,
  client_id: clientId,
  client_secret: clientSecret,
}));

function describe(error) {
  return [error.error ?? error.name, error.error_description ?? error.message, error.error_detail]
    .filter(Boolean).join(': ');
}
