// Buttons: each behind its confirmation, and behind the token where there is one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { holdSession, startBackends } from '../support/backends.mjs';
import { launch, Page } from '../support/browser.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';
import { stopAll } from '../support/live.mjs';
import { eventually } from '../support/waiting.mjs';

const TOKEN = 'correct-horse-battery-staple';

let browser;
let servers;
before(async () => {
  browser = await launch();
  servers = await startBackends('anna', 'bert');
});
after(stopAll);

async function open({ token } = {}) {
  const sluice = await Sluice.start(confOf(servers), { token });
  await eventually(
    async () => (await sluice.backend('anna')).health.state === 'healthy',
    'anna is up',
  );
  const page = await Page.open(browser, sluice.url);
  await page.live();
  const posts = [];
  page.page.on('request', (request) => {
    if (request.method() !== 'GET')
      posts.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  return { sluice, page, posts };
}

const confirmBox = (page) => page.page.locator('#confirm[open]');

async function ask(page, action) {
  await page.page.locator(`#sheet [data-action="${action}"]`).click();
  await confirmBox(page).waitFor();
}

async function confirm(page) {
  await page.page.locator('#confirm-do').click();
  await page.page.locator('#confirm:not([open])').waitFor({ state: 'attached' });
}

test('each_button_works_and_only_when_it_is_confirmed', async () => {
  const { sluice, page, posts } = await open();
  await page.openSheet('anna');
  const steps = [
    ['drain', (api) => api.administrative.state === 'draining', /keeps its 0 sessions/],
    ['ready', (api) => api.administrative.state === 'ready', /gets new sessions again/],
    [
      'maintenance',
      (api) => api.administrative.state === 'maintenance',
      /until somebody makes it ready/,
    ],
    ['ready', (api) => api.administrative.state === 'ready', /gets new sessions again/],
    ['trip', (api) => api.breaker.state === 'open', /opens at once/],
    ['reset', (api) => api.breaker.state === 'closed', /closes at once/],
  ];
  for (const [action, isDone, text] of steps) {
    const before = await sluice.backend('anna');
    assert.ok(!isDone(before), `${action} has something to do`);
    await ask(page, action);
    assert.match(await page.page.locator('#confirm-text').innerText(), text);
    const sent = posts.length;
    await page.page.locator('#confirm-cancel').click();
    await page.page.locator('#confirm:not([open])').waitFor({ state: 'attached' });
    assert.equal(posts.length, sent, 'cancelling sends nothing');
    assert.ok(!isDone(await sluice.backend('anna')));

    await ask(page, action);
    await confirm(page);
    assert.deepEqual(posts.slice(sent), [`POST /api/clusters/web/backends/anna/${action}`]);
    assert.ok(isDone(await sluice.backend('anna')), `${action} is done`);
    const wanted = action === 'ready' ? 'ready' : null;
    const state = page.page.locator('#sheet [data-kind="administrative"] .state');
    if (wanted)
      await eventually(async () => (await state.innerText()) === wanted, 'the sheet follows');
  }
  await page.close();
  await sluice.stop();
});

const focusedAction = (page) => page.page.evaluate(() => document.activeElement.dataset.action);

test('the_focus_stays_where_it_was_after_an_action', async () => {
  const { sluice, page, posts } = await open();
  await page.openSheet('anna');
  await page.page.locator('#sheet [data-action="drain"]').focus();
  await page.page.keyboard.press('Enter');
  await confirmBox(page).waitFor();
  await confirm(page);
  const drain = page.page.locator('#sheet [data-action="drain"][aria-disabled="true"]');
  await drain.waitFor();
  assert.equal(await focusedAction(page), 'drain', 'though it has no use now');
  await page.page.keyboard.press('Enter');
  await page.page.keyboard.press('Space');
  assert.equal(await confirmBox(page).count(), 0, 'and does nothing');
  assert.equal(posts.length, 1);

  // One that fails leaves the focus where it can be tried again.
  await page.page.route('**/drain', (route) =>
    route.fulfill({ status: 409, json: { error: 'not now' } }),
  );
  await sluice.act('ready', 'anna');
  await page.page.locator('#sheet [data-action="drain"]:not([aria-disabled])').waitFor();
  await page.page.keyboard.press('Enter');
  await page.page.locator('#confirm-do').focus();
  await page.page.keyboard.press('Enter');
  await page.page.getByText('Not now.', { exact: true }).waitFor();
  await page.page.locator('#confirm-do:not([aria-disabled])').waitFor();
  assert.equal(await page.page.evaluate(() => document.activeElement.id), 'confirm-do');
  await page.page.keyboard.press('Escape');
  await page.close({ mayFail: true });
  await sluice.stop();
});

test('the_focus_goes_to_the_next_session_when_one_is_closed', async () => {
  const { sluice, page } = await open();
  const clients = [await holdSession(sluice.port), await holdSession(sluice.port)];
  for (const client of clients) client.on('error', () => {});
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  const rows = page.page.locator('#sessions tr');
  for (const left of [1, 0]) {
    await eventually(async () => (await rows.count()) === left + 1, 'they are shown');
    await rows.first().locator('button').focus();
    await page.page.keyboard.press('Enter');
    await confirmBox(page).waitFor();
    await confirm(page);
    await eventually(async () => (await rows.count()) === left, 'it is gone');
    const isInPanel = () =>
      page.page.evaluate(() => document.activeElement.closest('#sessions-panel') !== null);
    assert.ok(await isInPanel(), `${left} left`);
  }
  await page.close();
  await sluice.stop();
});

test('the_focus_is_not_lost_when_a_session_ends_while_it_is_asked_about', async () => {
  const { sluice, page } = await open();
  const client = await holdSession(sluice.port);
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  const rows = page.page.locator('#sessions tr');
  await rows.first().waitFor();
  // A question is under way when the dialog is opened, and is answered while it is open.
  const asked = await new Promise((resolve) => {
    page.page.route('**/api/sessions*', resolve, { times: 1 });
  });
  await rows.first().locator('button').focus();
  await page.page.keyboard.press('Enter');
  await confirmBox(page).waitFor();
  client.destroy();
  const live = async () => (await sluice.get('/api/sessions')).sessions.length;
  await eventually(async () => (await live()) === 0, 'it ends');
  const answered = page.page.waitForResponse('**/api/sessions*');
  await asked.continue();
  await (await answered).finished();
  await page.page.keyboard.press('Escape');
  await eventually(async () => (await rows.count()) === 0, 'it is gone');
  const isInPanel = () =>
    page.page.evaluate(() => document.activeElement.closest('#sessions-panel') !== null);
  await eventually(isInPanel, 'the focus is near where it was');
  await page.close();
  await sluice.stop();
});

test('buttons_without_a_use_are_disabled', async () => {
  const { sluice, page } = await open();
  await page.openSheet('bert');
  const disabled = () =>
    page.page.$$eval('#sheet [data-action][aria-disabled="true"]', (all) =>
      all.map((one) => one.dataset.action),
    );
  assert.deepEqual(await disabled(), ['ready']);
  await sluice.act('maintenance', 'bert');
  await sluice.act('trip', 'bert');
  await eventually(
    async () => String(await disabled()) === 'maintenance,trip',
    'they follow the state',
  );
  await page.close();
  await sluice.stop();
});

test('the_token_is_asked_for_and_a_wrong_one_is_said_to_be_wrong', async () => {
  const { sluice, page } = await open({ token: TOKEN });
  await page.openSheet('anna');
  await ask(page, 'drain');
  assert.ok(!(await page.page.locator('#confirm-token').isVisible()), 'not before it is wanted');
  await page.page.locator('#confirm-do').click();
  const error = page.page.locator('#confirm-error');
  await page.page.locator('#confirm-token').waitFor();
  assert.equal(await error.innerText(), 'The token is missing or wrong.');
  await page.page.fill('#confirm-token', 'wrong-token-of-enough-letters');
  const refused = page.page.waitForResponse((response) => response.status() === 401);
  await page.page.keyboard.press('Enter');
  await refused;
  await eventually(() => page.page.locator('#confirm-do').isEnabled(), 'it can be tried again');
  assert.equal(await error.innerText(), 'The token is missing or wrong.');
  assert.equal((await sluice.backend('anna')).administrative.state, 'ready');

  await page.page.fill('#confirm-token', TOKEN);
  await confirm(page);
  assert.equal((await sluice.backend('anna')).administrative.state, 'draining');

  // For the tab's life, and in the tab only.
  await page.page.reload();
  await page.live();
  await page.openSheet('anna');
  await ask(page, 'ready');
  await confirm(page);
  assert.equal((await sluice.backend('anna')).administrative.state, 'ready');
  const kept = await page.page.evaluate(() => [localStorage.length, document.cookie]);
  assert.deepEqual(kept, [0, '']);
  const other = await page.context.newPage();
  await other.goto(sluice.url);
  assert.equal(await other.evaluate(() => sessionStorage.length), 0);
  await page.close({ mayFail: true });
  await sluice.stop();
});

test('a_page_that_nobody_may_read_asks_for_the_token', async () => {
  const { sluice, page } = await open({ token: TOKEN });
  // As from elsewhere, where reading wants the token too.
  await page.page.route('**/api/**', async (route) => {
    const given = route.request().headers().authorization;
    if (given === `Bearer ${TOKEN}`) await route.continue();
    else await route.fulfill({ status: 401, json: { error: 'the token is missing or wrong' } });
  });
  await page.page.reload();
  await page.page.locator('#token[open]').waitFor();
  await page.page.fill('#token-input', 'wrong-token-of-enough-letters');
  await page.page.keyboard.press('Enter');
  await page.page.getByText('The token is missing or wrong.', { exact: true }).waitFor();
  await page.page.fill('#token-input', TOKEN);
  await page.page.keyboard.press('Enter');
  await page.live();
  assert.equal(await page.page.locator('#token-button').innerText(), 'Token set');
  await eventually(
    async () => (await page.page.locator('#timeline li').count()) > 0,
    'events come with it too',
  );
  await page.close({ mayFail: true });
  await sluice.stop();
});

test('a_dash_that_no_token_has_is_said_where_it_is_typed', async () => {
  const { sluice, page } = await open({ token: TOKEN });
  await page.page.locator('#token-button').click();
  const input = page.page.locator('#token-input');
  const error = page.page.locator('#token-error');
  await input.fill('correct–horse');
  assert.match(await error.innerText(), /character 8 is "–"/, 'while it is typed');
  assert.equal(await input.getAttribute('aria-invalid'), 'true');
  await page.page.keyboard.press('Enter');
  assert.ok(await page.page.locator('#token[open]').isVisible(), 'it is not taken');
  await input.fill('correct-horse');
  assert.equal(await error.innerText(), '');
  await page.page.keyboard.press('Escape');
  await page.openSheet('anna');
  await ask(page, 'drain');
  await page.page.locator('#confirm-do').click();
  await page.page.fill('#confirm-token', `${TOKEN}\u2013`);
  await page.page.keyboard.press('Enter');
  assert.match(await page.page.locator('#confirm-error').innerText(), /plain ASCII/);
  await page.page.fill('#confirm-token', TOKEN);
  await confirm(page);
  assert.equal((await sluice.backend('anna')).administrative.state, 'draining');
  // One that was kept by an older page does no harm.
  await page.page.evaluate(() => sessionStorage.setItem('sluice-token', 'correct\u2013horse'));
  await page.page.reload();
  await page.live();
  assert.equal(await page.page.evaluate(() => sessionStorage.length), 0);
  await page.close({ mayFail: true });
  await sluice.stop();
});

test('a_session_is_closed_when_it_is_confirmed', async () => {
  const { sluice, page, posts } = await open();
  const client = await holdSession(sluice.port);
  const ended = new Promise((resolve) => client.once('error', resolve));
  await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
  await page.page.locator('#sessions tr button').click();
  await confirmBox(page).waitFor();
  assert.equal(posts.length, 0);
  await confirm(page);
  assert.equal((await ended).code, 'ECONNRESET');
  await page.page.getByText('There is no live session.').waitFor();
  await page.close();
  await sluice.stop();
});

test('what_goes_wrong_is_said_where_it_was_asked_for', async () => {
  const { sluice, page } = await open();
  await page.openSheet('anna');
  await ask(page, 'drain');
  await sluice.stop('SIGKILL');
  await page.page.locator('#confirm-do').click();
  await page.page.getByText('Sluice cannot be reached.', { exact: true }).waitFor();
  await page.page.locator('#confirm-cancel').click();
  await page.close({ mayFail: true });
});
