// More scopes on the way with rmcp: the example `interop_client --calls` does the protocol. With the environment of
// run.mjs.

import { clientOfLines } from './step-up-lines.mjs';
import { Person, stepUpJourney } from './step-up.mjs';
import { env, finish } from './steps.mjs';

const person = new Person('erin');
const client = clientOfLines({ command: env('INTEROP_CLIENT'), args: [env('MCP_URL'), '--calls'], person });
await stepUpJourney({ title: 'rmcp', person, ...client });
await finish(0);
