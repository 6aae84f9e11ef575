// The gateway, as people run it: before a FastMCP server and a server of the TypeScript SDK (the very files of
// examples/gateway), and before a published server of standard input and output. Stock clients log in at a real
// provider and call tools. Ends with `N passed, 0 failed`. `node gateway.mjs [place …]` runs only those named.
//
//   GATEWAY           the binary; default: the debug build
//   PYTHON_MCP        a Python that has fastmcp; unset, its server is left out
//   INTEROP_CLIENT    the example of that name; unset, rmcp is left out
//   VERBOSE=1         the servers' log as it comes

import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';

import { childrenOf, isThere } from './gateway/children.mjs';
import { freePort, start, startReady, stopAll } from './processes.mjs';
import { until } from './steps.mjs';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const examples = join(root, 'examples/gateway');
const everything = join(here, 'gateway/node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const JOURNEY_LIMIT_SECONDS = 150;
const READY_WITHIN_SECONDS = 60;
// Short enough to watch tokens expire, long enough for a slow machine to use one.
const ACCESS_TOKEN_TTL = 6;
const UPSTREAM_ACCESS_TOKEN_TTL = 8;
const SCOPES = 'openid profile email';

const { PYTHON_MCP: python, INTEROP_CLIENT: rmcp } = process.env;
const PLACES = {
  ...python ? {
    fastmcp: {
      behind: { command: python, arguments: [join(examples, 'server.py')] },
      config: 'gateway.toml',
      journeys: ['journey-client.mjs', 'gateway/journey-http.mjs', ...rmcp ? ['journey-rmcp.mjs'] : []],
    },
  } : {},
  typescript: {
    behind: { command: process.execPath, arguments: [await beside('server.mjs')] },
    config: 'gateway.toml',
    journeys: ['journey-sdk.mjs', 'gateway/journey-http.mjs'],
  },
  stdio: {
    command: [process.execPath, everything, 'stdio'],
    config: 'stdio.toml',
    // What each request needs: clients ask for that, and for more when a tool wants it.
    environment: { GATEWAY_PATHS_REQUIRED_SCOPES: 'openid' },
    journeys: ['gateway/journey-stdio.mjs'],
  },
};

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(1));
for (const [name, value] of Object.entries({ PYTHON_MCP: python, INTEROP_CLIENT: rmcp })) {
  if (!value) console.log(`without ${name}: what needs it is left out`);
}
const chosen = process.argv.slice(2);
const places = Object.entries(PLACES).filter(([name]) => chosen.length === 0 || chosen.includes(name));
if (places.length === 0) {
  console.log(`no place is called ${chosen.join(' ')}; there are: ${Object.keys(PLACES).join(' ')}`);
  process.exit(2);
}

const ports = {};
for (const [name] of places) ports[name] = await freePort();
const baseUrl = (name) => `http://localhost:${ports[name]}`;
const provider = await startProvider();
let passed = 0;
let failed = 0;
for (const [name, about] of places) await visit(name, about);
console.log(`${passed} passed, ${failed} failed`);
end(failed === 0 && passed > 0 ? 0 : 1);

async function startProvider() {
  const { child, about } = await startReady('provider', process.execPath, ['--no-deprecation', join(here, 'provider.mjs')], {
    BASE_URLS: places.map(([name]) => baseUrl(name)).join(' '),
    ACCESS_TOKEN_TTL: String(UPSTREAM_ACCESS_TOKEN_TTL),
  });
  return about ?? fail(`the provider did not start:\n${child.tail()}`);
}

/** The packages that it imports are found from its own folder. */
async function beside(file) {
  const folder = join(here, 'node_modules/.gateway');
  await mkdir(folder, { recursive: true });
  await copyFile(join(examples, file), join(folder, file));
  return join(folder, file);
}

async function visit(name, { behind, command, config, environment, journeys }) {
  const upstreamPort = behind && await freePort();
  const gateway = start('gateway', process.env.GATEWAY ?? join(root, 'target/debug/tower-oauth-gateway'), [
    '--config', join(examples, config), ...command ? ['--stdio', '--', ...command] : [],
  ], {
    GATEWAY_BASE_URL: baseUrl(name),
    GATEWAY_LISTEN: `127.0.0.1:${ports[name]}`,
    GATEWAY_ADMIN_LISTEN: 'off',
    GATEWAY_PROVIDER_PRESET: 'oidc',
    GATEWAY_PROVIDER_ISSUER: provider.issuer,
    GATEWAY_PROVIDER_CLIENT_ID: provider.client_id,
    GATEWAY_PROVIDER_CLIENT_SECRET: provider.client_secret,
    GATEWAY_PROVIDER_SCOPES: SCOPES,
    // Its ID tokens name no address.
    GATEWAY_PROVIDER_ALWAYS_USERINFO: 'true',
    GATEWAY_KEYS_SECRET: 'an operator secret for the interop journeys only',
    GATEWAY_TOKENS_ACCESS_TOKEN_TTL: `${ACCESS_TOKEN_TTL}s`,
    ...environment,
    ...behind ? { GATEWAY_UPSTREAM_URL: `http://127.0.0.1:${upstreamPort}` } : {},
  });
  const server = behind && await startBehind(behind, upstreamPort);
  await answers('the gateway', gateway, `http://127.0.0.1:${ports[name]}/.well-known/oauth-authorization-server`);
  for (const file of journeys) {
    console.log(`--- ${file} (${name})`);
    await journey(file, {
      TITLE_SUFFIX: `, ${name}`,
      BASE_URL: baseUrl(name),
      MCP_URL: `${baseUrl(name)}/mcp`,
      GATEWAY_PID: String(gateway.process.pid),
      ...behind ? {
        BEHIND: JSON.stringify([behind.command, ...behind.arguments]),
        BEHIND_PORT: String(upstreamPort),
        BEHIND_PID: String(server.process.pid),
      } : {},
    }, gateway);
  }
  await mustStop(name, gateway);
  server?.process.kill('SIGTERM');
}

async function startBehind({ command, arguments: words }, port) {
  const server = start('behind', command, words, { PORT: String(port) });
  await answers('the server behind', server, `http://127.0.0.1:${port}/`);
  return server;
}

async function answers(what, child, url) {
  await until(`${what} to listen`, READY_WITHIN_SECONDS, async () => {
    if (child.process.exitCode !== null || child.process.spawnError) fail(`${what} did not start:\n${child.tail()}`);
    return fetch(url).then(() => true, () => false);
  }).catch((error) => fail(`${error.message}\n${child.tail()}`));
}

async function journey(file, environment, gateway) {
  const child = start(file, process.execPath, [join(here, file)], {
    PROVIDER_ISSUER: provider.issuer,
    SCOPES,
    ACCESS_TOKEN_TTL: String(ACCESS_TOKEN_TTL),
    UPSTREAM_ACCESS_TOKEN_TTL: String(UPSTREAM_ACCESS_TOKEN_TTL),
    ...environment,
  }, console.log);
  let faults = 0;
  child.lines.on('line', (line) => {
    if (line.startsWith('ok ')) passed += 1;
    if (line.startsWith('FAILED ')) faults += 1;
  });
  const limit = setTimeout(() => child.process.kill('SIGKILL'), JOURNEY_LIMIT_SECONDS * 1000);
  const [code, signal] = await once(child.process, 'close');
  clearTimeout(limit);
  if (code !== 0 && faults === 0) {
    console.log(`FAILED ${file}: it ended with ${code ?? signal}\n${child.tail()}`);
    faults = 1;
  }
  failed += faults;
  if (faults > 0) console.log(`the gateway’s last lines:\n${gateway.tail()}`);
}

/** Told to stop, it ends by itself, and with it all that it started. */
async function mustStop(name, { process: gateway, tail }) {
  const children = await childrenOf(gateway.pid);
  if (gateway.exitCode === null) {
    gateway.kill('SIGTERM');
    const limit = setTimeout(() => gateway.kill('SIGKILL'), 40_000);
    await once(gateway, 'close');
    clearTimeout(limit);
  }
  const left = (await Promise.all(children.map(isThere))).filter(Boolean).length;
  if (gateway.exitCode === 0 && left === 0) {
    passed += 1;
    console.log(`ok ${name}: told to stop, the gateway ends by itself, and its ${children.length} processes with it`);
  } else {
    failed += 1;
    console.log(`FAILED ${name}: the gateway ended with ${gateway.exitCode ?? gateway.signalCode}, ${left} processes are left\n${tail()}`);
  }
}

function fail(message) {
  console.log(`FAILED ${message}\n0 passed, 1 failed`);
  end(1);
}

function end(code) {
  stopAll();
  process.exit(code);
}
