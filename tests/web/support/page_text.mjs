// All that the dashboard shows, as texts: tables by their rows and labels, and the sheet of each
// backend. For read_page.mjs, which makes numbers of them.

// Runs in the page.
function readTexts() {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const text = (selector, root = document) => find(selector, root)?.textContent ?? '';
  const shown = (selector, root) => (find(selector, root)?.hidden ? '' : text(selector, root));

  const cells = (row) =>
    Object.fromEntries(
      all('td', row).map((td) => [td.dataset.label ?? '', { text: td.textContent }]),
    );
  const rows = (selector, more) =>
    all(selector).map((row) => ({ cells: cells(row), ...more(row) }));
  const tiles = (root) =>
    Object.fromEntries(
      all('.tile', root).map((tile) => [
        text('h3, h4', tile),
        { value: text('.value', tile), note: text('.note', tile) },
      ]),
    );

  const readSheet = (row) => {
    find('button.name', row).click();
    const sheet = find('#sheet');
    const read = {
      cluster: row.dataset.cluster,
      name: text('#sheet-title', sheet),
      about: text('.sheet-head p', sheet),
      ruling: text('.ruling', sheet),
      causes: Object.fromEntries(
        all('.cause', sheet).map((cause) => [
          cause.dataset.kind,
          { state: text('.state', cause), note: text('p', cause) },
        ]),
      ),
      tiles: tiles(sheet),
      outcomes: Object.fromEntries(
        all('.outcomes > div', sheet).map((one) => [text('dt', one), text('dd', one)]),
      ),
      latency: all('.outcomes + p', sheet).map((one) => one.textContent)[0] ?? '',
      happened: all('.happened li', sheet).map((one) => ({
        time: text('time', one),
        text: text('span', one),
      })),
      visible: sheet.innerText,
    };
    sheet.close();
    return read;
  };

  return {
    title: document.title,
    headings: all('th, .tile h3, option').map((one) => one.textContent), // p99
    version: text('#version'),
    serving: text('#serving'),
    visible: document.body.innerText,
    verdict: {
      title: text('#verdict-title'),
      more: shown('#verdict-more'),
      items: all('#verdict-list li').map((one) => ({
        name: text('.name', one),
        where: text('.where', one),
        causes: text('.causes', one),
        countdown: shown('.countdown', one),
      })),
    },
    tiles: tiles(find('#tiles')),
    clusters: rows('#clusters tr', (row) => ({
      name: text('.name', row),
      about: text('.sub', row),
      available: text('[data-label="Available"] span', row),
    })),
    listeners: rows('#listeners tr', (row) => ({
      name: text('strong', row),
      addresses: text('.sub', row),
      reasons: shown('.reasons', row),
    })),
    backends: rows('#backends-table tbody tr', (row) => ({
      cluster: row.dataset.cluster,
      name: row.dataset.backend,
      standing: text('.visually-hidden', row),
      about: text('.sub', row),
      countdown: shown('.countdown', row),
      breaker: text('[data-label="Breaker"] .state', row),
    })),
    sessions: rows('#sessions tr', () => ({})),
    counts: {
      backends: text('#backends-count'),
      out: text('#out-count'),
      sessions: text('#sessions-count'),
    },
    timeline: all('#timeline li').map((one) => {
      const [backend, to] = all('.what b', one).map((b) => b.textContent);
      const what = text('.what', one);
      const why = text('.why', one);
      return { time: text('time', one), backend, to, why, what: what.slice(0, -why.length) };
    }),
    sheets: all('#backends-table tbody tr').map(readSheet),
  };
}

export const readPageTexts = (page) => page.evaluate(readTexts);

const numbersIn = (text) => text.match(/\d+/g) ?? [];

// The numbers that can be seen on the page, and in each backend's sheet, and that are in none of
// the texts that were read from it.
export function unreadNumbers(texts) {
  const { visible, sheets, ...page } = texts;
  return [
    ...leftOver(visible, page),
    ...sheets.flatMap(({ visible: visibleInSheet, ...sheet }) => leftOver(visibleInSheet, sheet)),
  ];
}

function leftOver(visible, texts) {
  const read = new Map();
  for (const number of numbersIn(allTexts(texts).join('\n'))) {
    read.set(number, (read.get(number) ?? 0) + 1);
  }
  return numbersIn(visible).filter((number) => {
    const left = read.get(number) ?? 0;
    read.set(number, left - 1);
    return left <= 0;
  });
}

const allTexts = (value) =>
  typeof value === 'string' ? [value] : Object.values(value).flatMap(allTexts);
