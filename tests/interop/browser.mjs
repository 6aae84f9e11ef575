// Journeys in Debian's headless Chromium with its own developer tools: what only a browser
// enforces. It applies CSP `form-action` to the whole chain of redirects that a
// submitted form starts, keeps SameSite and prefixed cookies by its own rules, and
// sends the headers that tell one site's form from another's. What every browser
// can be led through is in browsers/.
//
//   BASE_URL, MCP_URL, PROVIDER_ISSUER   as run.mjs sets them
//   SCREENSHOT_DIR                       where the pictures for people go

import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { LAUNCH } from './browsers/chromium.mjs';
import { APPROVE, isOfTheBrowser, PRIVATE_SCHEME } from './browsers/hands.mjs';
import { register, request, startSite } from './browsers/site.mjs';
import { atEnd, check, env, equal, finish, journey, until, within } from './steps.mjs';

const PATIENCE_MS = 20_000;
const CLOSING_SECONDS = 3;

const baseUrl = env('BASE_URL');
const screenshots = env('SCREENSHOT_DIR');
await mkdir(screenshots, { recursive: true });
const step = journey('browser', { isOfTheTool: isOfTheBrowser });
const client = await startSite(PRIVATE_SCHEME);
const clientId = await step('a client with two callbacks on another port registers', () => registerAs('Browser journey'));

const first = await step('Chromium starts with a new profile', () => openProfile('first'));

await step('the consent page is readable, and runs no script', async () => {
  const page = await openConsent(first, client.callback);
  const text = await page.innerText('body');
  check(text.includes('Browser journey'), `the page does not name the client:\n${text}`);
  check(/localhost|127\.0\.0\.1/.test(text), `the page does not name where the answer goes:\n${text}`);
  equal(await page.locator('script').count(), 0, 'scripts on the page');
  await page.screenshot({ path: join(screenshots, 'consent.png'), fullPage: true });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: join(screenshots, 'consent-phone.png'), fullPage: true });
  await leave(page);
});

await step('on a small screen nothing is pushed out of view, whatever a client calls itself', async () => {
  const page = await newPage(first);
  await page.setViewportSize({ width: 320, height: 568 });
  for (const [what, name] of Object.entries(extremeNames())) {
    const id = await registerAs(name);
    await page.goto(authorizationUrl(client.callback, id).url);
    const shown = await page.evaluate(() => {
      // What appears after a moment is there now.
      for (const one of document.getAnimations()) one.finish();
      const box = (selector) => {
        const found = document.querySelector(selector);
        const element = found.closest('.yes-place') ?? found;
        const { left, right, top, bottom } = element.getBoundingClientRect();
        // What is seen is asked here; when a mouse may press it is the next step's question.
        element.style.pointerEvents = 'auto';
        const onTop = [top + 2, bottom - 2].every(
          (y) => element.contains(document.elementFromPoint((left + right) / 2, y)),
        );
        return { left, right, top, bottom, onTop };
      };
      return {
        page: { width: document.documentElement.clientWidth, content: document.documentElement.scrollWidth },
        main: { width: document.querySelector('main').clientWidth, content: document.querySelector('main').scrollWidth },
        boxes: {
          name: box('.claim'), address: box('dl.box > div:last-of-type dd'), caution: box('.caution'),
          approve: box('button[value=approve]'), deny: box('button[value=deny]'),
        },
      };
    });
    await page.screenshot({ path: join(screenshots, `consent-320-${what}.png`) });
    for (const [part, { width, content }] of Object.entries({ page: shown.page, main: shown.main })) {
      check(content <= width, `${what}: the ${part} is ${content} px wide in ${width} px`);
    }
    const { top: above, bottom: below } = shown.boxes.name;
    check(below - above < 80, `${what}: the name is ${below - above} px high, more than three lines`);
    for (const [part, { left, right, top, bottom, onTop }] of Object.entries(shown.boxes)) {
      check(left >= 0 && right <= 320 && top >= 0 && bottom <= 568, `${what}: the ${part} is out of view: ${[left, top, right, bottom]}`);
      check(right > left && bottom > top && onTop, `${what}: the ${part} cannot be seen`);
    }
  }
  await leave(page);
});

await step('a click that another page lured out grants nothing, and one after a moment does', async () => {
  const { page } = await openConsentWithState(first, client.callback);
  const { x, y, width, height } = await button(page).boundingBox();
  const click = () => page.mouse.click(x + width / 2, y + height / 2);
  const consent = page.url();
  await click();
  await click();
  await page.waitForTimeout(300);
  equal(page.url(), consent, 'after clicks that came at once');
  await page.waitForTimeout(700);
  await Promise.all([page.waitForURL((url) => url.href !== consent, { timeout: PATIENCE_MS }), click()]);
  await leave(page);
});

await step('its cookies are out of reach of scripts and of other sites', async () => {
  const page = await openConsent(first, client.callback);
  await mustBeWellKept(first);
  await leave(page);
});

await step('approve carries the person through the login form to the callback on another port', async () => {
  const { page, state } = await openConsentWithState(first, client.callback);
  await approve(page);
  await logIn(page, 'frank');
  const arrived = await client.arrival();
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  equal(arrived.searchParams.get('state'), state, 'state');
  equal(arrived.searchParams.get('iss'), baseUrl, 'iss (RFC 9207)');
  await leave(page);
});

await step('approve carries the person on to a private scheme, and CSP blocks no hop', async () => {
  // Logged in at the provider already: one unbroken chain from the button to `myapp:`.
  const { reached, violations, arrived } = await approveTowardsPrivateScheme({});
  equal(violations.join('\n'), '', 'CSP violations');
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  check(reached?.startsWith(`${PRIVATE_SCHEME}:`), `the browser did not go on to ${PRIVATE_SCHEME}:, but: ${reached}`);
});

await step('(control) with form-action in the page’s CSP, this browser would have blocked the last hop', async () => {
  // Every host of the chain is allowed, so that nothing but the private scheme is in breach.
  const addedPolicy = "form-action 'self' http://localhost:* http://127.0.0.1:*";
  const { reached, violations } = await approveTowardsPrivateScheme({ addedPolicy });
  check(violations.length > 0, 'no violation was seen, so the step above proves nothing');
  check(!reached, `the browser went on to ${reached}, so the step above proves nothing`);
});

const second = await step('a second profile starts', () => openProfile('second'));

await step('a second profile cannot complete the login that the first one began', async () => {
  const { page, state } = await openConsentWithState(first, client.callback);
  const stopped = await stopAt(page, `${baseUrl}/oauth/callback*`);
  await approve(page);
  const callbackUrl = await stopped.url();
  await stopped.release();
  await mustBeWellKept(first);

  const other = await newPage(second);
  await mustBeRefused(other, () => other.goto(callbackUrl), 'the callback in the second profile');
  await other.screenshot({ path: join(screenshots, 'error-other-browser.png'), fullPage: true });
  await leave(other);

  // The refusal changed nothing: where the login began, it still completes, and once only.
  await page.goto(callbackUrl);
  const arrived = await client.arrival();
  equal(arrived.searchParams.get('state'), state, 'state');
  check(arrived.searchParams.get('code'), `no code in ${arrived}`);
  const again = await page.goto(callbackUrl);
  equal(again.status(), 200, 'one’s own finished callback again: a page that says so');
  equal(client.arrivals.length, 0, 'arrivals at the client after the same callback again');
  await leave(page);
});

await step('the first profile’s consent is of no use in the second', async () => {
  const page = await openConsent(first, client.callback);
  const consentUrl = page.url();
  const fields = await page.locator('form input[type=hidden]').evaluateAll(
    (inputs) => inputs.map(({ name, value }) => ({ name, value })),
  );
  check(fields.length > 0, 'the consent form has no hidden field: nothing binds it to this browser');

  // Opened as it stands: either refused, or (where the URL is the client's own request) a consent of its own.
  const other = await newPage(second);
  const opened = await other.goto(consentUrl);
  if (opened.status() === 200) {
    const own = await other.locator('form input[type=hidden]').evaluateAll((inputs) => inputs.map(({ value }) => value));
    check(
      fields.some(({ value }) => !own.includes(value)),
      `the second profile was shown the first one's form at ${consentUrl}`,
    );
  } else {
    check(opened.status() >= 400 && opened.status() < 500, `${consentUrl} answered ${opened.status()}`);
  }
  await leave(other);

  // The form itself, sent by the second profile from a consent page of its own.
  const forged = await openConsent(second, client.callback);
  await forged.locator('form').first().evaluate((form, values) => {
    for (const { name, value } of values) {
      const input = form.querySelector(`input[name="${CSS.escape(name)}"]`);
      if (input) input.value = value;
    }
  }, fields);
  await mustBeRefused(forged, async () => {
    const answer = forged.waitForNavigation({ timeout: PATIENCE_MS });
    await approve(forged);
    return answer;
  }, 'the first profile’s form in the second profile');
  await leave(forged);

  // And it is still good where it belongs.
  await approve(page);
  check((await client.arrival()).searchParams.get('code'), 'no code in the first profile');
  await leave(page);
});

await step('an unknown client gets a page that a person can read, and no redirect', async () => {
  const page = await newPage(first);
  const url = authorizationUrl(client.callback).url.replace(clientId, 'nobody');
  await mustBeRefused(page, () => page.goto(url), 'an unknown client');
  check((await page.innerText('body')).length > 40, 'the page says next to nothing');
  await page.screenshot({ path: join(screenshots, 'error-unknown-client.png'), fullPage: true });
});

console.log(`pictures: ${screenshots}`);
await finish(0);

/** From a consent page of the first profile to `myapp:`, watching every hop. */
async function approveTowardsPrivateScheme({ addedPolicy }) {
  const page = await newPage(first);
  const devtools = await first.newCDPSession(page);
  const violations = [];
  let reached;
  await devtools.send('Network.enable');
  await devtools.send('Page.enable');
  await devtools.send('Log.enable');
  devtools.on('Log.entryAdded', ({ entry }) => {
    if (/Content Security Policy|form-action/i.test(entry.text)) violations.push(entry.text);
  });
  page.on('console', (message) => {
    if (/Content Security Policy|form-action/i.test(message.text())) violations.push(message.text());
  });
  devtools.on('Network.requestWillBeSent', ({ request }) => {
    if (request.url.startsWith(`${PRIVATE_SCHEME}:`)) reached = request.url;
  });
  devtools.on('Page.frameRequestedNavigation', ({ url }) => {
    if (url.startsWith(`${PRIVATE_SCHEME}:`)) reached = url;
  });
  await page.goto(authorizationUrl(client.callbackToApp).url);
  if (addedPolicy) {
    // What a redirect leads to is not intercepted, so the page is fetched a second time.
    await page.route(`${baseUrl}/oauth/**`, async (route) => {
      if (route.request().method() !== 'GET') return route.continue();
      const response = await route.fetch({ maxRedirects: 0 });
      const policy = [response.headers()['content-security-policy'], addedPolicy].filter(Boolean).join('; ');
      return route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
    });
    await page.goto(page.url());
  }
  await approve(page);
  const arrived = await client.arrival();
  await until('the end of the chain', PATIENCE_MS / 1000, () => reached || violations.length > 0);
  await page.waitForTimeout(500); // a late violation would be one all the same
  await leave(page);
  client.forget();
  return { reached, violations, arrived };
}

/** Playwright sets no limit for this call, nor for closing one. */
function newPage(context) {
  return within('a new page', PATIENCE_MS / 1000, () => context.newPage());
}

/** A page that does not close is left open: its profile ends with the journey. */
async function leave(page) {
  await within('closing a page', CLOSING_SECONDS, () => page.close()).catch(({ message }) => console.log(`    ${message}`));
}

/** Holds the first request for `pattern`, at whatever hop of a chain. */
async function stopAt(page, pattern) {
  const devtools = await page.context().newCDPSession(page);
  let seen;
  devtools.on('Fetch.requestPaused', ({ requestId, request }) => {
    seen ??= request.url;
    devtools.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }).catch(() => {});
  });
  await devtools.send('Fetch.enable', { patterns: [{ urlPattern: pattern, requestStage: 'Request' }] });
  return {
    url: () => until(`the browser to be sent to ${pattern}`, PATIENCE_MS / 1000, () => seen),
    release: () => devtools.detach(),
  };
}

/** Every cookie of the proxy's, as this browser has understood it. */
async function mustBeWellKept(context) {
  const cookies = await context.cookies(baseUrl);
  check(cookies.length > 0, 'the browser keeps no cookie of the proxy');
  for (const { name, path, secure, httpOnly, sameSite } of cookies) {
    check(httpOnly, `${name}: scripts can read it`);
    equal(sameSite, 'Lax', `${name}: SameSite`);
    if (baseUrl.startsWith('https:')) {
      check(name.startsWith('__Host-') && secure && path === '/', `${name}: not bound to this host and to TLS`);
    }
  }
}

/** A readable refusal: 4xx, HTML, on the proxy's own origin, nothing at the client. */
async function mustBeRefused(page, act, what) {
  client.forget();
  const answer = await act();
  check(answer, `${what}: no answer`);
  const status = answer.status();
  const body = await answer.text().catch(() => '');
  const shown = { url: answer.url(), status, headers: answer.headers(), body };
  check(status >= 400 && status < 500, `${what}: not refused`, shown);
  check(answer.headers()['content-type']?.startsWith('text/html'), `${what}: not a page for a person`, shown);
  check(answer.request().redirectedFrom() === null, `${what}: came by a redirect`, shown);
  equal(new URL(page.url()).origin, new URL(baseUrl).origin, `${what}: the browser's place`, shown);
  await page.waitForTimeout(200);
  equal(client.arrivals.length, 0, `${what}: arrivals at the client`, shown);
}

async function openConsent(context, redirectUri) {
  return (await openConsentWithState(context, redirectUri)).page;
}

async function openConsentWithState(context, redirectUri) {
  client.forget();
  const { url, state } = authorizationUrl(redirectUri);
  const page = await newPage(context);
  const answer = await page.goto(url);
  check(answer.status() === 200, 'no consent page', { url: page.url(), status: answer.status(), headers: answer.headers(), body: await page.content() });
  await button(page).waitFor({ timeout: PATIENCE_MS });
  return { page, state };
}

/** Names that nobody has, and that anybody can register. */
function extremeNames() {
  const long = (part) => part.repeat(100).slice(0, 100);
  return {
    letters: long('W'),
    'no-break-spaces': Array(35).fill('Wm').join('\u00a0').slice(0, 100),
    lines: long('i l '),
    arabic: long('السلام عليكم '),
    'arabic-unbroken': long('ﷺﷻ'),
    widest: long('﷽'),
    'three-em-dashes': long('⸻'),
    cuneiform: [...Array(100)].map(() => '\u{1242b}').join(''),
    hebrew: long('שָׁלוֹם'),
    thai: long('กิ่งก้าน'),
    han: long('漢字'),
    emoji: [...Array(100)].map(() => '\u{1f680}').join(''),
    stacked: `Z${'\u0301\u0323\u20dd'.repeat(33)}`,
    'stacked-everywhere': long('Z\u0301\u0302\u0303\u0323'),
    sentence: 'Claude by Anthropic is verified and approved by your company IT',
    hidden: long('\u202e\u2066\u{e0041}x'),
  };
}

function authorizationUrl(redirectUri, id = clientId) {
  return request(baseUrl, id, redirectUri);
}

function registerAs(name) {
  return register(baseUrl, client, name);
}

function button(page) {
  return page.locator(APPROVE);
}

/** As a person does, whose pointer is on the page for a moment before it presses. */
async function approve(page) {
  const { x, y } = await button(page).boundingBox();
  await page.mouse.move(x + 5, y + 5);
  await button(page).click({ noWaitAfter: true });
}

/** The provider's own forms: login, then its consent. */
async function logIn(page, name) {
  await page.locator('input[name=login]').fill(name, { timeout: PATIENCE_MS });
  await page.locator('input[name=password]').fill('any password');
  await page.getByRole('button', { name: /sign-in/i }).click();
  await page.getByRole('button', { name: /continue/i }).click({ timeout: PATIENCE_MS, noWaitAfter: true });
}

async function openProfile(name) {
  const folder = await mkdtemp(join(tmpdir(), `tower-oauth-proxy-${name}-`));
  // The certificate is of run.mjs's own making.
  const context = await chromium.launchPersistentContext(folder, { ...LAUNCH, ignoreHTTPSErrors: true });
  context.setDefaultTimeout(PATIENCE_MS);
  atEnd(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return context;
}
