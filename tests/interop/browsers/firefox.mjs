// Debian's Firefox without a screen, by WebDriver BiDi, which it speaks itself. The same verbs as chromium.mjs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

import { atEnd, until, within } from '../steps.mjs';
import { connect, LetDown } from './bidi.mjs';

const STARTING_SECONDS = 40;
const LOADING_SECONDS = 30;
const NOWHERE = 9;
const KEYS = { Tab: '\uE004', Enter: '\uE007' };
const EVENTS = [
  'browsingContext.contextCreated', 'log.entryAdded', 'network.beforeRequestSent', 'network.responseCompleted',
];

// Nothing but this machine, whatever a page asks for; and nothing that Firefox does on its own.
const PREFERENCES = {
  'network.proxy.type': 1,
  'network.proxy.http': '127.0.0.1',
  'network.proxy.http_port': NOWHERE,
  'network.proxy.ssl': '127.0.0.1',
  'network.proxy.ssl_port': NOWHERE,
  'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
  'network.dns.disableIPv6': true,
  'network.http.http3.enable': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'app.update.disabledForTesting': true,
  'app.normandy.enabled': false,
  'app.shield.optoutstudies.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.blockedURIs.enabled': false,
  'browser.sessionstore.resume_from_crash': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage': 'about:blank',
  'browser.startup.page': 0,
  'browser.tabs.remote.autostart': true,
  'browser.region.network.url': '',
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'dom.disable_open_during_load': false,
  'dom.ipc.processCount': 2,
  'extensions.update.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'services.settings.server': `http://127.0.0.1:${NOWHERE}`,
  'toolkit.telemetry.enabled': false,
  'toolkit.startup.max_resumed_crashes': -1,
  // A headless Firefox has no pointer of its own: with one, as on a desk.
  'ui.primaryPointerCapabilities': 6,
  'ui.allPointerCapabilities': 6,
  // What a link of an app's own scheme asks first.
  'security.external_protocol_requires_permission': false,
};

const program = process.env.FIREFOX || '/usr/bin/firefox-esr';

/** Starts it; `undefined` where this machine has none. `scheme` is of an app on this computer. */
export async function startFirefox(scheme) {
  if (!existsSync(program)) return undefined;
  const bidi = await launch(scheme, PREFERENCES);
  return browser(bidi, scheme);
}

async function launch(scheme, preferences) {
  const folder = await mkdtemp(join(tmpdir(), 'tower-oauth-proxy-firefox-'));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  await writeFile(join(folder, 'user.js'), lines.join('\n'));
  // Without an app for it, Firefox drops the answer that leads to its scheme.
  const app = [{ name: 'app', path: '/bin/true' }];
  await writeFile(join(folder, 'handlers.json'), JSON.stringify({
    defaultHandlersVersion: {}, mimeTypes: {}, schemes: { [scheme]: { action: 2, ask: false, handlers: app } },
  }));
  const { XDG_RUNTIME_DIR: _runtime, DBUS_SESSION_BUS_ADDRESS: _bus, DISPLAY: _display, ...environment } = process.env;
  const child = spawn(program, ['--headless', '--no-remote', '--new-instance', '--profile', folder, '--remote-debugging-port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...environment,
      // As root it refuses to run in another's.
      HOME: folder,
      MOZ_CRASHREPORTER_DISABLE: '1',
      MOZ_DISABLE_CONTENT_SANDBOX: '1',
      MOZ_REMOTE_SETTINGS_DEVTOOLS: '1',
    },
  });
  child.on('error', () => {});
  // Its own processes end with it.
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  process.once('SIGTERM', () => process.exit(1));
  let bidi;
  atEnd(async () => {
    await bidi?.send('browser.close', {}, 3).catch(() => {});
    kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
  });
  const address = await within('Firefox: where it listens', STARTING_SECONDS, () => listening(child));
  bidi = await connect(`${address}/session`);
  const { capabilities } = await bidi.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  await bidi.send('session.subscribe', { events: EVENTS });
  return { ...bidi, version: capabilities.browserVersion };
}

async function listening(child) {
  const said = [];
  const found = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const [, address] = /listening on (ws:\/\/\S+)/.exec(line) ?? [];
        if (address) resolve(address);
      });
    }
  });
  const ended = once(child, 'close').then(([code]) => {
    throw new LetDown(`Firefox has ended (${code}): ${said.slice(-5).join('\n')}`);
  });
  ended.catch(() => {});
  return Promise.race([found, ended]);
}

function browser(bidi, scheme) {
  const contexts = new Map();
  const seen = (context) => {
    if (!contexts.has(context)) contexts.set(context, { requests: [], answers: [], refused: [] });
    return contexts.get(context);
  };
  const opened = [];
  const paused = new Map();
  bidi.on('browsingContext.contextCreated', (told) => { if (!told.parent) opened.push(told); });
  bidi.on('network.beforeRequestSent', (told) => {
    seen(told.context).requests.push(told.request.url);
    paused.get(told.context)?.(told);
  });
  bidi.on('log.entryAdded', ({ source, text }) => {
    if (/Content-Security-Policy|form-action/i.test(text ?? '')) seen(source.context).refused.push(text);
  });
  bidi.on('network.responseCompleted', ({ context, navigation, response }) => {
    if (!navigation) return;
    const headers = Object.fromEntries(response.headers.map(({ name, value }) => [name.toLowerCase(), value.value]));
    seen(context).answers.push({ url: response.url, status: response.status, headers });
    // No request is made for what an app opens.
    if (headers.location?.startsWith(`${scheme}:`)) seen(context).requests.push(headers.location);
  });

  function tab(context) {
    const log = seen(context);
    const target = { context };
    const run = async (run, ...args) => {
      // Everything goes as JSON, there and back.
      const { result, type, exceptionDetails } = await bidi.send('script.callFunction', {
        functionDeclaration: `async (given) => JSON.stringify(await (${run})(...JSON.parse(given)) ?? null)`,
        arguments: [{ type: 'string', value: JSON.stringify(args) }],
        target,
        awaitPromise: true,
      });
      if (type === 'exception') throw new Error(`a script in the page: ${exceptionDetails.text}`);
      return JSON.parse(result.value);
    };
    const move = ({ x, y }) => ({ type: 'pointerMove', x: Math.round(x), y: Math.round(y) });
    const press = [{ type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }];
    const perform = (type, actions) => bidi.send('input.performActions', {
      context, actions: [{ type, id: type, ...type === 'pointer' ? { parameters: { pointerType: 'mouse' } } : {}, actions }],
    });
    const go = async (method, params) => {
      log.answers.length = 0;
      await bidi.send(method, { context, wait: 'complete', ...params }, LOADING_SECONDS);
      return log.answers.at(-1);
    };
    return {
      log,
      run,
      open: (url) => go('browsingContext.navigate', { url }),
      reload: () => go('browsingContext.reload', {}),
      /** Without waiting for its end. */
      begin: (url) => bidi.send('browsingContext.navigate', { context, url, wait: 'none' }).catch(() => {}),
      back: () => bidi.send('browsingContext.traverseHistory', { context, delta: -1 }),
      url: async () => (await bidi.send('browsingContext.getTree', { root: context, maxDepth: 0 })).contexts[0].url,
      moveTo: (place) => perform('pointer', [move(place)]),
      click: (place, times = 1) => perform('pointer', [move(place), ...Array(times).fill(press).flat()]),
      keys: (...keys) => perform('key', keys.map((key) => KEYS[key] ?? key).flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }])),
      resize: (width, height) => bidi.send('browsingContext.setViewport', { context, viewport: { width, height } }),
      picture: async (file) => {
        const { data } = await bidi.send('browsingContext.captureScreenshot', { context, origin: 'document' });
        await writeFile(file, Buffer.from(data, 'base64'));
      },
      popup: async (act) => {
        const before = opened.length;
        await act();
        return tab((await until('a new window', 10, () => opened.slice(before)[0])).context);
      },
      /** Keeps this tab from asking for that path: what it would have asked for, as soon as it would. */
      stopAt: async (path) => {
        const { intercept } = await bidi.send('network.addIntercept', { phases: ['beforeRequestSent'], contexts: [context] });
        let found;
        paused.set(context, ({ request, isBlocked }) => {
          if (!isBlocked) return;
          const isIt = request.url.includes(`${path}?`);
          if (isIt) found ??= request.url;
          bidi.send(isIt ? 'network.failRequest' : 'network.continueRequest', { request: request.request }).catch(() => {});
        });
        return {
          url: () => found,
          release: async () => {
            paused.delete(context);
            await bidi.send('network.removeIntercept', { intercept });
          },
        };
      },
      close: () => bidi.send('browsingContext.close', { context }, 5).catch(() => {}),
    };
  }

  return {
    name: 'Firefox',
    version: bidi.version,
    /** A person who has switched cookies off. */
    withoutCookies: async () => {
      const never = 2;
      const other = await launch(scheme, { ...PREFERENCES, 'network.cookie.cookieBehavior': never });
      return browser(other, scheme).profile();
    },
    /** Cookies of its own, and nothing shared with others. */
    profile: async () => {
      const { userContext } = await bidi.send('browser.createUserContext', { acceptInsecureCerts: true });
      const partition = { type: 'storageKey', userContext };
      return {
        tab: async () => tab((await bidi.send('browsingContext.create', { type: 'tab', userContext })).context),
        cookies: async (url) => {
          const { cookies } = await bidi.send('storage.getCookies', { partition });
          const { hostname } = new URL(url);
          return cookies.filter(({ domain }) => domain === hostname)
            .map(({ value, sameSite, ...rest }) => ({ ...rest, value: value.value, sameSite: sameSite[0].toUpperCase() + sameSite.slice(1) }));
        },
        forgetCookies: () => bidi.send('storage.deleteCookies', { partition }),
        close: () => bidi.send('browser.removeUserContext', { userContext }, 5).catch(() => {}),
      };
    },
  };
}
