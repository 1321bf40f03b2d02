// Whether several views of one run say the same. A table says where each quantity stands in each
// view; what a view shows that stands in no row, and what a row names that a view does not show,
// are disagreements, too.
//
// A view is {kind: {subject: {field: value}}}. Its numbers are numbers, or Rounded ones.

import { agree, isMissing, Rounded } from './rounded.mjs';

const NOWHERE = '–';

// Rows of `quantity | fields in a view | …` below a line that names the views; a column of two
// views is headed "api, ctl --json", a quantity that stands twice in one is in the fields "a & b".
// `<x>` in a row makes a row of it for each of lists.x.
export function readTable(kind, text, lists = {}) {
  const lines = text.trim().split('\n');
  const [head, ...rows] = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  const columns = head.slice(1).map((names) => names.split(', '));
  return rows
    .flatMap((row) => expand(row, lists))
    .map(([quantity, ...cells]) => {
      if (cells.length !== columns.length) throw new Error(`${quantity}: ${cells.length} cells`);
      return { kind, quantity, places: cells.flatMap((cell, i) => placesOf(columns[i], cell)) };
    });
}

function expand(row, lists) {
  const name = /<(\w+)>/.exec(row.join('|'))?.[1];
  if (!name) return [row];
  return lists[name].map((one) => row.map((cell) => cell.replaceAll(`<${name}>`, one)));
}

function placesOf(views, cell) {
  if (cell === NOWHERE) return [];
  return cell.split(' & ').flatMap((field) => views.map((view) => ({ view, field })));
}

// One line for each; empty when all agree. `views.script` says which subjects there are.
export function disagreements(table, views) {
  return [...differing(table, views), ...unclaimed(table, views)];
}

function differing(table, views) {
  return table.flatMap((row) => {
    const subjects = Object.keys(views.script[row.kind] ?? {});
    if (subjects.length === 0) return [`there is no ${row.kind}`];
    return subjects.flatMap((subject) => disagreementsAt(row, subject, views));
  });
}

const where = ({ kind, quantity }, subject) => `${kind} ${subject}: ${quantity}`;

// Of one row and one subject.
export function disagreementsAt(row, subject, views) {
  const readings = row.places.map(({ view, field }) => ({
    place: `${view} (${field})`,
    value: views[view]?.[row.kind]?.[subject]?.[field],
  }));
  const missing = readings.filter(({ value }) => isMissing(value));
  const [first, ...others] = readings.filter(({ value }) => !isMissing(value));
  return [
    ...missing.map(({ place }) => `${where(row, subject)} is missing in ${place}`),
    ...others
      .filter(({ value }) => !agree(first.value, value))
      .map(
        ({ place, value }) =>
          `${where(row, subject)} is ${first.value} in ${first.place}, ${value} in ${place}`,
      ),
  ];
}

function unclaimed(table, views) {
  const claimed = claimedIn(table);
  const found = [];
  for (const { view, kind, subject, fields } of everySubject(views)) {
    if (!views.script[kind]?.[subject]) {
      found.push(`${kind} ${subject} is in ${view}, and the script knows nothing of it`);
      continue;
    }
    const unknown = Object.keys(fields).filter(
      (field) => !claimed.has(placeKey(kind, { view, field })),
    );
    found.push(
      ...unknown.map((field) => `${kind} ${subject}: ${field} of ${view} stands in no row`),
    );
  }
  return found;
}

const claims = new WeakMap();

function claimedIn(table) {
  const claimed =
    claims.get(table) ??
    new Set(table.flatMap(({ kind, places }) => places.map((place) => placeKey(kind, place))));
  claims.set(table, claimed);
  return claimed;
}

const placeKey = (kind, { view, field }) => `${view}\n${kind}\n${field}`;

function* everySubject(views) {
  for (const [view, kinds] of Object.entries(views)) {
    for (const [kind, subjects] of Object.entries(kinds)) {
      for (const [subject, fields] of Object.entries(subjects)) {
        yield { view, kind, subject, fields };
      }
    }
  }
}

// The views with one number of one of them another, or gone, for each number that stands anywhere
// else, too: a comparison that says nothing about one of these does not look at it.
export function* doctored(table, views) {
  for (const row of table) {
    for (const subject of Object.keys(views.script[row.kind])) {
      for (const { view, field } of row.places) {
        const at = { row, view, kind: row.kind, subject, field };
        yield { ...at, what: 'gone', views: withValue(views, at, undefined) };
        if (row.places.length === 1) continue;
        const values = row.places.map((one) => views[one.view][row.kind][subject][one.field]);
        const changed = other(views[view][row.kind][subject][field], values);
        yield { ...at, what: 'another', views: withValue(views, at, changed) };
      }
    }
  }
}

// One off by one, except where all the others are rounded, which would not tell.
function other(value, ofRow) {
  const isExact = ofRow.filter((one) => typeof one === 'number').length > 1;
  if (typeof value === 'number') return isExact ? value + 1 : 2 * value + 1;
  if (typeof value === 'string') return `${value}, or so`;
  const step = 3 * (value.most - value.least) + 1;
  return new Rounded(value.least + step, value.most + step);
}

function withValue(views, { view, kind, subject, field }, value) {
  const ofView = views[view];
  const ofSubject = { ...ofView[kind][subject], [field]: value };
  return {
    ...views,
    [view]: { ...ofView, [kind]: { ...ofView[kind], [subject]: ofSubject } },
  };
}
