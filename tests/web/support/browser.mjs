// A real Chromium with a page that is watched: its console, its errors, and whom it asks for what.

import { chromium } from 'playwright-core';

import { keep } from './live.mjs';

// By so much a clock that is stopped is put forward: it cannot stop at a time that has passed since
// it was read, and no request of the page takes so long that this would be the end of its patience.
const STOP_AHEAD_MS = 5000;

const FLAGS = [
  '--no-sandbox', // as root in a container
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch() {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
  });
  return keep(browser, () => browser.close());
}

// What Chromium itself writes when a request fails; a page can neither cause nor prevent it
// otherwise.
const FAILED_REQUEST = /^Failed to load resource: /;

export class Page {
  errors = [];
  failedRequests = [];
  foreignRequests = [];

  // With `time` the page's clock is the test's: see stopClock().
  static async open(browser, url, { time, ...options } = {}) {
    const one = new Page();
    one.context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    if (time) await one.context.clock.install({ time });
    one.page = await one.context.newPage();
    one.#watch(new URL(url).origin);
    await one.page.goto(url);
    return one;
  }

  #watch(origin) {
    this.page.on('pageerror', (error) => this.errors.push(String(error)));
    this.page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      const list = FAILED_REQUEST.test(message.text()) ? this.failedRequests : this.errors;
      list.push(message.text());
    });
    this.context.on('request', (request) => {
      const { protocol, origin: its } = new URL(request.url());
      if (its !== origin && protocol !== 'data:') this.foreignRequests.push(request.url());
    });
  }

  // Throws when something is in the console or somebody else was asked. `mayFail`: requests may,
  // since the test has taken the server away, or given a wrong token.
  async close({ mayFail = false } = {}) {
    await this.context.close();
    const wrong = [
      ...this.errors,
      ...this.foreignRequests,
      ...(mayFail ? [] : this.failedRequests),
    ];
    if (wrong.length > 0) throw new Error(`the page complained:\n${wrong.join('\n')}`);
  }

  live() {
    return this.page.locator('#link[data-state="live"]').waitFor();
  }

  // From here on nothing is due on the page until passTime().
  async stopClock() {
    const time = await this.page.evaluate(() => Date.now());
    await this.page.clock.pauseAt(time + STOP_AHEAD_MS);
  }

  // In one jump: what has become due meanwhile happens once. Resolves to the page's time.
  async passTime(ms) {
    await this.page.clock.fastForward(ms);
    return this.page.evaluate(() => performance.now());
  }

  row(name) {
    return this.page.locator(`#backends-table tbody tr[data-backend="${name}"]`);
  }

  // What the table shows of each backend, by name.
  rows() {
    return this.page.$$eval('#backends-table tbody tr', (rows) =>
      Object.fromEntries(
        rows.map((row) => {
          const cell = (label) => row.querySelector(`td[data-label="${label}"]`);
          const word = (label) => cell(label).querySelector('.state').textContent;
          return [
            row.dataset.backend,
            {
              cluster: row.dataset.cluster,
              standing: row.querySelector('.visually-hidden').textContent,
              about: row.querySelector('.sub').textContent,
              administrative: word('Administrative'),
              health: word('Health'),
              breaker: word('Breaker'),
              sessions: cell('Sessions').textContent,
              weight: cell('Weight').textContent,
              countdown: row.querySelector('.countdown').hidden
                ? null
                : row.querySelector('.countdown').textContent,
            },
          ];
        }),
      ),
    );
  }

  // Opens the sheet of a backend.
  async openSheet(name) {
    await this.row(name).locator('button.name').click();
    await this.page.locator('#sheet[open]').waitFor();
  }
}
