// A browser without a screen: cookie jar, redirects, and HTML forms that it fills
// in and submits, with the request headers by which servers tell a browser's
// navigation (Origin, Referer, Sec-Fetch-*). It knows neither the proxy's pages
// nor the provider's: it takes whatever form it is shown.

import http from 'node:http';
import https from 'node:https';

import { check } from './steps.mjs';

const MAX_HOPS = 30;
const APPROVING = /\b(accept|allow|approve|authorize|continue)\b/i;
const REFUSING = /\b(deny|den(ied|y)|cancel|abort|reject|refuse|decline|no)\b/i;

export class Agent {
  /** Cookies by host name and by name: ports share them, as in real browsers. */
  #jar = new Map();
  /** Every answer in order, for failure messages. */
  history = [];

  constructor({ login = 'alice' } = {}) {
    this.login = login;
  }

  /**
   * Opens `url` and goes on, through redirects and forms, until a redirect
   * leads to `redirectUri`. Returns that last URL without asking for it.
   */
  async authorize(url, redirectUri) {
    let next = { method: 'GET', url: String(url), site: 'none' };
    for (let hop = 0; hop < MAX_HOPS; hop += 1) {
      const answer = await this.request(next);
      const location = redirectOf(answer);
      if (location) {
        if (location.startsWith(redirectUri)) return new URL(location);
        check(/^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(location), `a redirect left this machine: ${location}`, answer);
        next = {
          method: 'GET',
          url: location,
          referer: next.referer,
          site: next.site === 'none' ? 'none' : siteOf(next.referer ?? next.url, location),
        };
        continue;
      }
      check(answer.status === 200, `the browser was stopped by an answer of ${answer.status} after ${this.trail()}`, answer);
      const form = formOf(answer);
      check(form, `the browser found no form to submit after ${this.trail()}`, answer);
      next = this.#submit(form, answer);
    }
    throw new Error(`the browser went round for ${MAX_HOPS} hops: ${this.trail()}`);
  }

  /** One request, with cookies, as a navigation; redirects are not followed. */
  async request({ method = 'GET', url, body, referer, origin, site = 'none' }) {
    const target = new URL(url);
    const headers = {
      host: target.host,
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) interop-agent',
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'accept-language': 'en',
      'sec-fetch-site': site,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-user': '?1',
      'upgrade-insecure-requests': '1',
    };
    if (referer) headers.referer = referer;
    if (origin) headers.origin = origin;
    if (body !== undefined) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers['content-length'] = Buffer.byteLength(body);
    }
    const cookies = this.#cookiesFor(target);
    if (cookies) headers.cookie = cookies;
    const answer = await exchange(method, target, headers, body);
    this.#keepCookies(target, answer.cookies);
    this.history.push(answer);
    return answer;
  }

  trail() {
    return this.history.map(({ method, url, status }) => `${method} ${url.split('?')[0]} ${status}`).join(', ');
  }

  #submit(form, page) {
    const action = new URL(form.action || page.url, page.url).href;
    const fields = new URLSearchParams();
    for (const input of form.inputs) {
      if (!input.name || /^(submit|button|image|reset)$/.test(input.type)) continue;
      if (/^(checkbox|radio)$/.test(input.type) && !input.checked) continue;
      let { value } = input;
      if (!value && input.type === 'password') value = 'any password';
      if (!value && /^(text|email)$/.test(input.type)) value = this.login;
      fields.append(input.name, value);
    }
    const buttons = form.buttons.filter(({ type }) => type === 'submit');
    const says = (words) => ({ name, value, text }) => words.test(`${name} ${value} ${text}`);
    const fitting = buttons.filter((button) => !says(REFUSING)(button));
    const button = fitting.find(says(APPROVING)) ?? fitting[0] ?? buttons[0];
    if (button?.name) fields.append(button.name, button.value);
    const policy = page.headers['referrer-policy'] ?? '';
    const here = new URL(page.url);
    const same = here.origin === new URL(action).origin;
    // With `no-referrer` a browser posts `Origin: null`; with `same-origin` it does so across origins only.
    const hidden = policy === 'no-referrer' || (policy === 'same-origin' && !same);
    const request = {
      referer: hidden ? undefined : same ? page.url : `${here.origin}/`,
      site: siteOf(page.url, action),
    };
    if (form.method === 'post') {
      return { ...request, method: 'POST', url: action, body: String(fields), origin: hidden ? 'null' : here.origin };
    }
    const target = new URL(action);
    target.search = String(fields);
    return { ...request, method: 'GET', url: target.href };
  }

  #cookiesFor(target) {
    const kept = this.#jar.get(target.hostname) ?? new Map();
    return [...kept.values()]
      .filter(({ expires, path, secure }) => expires > Date.now()
        && pathMatches(target.pathname, path)
        && (!secure || target.protocol === 'https:'))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keepCookies(target, lines) {
    const kept = this.#jar.get(target.hostname) ?? new Map();
    this.#jar.set(target.hostname, kept);
    for (const line of lines) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), path: '/', expires: Infinity, secure: false };
      let maxAge;
      for (const attribute of attributes) {
        const [key, value = ''] = attribute.split('=');
        if (/^path$/i.test(key)) cookie.path = value;
        if (/^secure$/i.test(key)) cookie.secure = true;
        if (/^expires$/i.test(key)) cookie.expires = Date.parse(value);
        if (/^max-age$/i.test(key)) maxAge = Number(value);
      }
      if (maxAge !== undefined) cookie.expires = Date.now() + maxAge * 1000;
      const key = `${cookie.name};${cookie.path}`;
      if (cookie.expires <= Date.now()) kept.delete(key);
      else kept.set(key, cookie);
    }
  }
}

function exchange(method, target, headers, body) {
  return new Promise((resolve, reject) => {
    const { request: ask } = target.protocol === 'https:' ? https : http;
    const request = ask(target, { method, headers, agent: false, timeout: 30_000 }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({
        method,
        url: target.href,
        status: response.statusCode,
        headers: response.headers,
        cookies: response.headers['set-cookie'] ?? [],
        body: Buffer.concat(chunks).toString('utf8'),
      }));
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${target.href}: no answer within 30 s`)));
    request.on('error', (cause) => reject(new Error(`${method} ${target.href}: ${cause.message}`, { cause })));
    request.end(body);
  });
}

function redirectOf(answer) {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  check(answer.status !== 307 && answer.status !== 308, 'a redirect that would repeat a posted form', answer);
  check(answer.headers.location, 'a redirect without Location', answer);
  return new URL(answer.headers.location, answer.url).href;
}

/** The first form of a page that submits something, as a person would take it. */
export function formOf(answer) {
  for (const [, head, inner] of answer.body.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)) {
    const form = attributesOf(head);
    const inputs = [...inner.matchAll(/<input\b([^>]*)>/gi)].map(([, tag]) => {
      const { name, type = 'text', value = '', ...rest } = attributesOf(tag);
      return { name, type: type.toLowerCase(), value, checked: 'checked' in rest };
    });
    const buttons = [...inner.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, tag, text]) => {
      const { name, type = 'submit', value = '' } = attributesOf(tag);
      return { name, type: type.toLowerCase(), value, text: text.replace(/<[^>]*>/g, ' ').trim() };
    });
    for (const { name, type, value } of inputs) {
      if (type === 'submit') buttons.push({ name, type, value, text: value });
    }
    if (buttons.length > 0) {
      return { action: form.action, method: (form.method ?? 'get').toLowerCase(), inputs, buttons };
    }
  }
  return undefined;
}

function attributesOf(tag) {
  const attributes = {};
  for (const [, name, , double, single, bare] of tag.matchAll(/([^\s"'<>/=]+)(\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/g)) {
    attributes[name.toLowerCase()] = unescapeHtml(double ?? single ?? bare ?? '');
  }
  return attributes;
}

function unescapeHtml(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi, (_all, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return named[name.toLowerCase()];
  });
}

function siteOf(from, to) {
  const a = new URL(from);
  const b = new URL(to);
  if (a.origin === b.origin) return 'same-origin';
  return a.hostname === b.hostname && a.protocol === b.protocol ? 'same-site' : 'cross-site';
}

function pathMatches(path, cookiePath) {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}
