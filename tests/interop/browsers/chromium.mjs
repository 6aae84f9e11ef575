// Debian's Chromium without a screen, by Playwright. The same verbs as firefox.mjs.

import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

import { chromium } from 'playwright-core';

import { atEnd, within } from '../steps.mjs';

const PATIENCE_MS = 20_000;
const LOADING_MS = 30_000;

/** How it is started, here and in browser.mjs. */
export const LAUNCH = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  headless: true,
  timeout: 40_000,
  args: [
    // In a container: no namespaces of its own, a small /dev/shm, no graphics, no crash handler.
    '--no-sandbox', '--no-zygote', '--disable-dev-shm-usage', '--disable-gpu', '--disable-breakpad',
    '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    // Nothing but this machine, whatever a page asks for.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
};

/** Starts it; `undefined` where this machine has none. */
export async function startChromium() {
  if (!existsSync(LAUNCH.executablePath)) return undefined;
  const browser = await chromium.launch(LAUNCH);
  atEnd(() => browser.close());
  return {
    name: 'Chromium',
    version: browser.version(),
    /** Cookies of its own, and nothing shared with others. */
    profile: async (options) => profile(await within('a new profile', 20, () => browser.newContext({ ignoreHTTPSErrors: true, ...options }))),
    withoutCookies,
  };
}

/** A person who has switched cookies off. */
async function withoutCookies() {
  const folder = await mkdtemp(join(tmpdir(), 'tower-oauth-proxy-chromium-'));
  await mkdir(join(folder, 'Default'));
  const never = 2;
  await writeFile(join(folder, 'Default/Preferences'), JSON.stringify({
    profile: { default_content_setting_values: { cookies: never } },
  }));
  const context = await chromium.launchPersistentContext(folder, { ...LAUNCH, ignoreHTTPSErrors: true });
  atEnd(async () => {
    await context.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return profile(context);
}

function profile(context) {
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    tab: async () => tab(await within('a new tab', 20, () => context.newPage())),
    cookies: (url) => context.cookies(url),
    forgetCookies: () => context.clearCookies(),
    close: () => within('closing a profile', 5, () => context.close()).catch(() => {}),
  };
}

async function tab(page) {
  const log = { requests: [], answers: [], refused: [] };
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Page.enable');
  await devtools.send('Log.enable');
  const isRefusal = /Content Security Policy|form-action/i;
  devtools.on('Log.entryAdded', ({ entry }) => { if (isRefusal.test(entry.text)) log.refused.push(entry.text); });
  devtools.on('Network.requestWillBeSent', ({ request }) => log.requests.push(request.url));
  devtools.on('Page.frameRequestedNavigation', ({ url }) => log.requests.push(url));
  page.on('response', (answer) => {
    if (answer.request().isNavigationRequest() && answer.frame() === page.mainFrame()) log.answers.push(answered(answer));
  });
  const go = async (run) => {
    log.answers.length = 0;
    await run();
    return log.answers.at(-1);
  };
  const options = { timeout: LOADING_MS, waitUntil: 'load' };
  return {
    log,
    page,
    run: (run, ...args) => within('a script in the page', 20, () => page.evaluate(`(${run})(...${JSON.stringify(args)})`)),
    open: (url) => go(() => page.goto(url, options)),
    reload: () => go(() => page.reload(options)),
    /** Without waiting for its end. */
    begin: (url) => { page.goto(url, options).catch(() => {}); },
    back: () => page.goBack({ ...options, waitUntil: 'commit' }),
    url: () => page.url(),
    moveTo: ({ x, y }) => page.mouse.move(x, y),
    click: async ({ x, y }, times = 1) => {
      await page.mouse.move(x, y);
      for (let count = 1; count <= times; count += 1) {
        await page.mouse.down({ clickCount: count });
        await page.mouse.up({ clickCount: count });
      }
    },
    keys: async (...keys) => { for (const key of keys) await page.keyboard.press(key); },
    resize: (width, height) => page.setViewportSize({ width, height }),
    picture: (file) => picture(page, file),
    popup: async (act) => {
      const [popup] = await Promise.all([page.context().waitForEvent('page', { timeout: PATIENCE_MS }), act()]);
      return tab(popup);
    },
    /** Keeps this tab from asking for that path: what it would have asked for, as soon as it would. */
    stopAt: async (path) => {
      let seen;
      const stopping = await page.context().newCDPSession(page);
      stopping.on('Fetch.requestPaused', ({ requestId, request }) => {
        seen ??= request.url;
        stopping.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' }).catch(() => {});
      });
      await stopping.send('Fetch.enable', { patterns: [{ urlPattern: `*${path}?*`, requestStage: 'Request' }] });
      return { url: () => seen, release: () => stopping.detach() };
    },
    close: () => within('closing a tab', 3, () => page.close()).catch(() => {}),
  };
}

/** Of the whole page, in a window as high as it is: what stays in view at the end of a smaller one would lie across it. */
async function picture(page, file) {
  const size = page.viewportSize();
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  if (height > size.height) await page.setViewportSize({ ...size, height });
  await page.screenshot({ path: file, fullPage: true });
  if (height > size.height) await page.setViewportSize(size);
}

function answered(answer) {
  return { url: answer.url(), status: answer.status(), headers: answer.headers() };
}
