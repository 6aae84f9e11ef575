// What a person does at a page, with verbs that every browser has here.

import { errors } from 'playwright-core';

import { check, equal, Late, sleep, until, within } from '../steps.mjs';
import { LetDown } from './bidi.mjs';
import { startChromium } from './chromium.mjs';
import { startFirefox } from './firefox.mjs';

export const PRIVATE_SCHEME = 'myapp';
export const APPROVE = 'button[value=approve]';
export const DENY = 'button[value=deny]';
const PATIENCE_SECONDS = 20;
const A_MOMENT_MS = 200;

/** The browser of that name; `undefined` where this machine has none. */
export async function start(name) {
  return within(`${name} starts`, 50, () => (name === 'firefox' ? startFirefox(PRIVATE_SCHEME) : startChromium()));
}

/** Late, or gone: that is of a browser on a busy machine, unless it is so again. */
export function isOfTheBrowser(error) {
  return error instanceof Late || error instanceof LetDown || error instanceof errors.TimeoutError
    || /Protocol error|crashed|has been closed|Failed to launch|Execution context was destroyed/.test(error?.message ?? '');
}

/** What the page says when it is asked; between two pages it is asked again. */
export async function ask(tab, what, question, ...args) {
  let failure;
  return until(what, PATIENCE_SECONDS, () => tab.run(question, ...args).catch((error) => {
    failure = error;
    return undefined;
  })).catch(async (error) => withSight(tab, failure ? new Error(`${error.message}: ${failure.message}`) : error));
}

/** Waits until the tab shows what fits that selector. */
export async function appears(tab, selector) {
  await until(`a page with ${selector}`, PATIENCE_SECONDS, () => tab.run((selector) => {
    const element = document.querySelector(selector);
    return document.readyState === 'complete' && element !== null && getComputedStyle(element).visibility === 'visible';
  }, selector).catch(() => false))
    .catch((error) => withSight(tab, error));
}

/** The same error, with what the tab shows. */
export async function withSight(tab, error) {
  throw new Late(`${error.message}; instead ${await shown(tab)}`);
}

/** For a message: where the tab is, and what it says. */
export async function shown(tab) {
  const text = await tab.run(() => document.body?.innerText.slice(0, 600)).catch(({ message }) => message);
  const answers = tab.log.answers.slice(-4).map(({ url, status }) => `${status} ${url.split('?')[0]}`).join(', ');
  return `${await Promise.resolve(tab.url()).catch(() => 'nowhere')} (${answers}):\n${text}`;
}

/** The middle of what fits that selector, in view. */
async function place(tab, selector) {
  return ask(tab, `the place of ${selector}`, (selector) => {
    const element = document.querySelector(selector);
    if (!element) return undefined;
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return { x: (left + right) / 2, y: (top + bottom) / 2 };
  }, selector);
}

/** With the mouse, as a person whose pointer rests on the page for a moment before it presses. */
export async function press(tab, selector, { times = 1 } = {}) {
  await appears(tab, selector);
  const { x, y } = await place(tab, selector);
  await tab.moveTo({ x: x + 3, y: y + 3 });
  await ask(tab, `${selector} takes a click`, ({ selector, x, y }) => {
    const element = document.querySelector(selector);
    return getComputedStyle(element).pointerEvents !== 'none' && element.contains(document.elementFromPoint(x, y));
  }, { selector, x, y });
  // What a stylesheet measures in time is over by now on a quick machine; on a slow one the page is painted.
  await sleep(A_MOMENT_MS);
  await tab.click({ x, y }, times);
}

/** The provider's two forms: its login, then its own consent. */
export async function logIn(tab, issuer, name) {
  await appears(tab, 'input[type=password]');
  await ask(tab, 'the provider’s login', (name) => {
    const [login, password] = ['input[name=login]', 'input[type=password]'].map((selector) => document.querySelector(selector));
    if (!login || !password) return undefined;
    login.value = name;
    password.value = 'any password';
    return true;
  }, name);
  await press(tab, 'button[type=submit]');
  await ask(tab, 'the provider’s consent', () => document.readyState === 'complete'
    && !document.querySelector('input[type=password]') && document.querySelector('button[type=submit]') !== null);
  check((await tab.url()).startsWith(issuer), `not at the provider’s consent: ${await shown(tab)}`);
  await press(tab, 'button[type=submit]');
}

/** A page that a person can read, of the proxy's own, that is no failure of the server; `status` where it is known. */
export async function mustBeReadable(tab, baseUrl, what, { status } = {}) {
  const page = await ask(tab, `${what}: a page`, () => document.readyState === 'complete' && {
    text: document.body.innerText.trim(),
    title: document.title,
    lang: document.documentElement.lang,
    status: performance.getEntriesByType('navigation')[0]?.responseStatus,
    headings: document.querySelectorAll('h1').length,
    scripts: document.scripts.length,
  });
  const where = new URL(await tab.url());
  equal(where.origin, new URL(baseUrl).origin, `${what}: the browser’s place\n${await shown(tab)}`);
  check(page.text.length > 40, `${what}: the page says next to nothing: ${page.text}`);
  check(page.title && page.lang, `${what}: no title, or no language: ${JSON.stringify(page)}`);
  equal(page.headings, 1, `${what}: headings of the first order`);
  equal(page.scripts, 0, `${what}: scripts`);
  check(page.status < 500, `${what}: ${page.status}: ${page.text}`);
  if (status) equal(page.status, status, `${what}: ${page.text}`);
  return page;
}
