// A person who takes longer than LOGIN_SECONDS, which is all the time that this server gives: on the consent page, and at
// the provider. In the browser that BROWSER names; the environment is that of logins.mjs.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { check, env, equal, finish, journey, sleep, until } from '../steps.mjs';
import { APPROVE, appears, ask, isOfTheBrowser, logIn, mustBeReadable, press, PRIVATE_SCHEME, shown, start } from './hands.mjs';
import { register, request, startSite } from './site.mjs';

const PATIENCE_SECONDS = 20;
const name = env('BROWSER', 'chromium');
const baseUrl = env('BASE_URL');
const tooLong = (Number(env('LOGIN_SECONDS')) + 2) * 1000;
const pictures = join(env('SCREENSHOT_DIR'), name);
await mkdir(pictures, { recursive: true });
const step = journey(`${name}, late`, { isOfTheTool: isOfTheBrowser });
const site = await startSite(PRIVATE_SCHEME);
const clientId = await step('a client registers', () => register(baseUrl, site, 'Notes for the desk'));
const browser = await step('it starts', async () => {
  const browser = await start(name);
  check(browser, `there is no ${name} here`);
  return browser;
});
const person = await browser.profile();

await step('too long on the consent page: a page that can be read, and nothing at the client', async () => {
  const tab = await person.tab();
  await tab.open(request(baseUrl, clientId, site.callback).url);
  await appears(tab, APPROVE);
  await sleep(tooLong);
  await press(tab, APPROVE);
  await mustEndHere(tab, 'a consent that comes too late');
  await tab.picture(join(pictures, 'too-long-at-consent.png'));
  await tab.close();
});

await step('too long at the provider: a page that can be read, and nothing at the client', async () => {
  const tab = await atTheProvider();
  await sleep(tooLong);
  await logIn(tab, env('PROVIDER_ISSUER'), 'mallory');
  await mustEndHere(tab, 'an answer that comes too late');
  await tab.picture(join(pictures, 'too-long-at-the-provider.png'));
  await tab.close();
});

await finish(0);

/** A slow machine may itself be too late to get there: it is tried again. */
async function atTheProvider() {
  const tab = await person.tab();
  for (let left = 4; ; left -= 1) {
    await tab.open(request(baseUrl, clientId, site.callback).url);
    await press(tab, APPROVE);
    const isThere = await ask(tab, 'the next page', (selector) => document.readyState === 'complete'
      && !document.querySelector(selector) && { yes: document.querySelector('input[type=password]') !== null }, APPROVE);
    if (isThere.yes) return tab;
    check(left > 0, `not at the provider: ${await shown(tab)}`);
  }
}

async function mustEndHere(tab, what) {
  await until(`${what}: an end`, PATIENCE_SECONDS, async () => (await tab.url()).startsWith(baseUrl)
    && tab.run((selector) => document.readyState === 'complete' && !document.querySelector(selector), APPROVE).catch(() => false));
  const page = await mustBeReadable(tab, baseUrl, what);
  check(page.status >= 400, `${what}: ${page.status} is no refusal: ${page.text}`);
  equal(site.arrivals.length, 0, `${what}: arrivals at the client`);
}
