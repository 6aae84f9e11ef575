// An https host of the run's own, with what the proxy fetches from others: the documents and keys of clients, and a
// company's identity provider, which signs access tokens, and gives out identity assertions (ID-JAG) by token
// exchange (RFC 8693).
//
//   /clients/…    client ID metadata documents, and a key set
//   /idp          the issuer: discovery, /idp/jwks, /idp/token
//   /idp/_sign    for the journeys alone: a POST of claims and header, signed by the company

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';

import { calculateJwkThumbprint, decodeJwt, SignJWT } from 'jose';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
export const CALLBACK = 'http://127.0.0.1:49152/callback';

/** An ES256 key: as PEM in a file, and its public half. */
export async function newKey(file) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  const jwk = publicKey.export({ format: 'jwk' });
  return { file, privateKey, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'ES256' } };
}

export async function startCompany({ key, cert }, folder) {
  const clientKey = await newKey(join(folder, 'client-key.pem'));
  const companyKey = await newKey(join(folder, 'company-key.pem'));
  const server = https.createServer({ key, cert });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `https://localhost:${server.address().port}`;
  const issuer = `${origin}/idp`;
  const clients = { open: `${origin}/clients/open.json`, withKey: `${origin}/clients/with-key.json` };

  const client = (url, more) => ({
    client_id: url,
    client_name: 'Client with a document',
    client_uri: origin,
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    ...more,
  });
  const documents = {
    '/clients/open.json': client(clients.open, { token_endpoint_auth_method: 'none' }),
    '/clients/with-key.json': client(clients.withKey, {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks_uri: `${origin}/clients/keys.json`,
    }),
    '/clients/keys.json': { keys: [clientKey.jwk] },
    '/idp/.well-known/openid-configuration': {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      grant_types_supported: [EXCHANGE],
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    },
    '/idp/jwks': { keys: [companyKey.jwk] },
  };
  const asked = {};

  const sign = (claims, { typ = 'JWT' } = {}) => new SignJWT({ jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: companyKey.jwk.kid, typ })
    .setIssuer(issuer)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(companyKey.privateKey);

  /** The person's ID token becomes an assertion for one client at one authorization server. */
  async function exchange(form) {
    const { sub, aud } = decodeJwt(form.get('subject_token'));
    const resource = form.get('resource') ?? undefined;
    const scope = form.get('scope') ?? undefined;
    const assertion = await sign(
      { sub, aud: form.get('audience'), client_id: aud, resource, scope, email: `${sub}@example.com`, email_verified: true },
      { typ: 'oauth-id-jag+jwt' },
    );
    return { access_token: assertion, issued_token_type: ID_JAG, token_type: 'N_A', expires_in: 300, scope };
  }

  server.on('request', async (request, response) => {
    const { pathname } = new URL(request.url, origin);
    asked[pathname] = (asked[pathname] ?? 0) + 1;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    let answer = documents[pathname];
    if (pathname === '/idp/token') answer = await exchange(new URLSearchParams(body));
    if (pathname === '/idp/_sign') {
      const { header, ...claims } = JSON.parse(body);
      answer = { token: await sign(claims, header) };
    }
    if (pathname === '/_asked') answer = asked;
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  return { origin, issuer, clients, clientKey };
}
