import assert from 'node:assert/strict';
import test from 'node:test';

import { disagreements, disagreementsAt, doctored, readTable } from '../support/agreement.mjs';
import { Rounded } from '../support/rounded.mjs';

const TABLE = readTable(
  'listener',
  `
  quantity       | script         | api, ctl --json  | log        | page
  accepted       | accepted       | total            | –          | Accepted
  accepted/s     | accepted/s     | –                | –          | Accepted/s
  ended          | ended          | sum of ends      | lines      | –
  ended <reason> | ended <reason> | ends.<reason>    | <reason>   | –
  cluster        | cluster        | cluster & routed | –          | Cluster
  pid            | –              | –                | –          | pid
`,
  { reason: ['limit', 'shutdown'] },
);

const ofApi = (changes = {}) => ({
  total: 7,
  'sum of ends': 5,
  'ends.limit': 0,
  'ends.shutdown': 5,
  cluster: 'web',
  routed: 'web',
  ...changes,
});

// As they are when all is well; `changes` are to the one listener of some.
function views(changes = {}) {
  const script = {
    accepted: 7,
    'accepted/s': 0.7,
    ended: 5,
    'ended limit': 0,
    'ended shutdown': 5,
    cluster: 'web',
  };
  const page = { Accepted: 7, 'Accepted/s': Rounded.around(0.7, 0.05), Cluster: 'web', pid: 42 };
  const of = (name, fields) => ({ listener: { front: { ...fields, ...changes[name] } } });
  return {
    script: of('script', script),
    api: of('api', ofApi()),
    'ctl --json': of('ctl --json', ofApi()),
    log: of('log', { lines: 5, limit: 0, shutdown: 5 }),
    page: of('page', page),
  };
}

const found = (changes) => disagreements(TABLE, views(changes));

test('views_that_say_the_same_agree', () => {
  assert.deepEqual(found(), []);
});

test('a_row_for_each_of_a_list_and_a_place_for_each_field_and_view', () => {
  assert.deepEqual(
    TABLE.map(({ quantity }) => quantity),
    ['accepted', 'accepted/s', 'ended', 'ended limit', 'ended shutdown', 'cluster', 'pid'],
  );
  const { places } = TABLE.find(({ quantity }) => quantity === 'cluster');
  assert.deepEqual(
    places.map(({ view, field }) => `${view} ${field}`),
    [
      'script cluster',
      'api cluster',
      'ctl --json cluster',
      'api routed',
      'ctl --json routed',
      'page Cluster',
    ],
  );
  assert.throws(() => readTable('x', 'quantity | script\n a | b | c'), /a: 2 cells/);
});

test('one_more_in_any_of_the_views_is_seen_and_said_where', () => {
  for (const [view, field, value] of [
    ['script', 'accepted', 8],
    ['api', 'ends.shutdown', 6],
    ['ctl --json', 'total', 6],
    ['log', 'lines', 4],
    ['page', 'Accepted', 8],
    ['page', 'Accepted/s', Rounded.around(0.8, 0.05)],
    ['page', 'Cluster', 'wep'],
  ]) {
    const [first] = found({ [view]: { [field]: value } });
    assert.match(first, /^listener front: /, field);
    assert.ok(first.includes(view) && first.includes(field), first);
  }
});

test('what_is_missing_on_one_side_or_on_all_is_no_agreement', () => {
  for (const missing of [undefined, null, NaN]) {
    assert.match(found({ log: { lines: missing } })[0], /ended is missing in log \(lines\)/);
    const everywhere = {
      script: { accepted: missing },
      api: { total: missing },
      'ctl --json': { total: missing },
      page: { Accepted: missing },
    };
    assert.equal(found(everywhere).length, 4);
  }
  const { log: _, ...without } = views();
  assert.equal(disagreements(TABLE, without).length, 3, 'a whole view');
  assert.match(found({ page: { pid: undefined } })[0], /pid is missing/, 'one that stands alone');
});

test('nothing_to_compare_is_no_agreement', () => {
  const nobody = Object.fromEntries(Object.keys(views()).map((view) => [view, { listener: {} }]));
  assert.equal(disagreements(TABLE, nobody).length, TABLE.length);
});

test('what_stands_in_no_row_and_whom_the_script_does_not_know_is_told', () => {
  assert.match(found({ page: { Rejected: 3 } })[0], /Rejected of page stands in no row/);
  const more = views();
  more.log.listener.back = { lines: 1 };
  assert.match(disagreements(TABLE, more)[0], /listener back is in log/);
});

test('each_doctored_number_is_seen', () => {
  const seen = new Set();
  for (const { row, subject, view, field, what, views: changed } of doctored(TABLE, views())) {
    assert.notEqual(disagreementsAt(row, subject, changed).length, 0, `${view} ${field} ${what}`);
    assert.notEqual(disagreements(TABLE, changed).length, 0, `${view} ${field} ${what}`);
    seen.add(`${view} ${field} ${what}`);
  }
  const places = TABLE.flatMap((row) => row.places).length;
  assert.equal(seen.size, 2 * places - 1, 'the one that stands alone can only be gone');
});
