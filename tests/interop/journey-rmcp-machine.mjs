// rmcp's own clients without a browser: client credentials by secret and by key, and a company's assertion. The
// example `interop_client` does it all; this script reads what the tool answered. With the environment of run.mjs.

import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';

import { env, equal, finish, journey } from './steps.mjs';

const step = journey('rmcp');
const client = env('INTEROP_CLIENT');

await step('by its secret, a machine calls the tool', () => mustBe(
  { CLIENT_ID: 'machine', CLIENT_SECRET: env('MACHINE_SECRET') },
  { subject: 'machine', client: 'machine', source: 'client_credentials', person: false },
));

await step('by its key, a machine calls the tool', () => mustBe(
  { CLIENT_ID: 'machine-with-key', CLIENT_KEY_FILE: env('MACHINE_KEY_FILE') },
  { subject: 'machine-with-key', client: 'machine-with-key', source: 'client_credentials', person: false },
));

await step('by the company’s assertion, a client calls the tool for a person', async () => {
  const signed = await fetch(`${env('COMPANY')}/_sign`, { method: 'POST', body: JSON.stringify({ sub: 'kim', aud: 'desk' }) });
  const { token } = await signed.json();
  await mustBe(
    { CLIENT_ID: 'desk', CLIENT_SECRET: env('MACHINE_SECRET'), ENTERPRISE_ISSUER: env('COMPANY'), ENTERPRISE_ID_TOKEN: token },
    { subject: 'company|kim', client: 'desk', source: 'assertion', person: true },
  );
});

await finish(0);

async function mustBe(environment, expected) {
  const { stdout } = await promisify(execFile)(client, [env('MCP_URL')], { env: { ...process.env, SSL_CERT_FILE: env('NODE_EXTRA_CA_CERTS'), ...environment }, timeout: 40_000 });
  const answer = stdout.split('\n').find((line) => line.startsWith('{'));
  const who = JSON.parse(answer);
  for (const [name, value] of Object.entries(expected)) equal(who[name], value, name, answer);
}
