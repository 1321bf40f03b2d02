// A thousand backends: found, sorted and scrolled without the page standing still.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startMany, Traffic } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

const COUNT = 1000;
// What a reader notices as standing still begins at some 200 ms; a processor that is shared with
// busy neighbours needs more of its time for the same.
const TASK_MS_MAX = 300;
// A thousand of anything take their time on such a machine.
const WITHIN_MS = 60_000;

let browser;
let many;
let sluice;
before(async () => {
  browser = await launch();
  many = await startMany(COUNT, (i) => `node-${i + 1}`);
  const half = many.backends.slice(0, COUNT / 2);
  const rest = many.backends.slice(COUNT / 2);
  const conf = confOf(half, { cluster: { health_check: { interval: '5s', timeout: '1m' } } });
  conf.clusters.push({ ...conf.clusters[0], name: 'batch', backends: rest });
  sluice = await Sluice.start(conf);
  // Those that are not known yet would need a look, too.
  await sluice.allHealthy(WITHIN_MS);
});
after(stopAll);

async function open() {
  const page = await Page.open(browser, sluice.url);
  await page.live();
  // Cheap questions only: what the test asks is the page's work, too.
  await showsRows(page, COUNT, 'all are there');
  return page;
}

// Two frames: what was asked for has been drawn.
const drawn = (page) =>
  page.page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  );

const rowCount = (page) =>
  page.page.evaluate(() => document.querySelectorAll('#backends-table tbody tr').length);

const showsRows = (page, count, what) =>
  eventually(async () => (await rowCount(page)) === count, what, WITHIN_MS);

const names = (page) =>
  page.page.$$eval('#backends-table tbody tr', (rows) => rows.map((row) => row.dataset.backend));

// The page's longest tasks, in milliseconds of processor time: how long they would take a reader
// whose machine is not busy with other things.
async function longestTasks() {
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const isMain = new Set(
    traceEvents
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  return traceEvents
    .filter(({ name, pid, tid }) => name === 'RunTask' && isMain.has(`${pid} ${tid}`))
    .filter(({ tdur }) => tdur > 0) // not one that was under way when this began
    .map(({ tdur }) => Math.round(tdur / 1000))
    .sort((a, b) => b - a)
    .slice(0, 12);
}

const trace = (page) =>
  browser.startTracing(page, {
    categories: ['__metadata', 'disabled-by-default-devtools.timeline'],
  });

test('a_thousand_are_filtered_sorted_and_scrolled_without_standing_still', async () => {
  const traffic = new Traffic(sluice.port, { parallel: 8, pauseMs: 5 });
  await sluice.act('drain', 'node-777', 'batch');
  await trace();
  const page = await open();
  const atStart = await longestTasks();
  await trace(page.page);
  assert.equal((await names(page))[0], 'node-777', 'what needs a look is first');
  assert.equal(await page.page.locator('#backends-count').innerText(), '1,000');

  await page.page.locator('#backends-filter').pressSequentially('node-99');
  await showsRows(page, 11, 'node-99 and node-990 to node-999');
  assert.equal(await page.page.locator('#backends-count').innerText(), '11 of 1,000');
  await page.page.fill('#backends-filter', 'no such backend');
  await page.page.locator('#backends-empty').waitFor();
  await page.page.fill('#backends-filter', '');
  await showsRows(page, COUNT, 'all are back');

  for (const title of ['Health', 'Sessions', 'Connects/s', 'Backend', 'p50 / p99']) {
    const head = page.page.locator('#backends-head button', { hasText: title });
    await head.click();
    await drawn(page);
    await head.click();
    await drawn(page);
  }
  await page.page.selectOption('#backends-cluster', 'batch');
  await showsRows(page, COUNT / 2, 'one cluster');
  await page.page.selectOption('#backends-cluster', '');
  await page.page.check('.choices input[value="out"]');
  await eventually(
    async () => String(await names(page)) === 'node-777',
    'those left out',
    WITHIN_MS,
  );
  await page.page.check('.choices input[value="all"]');
  await showsRows(page, COUNT, 'all are back');

  const height = await page.page.evaluate(() => document.documentElement.scrollHeight);
  for (let y = 0; y < height; y += 2000) {
    await page.page.mouse.wheel(0, 2000);
    await drawn(page);
  }
  const whileUsed = await longestTasks();
  console.log(`longest tasks at the start: ${atStart} ms; in use: ${whileUsed} ms`);
  assert.ok(atStart.length > 0 && whileUsed.length > 0);
  assert.ok(Math.max(...atStart, ...whileUsed) <= TASK_MS_MAX, `${atStart}; ${whileUsed}`);
  await traffic.stop();
  await page.close();
});

test('rows_that_come_into_sight_are_up_to_date', async () => {
  const page = await open();
  await page.page.locator('#backends-head button', { hasText: 'Backend' }).click();
  await sluice.act('weight?value=33', 'node-990', 'batch');
  const row = page.row('node-990');
  await row.scrollIntoViewIfNeeded();
  await eventually(
    async () => (await row.locator('[data-label="Weight"]').innerText()).includes('33 (1)'),
    'its weight',
    WITHIN_MS,
  );
  assert.match(await row.locator('.sub').innerText(), /^batch · 127\.0\.0\.1:\d+$/);
  await page.close();
});

test('a_row_that_is_pointed_at_stays_where_it_is', async () => {
  const page = await open();
  assert.equal(await page.page.locator('#backends-sort').inputValue(), 'standing');
  const before = await names(page);
  await page.row(before[3]).locator('button.name').hover();
  const { cluster } = (await page.rows())[before[6]];
  await sluice.act('maintenance', before[6], cluster);
  await eventually(
    async () => (await page.rows())[before[6]].administrative === 'maintenance',
    'the state is shown',
    WITHIN_MS,
  );
  assert.deepEqual((await names(page)).slice(0, 8), before.slice(0, 8));
  await page.page.mouse.move(0, 0);
  await eventually(
    async () => (await names(page)).indexOf(before[6]) < 3,
    'and goes where it belongs when nobody points at it',
    WITHIN_MS,
  );
  await page.close();
});
