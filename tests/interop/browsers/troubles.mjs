// What goes wrong between a person and a login, in the browser that BROWSER names: a login that has expired, no cookies,
// another browser's callback, a slow provider, a client that nobody knows. The environment is that of logins.mjs.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { check, env, equal, finish, journey, sleep, until } from '../steps.mjs';
import { APPROVE, appears, isOfTheBrowser, logIn, mustBeReadable, press, PRIVATE_SCHEME, start, withSight } from './hands.mjs';
import { redeem, register, request, startSite } from './site.mjs';

const PATIENCE_SECONDS = 20;
const name = env('BROWSER', 'chromium');
const baseUrl = env('BASE_URL');
const issuer = env('PROVIDER_ISSUER');
const pictures = join(env('SCREENSHOT_DIR'), name);
await mkdir(pictures, { recursive: true });

const step = journey(name, { isOfTheTool: isOfTheBrowser });
const site = await startSite(PRIVATE_SCHEME);
const clientId = await step('a client registers', () => register(baseUrl, site, 'Notes for the desk'));
const browser = await step('it starts', async () => {
  const browser = await start(name);
  check(browser, `there is no ${name} here`);
  return browser;
});
const person = await browser.profile();

await step('a first login', async () => {
  const { tab, ...asked } = await consent(person);
  await press(tab, APPROVE);
  await logIn(tab, issuer, 'grace');
  await mustHaveArrived(asked);
  await tab.close();
});

await step('a login whose cookies are gone ends at a page that can be read, and so does its callback', async () => {
  const { tab } = await consent(person);
  await person.forgetCookies();
  await press(tab, APPROVE);
  await mustEndHere(tab, 'consent without its cookie');
  await tab.picture(join(pictures, 'expired-consent.png'));
  await tab.close();

  const { tab: later } = await consent(person);
  const stopped = await later.stopAt('/oauth/callback');
  await press(later, APPROVE);
  // Its cookies were forgotten at the provider too.
  await logIn(later, issuer, 'grace');
  const url = await until('the way to the callback', PATIENCE_SECONDS, stopped.url);
  await stopped.release();
  await person.forgetCookies();
  await later.open(url);
  await mustEndHere(later, 'a callback without its cookie');
  await later.picture(join(pictures, 'expired-callback.png'));
  await later.close();
});

await step('a browser that keeps no cookies gets a page that says what to do', async () => {
  const nobody = await browser.withoutCookies();
  const tab = await nobody.tab();
  site.forget();
  await tab.open(request(baseUrl, clientId, site.callback).url);
  if (await tab.run((selector) => document.querySelector(selector) !== null, APPROVE)) await press(tab, APPROVE);
  await mustEndHere(tab, 'without cookies');
  equal((await nobody.cookies(baseUrl)).length, 0, 'cookies that it kept');
  await tab.picture(join(pictures, 'no-cookies.png'));
  await tab.close();
});

await step('another browser’s callback is refused, and completes where it began', async () => {
  const other = await browser.profile();
  const { tab, ...asked } = await consent(other);
  const stopped = await tab.stopAt('/oauth/callback');
  await press(tab, APPROVE);
  await logIn(tab, issuer, 'heidi');
  const url = await until('the way to the callback', PATIENCE_SECONDS, stopped.url);
  await stopped.release();

  const victim = await person.tab();
  await victim.open(url);
  await mustEndHere(victim, 'the callback in another browser');
  await victim.picture(join(pictures, 'another-browser.png'));
  await victim.close();

  await tab.open(url);
  await mustHaveArrived(asked);
  await other.close();
});

await step('while the provider is slow, a person who tries again spoils nothing', async () => {
  const other = await browser.profile();
  const { tab, ...asked } = await consent(other);
  const stopped = await tab.stopAt('/oauth/callback');
  await press(tab, APPROVE);
  await logIn(tab, issuer, 'ivan');
  const url = await until('the way to the callback', PATIENCE_SECONDS, stopped.url);
  await stopped.release();
  await tell('slow=2500');
  try {
    tab.begin(url);
    await sleep(700);
    tab.begin(url);
    await sleep(700);
    tab.begin(url);
    const arrived = await mustHaveArrived(asked);
    await redeem(baseUrl, clientId, site.callback, { arrived, verifier: asked.verifier });
  } finally {
    await tell('slow=0');
  }
  await sleep(500);
  const again = site.arrivals.filter((one) => one.searchParams.has('code'));
  equal(again.length, 0, 'further codes');
  await other.close();
});

await step('an unknown client ends at a page that can be read', async () => {
  const tab = await person.tab();
  site.forget();
  await tab.open(request(baseUrl, 'nobody', site.callback).url);
  await mustEndHere(tab, 'an unknown client');
  await tab.picture(join(pictures, 'unknown-client.png'));
  await tab.close();
});

await step('the service’s own address, opened by hand, says what it is, and is still a 401 with its challenge', async () => {
  const tab = await person.tab();
  const answer = await tab.open(env('MCP_URL'));
  const { text } = await mustBeReadable(tab, baseUrl, 'the service’s own address', { status: 401 });
  check(text.includes(env('MCP_URL')), `it does not say what to add to a client:\n${text}`);
  check(answer.headers['www-authenticate']?.includes('resource_metadata='), `no challenge: ${JSON.stringify(answer.headers)}`);
  await tab.picture(join(pictures, 'service-opened-by-hand.png'));
  await tab.close();
});

await step('no address of ours that is opened by hand is a failure, or a blank page', async () => {
  const tab = await person.tab();
  for (const path of ['/oauth/consent', '/oauth/callback', '/oauth/authorize', '/oauth/callback?code=x&state=y']) {
    await tab.open(`${baseUrl}${path}`);
    await mustBeReadable(tab, baseUrl, path);
  }
  await tab.close();
});

console.log(`pictures: ${pictures}`);
await finish(0);

async function consent(profile) {
  site.forget();
  const asked = request(baseUrl, clientId, site.callback);
  const tab = await profile.tab();
  await tab.open(asked.url);
  await appears(tab, APPROVE);
  return { tab, ...asked };
}

async function mustHaveArrived({ state }) {
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('state'), state, 'state');
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  return arrived;
}

/** A page of ours that says what happened, without a form to go on, and nothing at the client. */
async function mustEndHere(tab, what) {
  await until(`${what}: an end`, PATIENCE_SECONDS, () => tab.run((selector) => document.readyState === 'complete'
    && !document.querySelector(selector), APPROVE).catch(() => false))
    .catch((error) => withSight(tab, error));
  const page = await mustBeReadable(tab, baseUrl, what);
  check(page.status >= 400, `${what}: ${page.status} is no refusal: ${page.text}`);
  equal(site.arrivals.length, 0, `${what}: arrivals at the client`);
  return page;
}

/** Tells the provider what to do from now on. */
async function tell(what) {
  const answer = await fetch(`${issuer}/_control`, { method: 'POST', body: what });
  check(answer.ok, `the provider does not listen: ${answer.status}`);
}
