// The client of the browser journeys: a little web site on its own port, its registration, and its requests.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { check, env, until } from '../steps.mjs';

const PATIENCE_SECONDS = 20;

/**
 * `/callback` keeps what arrives, and tells the window that opened it; `/to-app` hands over to the app on this
 * computer, as hosted clients do; `/popup?to=…` and `/prefetch?to=…` are pages of the client's.
 */
export async function startSite(scheme) {
  const arrivals = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const page = (html) => response.end(`<!doctype html><title>client</title>${html}`);
    const to = url.searchParams.get('to')?.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    response.setHeader('content-type', 'text/html; charset=utf-8');
    switch (url.pathname) {
      case '/callback':
        arrivals.push(url);
        return page('<p>Back at the client.</p><script>opener?.postMessage(location.search, "*")</script>');
      case '/to-app':
        arrivals.push(url);
        response.writeHead(302, { location: `${scheme}://done?${url.searchParams}` });
        return response.end();
      case '/popup':
        return page(`<button data-to="${to}">Log in</button><p></p><script>
          document.querySelector('button').onclick = ({ target }) => window.open(target.dataset.to, 'login', 'width=500,height=700');
          addEventListener('message', ({ data }) => { document.querySelector('p').textContent = data; });
        </script>`);
      case '/prefetch':
        return page(`<link rel="prefetch" href="${to}"><p>A page that guesses what comes next.</p>`);
      default:
        response.writeHead(404);
        return response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    /** The same site as the proxy's, for a browser. */
    neighbour: `http://localhost:${port}`,
    callback: `${origin}/callback`,
    callbackToApp: `${origin}/to-app`,
    arrivals,
    arrival: async () => {
      await until('the browser to arrive at the client', PATIENCE_SECONDS, () => arrivals.length > 0);
      return arrivals.shift();
    },
    forget: () => { arrivals.length = 0; },
  };
}

export async function register(baseUrl, site, name) {
  const response = await fetch(`${baseUrl}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: name,
      redirect_uris: [site.callback, site.callbackToApp],
      token_endpoint_auth_method: 'none',
    }),
  });
  const body = await response.text();
  check(response.status === 201, 'not registered', { method: 'POST', url: response.url, status: response.status, headers: Object.fromEntries(response.headers), body });
  return JSON.parse(body).client_id;
}

/** What a client opens in the browser, with its state and its verifier. */
export function request(baseUrl, clientId, redirectUri, more = {}) {
  const state = randomBytes(12).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(`${baseUrl}/oauth/authorize`);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    state,
    resource: env('MCP_URL'),
    ...more,
  });
  return { url: url.href, state, verifier };
}

/** Whether the code that arrived is good, as the client's own server finds out. */
export async function redeem(baseUrl, clientId, redirectUri, { arrived, verifier }) {
  const answer = await fetch(`${baseUrl}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: arrived.searchParams.get('code'),
      client_id: clientId,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      resource: env('MCP_URL'),
    }),
  });
  const body = await answer.text();
  check(answer.status === 200, `the code is not good: ${answer.status} ${body}`);
  return JSON.parse(body);
}
