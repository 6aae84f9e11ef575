// Starts the provider and the interop server on free loopback ports, runs every
// journey against them, and ends with `N passed, 0 failed`. The server runs twice:
// on plain HTTP at the root, and below a path behind a proxy that ends TLS.
// `node run.mjs [journey …]` runs only those named.
//
//   INTEROP_SERVER, INTEROP_CLIENT   binaries; default: the cargo examples, debug build
//   SCREENSHOT_DIR                   where the browser journey leaves its pictures
//   CHROMIUM                         default /usr/bin/chromium
//   VERBOSE=1                        the servers' log as it comes

import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

import { startEdge } from './edge.mjs';
import { firstLine, freePort, start, stopAll } from './processes.mjs';
import { until } from './steps.mjs';

const here = import.meta.dirname;
const examples = join(process.env.CARGO_TARGET_DIR ?? resolve(here, '../../target'), 'debug/examples');
const ALL = [
  { file: 'journey-sdk.mjs' },
  { file: 'journey-client.mjs' },
  { file: 'journey-rmcp.mjs' },
  { file: 'browser.mjs' },
  { file: 'journey-client.mjs', behindTls: true },
  { file: 'browser.mjs', behindTls: true },
];
const JOURNEY_LIMIT_SECONDS = 300;
// Short enough to watch tokens expire, long enough for a slow machine to use one.
const ACCESS_TOKEN_TTL = '6';
const UPSTREAM_ACCESS_TOKEN_TTL = '8';

let edge;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(1));

const chosen = process.argv.slice(2);
const journeys = chosen.length > 0 ? ALL.filter(({ file }) => chosen.some((name) => file.includes(name))) : ALL;
if (journeys.length === 0) {
  console.log(`no journey is called ${chosen.join(' ')}; there are: ${[...new Set(ALL.map(({ file }) => file))].join(' ')}`);
  process.exit(2);
}

// The proxy as `localhost`, the provider as `127.0.0.1`: two sites, as in real life, for cookies and CSP.
edge = await startEdge();
const ports = [await freePort(), await freePort()];
edge.forwardTo(ports[1]);
const plainUrl = `http://localhost:${ports[0]}`;
const tlsUrl = `${edge.origin}/team/api`;
const scopes = 'openid profile email';

const provider = await startProvider([plainUrl, tlsUrl]);
const plain = await startServer(ports[0], plainUrl);
const behindTls = await startServer(ports[1], tlsUrl);

let passed = 0;
let failed = 0;
for (const journey of journeys) await runJourney(journey);
console.log(`${passed} passed, ${failed} failed`);
await end(failed === 0 && passed > 0 ? 0 : 1);

async function startProvider(baseUrls) {
  const child = start('provider', process.execPath, ['--no-deprecation', join(here, 'provider.mjs')], {
    BASE_URLS: baseUrls.join(' '),
    ACCESS_TOKEN_TTL: UPSTREAM_ACCESS_TOKEN_TTL,
  });
  return await firstLine(child) ?? fail(`the provider did not start:\n${child.tail()}`);
}

async function startServer(port, baseUrl) {
  const binary = process.env.INTEROP_SERVER ?? join(examples, 'interop_server');
  const child = start('server', binary, process.env.INTEROP_SERVER_ARGS?.split(' ') ?? [], {
    LISTEN: `127.0.0.1:${port}`,
    BASE_URL: baseUrl,
    PROTECTED_PATH: '/mcp',
    UPSTREAM_AUTHORIZE_URL: provider.authorize,
    UPSTREAM_TOKEN_URL: provider.token,
    UPSTREAM_REVOCATION_URL: provider.revocation,
    UPSTREAM_USERINFO_URL: provider.userinfo,
    UPSTREAM_CLIENT_ID: provider.client_id,
    UPSTREAM_CLIENT_SECRET: provider.client_secret,
    SCOPES: scopes,
    SECRET_KEY: 'an operator secret for the interop journeys only',
    STORAGE: 'memory',
    CONSENT: 'always',
    ACCESS_TOKEN_TTL,
  });
  await until('the server to listen', 30, async () => {
    if (child.process.exitCode !== null || child.process.spawnError) await fail(`the server did not start:\n${child.tail()}`);
    return fetch(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`).then(() => true, () => false);
  }).catch((error) => fail(`${error.message}\n${child.tail()}`));
  return { baseUrl, tail: child.tail };
}

async function runJourney({ file, behindTls: secure }) {
  console.log(`--- ${file}${secure ? ' (below a path, behind TLS)' : ''}`);
  const server = secure ? behindTls : plain;
  const child = start(file, process.execPath, [join(here, file)], {
    MCP_URL: `${server.baseUrl}/mcp`,
    BASE_URL: server.baseUrl,
    NODE_EXTRA_CA_CERTS: edge.certificate,
    PROVIDER_ISSUER: provider.issuer,
    TITLE_SUFFIX: secure ? ', TLS' : '',
    SCOPES: scopes,
    ACCESS_TOKEN_TTL,
    UPSTREAM_ACCESS_TOKEN_TTL,
    INTEROP_CLIENT: process.env.INTEROP_CLIENT ?? join(examples, 'interop_client'),
    SCREENSHOT_DIR: process.env.SCREENSHOT_DIR ?? join(tmpdir(), 'tower-oauth-proxy-screenshots'),
  }, console.log);
  let failures = 0;
  child.lines.on('line', (line) => {
    if (line.startsWith('ok ')) passed += 1;
    if (line.startsWith('FAILED ')) failures += 1;
  });
  let late = false;
  const limit = setTimeout(() => { late = true; child.process.kill('SIGTERM'); }, JOURNEY_LIMIT_SECONDS * 1000);
  const [code] = await once(child.process, 'close');
  clearTimeout(limit);
  if (code === 0 && failures === 0) return;
  failed += Math.max(failures, 1);
  if (late) console.log(`FAILED ${file}: not done within ${JOURNEY_LIMIT_SECONDS} s`);
  else if (failures === 0) console.log(`FAILED ${file}: exit code ${code}\n${child.tail()}`);
  console.log(`the server’s last lines:\n${server.tail()}`);
}

async function fail(message) {
  console.log(`FAILED ${message}\n0 passed, 1 failed`);
  await end(1);
}

async function end(code) {
  stopAll();
  await edge?.stop();
  process.exit(code);
}
