// Names are other people's words: shown as they are, never run, and the page is fenced in besides.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { holdSession, startBackends } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

const NAMES = [
  '<img src=x onerror="window.harmed=1">',
  '</script><script>window.harmed=1</script>',
  '"><svg onload=window.harmed=1>',
  "'); window.harmed=1; ('",
  '${window.harmed=1}{{constructor.constructor("window.harmed=1")()}}',
  'javascript:window.harmed=1',
  '__proto__',
  'constructor',
  'a/b?c#d%2F e\\f',
  '\u202Etxt.exe',
  '<!-- -->&lt;b&gt;&amp;',
  `long-${'x'.repeat(180)}`,
  'ünïcödé 🚦 名前',
];

let browser;
before(async () => {
  browser = await launch();
});
after(stopAll);

async function nothingWasHarmed(page) {
  assert.equal(await page.page.evaluate(() => window.harmed), undefined);
  const foreign = await page.page.$$eval('img, iframe, object, embed, script:not([src])', (all) =>
    all.map((one) => one.outerHTML.slice(0, 80)),
  );
  assert.equal(foreign.length, 1, `only the page's own script: ${foreign}`);
}

test('hostile_names_are_text', async () => {
  const servers = await startBackends('anna');
  const sluice = await Sluice.start(confOf(servers));
  const page = await Page.open(browser, sluice.url);
  // Sluice's own configuration lets nobody have such names, and the page does not rely on that.
  await page.page.route('**/api/clusters', async (route) => {
    const answer = await route.fetch();
    const json = await answer.json();
    const [cluster] = json.clusters;
    const [backend] = cluster.backends;
    cluster.name = NAMES[0];
    cluster.backends = NAMES.map((name) => ({ ...backend, name, address: name }));
    await route.fulfill({ response: answer, json });
  });
  await page.live();
  const buttons = page.page.locator('#backends-table tbody button.name');
  await eventually(async () => (await buttons.count()) === NAMES.length, 'all are there');
  const shown = await page.page.$$eval('#backends-table tbody button.name', (all) =>
    all.map((one) => one.textContent),
  );
  assert.deepEqual([...shown].sort(), [...NAMES].sort());
  for (const [i, name] of shown.entries()) {
    await buttons.nth(i).click();
    await page.page.locator('#sheet[open]').waitFor();
    assert.equal(await page.page.locator('#sheet-title').textContent(), name);
    await page.page.keyboard.press('Escape');
    await page.page.locator('#sheet:not([open])').waitFor({ state: 'attached' });
  }
  await nothingWasHarmed(page);
  await page.page.unrouteAll({ behavior: 'wait' });
  await page.close();
  await sluice.stop();
});

// What a configuration lets a backend be called.
const ODD_NAMES = [
  'a/b',
  '../x',
  'x/..',
  'drain',
  '[::1]:80',
  'a@b:c',
  '__proto__',
  'constructor',
  `${'x'.repeat(100)}`,
];

test('buttons_reach_backends_with_odd_names', async () => {
  const [server] = await startBackends('any');
  const sluice = await Sluice.start(
    confOf(ODD_NAMES.map((name) => ({ name, address: server.address }))),
  );
  const page = await Page.open(browser, sluice.url);
  await page.live();
  for (const name of ODD_NAMES) {
    await page.page
      .locator('#backends-table tbody')
      .getByRole('button', { name, exact: true })
      .click();
    await page.page.locator('#sheet [data-action="drain"]').click();
    await page.page.locator('#confirm-do').click();
    await page.page.locator('#confirm:not([open])').waitFor({ state: 'attached' });
    assert.equal((await sluice.backend(name)).administrative.state, 'draining', name);
    await page.page.keyboard.press('Escape');
    await page.page.locator('#sheet:not([open])').waitFor({ state: 'attached' });
  }
  await page.close();
  await sluice.stop();
});

// Every string of every answer, as a broken or hostile server might have it.
function poison(value) {
  if (typeof value === 'string') return /^\d{4}-/.test(value) ? value : NAMES[0] + value;
  if (Array.isArray(value)) return value.map(poison);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, poison(one)]));
  }
  return value;
}

test('no_text_of_any_answer_is_ever_markup', async () => {
  const servers = await startBackends('anna', 'bert');
  const sluice = await Sluice.start(confOf(servers));
  const client = await holdSession(sluice.port);
  const page = await Page.open(browser, sluice.url);
  await page.live();
  await page.page.route('**/api/{status,clusters,listeners,sessions*}', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: poison(await answer.json()) });
  });
  await eventually(
    async () =>
      (await page.page
        .locator('#backends-table tbody button.name', { hasText: 'onerror' })
        .count()) === 2,
    'the poisoned answers are shown',
  );
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  await page.page.locator('#sessions', { hasText: 'onerror' }).waitFor();
  await page.page.locator('#backends-table tbody button.name').first().click();
  await page.page.locator('#sheet[open]').waitFor();
  await nothingWasHarmed(page);
  await page.page.unrouteAll({ behavior: 'wait' });
  await page.close();
  client.destroy();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('the_fence_holds_what_the_page_would_let_through', async () => {
  const [server] = await startBackends('any');
  const sluice = await Sluice.start(confOf([server]));
  const response = await fetch(sluice.url);
  const policy = response.headers.get('content-security-policy');
  for (const part of [
    "default-src 'none'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    'sha256-',
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.ok(!policy.includes('unsafe'), policy);

  // The negative control: a script that is not ours, an event handler and a strange address, put
  // into the very page, are refused by the browser.
  const context = await browser.newContext();
  const page = await context.newPage();
  const refused = [];
  page.on('console', (message) => refused.push(message.text()));
  await page.route(sluice.url, async (route) => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace(
      '</main>',
      '</main><script>window.harmed=1</script><img src="/x" onerror="window.harmed=2">',
    );
    await route.fulfill({ response: answer, body });
  });
  await page.goto(sluice.url);
  await page.locator('#link[data-state="live"]').waitFor();
  const tried = await page.evaluate(async () => {
    const outcomes = [];
    await fetch('http://127.0.0.2:1/').catch(() => outcomes.push('fetch'));
    try {
      document.body.innerHTML = '<b>x</b>';
    } catch {
      outcomes.push('innerHTML');
    }
    return outcomes;
  });
  assert.deepEqual(tried, ['fetch', 'innerHTML']);
  assert.equal(await page.evaluate(() => window.harmed), undefined);
  // The console is heard of a moment later.
  await eventually(
    () => refused.filter((text) => text.includes('Content Security Policy')).length >= 3,
    'each is told of',
  ).catch((error) => assert.fail(`${error.message}\n${refused.join('\n')}`));
  await context.close();
  await sluice.stop();
  await server.kill();
});
