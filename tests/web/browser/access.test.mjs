// For everybody: by keyboard alone, read aloud, on a phone, light and dark, without motion.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { holdSession, startBackends } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const PHONE = { width: 360, height: 740 };

let browser;
let servers;
let sluice;
let client;
before(async () => {
  browser = await launch();
  servers = await startBackends('anna', 'bert', 'cleo', 'dora');
  sluice = await Sluice.start(
    confOf(servers, {
      listener: { name: 'a-listener-with-a-rather-long-name-for-a-phone' },
      cluster: {
        circuit_breaker: {
          recovery_timeout: '10m',
          max_recovery_timeout: '20m',
          early_trial: false,
        },
      },
    }),
  );
  await sluice.allHealthy();
  client = await holdSession(sluice.port);
  await sluice.act('trip', 'bert');
  await sluice.act('drain', 'cleo');
  await sluice.act('maintenance', 'dora');
});
after(stopAll);

async function open(options) {
  const page = await Page.open(browser, sluice.url, options);
  await page.live();
  await eventually(async () => (await page.rows()).bert?.breaker === 'open', 'bert is shown');
  // Once it has been told what was before, what comes is news to it.
  await page.page.locator('#timeline').getByText('bert').first().waitFor();
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  await page.page.locator('#sessions tr').waitFor();
  await page.page.evaluate(() => window.scrollTo(0, 0));
  return page;
}

async function violations(page) {
  await page.page.evaluate(AXE);
  const found = await page.page.evaluate(() =>
    window.axe.run(document, { resultTypes: ['violations'] }),
  );
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('\n')}`,
  );
}

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of [undefined, { width: 1000, height: 800 }, PHONE]) {
    test(`axe_finds_nothing_${colorScheme}_${viewport?.width ?? 1440}`, async () => {
      const page = await open({
        colorScheme,
        ...(viewport && { viewport }),
        reducedMotion: 'reduce',
      });
      assert.deepEqual(await violations(page), []);
      await page.openSheet('bert');
      assert.deepEqual(await violations(page), []);
      await page.page.locator('#sheet [data-action="reset"]').click();
      await page.page.locator('#confirm[open]').waitFor();
      assert.deepEqual(await violations(page), []);
      await page.close();
    });
  }
}

test('axe_would_find_something', async () => {
  const page = await open();
  await page.page.evaluate(() => {
    document
      .getElementById('backends-filter')
      .closest('label')
      .replaceWith(document.getElementById('backends-filter'));
    document.getElementById('backends-filter').removeAttribute('placeholder');
  });
  assert.match((await violations(page)).join(), /label/);
  await page.close();
});

const focusComesTo = (page, name) =>
  eventually(async () => (await focused(page)) === name, `the focus is on ${name}`);

const focused = (page) =>
  page.page.evaluate(() => {
    const element = document.activeElement;
    return element.id || element.textContent.trim();
  });

test('everything_can_be_done_by_keyboard', async () => {
  const page = await open();
  const { keyboard } = page.page;
  await keyboard.press('Tab');
  await focusComesTo(page, 'Skip to the backends');
  await keyboard.press('Enter');
  await focusComesTo(page, 'backends');
  // Into the table: one stop for all rows.
  await eventually(async () => {
    await keyboard.press('Tab');
    return page.page.evaluate(
      () => document.activeElement.closest('#backends-table tbody') !== null,
    );
  }, 'Tab comes to the table');
  const order = await page.page.$$eval('#backends-table tbody tr', (rows) =>
    rows.map((row) => row.dataset.backend),
  );
  await focusComesTo(page, order[0]);
  const outline = await page.page.evaluate(
    () => getComputedStyle(document.activeElement).outlineStyle,
  );
  assert.equal(outline, 'solid', 'where the focus is can be seen');
  await keyboard.press('ArrowDown');
  await focusComesTo(page, order[1]);
  await keyboard.press('End');
  await focusComesTo(page, order.at(-1));
  await keyboard.press('Home');
  await keyboard.press('ArrowUp');
  await focusComesTo(page, order[0]);

  assert.equal(order[0], 'bert', 'its breaker is open');
  await keyboard.press('Enter');
  await page.page.locator('#sheet[open]').waitFor();
  await eventually(async () => {
    await keyboard.press('Tab');
    return (await focused(page)) === 'Reset';
  }, 'Tab comes to Reset');
  await keyboard.press('Enter');
  await page.page.locator('#confirm[open]').waitFor();
  await focusComesTo(page, 'confirm-cancel'); // so Enter again does no harm
  await keyboard.press('Escape');
  await page.page.locator('#confirm:not([open])').waitFor({ state: 'attached' });
  assert.equal((await sluice.backend('bert')).breaker.state, 'open');
  await keyboard.press('Enter');
  await focusComesTo(page, 'confirm-cancel');
  await keyboard.press('Tab');
  await focusComesTo(page, 'confirm-do');
  await keyboard.press('Enter');
  await eventually(
    async () => (await sluice.backend('bert')).breaker.state === 'closed',
    'it is reset',
  );
  await page.page.locator('#confirm:not([open])').waitFor({ state: 'attached' });
  await keyboard.press('Escape');
  await page.page.locator('#sheet:not([open])').waitFor({ state: 'attached' });
  await focusComesTo(page, 'bert');
  await sluice.act('trip', 'bert');
  await keyboard.press('Tab');
  await eventually(
    () =>
      page.page.evaluate(() => document.activeElement.closest('#backends-table tbody') === null),
    'one Tab leaves the table',
  );
  await page.close();
});

test('what_was_before_is_not_read_aloud', async () => {
  const page = await open();
  await page.page.addInitScript(() => {
    window.said = [];
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        if (target.classList?.contains('announcer') && target.textContent !== '') {
          window.said.push(target.textContent);
        }
      }
    }).observe(document, { subtree: true, childList: true });
  });
  await page.page.reload();
  await page.live();
  await page.page.locator('#timeline').getByText('bert').first().waitFor();
  await sluice.act('ready', 'cleo');
  const said = await eventually(
    () => page.page.evaluate(() => window.said.length > 0 && window.said),
    'it is said',
  );
  assert.equal(said.length, 1);
  assert.match(said[0], /^[^.]*state of cleo: draining to ready[^.]*$/);
  await sluice.act('drain', 'cleo');
  await page.close();
});

test('transitions_are_read_aloud_politely', async () => {
  const page = await open();
  const announcer = page.page.locator('#announcer');
  assert.equal(await announcer.getAttribute('aria-live'), 'polite');
  await sluice.act('ready', 'cleo');
  await eventually(
    async () => (await announcer.textContent()).includes('state of cleo: draining to ready'),
    'it is said',
  );
  await sluice.act('drain', 'cleo');
  await page.close();
});

test('what_happens_is_heard_in_the_dialog_that_is_on_top', async () => {
  const page = await open();
  // All regions that a screen reader can hear: nothing outside the topmost dialog is.
  const heard = (dialog) =>
    page.page.locator(`${dialog}[open]`).getByRole('status').filter({ hasText: /./ });
  await page.openSheet('anna');
  await sluice.act('ready', 'cleo');
  await heard('#sheet').getByText('state of cleo: draining to ready').waitFor();
  assert.equal(await page.page.locator('#announcer').textContent(), '', 'it would not be heard');
  await page.page.locator('#sheet [data-action="trip"]').click();
  await page.page.locator('#confirm[open]').waitFor();
  await sluice.act('drain', 'cleo');
  await heard('#confirm').getByText('state of cleo: ready to draining').waitFor();
  await page.page.keyboard.press('Escape');
  await page.page.keyboard.press('Escape');
  await page.page.locator('#sheet:not([open])').waitFor({ state: 'attached' });
  await sluice.act('ready', 'cleo');
  await page.page.locator('#announcer', { hasText: 'draining to ready' }).waitFor();
  await sluice.act('drain', 'cleo');
  await page.close();
});

test('states_have_shapes_and_words_not_only_colours', async () => {
  const page = await open();
  const marks = await page.page.$$eval('#backends-table tbody .state', (all) =>
    all.map((one) => `${one.textContent} ${one.querySelector('svg').getAttribute('class')}`),
  );
  for (const wanted of [
    'open icon icon-open',
    'closed icon icon-ok',
    'draining icon icon-draining',
    'maintenance icon icon-maintenance',
    'healthy icon icon-ok',
  ]) {
    assert.ok(marks.includes(wanted), wanted);
  }
  await page.close();
});

test('a_table_stays_a_table_for_who_cannot_see_it', async () => {
  for (const viewport of [undefined, PHONE]) {
    const page = await open(viewport && { viewport });
    const table = page.page.getByRole('table', { name: 'Backends' });
    assert.equal(await table.getByRole('row').count(), viewport ? 4 : 5);
    assert.equal(await table.getByRole('row').last().getByRole('cell').count(), 10);
    if (!viewport) assert.equal(await table.getByRole('columnheader').count(), 10);
    await page.close();
  }
});

const order = (page) =>
  page.page.$$eval('#backends-table tbody tr', (rows) => rows.map((row) => row.dataset.backend));

for (const width of [1440, 1000, 360]) {
  test(`the_order_can_be_chosen_and_turned_round_at_${width}`, async () => {
    const page = await open({ viewport: { width, height: 800 } });
    const sorted = (...names) =>
      eventually(async () => String(await order(page)) === String(names), `${names}`);
    await sorted('bert', 'dora', 'cleo', 'anna'); // what needs a look
    const turn = page.page.getByRole('button', { name: /turn it round/ });
    await page.page.selectOption('#backends-sort', 'name');
    await sorted('anna', 'bert', 'cleo', 'dora');
    await turn.click();
    await sorted('dora', 'cleo', 'bert', 'anna');
    assert.match(await turn.getAttribute('aria-label'), /descending/);
    await page.page.selectOption('#backends-sort', 'standing');
    await sorted('bert', 'dora', 'cleo', 'anna');
    if (width > 1240) {
      const head = page.page.locator('#backends-head th').first();
      await head.getByRole('button').click();
      await sorted('anna', 'bert', 'cleo', 'dora');
      assert.equal(await head.getAttribute('aria-sort'), 'ascending');
      await head.getByRole('button').click();
      await sorted('dora', 'cleo', 'bert', 'anna');
    }
    await page.close();
  });
}

test('what_is_touched_on_a_phone_is_large_enough', async () => {
  const viewport = { width: 375, height: 740 };
  const page = await open({ viewport, isMobile: true, hasTouch: true });
  const small = () =>
    page.page.$$eval('button, select, input, a[href]:not(.skip)', (all) =>
      all
        .map((one) => [one, one.type === 'radio' ? one.closest('label') : one])
        .map(([one, target]) => [one.id || one.textContent, target.getBoundingClientRect()])
        .filter(([, { width, height }]) => width > 0 && (width < 24 || height < 24))
        .map(([name, { width, height }]) => `${name}: ${width} x ${height}`),
    );
  assert.deepEqual(await small(), []);
  await page.openSheet('bert');
  assert.deepEqual(await small(), []);
  await page.close();
});

const widths = (page) =>
  page.page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth]);

// What reaches out of the page, or out of the panel it stands in.
const outsiders = (page) =>
  page.page.$$eval('main *', (all) =>
    all
      .filter((one) => {
        const { right, width } = one.getBoundingClientRect();
        const panel = (one.closest('.panel, .tile, .verdict') ?? one).getBoundingClientRect();
        const isShown = width > 1 && !one.closest('svg, option');
        return isShown && right > Math.min(panel.right, window.innerWidth) + 0.5;
      })
      .map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 20)}`),
  );

for (const width of [360, 641, 781, 1000, 1131, 1241, 1280, 1346, 1440]) {
  test(`everything_has_its_place_at_${width}`, async () => {
    const page = await open({ viewport: { width, height: 900 } });
    assert.deepEqual(await outsiders(page), []);
    assert.deepEqual(await widths(page), [width, width]);
    await page.close();
  });
}

test('nothing_is_wider_than_a_phone', async () => {
  const page = await open({ viewport: PHONE, isMobile: true, hasTouch: true });
  assert.deepEqual(await widths(page), [360, 360]);
  assert.deepEqual(await outsiders(page), []);
  await page.openSheet('anna');
  assert.deepEqual(await widths(page), [360, 360]);
  const sheet = await page.page.$eval('#sheet', (one) => [one.scrollWidth, one.clientWidth]);
  assert.ok(sheet[0] <= sheet[1], `${sheet}`);
  await page.page.locator('#sheet [data-action="drain"]').click();
  await page.page.locator('#confirm[open]').waitFor();
  assert.deepEqual(await widths(page), [360, 360]);
  await page.close();
});

test('it_is_light_or_dark_as_the_reader_likes_and_still_for_who_wants_that', async () => {
  const page = await open({ colorScheme: 'light' });
  const lightness = () =>
    page.page.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.documentElement)
        .backgroundColor.match(/\d+/g)
        .map(Number);
      return (r + g + b) / 3;
    });
  assert.ok((await lightness()) > 200);
  await page.page.emulateMedia({ colorScheme: 'dark' });
  assert.ok((await lightness()) < 60, 'at once, without a reload');
  const animation = () => page.page.$eval('#sheet', (one) => getComputedStyle(one).animationName);
  await page.openSheet('anna');
  assert.equal(await animation(), 'slide');
  await page.page.emulateMedia({ reducedMotion: 'reduce' });
  assert.equal(await animation(), 'none');
  await page.close();
});
