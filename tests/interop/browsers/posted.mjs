// A provider that posts its answer from a page of its own: across sites, and so without our cookies. In the browser that
// BROWSER names; the environment is that of logins.mjs.

import { check, env, equal, finish, journey } from '../steps.mjs';
import { APPROVE, appears, isOfTheBrowser, logIn, mustBeReadable, press, PRIVATE_SCHEME, start } from './hands.mjs';
import { redeem, register, request, startSite } from './site.mjs';

const name = env('BROWSER', 'chromium');
const baseUrl = env('BASE_URL');
const step = journey(`${name}, posted`, { isOfTheTool: isOfTheBrowser });
const site = await startSite(PRIVATE_SCHEME);
const clientId = await step('a client registers', () => register(baseUrl, site, 'Notes for the desk'));
const browser = await step('it starts', async () => {
  const browser = await start(name);
  check(browser, `there is no ${name} here`);
  return browser;
});
const person = await browser.profile();

for (const what of ['with a login', 'by the session that is there']) {
  await step(`the posted answer reaches the client as a code that is good, ${what}`, async () => {
    site.forget();
    const asked = request(baseUrl, clientId, site.callback);
    const tab = await person.tab();
    await tab.open(asked.url);
    await press(tab, APPROVE);
    if (what === 'with a login') await logIn(tab, env('PROVIDER_ISSUER'), 'judy');
    const arrived = await site.arrival();
    equal(arrived.searchParams.get('state'), asked.state, 'state');
    await redeem(baseUrl, clientId, site.callback, { arrived, verifier: asked.verifier });
    const posted = tab.log.answers.filter(({ url }) => url.startsWith(`${baseUrl}/oauth/callback`));
    equal(posted.map(({ status }) => status).join(' '), '303 302', 'the callback’s answers: to the post, and to what follows');
    await tab.close();
  });
}

await step('a post of another site’s making ends at a page that can be read', async () => {
  const tab = await person.tab();
  site.forget();
  await tab.open(`${site.origin}/callback`);
  site.forget();
  await tab.run((action) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action });
    for (const [name, value] of Object.entries({ code: 'made-up', state: 'made-up' })) {
      form.append(Object.assign(document.createElement('input'), { name, value }));
    }
    document.body.append(form);
    form.submit();
  }, `${baseUrl}/oauth/callback`);
  await appears(tab, 'h1');
  const page = await mustBeReadable(tab, baseUrl, 'a post that nobody asked for');
  check(page.status >= 400, `${page.status}: ${page.text}`);
  equal(site.arrivals.length, 0, 'arrivals at the client');
  await tab.close();
});

await finish(0);
