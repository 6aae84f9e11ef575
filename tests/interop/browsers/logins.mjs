// A login as people go through it, in the browser that BROWSER names: approve, deny, keyboard, back, reload, double click,
// tabs, a popup, an app's own scheme, a browser that asks before the person does.
//
//   BASE_URL, MCP_URL, PROVIDER_ISSUER   as run.mjs sets them
//   BROWSER                              chromium or firefox
//   SCREENSHOT_DIR                       where the pictures for people go

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { check, env, equal, finish, journey, sleep, until } from '../steps.mjs';
import { APPROVE, appears, ask, DENY, isOfTheBrowser, logIn, mustBeReadable, press, PRIVATE_SCHEME, shown, start } from './hands.mjs';
import { redeem, register, request, startSite } from './site.mjs';

const PATIENCE_SECONDS = 20;
const SMALL = { width: 320, height: 568 };
const DESK = { width: 1280, height: 800 };
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
  console.log(`    ${browser.name} ${browser.version}`);
  return browser;
});
// One person, who stays logged in at the provider after the first step.
const person = await browser.profile();

await step('approve leads by the provider’s login to the client, with a code that is good', async () => {
  const { tab, ...asked } = await consent(person);
  await press(tab, APPROVE);
  await logIn(tab, issuer, 'frank');
  await mustHaveArrived(asked, { isRedeemed: true });
  await tab.close();
});

await step('deny goes back to the client, which is told so', async () => {
  const { tab, state } = await consent(person);
  await press(tab, DENY);
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('error'), 'access_denied', 'error');
  equal(arrived.searchParams.get('state'), state, 'state');
  equal(arrived.searchParams.get('iss'), baseUrl, 'iss');
  await tab.close();
});

await step('by keyboard alone: the stops come in reading order, each can be seen, and Enter decides', async () => {
  const { tab, ...asked } = await consent(person);
  const stops = await stopsOf(tab, (stop) => stop.value === 'deny' || stop.value === 'approve');
  await tab.keys('Enter');
  const decided = stops.at(-1).value;
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('state'), asked.state, 'state');
  equal(arrived.searchParams.has('code'), decided === 'approve', `a code after Enter on ${decided}`);
  await tab.close();

  // And the other one, which comes after it.
  const again = await consent(person);
  const all = await stopsOf(again.tab, (stop, before) => stop.value && before.some(({ value }) => value && value !== stop.value));
  check(all.some(({ value }) => value === 'deny') && all.some(({ value }) => value === 'approve'), `no way to both answers: ${JSON.stringify(all)}`);
  for (const { what, isSeen, comesAfterTheLast } of all) {
    check(isSeen, `${what}: nothing shows that the keyboard is there`);
    check(comesAfterTheLast, `${what}: the keyboard jumps back to it`);
  }
  await again.tab.close();
});

await step('nothing is wider than the window, from a small phone to a desk', async () => {
  const { tab } = await consent(person);
  for (const [width, height] of [[SMALL.width, SMALL.height], [390, 844], [768, 1024], [DESK.width, DESK.height]]) {
    await tab.resize(width, height);
    const wide = await ask(tab, 'its width', () => ({
      window: document.documentElement.clientWidth,
      content: document.documentElement.scrollWidth,
      buttons: [...document.querySelectorAll('form button')].map((button) => {
        const { left, right, height } = button.getBoundingClientRect();
        return { left, right, height };
      }),
    }));
    check(wide.content <= wide.window, `${wide.content} px wide in ${wide.window} px`);
    for (const { left, right, height: high } of wide.buttons) {
      check(left >= 0 && right <= wide.window && high >= 24, `a button at ${left} to ${right}, ${high} px high, in ${wide.window} px`);
    }
    await tab.picture(join(pictures, `consent-${width}.png`));
  }
  await tab.resize(DESK.width, DESK.height);
  await tab.close();
});

await step('a reload of the consent page spoils nothing', async () => {
  const { tab, ...asked } = await consent(person);
  await tab.reload();
  await tab.reload();
  await press(tab, APPROVE);
  await mustHaveArrived(asked);
  await tab.close();
});

await step('a double click is one answer', async () => {
  const { tab, ...asked } = await consent(person);
  await press(tab, APPROVE, { times: 2 });
  await mustHaveArrived(asked, { isRedeemed: true });
  await sleep(1000);
  const more = site.arrivals.filter((url) => url.searchParams.has('code'));
  equal(more.length, 0, 'further codes');
  await tab.close();
});

await step('back from the client, and forward again: pages that can be read, and no second code', async () => {
  const { tab, ...asked } = await consent(person);
  await press(tab, APPROVE);
  const arrived = await mustHaveArrived(asked, { isRedeemed: true });
  await tab.back();
  const page = await until('the page before', PATIENCE_SECONDS, async () => {
    const url = await tab.url();
    return url.startsWith(baseUrl) || url.startsWith(issuer) || site.arrivals.length > 0 ? url : undefined;
  });
  if (page.startsWith(baseUrl)) {
    await mustBeReadable(tab, baseUrl, 'the page before the client');
    // It may be shown from memory: what it sends is old.
    if (await tab.run((selector) => document.querySelector(selector) !== null, APPROVE)) {
      await press(tab, APPROVE);
      await until('an end of the second try', PATIENCE_SECONDS, async () => site.arrivals.length > 0
        || (await tab.run((selector) => document.readyState === 'complete' && !document.querySelector(selector), APPROVE).catch(() => false)));
    }
  }
  await sleep(300);
  for (const again of site.arrivals) {
    check(again.searchParams.get('code') !== arrived.searchParams.get('code'), 'the same code twice');
  }
  if ((await tab.url()).startsWith(baseUrl)) await mustBeReadable(tab, baseUrl, 'after back and Allow');
  await tab.picture(join(pictures, 'after-back.png'));
  await tab.close();
});

await step('one’s own finished callback, opened again, is a page that can be read', async () => {
  const { tab, ...asked } = await consent(person);
  const stopped = await tab.stopAt('/oauth/callback');
  await press(tab, APPROVE);
  const url = await until('the way to the callback', PATIENCE_SECONDS, stopped.url);
  await stopped.release();
  await tab.open(url);
  await mustHaveArrived(asked);
  await tab.open(url);
  const page = await mustBeReadable(tab, baseUrl, 'the same callback again');
  equal(site.arrivals.length, 0, `arrivals at the client after ${page.text}`);
  await tab.picture(join(pictures, 'callback-again.png'));
  await tab.close();
});

await step('two tabs at once end each at its own state, in whatever order', async () => {
  const [first, second] = [await consent(person), await consent(person)];
  await press(second.tab, APPROVE);
  await mustHaveArrived(second, { isRedeemed: true });
  await press(first.tab, APPROVE);
  await mustHaveArrived(first, { isRedeemed: true });
  await first.tab.close();
  await second.tab.close();
});

await step('six tabs at once: the newest three end well, the others well or with a page that can be read', async () => {
  const tabs = [];
  for (let count = 0; count < 6; count += 1) tabs.push(await consent(person));
  for (const { tab, state } of tabs.toReversed()) {
    site.forget();
    await press(tab, APPROVE);
    const isNew = tabs.findIndex((one) => one.state === state) >= 3;
    await until('an end', PATIENCE_SECONDS, async () => site.arrivals.length > 0
      || (await tab.run((selector) => document.readyState === 'complete' && document.body.innerText.length > 0
        && !document.querySelector(selector), APPROVE).catch(() => false)));
    await sleep(100);
    if (isNew || site.arrivals.length > 0) await mustHaveArrived({ state });
    else await mustBeReadable(tab, baseUrl, 'the page of an older tab');
  }
  await tabs[0].tab.picture(join(pictures, 'oldest-of-six-tabs.png'));
  for (const { tab } of tabs) await tab.close();
});

await step('in a popup: the window that opened it hears the code by postMessage', async () => {
  const opener = await person.tab();
  const asked = request(baseUrl, clientId, site.callback);
  site.forget();
  await opener.open(`${site.origin}/popup?to=${encodeURIComponent(asked.url)}`);
  const popup = await opener.popup(() => press(opener, 'button'));
  await press(popup, APPROVE);
  await mustHaveArrived(asked);
  const heard = await ask(opener, 'what the opener hears', () => document.querySelector('p').textContent);
  equal(new URLSearchParams(heard).get('state'), asked.state, 'state in the message');
  check(new URLSearchParams(heard).get('code'), `no code in the message: ${heard}`);
  await popup.close();
  await opener.close();
});

await step('a client’s callback that goes on to an app’s own scheme is not held up', async () => {
  const { tab, ...asked } = await consent(person, site.callbackToApp);
  await press(tab, APPROVE);
  await mustHaveArrived(asked);
  const reached = await until(`the way on to ${PRIVATE_SCHEME}:`, PATIENCE_SECONDS, () => tab.log.requests.find((url) => url.startsWith(`${PRIVATE_SCHEME}:`)));
  equal(new URL(reached).searchParams.get('state'), asked.state, 'state');
  equal(tab.log.refused.filter((text) => text.includes('form-action')).join('\n'), '', 'what a policy of ours refused');
  await tab.close();
});

await step('a browser that fetches before the person comes changes nothing', async () => {
  // The request: of another site's page, and of a neighbour's, to whom cookies go.
  for (const from of [site.origin, site.neighbour]) {
    const asked = request(baseUrl, clientId, site.callback);
    const tab = await person.tab();
    await guessed(tab, from, asked.url);
    site.forget();
    await tab.open(asked.url);
    await press(tab, APPROVE);
    await mustHaveArrived(asked);
    await tab.close();
  }
  // The answer, while the person is on the way.
  const { tab, ...asked } = await consent(person);
  const stopped = await tab.stopAt('/oauth/callback');
  await press(tab, APPROVE);
  const url = await until('the way to the callback', PATIENCE_SECONDS, stopped.url);
  await stopped.release();
  const other = await person.tab();
  await guessed(other, site.neighbour, url);
  equal(site.arrivals.length, 0, 'arrivals after a guess');
  await tab.open(url);
  await mustHaveArrived(asked, { isRedeemed: true });
  await other.close();
  await tab.close();
});

console.log(`pictures: ${pictures}`);
await finish(0);

/** A new tab at the consent page of a new login. */
async function consent(profile, redirectUri = site.callback) {
  site.forget();
  const asked = request(baseUrl, clientId, redirectUri);
  const tab = await profile.tab();
  await tab.open(asked.url);
  await appears(tab, APPROVE);
  return { tab, redirectUri, ...asked };
}

/** The client has been answered: by a code for this state, and by this server. */
async function mustHaveArrived({ state, verifier, redirectUri = site.callback }, { isRedeemed = false } = {}) {
  const arrived = await site.arrival();
  equal(arrived.searchParams.get('state'), state, 'state');
  equal(arrived.searchParams.get('iss'), baseUrl, 'iss (RFC 9207)');
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  if (isRedeemed) await redeem(baseUrl, clientId, redirectUri, { arrived, verifier });
  return arrived;
}

/** Where the Tab key stops, until `isEnough`. */
async function stopsOf(tab, isEnough) {
  const stops = [];
  for (let count = 0; count < 40; count += 1) {
    await tab.keys('Tab');
    const stop = await tab.run(() => {
      const here = document.activeElement;
      const last = window.lastStop;
      window.lastStop = here;
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(here);
      return {
        what: `${here.tagName} ${here.name ?? ''} ${here.innerText?.slice(0, 40) ?? ''}`,
        value: here.matches('button[name=decision]') ? here.value : undefined,
        isSeen: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none',
        comesAfterTheLast: !last || last === here
          || Boolean(last.compareDocumentPosition(here) & Node.DOCUMENT_POSITION_FOLLOWING),
      };
    });
    stops.push(stop);
    if (isEnough(stop, stops.slice(0, -1))) return stops;
  }
  check(false, `the keyboard does not get there: ${JSON.stringify(stops)}\n${await shown(tab)}`);
  return stops;
}

/** A page whose link is fetched before anyone follows it; some browsers do not, which is as good. */
async function guessed(tab, from, url) {
  await tab.open(`${from}/prefetch?to=${encodeURIComponent(url)}`);
  const ends = Date.now() + 1500;
  while (Date.now() < ends && !tab.log.requests.includes(url)) await sleep(100);
  await sleep(300);
}
