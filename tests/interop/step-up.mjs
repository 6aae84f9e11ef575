// The life of a client that is given more on the way: it logs in for what every request needs, calls a tool that
// needs more, brings its person back, and goes on. The server is told of the tools by TOOL_RULES (run.mjs).

import { Agent } from './agent.mjs';
import { check, env, equal, journey, until } from './steps.mjs';

/** The person in front of the client. Remembers what they were asked for. */
export class Person {
  asked = [];

  constructor(login) {
    this.login = login;
  }

  /** Approves at both pages; the URL that the client waits for. */
  async approve(url) {
    const { searchParams } = new URL(url);
    this.asked.push((searchParams.get('scope') ?? '').split(' ').filter(Boolean));
    const callback = await new Agent({ login: this.login }).authorize(url, searchParams.get('redirect_uri'));
    check(callback.searchParams.get('code'), `the callback carries no code: ${callback}`);
    return callback;
  }

  /** The same, for a client that listens at its redirect URI. */
  async approveAndReturn(url) {
    const callback = await this.approve(url);
    // This person is faster than any: a client may listen only after it has opened the browser.
    const ask = () => fetch(callback, { signal: AbortSignal.timeout(20_000) }).catch(() => undefined);
    const answer = await until('the client to listen for the person', 20, ask);
    check(answer.ok, `the client’s own page answered ${answer.status} to ${callback}`);
  }
}

/** What of the notes’ scopes is among these. */
export function notesOf(scopes) {
  return scopes.filter((scope) => scope.startsWith('notes:')).sort().join(' ');
}

/**
 * `connect` logs in, `call(tool)` gives the tool’s text and brings the person back where that is needed. Both ask
 * `person`. Only clients that add up what they are asked for come here (SEP-2350). `isOfTheTool` as for `journey`.
 */
export async function stepUpJourney({ title, person, connect, call, isOfTheTool }) {
  const step = journey(`step-up, ${title}`, { isOfTheTool });
  const who = async (tool) => JSON.parse(await call(tool));

  await step('the first login asks for what every request needs, and that is enough for a tool without a rule', async () => {
    await connect();
    const { subject, scopes } = await who('whoami');
    equal(subject, person.login, 'subject');
    equal(person.asked.length, 1, 'logins');
    check(person.asked[0].includes('openid'), `the client asked for ${person.asked[0].join(' ')}`);
    equal(notesOf(person.asked[0]), '', 'scopes of notes that the client asked for');
    equal(notesOf(scopes), '', 'scopes of notes that it holds');
  });

  await step('a tool that needs more brings the person back, once, and answers', async () => {
    const { subject, scopes } = await who('list_notes');
    equal(subject, person.login, 'subject');
    equal(person.asked.length, 2, 'logins');
    check(person.asked[1].includes('openid'), `what it had is not asked for again: ${person.asked[1].join(' ')}`);
    equal(notesOf(person.asked[1]), 'notes:read', 'scopes of notes that the client asked for');
    equal(notesOf(scopes), 'notes:read', 'scopes of notes that it holds');
  });

  await step('the second step adds to the first', async () => {
    const { scopes } = await who('delete_notes');
    equal(person.asked.length, 3, 'logins');
    equal(notesOf(scopes), 'notes:admin notes:read', 'scopes of notes that it holds');
  });

  await step('a scope that another one implies needs no login', async () => {
    const { scopes } = await who('write_note');
    equal(person.asked.length, 3, 'logins');
    check(!scopes.includes('notes:write'), 'the token names what was only implied', scopes.join(' '));
    await who('list_notes');
    equal(person.asked.length, 3, 'logins');
  });

  await step('a role that is missing brings no one back', async () => {
    const refused = await call('audit').then((text) => ({ text }), (error) => ({ error }));
    check(refused.error, `the tool for auditors answered: ${refused.text}`);
    equal(person.asked.length, 3, 'logins');
    const { subject } = await who('list_notes');
    equal(subject, person.login, 'subject of the next call');
  });
}

/** What TOOL_RULES and SCOPES of run.mjs have to say for this. */
export const STEP_UP = {
  SCOPES: 'openid profile email notes:read notes:write notes:admin',
  REQUIRED_SCOPES: 'openid',
  SCOPES_IMPLY: 'notes:admin=notes:write notes:write=notes:read',
  TOOL_RULES: 'list_notes=notes:read write_note=notes:write delete_*=notes:admin audit=role:auditor',
  // Long enough that no client refreshes on the way: that is another journey’s.
  ACCESS_TOKEN_TTL: '300',
};

export const mcpUrl = () => new URL(env('MCP_URL'));
