// More scopes on the way with npm mcp-remote, the bridge that desktop apps start as a local server: it opens a browser
// and listens for it by itself. With the environment of run.mjs.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

import { freePort } from './processes.mjs';
import { Person, mcpUrl, stepUpJourney } from './step-up.mjs';
import { atEnd, finish } from './steps.mjs';

const person = new Person('heidi');
const folder = await mkdtemp(join(tmpdir(), 'mcp-remote-'));
atEnd(() => rm(folder, { recursive: true, force: true }));
const program = join(import.meta.dirname, 'node_modules/mcp-remote/dist/proxy.js');
const transport = new StdioClientTransport({
  command: process.execPath,
  args: [program, mcpUrl().href, String(await freePort()), '--allow-http', '--transport', 'http-only', '--host', '127.0.0.1'],
  // No browser is to be found: the URL stands on standard error, for the person to copy.
  env: { ...process.env, MCP_REMOTE_CONFIG_DIR: folder, BROWSER: 'false', PATH: folder },
  stderr: 'pipe',
});
const output = [];
let failure;
createInterface({ input: transport.stderr }).on('line', (line) => {
  output.push(line);
  if (/^https?:\S+[?&]code_challenge=/.test(line)) person.approveAndReturn(line).catch((error) => { failure = error; });
});
const client = new Client({ name: 'desktop app', version: '1.0.0' });
atEnd(() => client.close());

await stepUpJourney({
  title: 'mcp-remote',
  person,
  connect: () => told(() => client.connect(transport)),
  call: (name) => told(async () => (await client.callTool({ name, arguments: {} })).content[0].text),
});
await finish(0);

async function told(run) {
  try {
    return await run();
  } catch (error) {
    throw new Error(`${error.message}\nmcp-remote said:\n${output.slice(-40).join('\n')}`, { cause: failure ?? error });
  }
}
