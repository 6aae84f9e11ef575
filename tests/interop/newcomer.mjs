// What `.ci/newcomer` built: the README's program in front of the quickstart's provider. A stock client registers,
// a person allows and logs in as Ada, and the client calls the tool.
//
//   SERVICE, PROVIDER               the two programs
//   SERVICE_PORT, PROVIDER_PORT     where they listen

import process from 'node:process';

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { Agent } from './agent.mjs';
import { start, stopAll } from './processes.mjs';
import { atEnd, check, env, equal, finish, journey, until } from './steps.mjs';

const step = journey('a newcomer');
const mcpUrl = new URL(`http://127.0.0.1:${env('SERVICE_PORT')}/mcp`);
atEnd(stopAll);

await step('the provider and the service start', async () => {
  const provider = start('provider', env('PROVIDER'), ['--provider-only', '--port', env('PROVIDER_PORT')], {});
  await answers(`http://127.0.0.1:${env('PROVIDER_PORT')}/.well-known/openid-configuration`, provider);
  const service = start('service', env('SERVICE'), [], {});
  await answers(new URL('/.well-known/oauth-authorization-server', mcpUrl), service);
});

const held = {
  redirectUrl: 'http://127.0.0.1:49153/callback',
  get clientMetadata() {
    return { client_name: 'A stock client', redirect_uris: [this.redirectUrl], token_endpoint_auth_method: 'none' };
  },
  clientInformation() { return this.client; },
  saveClientInformation(information) { this.client = information; },
  tokens() { return this.held; },
  saveTokens(tokens) { this.held = tokens; },
  codeVerifier() { return this.verifier; },
  saveCodeVerifier(verifier) { this.verifier = verifier; },
  redirectToAuthorization(url) { this.authorizationUrl = url.href; },
};

await step('the client finds out by itself where to log in', async () => {
  try {
    await connect();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  check(held.authorizationUrl, 'the client asked for no browser');
});

await step('the person allows, and logs in as the first that the provider offers', async () => {
  const callback = await new Agent({ login: 'ada' }).authorize(held.authorizationUrl, held.redirectUrl);
  check(callback.searchParams.get('code'), `the callback carries no code: ${callback}`);
  await transport().finishAuth(callback.searchParams);
});

await step('the tool says who is logged in', async () => {
  const client = await connect();
  const { content } = await client.callTool({ name: 'whoami', arguments: {} });
  equal(content?.[0]?.text, 'ada', 'the answer of whoami', JSON.stringify(content));
  await client.close();
});

await finish(0);

function transport() {
  return new StreamableHTTPClientTransport(mcpUrl, { authProvider: held });
}

async function connect() {
  const client = new Client({ name: 'a stock client', version: '1.0.0' });
  await client.connect(transport());
  return client;
}

async function answers(url, child) {
  await until(`an answer of ${url}`, 30, async () => {
    if (child.process.exitCode !== null || child.process.spawnError) throw new Error(`it ended:\n${child.tail()}`);
    return fetch(url).then((answer) => answer.ok, () => false);
  });
}
