// More scopes on the way with PyPI's mcp, and with fastmcp, which opens a browser and listens for it by itself. With the
// environment of run.mjs, and PYTHON_STEP_UP.

import { join } from 'node:path';

import { clientOfLines } from './step-up-lines.mjs';
import { Person, stepUpJourney } from './step-up.mjs';
import { env, finish } from './steps.mjs';

const script = join(import.meta.dirname, 'step_up_client.py');
for (const [kind, login, listens] of [['mcp', 'frank', false], ['fastmcp', 'grace', true]]) {
  const person = new Person(login);
  const client = clientOfLines({
    command: env('PYTHON_STEP_UP'),
    args: [script, kind],
    // What Python's `webbrowser` runs instead of a browser.
    environment: { BROWSER: 'echo AUTHORIZE %s', FASTMCP_CHECK_FOR_UPDATES: 'off', PYTHONUNBUFFERED: '1' },
    person,
    listens,
  });
  await stepUpJourney({ title: kind, person, call: client.call });
  client.end();
}
await finish(0);
