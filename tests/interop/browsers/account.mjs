// The account page, which stands between the provider and the client where others may plant cookies: https, and a prefix
// that is not `__Host-`. In the browser that BROWSER names; the environment is that of logins.mjs.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { check, env, equal, finish, journey, sleep } from '../steps.mjs';
import { APPROVE, appears, ask, DENY, isOfTheBrowser, logIn, mustBeReadable, press, PRIVATE_SCHEME, shown, start } from './hands.mjs';
import { redeem, register, request, startSite } from './site.mjs';

const OTHER = 'button[value=other]';
const CLIENT = 'Notes for the desk';
const name = env('BROWSER', 'chromium');
const baseUrl = env('BASE_URL');
const issuer = env('PROVIDER_ISSUER');
const pictures = join(env('SCREENSHOT_DIR'), name);
await mkdir(pictures, { recursive: true });
const step = journey(`${name}, account`, { isOfTheTool: isOfTheBrowser });
const site = await startSite(PRIVATE_SCHEME);
const clientId = await step('a client registers', () => register(baseUrl, site, CLIENT));
const browser = await step('it starts', async () => {
  const browser = await start(name);
  check(browser, `there is no ${name} here`);
  return browser;
});
const person = await browser.profile();

await step('it says who is logged in, and for which client; the code comes after “continue” alone', async () => {
  const { tab, ...asked } = await atTheAccount(person, 'karen');
  const { text, status } = await mustBeReadable(tab, baseUrl, 'the account page');
  equal(status, 200, 'status');
  for (const part of ['karen', CLIENT]) check(text.includes(part), `nothing of ${part}:\n${text}`);
  await tab.picture(join(pictures, 'account.png'));
  await tab.reload();
  await sleep(300);
  equal(site.arrivals.length, 0, 'arrivals before the person went on');
  await press(tab, APPROVE);
  await redeem(baseUrl, clientId, site.callback, { arrived: await arrival(asked), verifier: asked.verifier });
  await tab.close();
});

await step('“use another account” leads to the provider’s login, and the client gets the other one’s code', async () => {
  const { tab, ...asked } = await atTheAccount(person);
  await press(tab, OTHER);
  await logIn(tab, issuer, 'laura');
  await isOf(tab, 'laura');
  await press(tab, APPROVE);
  await redeem(baseUrl, clientId, site.callback, { arrived: await arrival(asked), verifier: asked.verifier });
  await tab.close();
});

await step('deny goes back to the client, which is told so', async () => {
  const { tab, state } = await atTheAccount(person);
  await press(tab, DENY);
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('error'), 'access_denied', 'error');
  equal(arrived.searchParams.get('state'), state, 'state');
  await tab.close();
});

await step('a double click is one answer', async () => {
  const { tab, ...asked } = await atTheAccount(person);
  await press(tab, APPROVE, { times: 2 });
  await redeem(baseUrl, clientId, site.callback, { arrived: await arrival(asked), verifier: asked.verifier });
  await sleep(500);
  equal(site.arrivals.filter((url) => url.searchParams.has('code')).length, 0, 'further codes');
  await tab.close();
});

await step('two tabs at once end each at its own state', async () => {
  const [first, second] = [await atTheAccount(person), await atTheAccount(person)];
  for (const { tab, ...asked } of [second, first]) {
    site.forget();
    await press(tab, APPROVE);
    await arrival(asked);
    await tab.close();
  }
});

await step('back from the client: pages that can be read, and no second code', async () => {
  const { tab, ...asked } = await atTheAccount(person);
  await press(tab, APPROVE);
  const arrived = await arrival(asked);
  await tab.back();
  await sleep(500);
  if ((await tab.url()).startsWith(baseUrl)) {
    await mustBeReadable(tab, baseUrl, 'the page before the client');
    if (await tab.run((selector) => document.querySelector(selector) !== null, APPROVE)) {
      await press(tab, APPROVE);
      await ask(tab, 'an end', (approve) => document.readyState === 'complete' && !document.querySelector(approve), APPROVE);
    }
  }
  for (const again of site.arrivals) check(again.searchParams.get('code') !== arrived.searchParams.get('code'), 'the same code twice');
  if ((await tab.url()).startsWith(baseUrl)) await mustBeReadable(tab, baseUrl, 'after back and “continue”');
  await tab.close();
});

await step('another browser cannot see the page, nor go on from it', async () => {
  const { tab, ...asked } = await atTheAccount(person);
  const other = await browser.profile();
  const stranger = await other.tab();
  await stranger.open(await tab.url());
  const { text, status } = await mustBeReadable(stranger, baseUrl, 'the account page elsewhere');
  check(status >= 400 && !text.includes('laura'), `${status}: ${text}`);
  await stranger.picture(join(pictures, 'account-of-another-browser.png'));
  await other.close();
  await press(tab, APPROVE);
  await arrival(asked);
  await tab.close();
});

await finish(0);

/** A new tab, which has come back from the provider; `login` where the person is not logged in there. */
async function atTheAccount(profile, login) {
  site.forget();
  const asked = request(baseUrl, clientId, site.callback);
  const tab = await profile.tab();
  await tab.open(asked.url);
  await press(tab, APPROVE);
  if (login) await logIn(tab, issuer, login);
  await appears(tab, OTHER);
  if (login) await isOf(tab, login);
  return { tab, ...asked };
}

/** This provider's ID token says no more of a person than its `sub`, which here is what they log in with. */
async function isOf(tab, login) {
  await appears(tab, OTHER);
  const text = await ask(tab, 'the account page', () => document.body.innerText);
  check(text.split('\n').includes(login), `not ${login}’s: ${await shown(tab)}`);
}

async function arrival({ state }) {
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('state'), state, 'state');
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  return arrived;
}
