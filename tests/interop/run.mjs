// Starts the provider and the interop server on free loopback ports, runs every
// journey against them, and ends with `N passed, 0 failed`. The server runs several times:
// on plain HTTP at the root, below a path behind a proxy that ends TLS, with all that
// lets in other clients than those that register, and machines (anyone.mjs), and for what browsers meet
// nowhere else (PLACES).
// A journey whose browser let it down runs once more, in a new process and a new browser.
// `node run.mjs [journey …]` runs only those named.
//
//   INTEROP_SERVER, INTEROP_CLIENT, NEW_API_KEY   binaries; default: the cargo examples, debug build
//   SCREENSHOT_DIR                   where the browser journey leaves its pictures
//   CHROMIUM, FIREFOX                default /usr/bin/chromium, /usr/bin/firefox-esr
//   PAGES                            a folder of pages (src/page/tests/gallery.rs); unset, they are not looked at
//   PYTHON_MCP                       a Python that has mcp and fastmcp; unset, their journeys are left out
//   VERBOSE=1                        the servers' log as it comes

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

import { anyone } from './anyone.mjs';
import { makeCertificate } from './certificate.mjs';
import { startCompany } from './company.mjs';
import { startEdge } from './edge.mjs';
import { freePort, start, startReady, stopAll } from './processes.mjs';
import { STEP_UP } from './step-up.mjs';
import { until, UNDECIDED } from './steps.mjs';

const here = import.meta.dirname;
const HURRY_SECONDS = '8';
const BROWSER_LIMIT_SECONDS = 300;
const GALLERY_LIMIT_SECONDS = 480;
const examples = join(process.env.CARGO_TARGET_DIR ?? resolve(here, '../../target'), 'debug/examples');
const ALL = [
  { file: 'journey-sdk.mjs' },
  { file: 'journey-client.mjs' },
  { file: 'journey-rmcp.mjs' },
  { file: 'journey-conformance.mjs' },
  { file: 'journey-document.mjs', at: 'anyone' },
  { file: 'journey-machine.mjs', at: 'anyone' },
  { file: 'journey-rmcp-machine.mjs', at: 'anyone' },
  ...process.env.PYTHON_MCP ? [{ file: 'journey-python.mjs', at: 'anyone' }] : [],
  { file: 'journey-key-set.mjs', at: 'anyone' },
  { file: 'journey-step-up.mjs', at: 'stepUp' },
  { file: 'journey-step-up-sdk.mjs', at: 'stepUp' },
  { file: 'journey-step-up-rmcp.mjs', at: 'stepUp' },
  { file: 'journey-step-up-remote.mjs', at: 'stepUp' },
  ...process.env.PYTHON_MCP ? [{ file: 'journey-step-up-python.mjs', at: 'stepUp', tries: 2 }] : [],
  { file: 'browser.mjs', tries: 2 },
  { file: 'journey-client.mjs', at: 'behindTls' },
  { file: 'browser.mjs', at: 'behindTls', tries: 2 },
  // browser.mjs is in Chromium at both places.
  { file: 'browsers/logins.mjs', browser: 'chromium', tries: 2, limit: BROWSER_LIMIT_SECONDS },
  { file: 'browsers/logins.mjs', browser: 'firefox', at: 'behindTls', tries: 2, limit: BROWSER_LIMIT_SECONDS },
  ...inEachBrowser({ file: 'browsers/troubles.mjs' }),
  ...inEachBrowser({ file: 'browsers/posted.mjs', at: 'formPost' }),
  ...inEachBrowser({ file: 'browsers/expired.mjs', at: 'hurried' }),
  ...inEachBrowser({ file: 'browsers/account.mjs', at: 'planted' }),
  ...process.env.PAGES ? inEachBrowser({ file: 'browsers/gallery.mjs', limit: GALLERY_LIMIT_SECONDS }) : [],
];
const PLACES = {
  plain: {},
  behindTls: { title: ' (below a path, behind TLS)', suffix: ', TLS' },
  anyone: { title: ' (for anyone)', suffix: '' },
  stepUp: { title: ' (tools that need more)', suffix: '', environment: STEP_UP },
  formPost: { title: ' (a provider that posts its answer)', environment: { UPSTREAM_FORM_POST: 'on' } },
  planted: { title: ' (where others plant cookies)', environment: { COOKIE_PREFIX: '__Secure-' } },
  hurried: { title: ' (who has to be quick)', environment: { TRANSACTION_TTL: HURRY_SECONDS }, told: { LOGIN_SECONDS: HURRY_SECONDS } },
};
const JOURNEY_LIMIT_SECONDS = 150;
const STOPPING_LIMIT_SECONDS = 10;
// Short enough to watch tokens expire, long enough for a slow machine to use one.
const ACCESS_TOKEN_TTL = '6';
const UPSTREAM_ACCESS_TOKEN_TTL = '8';

let folder;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(1));

const chosen = process.argv.slice(2);
const journeys = chosen.length > 0 ? ALL.filter(({ file }) => chosen.some((name) => file.includes(name))) : ALL;
if (journeys.length === 0) {
  console.log(`no journey is called ${chosen.join(' ')}; there are: ${[...new Set(ALL.map(({ file }) => file))].join(' ')}`);
  process.exit(2);
}

// The proxy as `localhost`, the provider as `127.0.0.1`: two sites, as in real life, for cookies and CSP.
folder = await mkdtemp(join(tmpdir(), 'tower-oauth-proxy-interop-'));
const certificate = await makeCertificate(folder);
const edges = { behindTls: await startEdge(certificate), planted: await startEdge(certificate) };
const ports = {};
const urls = {};
for (const at of Object.keys(PLACES)) {
  ports[at] = await freePort();
  urls[at] = `http://localhost:${ports[at]}`;
}
for (const [at, edge] of Object.entries(edges)) {
  edge.forwardTo(ports[at]);
  urls[at] = `${edge.origin}/team/api`;
}
const scopes = 'openid profile email';

const provider = await startProvider(Object.values(urls));
const company = await startCompany(certificate, folder);
PLACES.anyone = { ...PLACES.anyone, ...await anyone({ company, folder, baseUrl: urls.anyone, certificate, newApiKey: example('new_api_key') }) };
const servers = {};
for (const [at, about] of Object.entries(PLACES)) {
  if (journeys.some(({ at: place = 'plain' }) => place === at)) servers[at] = await startServer(ports[at], urls[at], about);
}

let passed = 0;
let failed = 0;
for (const journey of journeys) await runJourney(journey);
console.log(`${passed} passed, ${failed} failed`);
await end(failed === 0 && passed > 0 ? 0 : 1);

async function startProvider(baseUrls) {
  const { child, about } = await startReady('provider', process.execPath, ['--no-deprecation', join(here, 'provider.mjs')], {
    BASE_URLS: baseUrls.join(' '),
    ACCESS_TOKEN_TTL: UPSTREAM_ACCESS_TOKEN_TTL,
  });
  return about ?? fail(`the provider did not start:\n${child.tail()}`);
}

function example(name) {
  return process.env[name.toUpperCase()] ?? join(examples, name);
}

async function startServer(port, baseUrl, { environment = {}, told = {} } = {}) {
  const child = start('server', example('interop_server'), process.env.INTEROP_SERVER_ARGS?.split(' ') ?? [], {
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
    ...environment,
  });
  await until('the server to listen', 30, async () => {
    if (child.process.exitCode !== null || child.process.spawnError) await fail(`the server did not start:\n${child.tail()}`);
    return fetch(`http://127.0.0.1:${port}/.well-known/oauth-authorization-server`).then(() => true, () => false);
  }).catch((error) => fail(`${error.message}\n${child.tail()}`));
  return { baseUrl, told, tail: child.tail };
}

/** A browser may let a journey down: it has two tries in each. */
function inEachBrowser(journey) {
  return ['chromium', 'firefox'].map((browser) => ({ limit: BROWSER_LIMIT_SECONDS, ...journey, browser, tries: 2 }));
}

async function runJourney({ file, at = 'plain', browser, tries = 1, limit = JOURNEY_LIMIT_SECONDS }) {
  const title = `${file}${browser ? `, ${browser}` : ''}${PLACES[at].title ?? ''}`;
  console.log(`--- ${title}`);
  for (let left = tries - 1; ; left -= 1) {
    const { steps, faults, isUndecided } = await tryJourney({ file, at, browser, limit });
    if (faults.length > 0 && isUndecided && left > 0) {
      console.log(`--- ${title} once more: its browser let it down, and nothing was found wrong`);
      continue;
    }
    passed += steps;
    failed += faults.length;
    if (isUndecided) console.log(`FAILED ${title}: nothing was proven in ${tries === 1 ? 'its one try' : `${tries} tries`}`);
    if (faults.length > 0) console.log(`the server’s last lines:\n${servers[at].tail()}`);
    return;
  }
}

/** How many steps passed, and what failed. */
async function tryJourney({ file, at, browser, limit }) {
  const server = servers[at];
  const child = start(file, process.execPath, [join(here, file)], {
    MCP_URL: `${server.baseUrl}/mcp`,
    BASE_URL: server.baseUrl,
    NODE_EXTRA_CA_CERTS: certificate.authority,
    PROVIDER_ISSUER: provider.issuer,
    TITLE_SUFFIX: PLACES[at].suffix ?? '',
    SCOPES: scopes,
    ACCESS_TOKEN_TTL,
    UPSTREAM_ACCESS_TOKEN_TTL,
    ...server.told,
    ...browser ? { BROWSER: browser } : {},
    INTEROP_SERVER: example('interop_server'),
    INTEROP_CLIENT: example('interop_client'),
    SCREENSHOT_DIR: process.env.SCREENSHOT_DIR ?? join(tmpdir(), 'tower-oauth-proxy-screenshots'),
  }, console.log);
  let steps = 0;
  const faults = [];
  child.lines.on('line', (line) => {
    if (line.startsWith('ok ')) steps += 1;
    if (line.startsWith('FAILED ')) faults.push(line);
  });
  const { code, isLate } = await ending(child.process, limit);
  const isUndecided = faults.length === 0 && (isLate || code === UNDECIDED);
  if (faults.length === 0 && code !== 0) {
    const what = isLate ? `not done within ${limit} s` : `exit code ${code}`;
    faults.push(what);
    console.log(`${isUndecided ? 'UNDECIDED' : 'FAILED'} ${file}: ${what}`);
    if (!isUndecided) console.log(child.tail());
  }
  return { steps, faults, isUndecided };
}

/** Of a journey, which is asked to end when its time is up, and then made to. */
async function ending(journey, seconds) {
  let isLate = false;
  const limit = setTimeout(() => { isLate = true; journey.kill('SIGTERM'); }, seconds * 1000);
  const end = setTimeout(() => journey.kill('SIGKILL'), (seconds + STOPPING_LIMIT_SECONDS) * 1000);
  const [code, signal] = await once(journey, 'close');
  clearTimeout(limit);
  clearTimeout(end);
  return { code: code ?? signal, isLate };
}

async function fail(message) {
  console.log(`FAILED ${message}\n0 passed, 1 failed`);
  await end(1);
}

async function end(code) {
  stopAll();
  if (folder) await rm(folder, { recursive: true, force: true });
  process.exit(code);
}
