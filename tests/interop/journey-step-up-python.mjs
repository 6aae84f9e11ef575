// More scopes on the way with PyPI's mcp, and with fastmcp, which opens a browser and listens for it by itself. With the
// environment of run.mjs, and PYTHON_MCP.

import { join } from 'node:path';

import { clientOfLines } from './step-up-lines.mjs';
import { Person, stepUpJourney } from './step-up.mjs';
import { env, finish } from './steps.mjs';

// A server that answers before it has read a body may close the connection; httpx does not repeat what it then sends.
const isOfTheTool = (error) => error.message.includes('disconnected without sending a response');
const script = join(import.meta.dirname, 'step_up_client.py');
for (const [kind, login, listens] of [['mcp', 'frank', false], ['fastmcp', 'grace', true]]) {
  const person = new Person(login);
  const client = clientOfLines({
    command: env('PYTHON_MCP'),
    args: [script, kind],
    // What Python's `webbrowser` runs instead of a browser.
    environment: { BROWSER: 'echo AUTHORIZE %s', FASTMCP_CHECK_FOR_UPDATES: 'off', PYTHONUNBUFFERED: '1' },
    person,
    listens,
  });
  await stepUpJourney({ title: kind, person, ...client, isOfTheTool });
  client.end();
}
await finish(0);
