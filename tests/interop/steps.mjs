// How a journey reports: one line a step, and the first wrong step ends it with
// exit code 1 and what was answered. A step that has not ended in time ends it too.

import process from 'node:process';

const endings = [];
const STEP_LIMIT_SECONDS = 60;
const ENDING_LIMIT_SECONDS = 5;

/** Exit code of a journey that its tool let down: nothing was found wrong, and nothing was proven. */
export const UNDECIDED = 75;

class Wrong extends Error {}

/** `run` is done when the journey ends, in whatever way. */
export function atEnd(run) {
  endings.push(run);
}

/** Ends the journey. */
export async function finish(code) {
  for (const run of endings.reverse()) await within('an ending', ENDING_LIMIT_SECONDS, run).catch(() => {});
  process.exit(code);
}

/**
 * Opens a journey; the returned function runs one step of it. `isOfTheTool(error)` tells a tool that failed from what
 * is under test: then the line says `UNDECIDED`, and so does the exit code.
 */
export function journey(name, { isOfTheTool = () => false } = {}) {
  const title = `${name}${process.env.TITLE_SUFFIX ?? ''}`;
  return async function step(what, run) {
    const started = Date.now();
    try {
      const result = await within(what, STEP_LIMIT_SECONDS, run);
      console.log(`ok ${title}: ${what} (${Date.now() - started} ms)`);
      return result;
    } catch (error) {
      const undecided = !(error instanceof Wrong) && isOfTheTool(error);
      console.log(`${undecided ? 'UNDECIDED' : 'FAILED'} ${title}: ${what}`);
      console.log(indent(error?.stack ?? String(error)));
      if (error?.cause) console.log(indent(`cause: ${error.cause?.stack ?? error.cause}`));
      return finish(undecided ? UNDECIDED : 1);
    }
  };
}

/** Fails with `message`, and with the answer that caused it where there is one. */
export function check(condition, message, answer) {
  if (condition) return;
  throw new Wrong(answer === undefined ? message : `${message}\n${show(answer)}`);
}

export function equal(actual, expected, message, answer) {
  check(
    actual === expected,
    `${message}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
    answer,
  );
}

export function env(name, fallback) {
  const value = process.env[name] || fallback;
  if (value === undefined) {
    console.error(`${name} is not set; run.mjs sets it, see the head of that file`);
    process.exit(2);
  }
  return value;
}

export const sleep = (ms) => new Promise((done) => { setTimeout(done, ms); });

export class Late extends Error {}

/** What `run` gives, if it does so in time. It is not stopped: who calls this goes on without it. */
export async function within(what, seconds, run) {
  let timer;
  const late = new Promise((_done, refuse) => {
    timer = setTimeout(() => refuse(new Late(`${what}: not within ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again until `probe` gives something truthy; at most `seconds`. */
export async function until(what, seconds, probe) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > deadline) throw new Late(`${what}: not within ${seconds} s`);
    await sleep(200);
  }
}

function show(answer) {
  if (typeof answer === 'string') return answer.slice(0, 4000);
  const { url, method, status, headers, body } = answer;
  if (status === undefined) return JSON.stringify(answer, null, 2).slice(0, 4000);
  return `${method ?? 'GET'} ${url} -> ${status}\n${JSON.stringify(headers, null, 2)}\n${String(body).slice(0, 3000)}`;
}

function indent(text) {
  return text.split('\n').map((line) => `    ${line}`).join('\n');
}
