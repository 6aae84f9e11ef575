// The journey with rmcp's own OAuth client: the example `interop_client` does the
// protocol and checks it, this script plays the browser. The client prints
// `AUTHORIZE <url>`, waits for the final URL as a line on its standard input, prints
// what the tool answered, and `OK <step>` for each step. With the environment of run.mjs.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { Agent } from './agent.mjs';
import { atEnd, check, env, equal, finish, journey } from './steps.mjs';

const LOGIN = 'erin';
const step = journey('rmcp');
const client = spawn(env('INTEROP_CLIENT'), [env('MCP_URL')], {
  env: { ...process.env, EXPIRE_AFTER: String(Number(env('ACCESS_TOKEN_TTL')) + 1) },
  stdio: ['pipe', 'pipe', 'pipe'],
});
atEnd(() => client.kill());
const passed = [];
const answers = [];
const output = [];
let asked;
const authorizationUrl = new Promise((resolve) => { asked = resolve; });
const ended = new Promise((resolve, reject) => {
  client.on('error', reject);
  client.on('close', (code, signal) => resolve(code ?? signal));
});
client.stdin.on('error', () => {}); // it may have ended already; the exit code tells
createInterface({ input: client.stderr }).on('line', (line) => output.push(line));
createInterface({ input: client.stdout }).on('line', (line) => {
  output.push(line);
  if (line.startsWith('AUTHORIZE ')) asked(line.slice('AUTHORIZE '.length).trim());
  if (line.startsWith('{')) answers.push(line);
  if (line.startsWith('OK ')) passed.push(line.slice('OK '.length).trim());
});
const said = () => `interop_client said:\n${output.slice(-40).join('\n')}`;

await step('the client registers itself and wants a browser', async () => {
  const url = await Promise.race([
    authorizationUrl,
    ended.then((code) => { throw new Error(`interop_client ended (${code}) before it asked for a login\n${said()}`); }),
  ]);
  check(new URL(url).searchParams.get('code_challenge_method') === 'S256', `no S256 challenge in ${url}`);
});

await step('the person approves, logs in at the provider, and comes back with a code', async () => {
  const url = await authorizationUrl;
  const redirectUri = new URL(url).searchParams.get('redirect_uri');
  const callback = await new Agent({ login: LOGIN }).authorize(url, redirectUri);
  check(callback.searchParams.get('code'), `the callback carries no code: ${callback}`);
  client.stdin.end(`${callback}\n`);
});

await step('the client calls the tool, refreshes after expiry, and calls again', async () => {
  const code = await ended;
  equal(code, 0, `exit code\n${said()}`);
  for (const name of ['call', 'refresh']) check(passed.includes(name), `no \`OK ${name}\`\n${said()}`);
  equal(answers.length, 2, `answers of the tool\n${said()}`);
  for (const answer of answers) equal(JSON.parse(answer).subject, LOGIN, 'subject', answer);
});

for (const name of passed) console.log(`ok rmcp, the client itself: ${name}`);
await finish(0);
