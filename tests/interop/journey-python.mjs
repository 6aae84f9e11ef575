// PyPI's mcp 2 without a browser: the script machine_client.py does it all, by its own providers; this one reads
// what the tool answered. With the environment of run.mjs, and PYTHON_MCP.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

import { env, equal, finish, journey } from './steps.mjs';

const step = journey('python');
const KINDS = {
  secret: { what: 'by its secret, a machine calls the tool', who: { subject: 'machine', source: 'client_credentials', person: false } },
  key: { what: 'by its key, a machine calls the tool', who: { subject: 'machine-with-key', source: 'client_credentials', person: false } },
  assertion: { what: 'by the company’s assertion, a client calls the tool for a person', who: { subject: 'company|leo', source: 'assertion', person: true } },
};

for (const [kind, { what, who: expected }] of Object.entries(KINDS)) {
  await step(what, async () => {
    const script = join(import.meta.dirname, 'machine_client.py');
    const { stdout } = await promisify(execFile)(env('PYTHON_MCP'), [script, kind], {
      env: { ...process.env, SSL_CERT_FILE: env('NODE_EXTRA_CA_CERTS') }, timeout: 50_000,
    });
    const who = JSON.parse(stdout.trim().split('\n').at(-1));
    for (const [name, value] of Object.entries(expected)) equal(who[name], value, name, stdout);
  });
}

await finish(0);
