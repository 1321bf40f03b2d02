// One scripted run, and every number that anything says of it: the page, /api, ctl, /metrics and
// the access log say the same, which is what the script did. agreement_run.mjs is the script,
// agreement_table.mjs says where each number stands.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { disagreements, disagreementsAt, doctored } from '../support/agreement.mjs';
import { launch, Page } from '../support/browser.mjs';
import { stopAll } from '../support/live.mjs';
import { readPageTexts, unreadNumbers } from '../support/page_text.mjs';
import { fromAccessLog } from '../support/read_access_log.mjs';
import { fromApi, PATHS } from '../support/read_api.mjs';
import { fromCtl } from '../support/read_ctl.mjs';
import { fromMetrics } from '../support/read_metrics.mjs';
import { fromPage } from '../support/read_page.mjs';
import { NONE } from '../support/rounded.mjs';
import { eventually } from '../support/waiting.mjs';
import { Run, SCRIPT } from './agreement_run.mjs';
import { TABLE } from './agreement_table.mjs';

// In the page's eyes all of the run happens between two looks at it that are so far apart.
const RUN_MS = 10_000;
const LOOK_MS = 2000; // it looks more often than that
const SEEN_MS = 5000; // in which such a look is answered and shown
const AGREE_MS = 60_000; // a dozen programs are asked each time

let browser;
before(async () => {
  browser = await launch();
});
after(stopAll);

// --- what is said of it ------------------------------------------------------------------------

// As they come: JSON, tables, text.
async function readSources({ sluice, accessLog }) {
  const each = async (read) =>
    Object.fromEntries(await Promise.all(PATHS.map(async (path) => [path, await read(path)])));
  return {
    api: await each((path) => sluice.get(`/api/${path}`)),
    ctlJson: await each(async (path) => JSON.parse(await sluice.ctl('--json', path))),
    ctl: await each((path) => sluice.ctl(path)),
    metrics: await (await fetch(new URL('/metrics', sluice.url))).text(),
    log: readFileSync(accessLog, 'utf8'),
  };
}

// Of the sources that there are.
function viewsOf(run, sources) {
  const script = run.account.view();
  const names = {
    listeners: Object.keys(script.listener),
    clusters: Object.keys(script.cluster),
    backends: Object.keys(script.backend),
  };
  const { sessions: live } = sources.api?.sessions ?? {};
  const views = { script, backends: { backend: backendsView(run, names.backends) } };
  const read = (view, source, from) => {
    if (source !== undefined) views[view] = from(source);
  };
  read('api', sources.api, fromApi);
  read('ctl --json', sources.ctlJson, fromApi);
  read('ctl', sources.ctl, fromCtl);
  read('metrics', sources.metrics, fromMetrics);
  read('log', sources.log, (log) => fromAccessLog(log, live, names));
  read('page', sources.page, fromPage);
  return views;
}

// What the backends saw; who does not listen has seen nothing.
function backendsView({ servers, conf }, names) {
  const isProbed = new Set(
    conf.clusters.filter((one) => one.health_check !== 'off').map(({ name }) => name),
  );
  return Object.fromEntries(
    names.map((name) => {
      const [cluster, own] = name.split('/');
      const { accepted = 0, open = 0, received = 0, sent = 0 } = servers.traffic.get(own) ?? {};
      const probes = isProbed.has(cluster) ? (servers.probes.get(own)?.accepted ?? 0) : NONE;
      return [name, { accepted, open, received, sent, probes }];
    }),
  );
}

// All that is said, once it agrees; within a time, since the last bytes may be counted, and the
// last line written, a moment later.
async function eventuallyAgreeing(run, table, read) {
  let sources;
  let found = [];
  const isAgreed = async () => {
    sources = await read();
    try {
      found = disagreements(table, viewsOf(run, sources));
    } catch (error) {
      found = [String(error.stack)];
    }
    return found.length === 0;
  };
  await eventually(isAgreed, 'all agree', AGREE_MS).catch((error) => {
    throw new Error(`${error.message}\n${found.join('\n')}`);
  });
  return sources;
}

const WITHOUT_PAGE = TABLE.map((row) => ({
  ...row,
  places: row.places.filter(({ view }) => view !== 'page'),
}));

// The page's first look, before anything has happened: what comes later is compared with it.
async function lookFirst(run) {
  // High enough that all of it is in sight.
  const page = await Page.open(browser, run.sluice.url, {
    time: Date.now(),
    viewport: { width: 1440, height: 4000 },
  });
  await page.live();
  await page.stopClock();
  // Nothing is asked for any more but when time passes. A look that was under way before then shows
  // an older weight; the next one is due once it has ended.
  let firstAt = null;
  for (let weight = 2; firstAt === null; weight += 1) {
    assert.ok(weight <= 5, 'the page has looked at the first weights');
    await run.sluice.ctl('weight', 'pair/finn', String(weight));
    run.account.fact('pair/finn', { weight, 'weight changes': weight - 1 });
    const at = await page.passTime(LOOK_MS);
    const isShown = async () => (await page.rows()).finn?.weight === `${weight} (1)`;
    firstAt = await eventually(isShown, 'it has looked', SEEN_MS).then(
      () => at,
      () => null,
    );
  }
  return { page, firstAt };
}

test('every_number_agrees_with_every_other_and_with_what_was_done', async () => {
  const run = await Run.start();
  const { page, firstAt } = await lookFirst(run);
  for (const step of SCRIPT) await step(run);
  run.account.seconds = RUN_MS / 1000;
  await eventuallyAgreeing(run, WITHOUT_PAGE, () => readSources(run));
  assert.equal((await page.passTime(RUN_MS)) - firstAt, RUN_MS);
  const sources = await eventuallyAgreeing(run, TABLE, async () => ({
    ...(await readSources(run)),
    page: await readPageTexts(page.page),
  }));
  assert.deepEqual(unreadNumbers(sources.page), [], 'each number on the page was read');
  const places = TABLE.flatMap(({ kind, places: at }) => at.map(() => kind)).length;
  console.log(`${run.account.sessions.length} sessions, ${places} places in ${TABLE.length} rows`);

  seesEachChange(viewsOf(run, sources));
  seesEachLoss(run, sources);
  await page.close();
  await run.sluice.stop();
});

// The control: with any of the numbers another, or gone, they do not agree.
function seesEachChange(views) {
  let count = 0;
  for (const { row, view, subject, field, what, views: changed } of doctored(TABLE, views)) {
    count += 1;
    const found = disagreementsAt(row, subject, changed);
    assert.notEqual(found.length, 0, `${row.kind} ${subject}: ${field} of ${view} is ${what}`);
  }
  console.log(`${count} changes of a number, each seen`);
}

// And neither when a source has lost something, or has got it wrong.
function seesEachLoss(run, sources) {
  const views = viewsOf(run, sources);
  const all = [...lossesOf(sources)];
  for (const [what, changed] of all) {
    let found;
    try {
      found = disagreements(TABLE, { ...views, ...viewsOf(run, changed) });
    } catch (error) {
      found = [error.message]; // a text that is not understood any more
    }
    assert.notEqual(found.length, 0, what);
  }
  console.log(`${all.length} losses of a source, each seen`);
}

function* lossesOf({ api, ctlJson, ctl, metrics, log, page }) {
  for (const [line, text] of withoutEach(log)) yield [`no line ${line}`, { api, log: text }];
  const first = log.slice(0, log.indexOf('\n') + 1);
  yield ['a line twice', { api, log: log + first }];
  for (const line of firstOfEachFamily(metrics)) {
    yield [`no series ${line}`, { metrics: metrics.replace(`${line}\n`, '') }];
    if (STANDS_ALONE.test(line)) continue;
    const raised = line.replace(/\S+$/, (number) => Number(number) + 1);
    yield [raised, { metrics: metrics.replace(line, raised) }];
  }
  for (const path of PATHS) {
    for (const [line, text] of withoutEach(ctl[path])) {
      yield [`no line in ctl ${path}: ${line}`, { ctl: { ...ctl, [path]: text } }];
    }
  }
  for (const [name, answers] of Object.entries({ api, ctlJson })) {
    for (const [list, ofPath] of [
      ['sessions', answers.sessions],
      ['listeners', answers.listeners],
      ['clusters', answers.clusters],
    ]) {
      const fewer = { ...ofPath, [list]: ofPath[list].slice(1) };
      yield [`${name} without one of ${list}`, { [name]: { ...answers, [list]: fewer } }];
    }
  }
  for (const part of ['listeners', 'clusters', 'backends', 'sessions', 'timeline', 'sheets']) {
    yield [`page without one of ${part}`, { page: { ...page, [part]: page[part].slice(1) } }];
  }
}

function* withoutEach(text) {
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i += 1) {
    if (lines[i] === '') continue;
    yield [lines[i], lines.filter((_, at) => at !== i).join('\n')];
  }
}

// Which no other view tells.
const STANDS_ALONE = /^(sluice_build_info|sluice_pipes|sluice_loop_lag_seconds)/;

function firstOfEachFamily(metrics) {
  const found = new Map();
  for (const line of metrics.split('\n')) {
    const name = /^sluice_\w+/.exec(line)?.[0];
    if (name !== undefined && !found.has(name)) found.set(name, line);
  }
  return [...found.values()];
}
