// How a journey reports: one line a step, and the first wrong step ends it with
// exit code 1 and what was answered.

import process from 'node:process';

const endings = [];

/** `run` is done when the journey ends, in whatever way. */
export function atEnd(run) {
  endings.push(run);
}

/** Ends the journey. */
export async function finish(code) {
  for (const run of endings.reverse()) await Promise.resolve(run()).catch(() => {});
  process.exit(code);
}

/** Opens a journey; the returned function runs one step of it. */
export function journey(name) {
  const title = `${name}${process.env.TITLE_SUFFIX ?? ''}`;
  return async function step(what, run) {
    const started = Date.now();
    try {
      const result = await run();
      console.log(`ok ${title}: ${what} (${Date.now() - started} ms)`);
      return result;
    } catch (error) {
      console.log(`FAILED ${title}: ${what}`);
      console.log(indent(error?.stack ?? String(error)));
      if (error?.cause) console.log(indent(`cause: ${error.cause?.stack ?? error.cause}`));
      return finish(1);
    }
  };
}

/** Fails with `message`, and with the answer that caused it where there is one. */
export function check(condition, message, answer) {
  if (condition) return;
  throw new Error(answer === undefined ? message : `${message}\n${show(answer)}`);
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

/** Asks again until `probe` gives something truthy; at most `seconds`. */
export async function until(what, seconds, probe) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const result = await probe();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
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
