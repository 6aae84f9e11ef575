// Child processes of a run: started, watched by their last lines, stopped at its end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { Late, within } from './steps.mjs';

const started = [];

/** Starts a process; its last lines are kept for failure messages. */
export function start(name, command, args, environment, echo) {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.on('error', (error) => {
    child.spawnError = error;
    keep(`${command}: ${error.message}`);
  });
  const last = [];
  const keep = (line) => {
    last.push(`    ${name}: ${line}`);
    if (last.length > 60) last.shift();
  };
  const lines = createInterface({ input: child.stdout });
  for (const source of [lines, createInterface({ input: child.stderr })]) {
    source.on('line', keep);
    source.on('line', (line) => {
      if (echo) echo(line);
      else if (process.env.VERBOSE) console.log(`    ${name}: ${line}`);
    });
  }
  const running = { process: child, lines, tail: () => last.join('\n') };
  started.push(running);
  return running;
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address();
  probe.close();
  await once(probe, 'close');
  return free;
}

const READY_WITHIN_SECONDS = 60;

/**
 * Starts a program that prints a line of JSON when it is ready: `about`, undefined when it ends without one. One that
 * says nothing in time is ended and started once more: it proves nothing about what is tested, and Node.js was seen
 * to stand still while it starts.
 */
export async function startReady(name, command, args, environment) {
  for (let left = 1; ; left -= 1) {
    const child = start(name, command, args, environment);
    try {
      return { child, about: await within(`${name}: its first line`, READY_WITHIN_SECONDS, () => firstLine(child)) };
    } catch (error) {
      child.process.kill('SIGKILL');
      if (left === 0 || !(error instanceof Late)) return { child };
      console.log(`${error.message}; it is started once more`);
    }
  }
}

async function firstLine(child) {
  const line = await Promise.race([
    once(child.lines, 'line').then(([first]) => first),
    once(child.process, 'close').then(() => undefined, () => undefined),
  ]);
  return line && JSON.parse(line);
}

/** Ends every process that was started here. */
export function stopAll() {
  for (const child of started) if (child.process.exitCode === null) child.process.kill('SIGTERM');
}
