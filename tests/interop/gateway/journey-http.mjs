// A server behind the gateway that listens by itself: what it is told, what does not reach it, progress, and its death.
// With the environment of gateway.mjs.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';

import { atEnd, check, env, equal, finish, journey, until } from '../steps.mjs';
import { bare, begin, call, fresh, login, messageOf, textOf } from './login.mjs';

const step = journey('gateway');
const library = { Client, StreamableHTTPClientTransport, UnauthorizedError };
let wallet;
let transport;
let client;

await step('the person logs in, and the tool knows them', async () => {
  ({ wallet, transport } = await login({ library, person: 'frank', finish: 'callback' }));
  client = await connect();
  const who = JSON.parse(textOf(await client.callTool({ name: 'whoami', arguments: {} })));
  equal(who.subject, 'frank', 'subject', who);
  equal(who.email, 'frank@example.com', 'e-mail', who);
  equal(who.client, wallet.client.client_id, 'client', who);
});

await step('a client that says who it is, in whatever spelling, is not believed', async () => {
  const token = await fresh(wallet);
  const forged = Object.fromEntries(['x-auth-subject', 'X-AUTH-EMAIL', 'x_auth_subject', 'X_Auth_Email', 'x-auth-client'].map((name) => [name, 'eve']));
  const session = await begin(token);
  const answer = await bare(call('whoami'), { token, headers: { ...forged, ...session ? { 'mcp-session-id': session } : {} } });
  equal(answer.status, 200, 'status', answer);
  const text = textOf(messageOf(answer).result);
  const who = JSON.parse(text);
  equal(who.subject, 'frank', 'subject', text);
  equal(who.email, 'frank@example.com', 'e-mail', text);
  check(!text.includes('eve'), 'what the client said arrived', text);
});

await step('progress comes while the tool works', async () => {
  const came = [];
  const began = Date.now();
  const result = await client.callTool({ name: 'count', arguments: { steps: 4 } }, {
    onprogress: ({ progress }) => came.push([progress, Date.now() - began]),
  });
  equal(textOf(result), 'counted to 4', 'the answer');
  equal(came.map(([progress]) => progress).join(), '1,2,3,4', 'progress');
  check(came[3][1] - came[0][1] > 300, `it came all at once: ${JSON.stringify(came)}`);
});

await step('a tool that needs a role is refused by the gateway', async () => {
  const token = await fresh(wallet);
  const answer = await bare(call('delete_reports'), { token, headers: { 'mcp-session-id': await begin(token) } });
  equal(answer.status, 403, 'status', answer);
  // No login brings a role: the answer sends nobody to one.
  equal(JSON.parse(answer.body).error, 'access_denied', 'error', answer);
  check(!answer.headers['www-authenticate'], 'a challenge', answer);
  check(!answer.body.includes('all reports are gone'), 'the tool was called', answer);
});

await step('the server behind dies: the gateway says so, and goes on when it is back', async () => {
  process.kill(Number(env('BEHIND_PID')), 'SIGKILL');
  await until('a refusal', 20, async () => (await bare(call('whoami'), { token: await fresh(wallet) })).status === 502);
  const [command, ...words] = JSON.parse(env('BEHIND'));
  const again = spawn(command, words, { env: { ...process.env, PORT: env('BEHIND_PORT') }, stdio: 'ignore' });
  atEnd(async () => { again.kill('SIGKILL'); await once(again, 'close'); });
  await until('the server behind', 30, () => fetch(`http://127.0.0.1:${env('BEHIND_PORT')}/`).then(() => true, () => false));
  client = await connect();
  const who = JSON.parse(textOf(await client.callTool({ name: 'whoami', arguments: {} })));
  equal(who.subject, 'frank', 'subject', who);
  equal(wallet.logins, 1, 'times that the client asked for a browser');
});

await finish(0);

async function connect() {
  const made = new Client({ name: 'gateway', version: '1.0.0' });
  await made.connect(transport());
  return made;
}
