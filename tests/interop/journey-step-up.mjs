// More scopes on the way with npm @modelcontextprotocol/client 2: it asks for what it had and what the 403 names, and
// its app repeats the call once the person is back. `node journey-step-up.mjs`, with the environment of run.mjs.

import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

import { Person, mcpUrl, stepUpJourney } from './step-up.mjs';
import { atEnd, finish } from './steps.mjs';
import { Wallet } from './wallet.mjs';

for (const versionNegotiation of [undefined, { mode: 'auto' }]) {
  const person = new Person('carol');
  const wallet = new Wallet('none');
  const client = new Client({ name: 'step-up', version: '1.0.0' }, versionNegotiation ? { versionNegotiation } : {});
  atEnd(() => client.close());
  let transport;

  /** Runs it again after the login that it asked for. */
  const orLogIn = async (run) => {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      const callback = await person.approve(wallet.authorizationUrl);
      await transport.finishAuth(callback.searchParams);
      return run();
    }
  };

  await stepUpJourney({
    title: `client 2, ${versionNegotiation ? 'with headers' : 'without headers'}`,
    person,
    connect: () => orLogIn(() => {
      transport = new StreamableHTTPClientTransport(mcpUrl(), { authProvider: wallet });
      return client.connect(transport);
    }),
    call: (name) => orLogIn(async () => (await client.callTool({ name, arguments: {} })).content[0].text),
  });
  await client.close();
}
await finish(0);
