// Real OpenID providers behind the proxy, each known by its issuer alone: npm oidc-provider, django-oauth-toolkit and
// Canaille. Starts each on a free loopback port, the interop server in front of it, and runs one journey against
// them; ends with `N passed, 0 failed`. `node real-providers.mjs [title …]` runs only those whose title holds a word.
//
//   INTEROP_SERVER          binary; default: the cargo example, debug build
//   PYTHON_DJANGO           a Python that has django-oauth-toolkit
//   PYTHON_CANAILLE         one that has canaille[front,oidc]
//   VERBOSE=1               the servers' log as it comes

import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

import { calculateJwkThumbprint } from 'jose';

import { freePort, start, startReady, stopAll } from './processes.mjs';
import { env, until } from './steps.mjs';

const here = import.meta.dirname;
const examples = join(process.env.CARGO_TARGET_DIR ?? resolve(here, '../../target'), 'debug/examples');
const binary = process.env.INTEROP_SERVER ?? join(examples, 'interop_server');
const JOURNEY_LIMIT_SECONDS = 120;
const UPSTREAM_ACCESS_TOKEN_TTL = '4';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const folder = mkdtempSync(join(tmpdir(), 'interop-'));
const keyFile = join(folder, 'key.pem');
writeFileSync(keyFile, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
const jwk = publicKey.export({ format: 'jwk' });
const CLIENT_JWK = JSON.stringify({ ...jwk, kid: await calculateJwkThumbprint(jwk), use: 'sig', alg: 'ES256' });

const node = [process.execPath, '--no-deprecation', join(here, 'provider.mjs')];
const names = { alice: 'alice', bob: 'bob' };
const ALL = [
  { title: 'oidc-provider', command: node, subjects: names, exchange: 'yes' },
  {
    title: 'oidc-provider, private_key_jwt',
    command: node,
    subjects: names,
    exchange: 'yes',
    server: ({ client_id: id }) => ({
      UPSTREAM_CLIENT_ID: `${id}-with-key`, UPSTREAM_CLIENT_SECRET: '', UPSTREAM_KEY_FILE: keyFile,
    }),
  },
  {
    title: 'oidc-provider, introspection',
    command: node,
    subjects: names,
    server: ({ introspection }) => ({ TOKEN_SWAP: 'false', UPSTREAM_INTROSPECTION_URL: introspection }),
  },
  {
    title: 'django-oauth-toolkit',
    command: [env('PYTHON_DJANGO', 'python3'), join(here, 'providers/django_toolkit.py')],
    subjects: { alice: '1', bob: '2' },
    // Its document leaves this one out.
    server: ({ issuer }) => ({ UPSTREAM_REVOCATION_URL: `${issuer}/revoke_token/` }),
  },
  {
    title: 'canaille',
    command: [env('PYTHON_CANAILLE', 'python3'), join(here, 'providers/canaille_server.py')],
    subjects: names,
    // Of an account that is locked it says: invalid_request, There is no 'user' for this token.
    refusesBy: 'invalid_request',
  },
];

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(1));
const chosen = process.argv.slice(2);
const wanted = ALL.filter(({ title }) => chosen.length === 0 || chosen.some((word) => title.includes(word)));

let passed = 0;
let failed = 0;
for (const one of wanted) await run(one);
console.log(`${passed} passed, ${failed} failed`);
end(failed === 0 && passed > 0 ? 0 : 1);

async function run({ title, command: [command, ...args], subjects, exchange = '', refusesBy = 'invalid_grant', server: more = () => ({}) }) {
  console.log(`--- ${title}`);
  const port = await freePort();
  const baseUrl = `http://localhost:${port}`;
  const { child: provider, about } = await startReady('provider', command, args, {
    BASE_URLS: baseUrl, ACCESS_TOKEN_TTL: UPSTREAM_ACCESS_TOKEN_TTL, CLIENT_JWK,
  });
  if (!about) return fault(`${title}: the provider did not start`, provider);
  const server = start('server', binary, [], {
    LISTEN: `127.0.0.1:${port}`,
    BASE_URL: baseUrl,
    UPSTREAM_ISSUER: about.issuer,
    UPSTREAM_CLIENT_ID: about.client_id,
    UPSTREAM_CLIENT_SECRET: about.client_secret,
    SCOPES: 'openid profile email',
    SECRET_KEY: 'an operator secret for the interop journeys only',
    STORAGE: 'memory',
    SESSION_CACHE_TTL: '1',
    RUST_LOG: 'info',
    ...more(about),
  });
  try {
    await until('the server to listen', 30, async () => {
      if (server.process.exitCode !== null) throw new Error('it has ended');
      return fetch(`${baseUrl}/.well-known/oauth-authorization-server`).then(() => true, () => false);
    });
  } catch (error) {
    return fault(`${title}: the server did not start: ${error.message}`, server);
  }
  const journey = start('journey', process.execPath, [join(here, 'provider-journey.mjs')], {
    TITLE: title,
    BASE_URL: baseUrl,
    MODE: more(about).TOKEN_SWAP === 'false' ? 'passthrough' : 'swap',
    PROVIDER_CONTROL: about.control,
    SUBJECTS: JSON.stringify(subjects),
    SCOPES: 'openid profile email',
    UPSTREAM_ACCESS_TOKEN_TTL,
    CAN_EXCHANGE: exchange,
    REFUSES_BY: refusesBy,
  }, console.log);
  let failures = 0;
  journey.lines.on('line', (line) => {
    if (line.startsWith('ok ')) passed += 1;
    if (line.startsWith('FAILED ')) failures += 1;
  });
  const limit = setTimeout(() => journey.process.kill('SIGTERM'), JOURNEY_LIMIT_SECONDS * 1000);
  const [code] = await once(journey.process, 'close');
  clearTimeout(limit);
  if (code !== 0 || failures > 0) {
    fault(`${title}: exit code ${code}`, server);
    console.log(`the provider’s last lines:\n${provider.tail()}`);
  }
  for (const child of [server, provider]) child.process.kill('SIGTERM');
}

function fault(message, { tail }) {
  failed += 1;
  console.log(`FAILED ${message}\n${tail()}`);
}

function end(code) {
  rmSync(folder, { recursive: true, force: true });
  stopAll();
  process.exit(code);
}
