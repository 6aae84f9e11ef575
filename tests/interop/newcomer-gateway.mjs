// The way of a newcomer to the gateway, with the guide alone: the files that src/docs/gateway.md and src/docs/stdio.md
// show, the quickstart's provider, and a stock client that logs in as Ada and calls the tool. Only the ports and the
// address of the admin listener are not the guide's own.
//
//   GATEWAY, PROVIDER     the two programs; default: the debug build
//   PYTHON_MCP            a Python that has fastmcp

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

import { login, textOf } from './gateway/login.mjs';
import { freePort, start, stopAll } from './processes.mjs';
import { atEnd, check, env, equal, finish, journey, until } from './steps.mjs';

const root = resolve(import.meta.dirname, '../..');
const programs = join(root, 'target/debug');
const { GATEWAY = join(programs, 'tower-oauth-gateway'), PROVIDER = join(programs, 'examples/quickstart') } = process.env;
const python = env('PYTHON_MCP');
const step = journey('a newcomer to the gateway');
const library = { Client, StreamableHTTPClientTransport, UnauthorizedError };
const folder = await mkdtemp(join(tmpdir(), 'newcomer-gateway-'));
atEnd(() => rm(folder, { recursive: true, force: true }));
atEnd(stopAll);

// The ports of the guide, and those that are free here.
const ports = new Map();
for (const port of ['8080', '8081', '9464', '3000']) ports.set(port, String(await freePort()));
const here = (text) => text.replaceAll(/127\.0\.0\.1:(\d{4})\b|\bport=(\d{4})\b/g, (all, one, other) => {
  const port = one ?? other;
  check(ports.has(port), `the guide names another port: ${all}`);
  return all.replace(port, ports.get(port));
});
const blocks = {};
for (const chapter of ['gateway', 'stdio']) {
  const text = await readFile(join(root, `src/docs/${chapter}.md`), 'utf8');
  for (const [, name, block] of text.matchAll(/<!-- newcomer: (\S+) -->\n```\w+\n([^]*?)```/g)) blocks[name] = here(block);
}
const write = (name, text) => writeFile(join(folder, name), text);
const admin = { GATEWAY_ADMIN_LISTEN: here('127.0.0.1:9464') };
process.env.BASE_URL = here('http://127.0.0.1:8080');
process.env.MCP_URL = here('http://127.0.0.1:8080/mcp');
let gateway;

await step('the provider starts', async () => {
  const provider = start('provider', PROVIDER, ['--provider-only', '--port', ports.get('8081')], {});
  await answers(here('http://127.0.0.1:8081/.well-known/openid-configuration'), provider);
});

await step('a server in Python knows who is logged in', async () => {
  const server = await serve(blocks['server.py']);
  await begin('gateway.toml', blocks['gateway.toml'], []);
  equal(await whoami(), 'ada', 'the answer of whoami');
  await end(gateway, server);
});

await step('it verifies a signed identity as the guide says', async () => {
  const server = await serve(blocks['server.py'].replace('x-auth-subject', 'x-auth-jwt'));
  const more = '[identity.jwt]\nheader = "X-Auth-Jwt"\naudience = "notes"\n[keys]\nsecret = "a secret of the newcomer, for this walk alone"\n';
  await begin('jwt.toml', `${blocks['gateway.toml']}\n${more}`, []);
  const token = await whoami();
  const verify = blocks['verify.py'].replace('https://mcp.example.com', env('BASE_URL'));
  await write('verify.py', `${verify}\nimport sys\nprint(caller(sys.argv[1])["sub"])\n`);
  const { stdout } = await promisify(execFile)(python, [join(folder, 'verify.py'), token], { timeout: 30_000 });
  equal(stdout.trim(), 'ada', 'the subject of the JWT');
  await end(gateway, server);
});

await step('a local server becomes a remote one, and knows it too', async () => {
  await write('local.py', blocks['local.py']);
  const file = blocks['gateway.toml'].replace(/\[upstream\]\n.*\n/, '');
  await begin('stdio.toml', file, ['--stdio', '--', python, join(folder, 'local.py')]);
  equal(await whoami(), 'ada', 'the answer of whoami');
  await end(gateway);
});

await finish(0);

async function serve(text) {
  await write('server.py', text);
  const server = start('server', python, [join(folder, 'server.py')], {});
  await answers(here('http://127.0.0.1:3000/'), server);
  return server;
}

async function begin(name, text, words) {
  await write(name, text);
  gateway = start('gateway', GATEWAY, ['--config', join(folder, name), ...words], {
    ...admin, GATEWAY_LISTEN: here('127.0.0.1:8080'),
  });
  await answers(`${env('BASE_URL')}/.well-known/oauth-authorization-server`, gateway);
}

async function whoami() {
  const { transport } = await login({ library, person: 'ada', finish: 'callback' });
  const client = new Client({ name: 'a stock client', version: '1.0.0' });
  await client.connect(transport());
  const answer = textOf(await client.callTool({ name: 'whoami', arguments: {} }));
  await client.close();
  return answer;
}

async function end(...children) {
  for (const child of children) {
    child.process.kill('SIGTERM');
    await until('its end', 40, () => child.process.exitCode !== null || child.process.signalCode !== null);
  }
}

async function answers(url, child) {
  await until(`an answer of ${url}`, 60, async () => {
    if (child.process.exitCode !== null || child.process.spawnError) throw new Error(`it ended:\n${child.tail()}`);
    return fetch(url).then(() => true, () => false);
  });
}
