// A client of another language, as a program that reads and prints lines. It says `READY` once it is connected, and then
// answers `CALL <tool>` by `ANSWER <text>` or `ERROR <words>`. Before each of these it may print `AUTHORIZE <url>`, and
// waits for the final URL as a line, or at its redirect URI.

import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { atEnd } from './steps.mjs';

/** What `stepUpJourney` wants of such a program. It may listen at its redirect URI (`listens`) for the person. */
export function clientOfLines({ command, args = [], environment = {}, person, listens = false }) {
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['pipe', 'pipe', 'pipe'] });
  atEnd(() => child.kill('SIGKILL'));
  const output = [];
  let waiting;
  let failure;
  const fail = (error) => {
    failure ??= new Error(`${error?.message ?? error}\nthe client said:\n${output.slice(-40).join('\n')}`, { cause: error });
    waiting?.reject(failure);
  };
  child.on('error', fail);
  child.on('close', (code, signal) => fail(`the client ended (${code ?? signal})`));
  child.stdin.on('error', () => {}); // it may have ended already; `close` tells
  createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
  createInterface({ input: child.stdout }).on('line', (line) => {
    output.push(line);
    const [, word, rest] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (word === 'AUTHORIZE') comeBack(rest).catch(fail);
    if (word === 'READY' || word === 'ANSWER') waiting?.resolve(rest);
    if (word === 'ERROR') waiting?.reject(new Error(rest));
  });

  async function comeBack(url) {
    if (listens) await person.approveAndReturn(url);
    else child.stdin.write(`${await person.approve(url)}\n`);
  }

  const answer = () => new Promise((resolve, reject) => {
    if (failure) reject(failure);
    waiting = { resolve, reject };
  });
  const ready = answer();
  ready.catch(() => {}); // whoever asks for it is told

  return {
    connect: () => ready,
    call: (tool) => {
      const answered = answer();
      child.stdin.write(`CALL ${tool}\n`);
      return answered;
    },
    end: () => child.stdin.end(),
  };
}
