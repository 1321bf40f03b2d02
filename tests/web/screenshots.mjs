// Takes the pictures in docs/images from a real run: node screenshots.mjs FOLDER. One backend has
// died, one is draining, traffic flows. `pngquant --quality 70-98` makes them a third of their size.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { holdSession, startBackends, Traffic } from './support/backends.mjs';
import { launch, Page } from './support/browser.mjs';
import { confOf, Sluice } from './support/sluice.mjs';
import { eventually } from './support/waiting.mjs';

const folder = process.argv[2] ?? '../../docs/images';
// So that the charts have something to show.
const TRAFFIC_MS = Number(process.env.TRAFFIC_MS ?? 121_000);

mkdirSync(folder, { recursive: true });
const browser = await launch();
const web = await startBackends('anna', 'bert', 'cleo', 'dora');
const cache = await startBackends('redis-1', 'redis-2');
const conf = confOf(web, {
  listener: { name: 'web' },
  cluster: {
    balance: 'least_connections',
    circuit_breaker: { failure_threshold: 5, recovery_timeout: '2m', early_trial: false },
  },
});
conf.listeners.push({ name: 'cache', address: '127.0.0.1:0', cluster: 'cache' });
conf.clusters.push({ ...conf.clusters[0], name: 'cache', balance: 'round_robin', backends: cache });
conf.clusters[1].backends = cache.map(({ name, address }) => ({ name, address }));
const sluice = await Sluice.start(conf);
const ports = Object.fromEntries(
  (await sluice.get('/api/listeners')).listeners.map(({ name, addresses }) => [
    name,
    Number(addresses[0].split(':').at(-1)),
  ]),
);
const traffic = [
  new Traffic(ports.web, { parallel: 6, pauseMs: 15, bytes: 20_000 }),
  new Traffic(ports.cache, { parallel: 2, pauseMs: 10, bytes: 600 }),
];
const clients = [];
for (let i = 0; i < 9; i += 1)
  clients.push(await holdSession(i % 3 === 0 ? ports.cache : ports.web));

const page = await Page.open(browser, sluice.url, { viewport: { width: 1360, height: 1070 } });
await page.live();
const begun = performance.now();
const runFor = (ms) =>
  eventually(() => performance.now() - begun > ms, 'the charts fill', ms + 5000);
await runFor(TRAFFIC_MS * 0.4);
await sluice.act('drain', 'cleo');
await runFor(TRAFFIC_MS * 0.6);
await web[1].kill();
await runFor(TRAFFIC_MS);
await page.page.locator('#sessions-panel').scrollIntoViewIfNeeded();
await page.page.locator('#sessions tr').first().waitFor();
await page.page.evaluate(() => window.scrollTo(0, 0));

async function shoot(name, { colorScheme = 'light', viewport, then }) {
  await page.page.emulateMedia({ colorScheme });
  if (viewport) await page.page.setViewportSize(viewport);
  await then?.();
  await page.page.screenshot({ path: join(folder, `dashboard-${name}.png`), scale: 'css' });
  console.log(name);
}

await shoot('light', {});
await shoot('dark', { colorScheme: 'dark' });
await shoot('phone', { viewport: { width: 390, height: 844 } });
if (process.env.ALL) {
  await shoot('phone-2', { viewport: { width: 390, height: 3400 } });
  await shoot('tablet', { viewport: { width: 900, height: 1700 } });
  await shoot('sheet', {
    viewport: { width: 1440, height: 1000 },
    then: () => page.openSheet('bert'),
  });
  await shoot('confirm', {
    colorScheme: 'dark',
    then: () => page.page.locator('#sheet [data-action="drain"]').click(),
  });
}
await page.close();
for (const client of clients) client.destroy();
await Promise.all(traffic.map((one) => one.stop()));
await browser.close();
await sluice.stop();
await Promise.all([...web, ...cache].map((server) => server.kill()));
