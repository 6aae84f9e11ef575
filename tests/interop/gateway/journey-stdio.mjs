// A published server of standard input and output behind the gateway, with both clients of TypeScript: each session has
// a process, the process knows the person and no secret, requests go both ways, and a death is survived.
// With the environment of gateway.mjs.

import { Client as Client2, StreamableHTTPClientTransport as Transport2, UnauthorizedError as Unauthorized2 } from '@modelcontextprotocol/client';
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import process from 'node:process';

import { Agent } from '../agent.mjs';
import { check, env, equal, finish, journey, until } from '../steps.mjs';
import { childrenOf } from './children.mjs';
import { bare, begin, call, fresh, initialize, login, textOf } from './login.mjs';

const LIBRARIES = [{
  title: 'sdk 1',
  library: { Client: Client1, StreamableHTTPClientTransport: Transport1, UnauthorizedError: Unauthorized1 },
  person: 'gina',
  end: 'code',
  samples: (client, answer) => client.setRequestHandler(CreateMessageRequestSchema, answer),
}, {
  title: 'client 2',
  library: { Client: Client2, StreamableHTTPClientTransport: Transport2, UnauthorizedError: Unauthorized2 },
  person: 'henry',
  end: 'callback',
  samples: (client, answer) => client.setRequestHandler('sampling/createMessage', answer),
}, {
  title: 'client 2, which asks for 2026-07-28 first',
  library: { Client: Client2, StreamableHTTPClientTransport: Transport2, UnauthorizedError: Unauthorized2 },
  person: 'iris',
  end: 'callback',
  options: { versionNegotiation: { mode: 'auto' } },
  samples: (client, answer) => client.setRequestHandler('sampling/createMessage', answer),
}];

const children = () => childrenOf(Number(env('GATEWAY_PID')));
const wallets = [];
for (const about of LIBRARIES) wallets.push(await visit(about));
await stepUp(journey('stdio, client 2'), LIBRARIES[1]);
await strangers(journey('stdio'), ...wallets);
await finish(0);

async function visit({ title, library, person, end, options, samples }) {
  const step = journey(`stdio, ${title}`);
  let at;
  let client;

  await step('the person logs in, and the server lists its tools', async () => {
    at = await login({ library, person, finish: end, scope: env('SCOPES') });
    client = await connect();
    const { tools } = await client.listTools();
    check(tools.some(({ name }) => name === 'echo'), `no tool echo: ${JSON.stringify(tools)}`);
    const result = await client.callTool({ name: 'echo', arguments: { message: 'grüße\n"x"' } });
    check(textOf(result).includes('grüße\n"x"'), 'the echo', result);
  });

  await step('its process knows the person, and no secret of the gateway', async () => {
    const told = JSON.parse(textOf(await client.callTool({ name: 'get-env', arguments: {} })));
    equal(told.MCP_AUTH_SUBJECT, person, 'MCP_AUTH_SUBJECT', told);
    equal(told.MCP_AUTH_EMAIL, `${person}@example.com`, 'MCP_AUTH_EMAIL', told);
    equal(told.MCP_AUTH_CLIENT, at.wallet.client.client_id, 'MCP_AUTH_CLIENT', told);
    for (const scope of env('SCOPES').split(' ')) check(told.MCP_AUTH_SCOPES.split(' ').includes(scope), `scope ${scope}`, told);
    const secrets = Object.entries(told).filter(([name, value]) => name.startsWith('GATEWAY_') || value.includes('operator secret'));
    equal(secrets.length, 0, 'variables of the gateway', told);
  });

  await step('progress comes while the tool works', async () => {
    const came = [];
    const told = { onprogress: ({ progress }) => came.push(progress) };
    // Version 1 has a schema before the options.
    const options = library.Client === Client1 ? [undefined, told] : [told];
    await client.callTool({ name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 4 } }, ...options);
    equal(came.join(), '1,2,3,4', 'progress');
  });

  await step('the server asks the client for a sample, and gets it', async () => {
    const result = await client.callTool({ name: 'trigger-sampling-request', arguments: { prompt: 'a word', maxTokens: 10 } });
    check(textOf(result).includes('a sample of the journey'), 'the sample', result);
  });

  await step('many calls at once get their own answers', async () => {
    const words = Array.from({ length: 20 }, (_, index) => `word ${index} of ${person}`);
    const answers = await Promise.all(words.map((message) => client.callTool({ name: 'echo', arguments: { message } })));
    answers.forEach((answer, index) => check(textOf(answer).endsWith(words[index]), `answer ${index}`, answer));
  });

  await step('a tool that needs a role is refused by the gateway', async () => {
    const token = await fresh(at.wallet);
    const answer = await bare(call('get-sum', { a: 1, b: 2 }), { token, headers: { 'mcp-session-id': await begin(token) } });
    equal(answer.status, 403, 'status', answer);
    // No login brings a role: the answer sends nobody to one.
    equal(JSON.parse(answer.body).error, 'access_denied', 'error', answer);
    check(!answer.headers['www-authenticate'], 'a challenge', answer);
  });

  await step('its process dies: the call fails, and the client begins another session', async () => {
    const pids = await children();
    pids.forEach((pid) => process.kill(pid, 'SIGKILL'));
    const failed = await client.callTool({ name: 'echo', arguments: { message: 'x' } }).then(() => undefined, (error) => error);
    check(failed, 'a call at a dead server succeeded');
    await until('the dead to be reaped', 20, async () => (await children()).every((pid) => !pids.includes(pid)));
    client = await connect();
    equal(textOf(await client.callTool({ name: 'echo', arguments: { message: 'back' } })), 'Echo: back', 'the echo');
    equal(at.wallet.logins, 1, 'times that the client asked for a browser');
  });

  await step('the client says that it is done, and nothing is left', async () => {
    const before = await children();
    await client.transport.terminateSession();
    await client.close();
    await until('the process to end', 20, async () => (await children()).length < before.length);
  });

  return at.wallet;

  async function connect() {
    const made = new library.Client({ name: title, version: '1.0.0' }, { capabilities: { sampling: {} }, ...options });
    samples(made, async () => ({ model: 'journey', role: 'assistant', content: { type: 'text', text: 'a sample of the journey' } }));
    await made.connect(at.transport());
    return made;
  }
}

async function stepUp(step, { library, end }) {
  await step('a tool needs more: the person grants it, and the session goes on in the same process', async () => {
    const person = 'jack';
    const { wallet, transport } = await login({ library, person, finish: end });
    const client = new library.Client({ name: 'step-up', version: '1.0.0' });
    const way = transport();
    await client.connect(way);
    const session = way.sessionId;
    const pids = await children();
    const needy = { name: 'get-tiny-image', arguments: {} };
    const refused = await client.callTool(needy).then(() => undefined, (error) => error);
    check(refused instanceof library.UnauthorizedError, `the client was not sent to a login: ${refused?.stack}`);
    equal(wallet.logins, 2, 'times that the client asked for a browser');
    const callback = await new Agent({ login: person }).authorize(wallet.authorizationUrl, wallet.redirectUrl);
    await way.finishAuth(callback.searchParams);
    const { content } = await client.callTool(needy);
    check(content.some(({ type }) => type === 'image'), 'no image', content);
    equal(way.sessionId, session, 'the session');
    equal((await children()).join(), pids.join(), 'the processes');
    await way.terminateSession();
  });
}

async function strangers(step, one, other) {
  await step('another person’s session is unknown, and stays theirs', async () => {
    const session = await begin(await fresh(one));
    const headers = { 'mcp-session-id': session };
    for (const method of ['POST', 'GET', 'DELETE']) {
      const accept = method === 'GET' ? { accept: 'text/event-stream' } : {};
      const answer = await bare(method === 'POST' ? call('echo', { message: 'x' }) : undefined, { token: await fresh(other), method, headers: { ...headers, ...accept } });
      equal(answer.status, 404, `status of ${method}`, answer);
    }
    const own = await bare(call('echo', { message: 'mine' }), { token: await fresh(one), headers });
    equal(own.status, 200, 'status of its owner', own);
  });

  await step('a client that never ends its sessions has eight processes, and goes on', async () => {
    for (let count = 0; count < 10; count += 1) await begin(await fresh(one));
    const pids = await children();
    check(pids.length <= 8, `${pids.length} processes`);
    const refused = await bare(initialize, { token: 'a token that nobody made' });
    equal(refused.status, 401, 'status without a token', refused);
  });
}
