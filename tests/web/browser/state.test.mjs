// What the page shows is what the API says, and soon.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { holdSession, startBackends, Traffic } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(stopAll);

const word = (state) => state.replaceAll('_', ' ');

// A backend of the API as a row of the table has it.
const expectedRow = (api) => ({
  cluster: api.cluster,
  standing: api.available ? 'available' : 'left out',
  about: `${api.cluster} · ${api.address}${api.priority > 0 ? ` · priority ${api.priority}` : ''}`,
  administrative: word(api.administrative.state),
  health: api.health.probes ? word(api.health.state) : 'unprobed',
  breaker: api.breaker.enabled ? word(api.breaker.state) : 'off',
  sessions: String(api.active_connections),
  weight:
    api.weight === api.configured_weight
      ? String(api.weight)
      : `${api.weight} (${api.configured_weight})`,
  isCounting: api.breaker.retry_at !== null,
});

function withoutCountdown(rows) {
  return Object.fromEntries(
    Object.entries(rows).map(([name, { countdown, ...row }]) => [
      name,
      { ...row, isCounting: countdown !== null },
    ]),
  );
}

async function isShown(page, sluice) {
  const backends = await sluice.backends();
  const expected = Object.fromEntries(backends.map((api) => [api.name, expectedRow(api)]));
  try {
    assert.deepEqual(withoutCountdown(await page.rows()), expected);
    return true;
  } catch {
    return false;
  }
}

const shown = (page, sluice) =>
  eventually(() => isShown(page, sluice), 'the page shows the API’s state');

test('every_state_of_every_backend_is_the_api_s', async () => {
  const names = ['anna', 'bert', 'cleo', 'dora', 'emil'];
  const servers = await startBackends(...names);
  const more = {
    name: 'plain',
    backends: servers
      .slice(0, 2)
      .map(({ name, address }) => ({ name: `${name}-2`, address, priority: 3 })),
    health_check: 'off',
    circuit_breaker: 'off',
  };
  const conf = confOf(servers);
  const sluice = await Sluice.start({ ...conf, clusters: [...conf.clusters, more] });
  const page = await Page.open(browser, sluice.url);
  await page.live();
  await sluice.allHealthy();
  await shown(page, sluice);

  await sluice.act('drain', 'anna');
  await sluice.act('maintenance', 'bert');
  await sluice.act('trip', 'cleo');
  await sluice.act('weight?value=7', 'dora');
  await servers[4].kill();
  await eventually(
    async () => (await sluice.backend('emil')).health.state === 'unhealthy',
    'emil is unhealthy',
  );
  await shown(page, sluice);
  const rows = await page.rows();
  assert.deepEqual(
    names.map((name) => [rows[name].administrative, rows[name].breaker, rows[name].health]),
    [
      ['draining', 'closed', 'healthy'],
      ['maintenance', 'closed', 'healthy'],
      ['ready', 'open', 'healthy'],
      ['ready', 'closed', 'healthy'],
      ['ready', 'closed', 'unhealthy'],
    ],
    'three causes, told apart',
  );
  assert.match(await page.page.locator('#verdict-title').innerText(), /^4 of 7 backends left out/);

  await Promise.all(['anna', 'bert'].map((name) => sluice.act('ready', name)));
  await sluice.act('reset', 'cleo');
  await servers[4].comeBack();
  await eventually(async () => (await sluice.backend('emil')).available, 'emil is back');
  await shown(page, sluice);
  await page.page.locator('#verdict[data-state="good"]').waitFor();
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

// Resolves to the milliseconds from its death until the page shows that it is left out.
async function killAndSee(page, server) {
  await server.kill();
  const killedAt = performance.now();
  await page.page.waitForFunction(
    (name) =>
      document.querySelector(`tr[data-backend="${name}"] .visually-hidden`)?.textContent ===
      'left out',
    server.name,
    { polling: 'raf' },
  );
  const seenAfter = performance.now() - killedAt;
  console.log(`seen after ${Math.round(seenAfter)} ms`);
  return seenAfter;
}

test('a_killed_backend_is_seen_within_two_seconds_with_why_and_when', async () => {
  const servers = await startBackends('anna', 'bert', 'cleo');
  const sluice = await Sluice.start(confOf(servers, { cluster: { health_check: 'off' } }));
  const PARALLEL = 4;
  const traffic = new Traffic(sluice.port, { parallel: PARALLEL });
  const page = await Page.open(browser, sluice.url);
  await page.live();
  await eventually(() => traffic.sessions > 20, 'traffic flows');
  const seenAfter = await killAndSee(page, servers[1]);
  assert.ok(seenAfter < 2000, `${seenAfter} ms`);
  const verdict = page.page.locator('#verdict-list li');
  assert.equal(await verdict.count(), 1);
  // Why is told by the event, which may come a moment after an answer that has the state already.
  const why = /breaker open: 3 connect failures in a row, last: refused/;
  await eventually(async () => {
    const text = await verdict.innerText();
    return [/bert/, why, /tried again in \d+ s/].every((part) => part.test(text));
  }, 'it says why, and when it is tried again');
  const first = page.page.locator('#timeline li').first();
  await eventually(
    async () => /bert of web: breaker closed → open/.test(await first.innerText()),
    'the timeline has it first',
  );
  await traffic.stop();
  // Each of its clients had at most one session there when it died; nobody else was harmed.
  assert.ok(traffic.refused <= PARALLEL, `${traffic.refused} were harmed`);
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

// Only the calendar: performance.now goes on, as it does on a machine whose clock is wrong.
const SKEW_CLOCK = `{
  const Real = Date;
  const skew = 5 * 3600 * 1000;
  Date = class extends Real {
    constructor(...args) { if (args.length > 0) super(...args); else super(Real.now() + skew); }
    static now() { return Real.now() + skew; }
  };
}`;

test('the_countdown_goes_by_the_server_s_clock', async () => {
  const servers = await startBackends('anna', 'bert');
  const sluice = await Sluice.start(confOf(servers));
  const context = await browser.newContext();
  await context.addInitScript(SKEW_CLOCK);
  const page = await context.newPage();
  await page.goto(sluice.url);
  await eventually(
    async () => (await sluice.backend('anna')).health.state === 'healthy',
    'anna is up',
  );
  await sluice.act('trip', 'anna');
  const countdown = page.locator('tr[data-backend="anna"] .countdown');
  await countdown.waitFor();
  // All that it says from now on: of what stands there already nobody knows how old it is.
  await countdown.evaluate((element) => {
    window.said = [];
    new MutationObserver(() => window.said.push(element.textContent)).observe(element, {
      childList: true,
    });
  });
  const ofApi = async () => (await sluice.backend('anna')).breaker.retry_in_ms / 1000;
  for (let ticks = 0; ticks < 3; ticks += 1) {
    const before = await ofApi();
    const soFar = await page.evaluate(() => window.said.length);
    const text = await eventually(
      () => page.evaluate((number) => window.said[number], soFar),
      'it counts down',
    );
    const now = await ofApi();
    const said = Number(/in (\d+) s/.exec(text)?.[1]);
    assert.ok(said <= Math.ceil(before) + 1 && said >= Math.floor(now) - 1, `${said} of ${before}`);
  }
  await context.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('numbers_and_charts_move_with_the_traffic', async () => {
  const servers = await startBackends('anna', 'bert');
  const sluice = await Sluice.start(confOf(servers));
  const traffic = new Traffic(sluice.port);
  const page = await Page.open(browser, sluice.url);
  await page.live();
  const tile = (title) => page.page.locator('.tile', { hasText: title });
  await eventually(
    async () => Number(await tile('Connects per second').locator('.value').innerText()) > 5,
    'connects are counted',
  );
  await eventually(
    async () =>
      /L/.test(await tile('Connects per second').locator('.spark-line').getAttribute('d')),
    'the chart has a line',
  );
  const spark = page.row('anna').locator('.spark-line');
  await eventually(async () => /L/.test((await spark.getAttribute('d')) ?? ''), 'a row has a line');
  await traffic.stop();
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('connect_times_are_those_of_connects_that_were_watched', async () => {
  const servers = await startBackends('anna');
  const sluice = await Sluice.start(confOf(servers, { cluster: { health_check: 'off' } }));
  const clients = [await holdSession(sluice.port), await holdSession(sluice.port)];
  assert.equal((await sluice.backend('anna')).connect_ms.cumulative.at(-1), 2);
  const page = await Page.open(browser, sluice.url);
  await page.live();
  const tile = page.page.locator('.tile', { hasText: 'Connect time, p99' });
  const note = () => tile.locator('.note').innerText();
  await eventually(async () => /last \d+ s/.test(await note()), 'there is something to compare');
  const cell = page.row('anna').locator('[data-label="p50 / p99, 1 min"]');
  assert.equal(await tile.locator('.value').innerText(), '–', 'both were before it looked');
  assert.equal(await cell.innerText(), '–');
  clients.push(await holdSession(sluice.port));
  await eventually(
    async () => /^[≤]?\d+ ms$/.test(await tile.locator('.value').innerText()),
    'the third is told, in whole milliseconds',
  );
  assert.match(await cell.innerText(), /^[≤]?\d+ ms \/ [≤]?\d+ ms$/);
  for (const client of clients) client.destroy();
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('who_comes_late_is_told_what_happened_before', async () => {
  const servers = await startBackends('anna', 'bert');
  const sluice = await Sluice.start(confOf(servers));
  await sluice.allHealthy();
  await sluice.act('trip', 'anna');
  await sluice.act('reset', 'anna');
  await sluice.act('drain', 'bert');
  const page = await Page.open(browser, sluice.url);
  const items = page.page.locator('#timeline li .what');
  await eventually(async () => (await items.count()) >= 5, 'the history is there');
  const lines = (await items.allInnerTexts()).map((text) => text.split('\n')[0]);
  assert.deepEqual(lines.slice(0, 3), [
    'bert of web: administrative ready → draining',
    'anna of web: breaker open → closed',
    'anna of web: breaker closed → open',
  ]);
  await page.page.selectOption('#timeline-kind', 'health');
  assert.deepEqual((await items.allInnerTexts()).map((text) => text.split('\n')[0]).sort(), [
    'anna of web: health unknown → healthy',
    'bert of web: health unknown → healthy',
  ]);
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('the_sessions_of_one_backend_are_its_own_and_what_was_not_looked_at_is_said', async () => {
  const servers = await startBackends('b1', 'b10');
  const sluice = await Sluice.start(
    confOf(servers, { cluster: { balance: 'first', health_check: 'off' } }),
  );
  const hold = (number) =>
    Promise.all(Array.from({ length: number }, () => holdSession(sluice.port)));
  const clients = await hold(3);
  await sluice.act('drain', 'b1');
  clients.push(...(await hold(20)));
  const page = await Page.open(browser, sluice.url);
  await page.live();
  const count = page.page.locator('#sessions-count');
  const rows = page.page.locator('#sessions tr');
  const isShown = (text, number) =>
    eventually(
      async () => (await count.innerText()) === text && (await rows.count()) === number,
      `${number} rows, and "${text}"`,
    );
  const showOf = async (name) => {
    await page.openSheet(name);
    await page.page.getByRole('button', { name: 'Show its live sessions' }).click();
  };
  await showOf('b1');
  await isShown('3', 3);
  await page.page.getByRole('button', { name: /^Of b1 in web/ }).click();
  await isShown('23', 23);
  clients.push(...(await hold(90)));
  await showOf('b1');
  // A server that tells how many match has found the old ones; of another the page says it.
  if ((await sluice.get('/api/sessions')).matching !== undefined) await isShown('3', 3);
  await page.page.route('**/api/sessions?*', async (route) => {
    const answer = await route.fetch({ url: new URL('/api/sessions', sluice.url).href });
    const { matching, ...json } = await answer.json();
    await route.fulfill({ response: answer, json });
  });
  await isShown('only the youngest 100 of 113 were looked at', 0);
  await page.page.getByText('older ones were not looked at').waitFor();
  await page.page.unrouteAll({ behavior: 'ignoreErrors' });
  for (const client of clients) client.destroy();
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});

test('times_are_said_to_be_utc_and_those_of_another_day_have_their_date', async () => {
  const sluice = await Sluice.start(confOf([{ name: 'none', address: '127.0.0.1:9' }]));
  await sluice.act('drain', 'none');
  const page = await Page.open(browser, sluice.url, { timezoneId: 'Asia/Kolkata' });
  // The last event happens to be of yesterday, by the clock that the page goes by.
  const yesterday = new Date(Date.now() - 86_400_000).toISOString();
  await page.page.route('**/api/events', async (route) => {
    const event = { kind: 'breaker', cluster: 'web', backend: 'none', from: 'closed', to: 'open' };
    const data = JSON.stringify({ ...event, time: yesterday, why: 'x', retry_at: null });
    await route.fulfill({
      contentType: 'text/event-stream',
      body: `id: a-0\nevent: hello\ndata: {}\n\nid: a-1\nevent: transition\ndata: ${data}\n\n`,
    });
  });
  const times = page.page.locator('#timeline time');
  // Its first probe's and this one: the next probes change nothing, so none comes that is newer.
  await eventually(async () => (await times.count()) === 2, 'both events are told of');
  const newest = times.first();
  const time = await newest.getAttribute('datetime');
  const shown = async () => (await newest.innerText()).trim();
  await eventually(async () => (await shown()) === time.slice(11, 23), 'as the API has it');
  assert.match(await page.page.locator('.timeline .panel-head').innerText(), /UTC/);
  await page.page.reload();
  await page.page.locator('#timeline time .day').first().waitFor();
  assert.equal((await shown()).replace(/\s+/, 'T'), yesterday.slice(0, 23));
  await page.page.unrouteAll({ behavior: 'wait' });
  await page.close({ mayFail: true });
  await sluice.stop();
});

test('why_clients_were_rejected_is_text_in_the_listener_s_row', async () => {
  const sluice = await Sluice.start(
    confOf([{ name: 'none', address: '127.0.0.1:9' }], { cluster: { health_check: 'off' } }),
  );
  const traffic = new Traffic(sluice.port, { parallel: 1 });
  await eventually(() => traffic.refused > 3, 'clients are rejected');
  await traffic.stop();
  const page = await Page.open(browser, sluice.url);
  await page.live();
  const { rejected } = (await sluice.get('/api/listeners')).listeners[0];
  assert.ok(rejected.connect_failed > 0);
  const row = page.page.locator('#listeners tr');
  await eventually(
    async () =>
      (await row.innerText()).includes(`no connect succeeded ${rejected.connect_failed}`),
    'the reason is there to read',
  );
  assert.equal(await row.locator('[title]').count(), 0, 'and nothing is for mice only');
  await page.close();
  await sluice.stop();
});

test('live_sessions_say_why_they_are_where_they_are', async () => {
  const servers = await startBackends('anna', 'bert');
  const sluice = await Sluice.start(confOf(servers, { cluster: { balance: 'first' } }));
  await sluice.act('drain', 'anna');
  const client = await holdSession(sluice.port);
  const page = await Page.open(browser, sluice.url);
  await page.live();
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  const row = page.page.locator('#sessions tr');
  await row.waitFor();
  const [session] = (await sluice.get('/api/sessions')).sessions;
  const text = await row.innerText();
  for (const part of [
    session.client,
    'front',
    'bert',
    'first in the list',
    'passed over: 1 draining',
  ]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  await page.page.fill('#sessions-filter', 'nobody');
  await page.page.getByText('No session matches.').waitFor();
  await page.page.fill('#sessions-filter', 'bert');
  await row.waitFor();
  client.destroy();
  await eventually(async () => (await row.count()) === 0, 'a session that has ended is gone');
  await page.close();
  await sluice.stop();
  await Promise.all(servers.map((server) => server.kill()));
});
