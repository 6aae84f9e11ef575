// More scopes on the way with npm @modelcontextprotocol/sdk 1: with a refresh token it refreshes, which can never
// widen a scope, and gives up. What helps it: an app that shows the library no refresh token once it was refused, and
// begins a new transport. It then asks for what the 403 names, and for nothing of before: so scopes that contain each
// other (`scopes_imply`) keep what the person had. `node journey-step-up-sdk.mjs`, with the environment of run.mjs.

import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { Person, mcpUrl, notesOf } from './step-up.mjs';
import { check, equal, finish, journey } from './steps.mjs';
import { Wallet } from './wallet.mjs';

const step = journey('step-up, sdk 1');
const person = new Person('alice');
const wallet = new Wallet('none');
const GIVEN_UP = 'Server returned 403 after trying upscoping';

await step('the first login asks for what every request needs', async () => {
  const { subject, scopes } = await callAfterLogin('whoami');
  equal(subject, person.login, 'subject');
  equal(person.asked.length, 1, 'logins');
  equal(notesOf(scopes), '', 'scopes of notes that it holds');
});

await step('with a refresh token it refreshes, and gives up after one repetition', async () => {
  const before = wallet.held;
  const refused = await call('list_notes').then(() => undefined, (error) => error);
  check(refused?.message.includes(GIVEN_UP), `the call ended with ${refused}`);
  equal(person.asked.length, 1, 'logins');
  check(wallet.held.access_token !== before.access_token, 'it did not refresh');
  const { subject } = await call('whoami');
  equal(subject, person.login, 'subject of the next call');
});

await step('without one to show, it brings the person back for what the 403 names', async () => {
  wallet.asksForMore = true;
  const { scopes } = await callAfterLogin('list_notes');
  equal(person.asked.length, 2, 'logins');
  equal(notesOf(scopes), 'notes:read', 'scopes of notes that it holds');
});

await step('the next step replaces the scopes, and what the new one implies is still there', async () => {
  wallet.asksForMore = true;
  const { scopes } = await callAfterLogin('delete_notes');
  equal(person.asked.length, 3, 'logins');
  equal(notesOf(scopes), 'notes:admin', 'scopes of notes that it holds');
  for (const tool of ['list_notes', 'write_note']) await call(tool);
  equal(person.asked.length, 3, 'logins');
});

await finish(0);

async function callAfterLogin(name) {
  const transport = newTransport();
  try {
    return await callBy(transport, name);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  const callback = await person.approve(wallet.authorizationUrl);
  await transport.finishAuth(callback.searchParams.get('code'));
  wallet.asksForMore = false;
  return call(name);
}

function call(name) {
  return callBy(newTransport(), name);
}

async function callBy(transport, name) {
  const client = new Client({ name: 'step-up', version: '1.0.0' });
  try {
    await client.connect(transport);
    const result = await client.callTool({ name, arguments: {} });
    return JSON.parse(result.content[0].text);
  } finally {
    await client.close();
  }
}

function newTransport() {
  return new StreamableHTTPClientTransport(mcpUrl(), { authProvider: wallet });
}
