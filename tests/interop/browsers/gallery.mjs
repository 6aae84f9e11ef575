// Every page in every state and language (src/page/tests/gallery.rs writes them), as the browser that BROWSER names shows them:
// WCAG 2.2 AA as axe-core checks it, in each width and scheme; nothing wider than the window, however a person sets their
// letters; an order that can be read; nothing asked for from anywhere. Pictures of each are kept.
//
//   PAGES            the folder that they are in
//   BASE_URL         a server, for the policy that its pages come with
//   BROWSER          chromium or firefox, which takes a smaller round
//   SCREENSHOT_DIR   where the pictures for people go

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { check, env, equal, finish, journey, sleep } from '../steps.mjs';
import { APPROVE, DENY, isOfTheBrowser, start } from './hands.mjs';

const PHONE = [320, 640];
const DESK = [1280, 800];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const STEP_PAGES = 8;
const name = env('BROWSER', 'chromium');
const baseUrl = env('BASE_URL');
const pictures = join(env('SCREENSHOT_DIR'), 'gallery', name);
await mkdir(pictures, { recursive: true });
const step = journey(`gallery, ${name}`, { isOfTheTool: isOfTheBrowser });

const folder = env('PAGES');
const pages = await step('the pages are there', async () => {
  const found = (await readdir(folder)).filter((file) => file.endsWith('.html') && file !== 'index.html').sort();
  check(found.length >= 20, `only ${found.length} pages in ${folder}: ${found}`);
  return found;
});
const host = await serve();
const browser = await step('it starts', async () => {
  const browser = await start(name);
  check(browser, `there is no ${name} here`);
  return browser;
});
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Texts differ by language, shapes by state, colours by kind of page and scheme: not each with each.
const named = (...names) => (page) => names.includes(page.split('.')[0]);
const spoken = (...languages) => (page) => languages.includes(page.split('.')[1]);
const isOfAKind = named('consent-choice', 'consent-local', 'account-known', 'provider-two', 'for-apps-short', 'message-again', 'message-expired');
const isColoured = (page) => isOfAKind(page) || named(
  'consent-local-green', 'consent-local-navy', 'consent-local-yellow', 'consent-other-address', 'consent-verified',
  'account-claimed', 'account-unnamed', 'message-cancelled', 'message-finished',
)(page);
const both = (one, other) => (page) => one(page) && other(page);
const either = (one, other) => (page) => one(page) || other(page);
const rounds = name === 'chromium'
  ? [
    { title: 'light', size: PHONE, options: { colorScheme: 'light' }, which: either(spoken('en', 'ar'), isOfAKind) },
    { title: 'light', size: DESK, options: { colorScheme: 'light' }, which: spoken('en') },
    { title: 'dark', size: PHONE, options: { colorScheme: 'dark' }, which: both(spoken('en'), isColoured) },
    { title: 'dark', size: DESK, options: { colorScheme: 'dark' }, which: both(spoken('ar'), isColoured) },
    { title: 'forced-colours', size: DESK, options: { forcedColors: 'active' }, which: both(spoken('en'), isColoured) },
  ]
  : [{ title: 'light', size: PHONE, which: both(spoken('en', 'ar'), isColoured) }];

// By what is wrong: where. One round shows every fault.
const faults = new Map();
for (const { title, size: [width, height], options, which } of rounds) {
  const profile = await browser.profile(options);
  const tab = await profile.tab();
  const chosen = pages.filter(which);
  for (let from = 0; from < chosen.length; from += STEP_PAGES) {
    const some = chosen.slice(from, from + STEP_PAGES);
    await step(`${title}, ${width} px: pages ${from + 1} to ${from + some.length} of ${chosen.length} are looked at`, async () => {
      for (const page of some) {
        for (const fault of await look(tab, page, { title, width, height })) {
          faults.set(fault, [...faults.get(fault) ?? [], `${page} (${title}, ${width} px)`]);
        }
      }
    });
  }
  await profile.close();
}

await step('none has a fault', () => {
  const told = [...faults].map(([fault, where]) => `${fault}\n  ${where.length} times: ${where.slice(0, 4).join(', ')}`);
  check(told.length === 0, `${told.length} faults\n${told.join('\n')}`);
});

await step('nothing was asked for but the pages', async () => {
  await sleep(300);
  const others = host.asked.filter((path) => !pages.some((page) => path === `/${page}`));
  equal([...new Set(others)].join(' '), '', 'further requests');
});

console.log(`pictures: ${pictures}`);
await finish(0);

/** What is wrong with one page. */
async function look(tab, page, { title, width, height }) {
  await tab.resize(width, height);
  await tab.open(`${host.origin}/${page}`);
  // In a window as high as the page: the buttons that stay in view lie on nothing then.
  await tab.resize(width, Math.max(height, await tab.run(() => document.documentElement.scrollHeight)));
  // What appears after a moment is there now.
  await tab.run(() => document.getAnimations().map((one) => one.finish()).length);
  const picture = join(pictures, `${page.replace(/\.html$/, '')}-${width}-${title}.png`);
  await tab.picture(picture);
  const about = await tab.run(describe, APPROVE, DENY);
  const faults = [];
  const must = (condition, fault) => { if (!condition) faults.push(fault); };
  must(about.content <= about.window, `${about.content} px wide in ${about.window} px`);
  must(about.lang, 'no language');
  must(about.dir === (/^(ar|fa|he|ur)\b/.test(about.lang) ? 'rtl' : 'ltr'), `${about.lang} runs ${about.dir}`);
  must(about.title, 'no title');
  must(about.headings === 1, `${about.headings} headings of the first order`);
  must(about.scripts === 0, 'runs scripts');
  must(about.isStyled, 'its policy keeps its style out');
  for (const fault of about.faults) faults.push(fault);
  // WCAG 1.4.12 (text spacing), and letters of twice the size (1.4.4) in a window that has room for them.
  for (const [what, style] of Object.entries({
    'wider spacing': '*{line-height:1.5!important;letter-spacing:.12em!important;word-spacing:.16em!important}p{margin-bottom:2em!important}',
    ...width >= 640 ? { 'letters of twice the size': 'html{font-size:200%!important}' } : {},
  })) {
    const { content, window } = await tab.run(withStyle, style);
    must(content <= window, `with ${what} it is ${content} px wide in ${window} px`);
  }
  await tab.run(`() => { ${axe}; return true; }`);
  for (const { id, nodes } of await tab.run(runAxe, RULES)) faults.push(`axe: ${id}: ${nodes.join(' | ')}`);
  return faults;
}

/** In the page. */
async function runAxe(rules) {
  const { violations } = await window.axe.run(document, { runOnly: { type: 'tag', values: rules }, resultTypes: ['violations'] });
  return violations.map(({ id, nodes }) => ({
    id, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} (${failureSummary.split('\n').slice(1).join(';').trim().slice(0, 300)})`),
  }));
}

/** In the page: for a moment under a style of the person's, which no policy of the page's is asked about. */
function withStyle(css) {
  const style = new CSSStyleSheet();
  style.replaceSync(css);
  document.adoptedStyleSheets = [style];
  const { scrollWidth: content, clientWidth: window } = document.documentElement;
  document.adoptedStyleSheets = [];
  return { content, window };
}

/** In the page. */
function describe(approve, deny) {
  const faults = [];
  const shown = (element) => { const { width, height } = element.getBoundingClientRect(); return width > 0 && height > 0; };
  const stops = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary')].filter(shown);
  const isRtl = getComputedStyle(document.documentElement).direction === 'rtl';
  // What the keyboard and a reader go through in turn stands below, or after, what came before.
  for (const [index, stop] of stops.entries()) {
    if (stop.tabIndex > 0) faults.push(`${stop.outerHTML.slice(0, 80)}: a place of its own in the order of stops`);
    const next = (stops[index + 1]?.closest('label') ?? stops[index + 1])?.getBoundingClientRect();
    // Its label takes the click for a radio button.
    const here = (stop.closest('label') ?? stop).getBoundingClientRect();
    const isAfter = next && (next.top >= here.bottom - 2 || (isRtl ? next.right <= here.left + 2 : next.left >= here.right - 2) || next.top > here.top + 2);
    if (next && !isAfter) faults.push(`${stops[index + 1].outerHTML.slice(0, 80)} stands before what is read before it`);
    if (here.width < 24 || here.height < 24) {
      const isInText = stop.tagName === 'A' && getComputedStyle(stop).display === 'inline';
      if (!isInText) faults.push(`${stop.outerHTML.slice(0, 80)}: ${here.width} by ${here.height} px (WCAG 2.5.8: 24 by 24)`);
    }
  }
  const [yes, no] = [document.querySelector(approve), document.querySelector(deny)];
  if (Boolean(yes) !== Boolean(no)) faults.push('only one of Allow and Deny');
  if (yes && no) {
    const [a, b] = [yes, no].map((button) => button.getBoundingClientRect());
    if (Math.abs(a.height - b.height) > 2) faults.push(`Allow is ${a.height} px high, and Deny ${b.height} px`);
    const size = (button) => parseFloat(getComputedStyle(button).fontSize);
    if (size(no) < size(yes)) faults.push('Deny is written smaller than Allow');
  }
  for (const element of document.querySelectorAll('*')) {
    if ([...element.attributes].some(({ name }) => name.startsWith('on'))) faults.push(`a handler in ${element.outerHTML.slice(0, 80)}`);
  }
  return {
    faults,
    window: document.documentElement.clientWidth,
    content: document.documentElement.scrollWidth,
    lang: document.documentElement.lang,
    dir: getComputedStyle(document.documentElement).direction,
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    scripts: document.scripts.length,
    isStyled: getComputedStyle(document.body).display === 'grid',
  };
}

/** The pages under their own policies, which are in them, and which name what a page of a server of ours names. */
async function serve() {
  const real = await fetch(`${baseUrl}/oauth/consent`);
  const names = (policy) => (policy ?? '').split(';').map((part) => part.trim().split(' ')[0]).sort().join(' ');
  const policy = real.headers.get('content-security-policy');
  check(policy?.includes("default-src 'none'"), `a page without a policy: ${real.status} ${policy}`);
  for (const page of pages) {
    const [, own] = (await readFile(join(folder, page), 'utf8')).match(/<meta http-equiv="Content-Security-Policy" content="([^"]*)">/) ?? [];
    // A `meta` element has no say in who frames the page.
    equal(names(`${own}; frame-ancestors`), names(policy), `${page}: what its policy names`);
  }
  const asked = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    asked.push(pathname);
    if (!pages.includes(pathname.slice(1))) {
      response.writeHead(404);
      return response.end();
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    return createReadStream(join(folder, pathname)).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { asked, origin: `http://127.0.0.1:${server.address().port}` };
}
