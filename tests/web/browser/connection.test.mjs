// The page says when it has lost the connection, and catches up.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBackends } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { Gate } from '../support/gate.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

let browser;
let servers;
before(async () => {
  browser = await launch();
  servers = await startBackends('anna', 'bert');
});
after(stopAll);

async function lines(page) {
  const texts = await page.page.locator('#timeline li .what').allInnerTexts();
  return texts.map((text) => text.split('\n')[0]);
}

async function announced(page, pattern) {
  await page.page.evaluate(() => {
    window.spoken ??= [];
    if (window.listens) return;
    window.listens = new MutationObserver(() => {
      window.spoken.push(document.getElementById('announcer').textContent);
    });
    window.listens.observe(document.getElementById('announcer'), {
      childList: true,
      characterData: true,
    });
  });
  return () =>
    eventually(
      async () => pattern.test((await page.page.evaluate(() => window.spoken)).join('|')),
      `${pattern} is announced`,
    );
}

test('what_happened_during_a_loss_is_caught_up_with', async () => {
  const sluice = await Sluice.start(confOf(servers));
  const gate = await Gate.open(sluice.admin);
  const page = await Page.open(browser, gate.url);
  await page.live();
  await sluice.allHealthy();
  await eventually(async () => (await lines(page)).length === 2, 'both are told of');
  const isSpoken = await announced(page, /Connection lost/);

  await gate.close();
  await page.page.locator('#lost').waitFor();
  assert.match(await page.page.locator('#link-text').innerText(), /^Lost/);
  assert.match(
    await page.page.locator('#lost-text').innerText(),
    /^Connection lost \(.+\); trying again.* is as it was at \d\d:\d\d:\d\d\.\d{3} UTC\.$/,
  );
  await isSpoken();
  await sluice.act('drain', 'anna');
  await sluice.act('ready', 'anna');
  await sluice.act('maintenance', 'bert');
  const isBack = await announced(page, /Connected again(?!:)/);
  await gate.reopen();
  await page.live();
  await page.page.locator('#lost').waitFor({ state: 'hidden' });
  await isBack();
  await eventually(async () => (await lines(page)).length === 5, 'three more, none twice');
  assert.deepEqual((await lines(page)).slice(0, 3), [
    'bert of web: administrative ready → maintenance',
    'anna of web: administrative draining → ready',
    'anna of web: administrative ready → draining',
  ]);
  await eventually(
    async () => (await page.rows()).bert.administrative === 'maintenance',
    'and the table shows it',
  );
  await page.close({ mayFail: true });
  await gate.close();
  await sluice.stop();
});

test('a_restart_is_noticed_and_its_events_are_new', async () => {
  const first = await Sluice.start(confOf(servers));
  await first.allHealthy();
  const admin = { address: first.admin };
  const page = await Page.open(browser, first.url);
  await page.live();
  await first.act('drain', 'anna');
  await eventually(
    async () => (await page.rows()).anna?.administrative === 'draining',
    'it is shown',
  );
  const drained = 'anna of web: administrative ready → draining';
  await eventually(async () => (await lines(page)).includes(drained), 'and told of');
  const pid = first.pid;
  await first.stop();
  await page.page.locator('#link[data-state="lost"]').waitFor();
  const isSpoken = await announced(page, /Connected again: Sluice was restarted/);

  const second = await Sluice.start(confOf(servers, { admin }));
  assert.notEqual(second.pid, pid);
  await page.live();
  await isSpoken();
  await eventually(
    async () => (await page.rows()).anna?.administrative === 'ready',
    'the new state is shown',
  );
  // Whose own first events are then before this one.
  await second.allHealthy();
  await second.act('maintenance', 'bert');
  await eventually(
    async () => (await lines(page))[0] === 'bert of web: administrative ready → maintenance',
    'the new process’s events come',
  );
  assert.ok((await lines(page)).includes(drained), 'the old ones stay');
  await page.close({ mayFail: true });
  await second.stop();
});

test('nothing_is_claimed_before_there_is_an_answer', async () => {
  const sluice = await Sluice.start(confOf(servers, { cluster: { health_check: 'off' } }));
  const context = await browser.newContext({ viewport: { width: 1440, height: 2000 } });
  const page = await context.newPage();
  // Nothing is answered until the test says so: first the snapshots are, then the rest.
  const waiting = { events: null, sessions: null, snapshots: null };
  const gates = Object.fromEntries(
    Object.keys(waiting).map((name) => [name, new Promise((open) => (waiting[name] = open))]),
  );
  await page.route('**/api/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    await (gates[pathname.split('/').at(-1)] ?? gates.snapshots);
    await route.continue();
  });
  const text = (id) => page.locator(`#${id}`).innerText();
  const told = (id, words) => eventually(async () => (await text(id)) === words, `${id}: ${words}`);
  await page.goto(sluice.url);
  assert.equal(await text('timeline-empty'), 'Not known yet.');
  assert.equal(await text('sessions-empty'), 'Not known yet.');
  assert.equal(await text('verdict-title'), 'Waiting for the first answer');
  assert.equal(await text('out-count'), '–');
  waiting.snapshots();
  await told('out-count', '0');
  assert.equal(await text('timeline-empty'), 'Not known yet.', 'a snapshot tells no history');
  assert.equal(await text('sessions-empty'), 'Not known yet.');
  waiting.events();
  waiting.sessions();
  await told('timeline-empty', 'Nothing has happened yet.');
  await told('sessions-empty', 'There is no live session.');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
  await sluice.stop();
});

test('trying_now_does_not_wait', async () => {
  const sluice = await Sluice.start(confOf(servers));
  const gate = await Gate.open(sluice.admin);
  const page = await Page.open(browser, gate.url, { time: Date.now() });
  await page.live();
  await page.stopClock();
  await gate.close();
  // Late enough that the next try is seconds away, and it stays so: no other time passes there.
  await eventually(
    async () => {
      await page.passTime(500);
      return /again in [3-9] s/.test(await page.page.locator('#lost-text').innerText());
    },
    'the pauses grow',
    30_000,
  );
  await gate.reopen();
  await page.page.locator('#lost-retry').click();
  // What is to be done at once is done in moments that are not a second together.
  await eventually(async () => {
    await page.passTime(1);
    return (await page.page.locator('#link').getAttribute('data-state')) === 'live';
  }, 'it is live without waiting');
  await page.close({ mayFail: true });
  await gate.close();
  await sluice.stop();
});
