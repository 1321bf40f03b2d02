import assert from 'node:assert/strict';
import test from 'node:test';

import { Api, backendPath } from '../../../web/src/api.js';
import { intervalAfter, spacingAfter } from '../../../web/src/poller.js';

const answer = (status, text) => ({ ok: status < 400, status, text: async () => text });

function apiThat(reply, storage = null) {
  const requests = [];
  const api = new Api({
    fetch: async (path, options) => {
      requests.push({ path, ...options });
      return reply();
    },
    storage,
  });
  return { api, requests };
}

function storageOf(values = {}) {
  return {
    values,
    getItem: (key) => values[key] ?? null,
    setItem: (key, value) => (values[key] = value),
    removeItem: (key) => delete values[key],
  };
}

test('names_are_escaped_in_paths', () => {
  assert.equal(
    backendPath('a/b', '../<x>?#%', 'drain'),
    '/api/clusters/a%2Fb/backends/..%2F%3Cx%3E%3F%23%25/drain',
  );
});

test('the_token_goes_with_every_request_and_stays_in_the_tab', async () => {
  const storage = storageOf();
  const { api, requests } = apiThat(() => answer(200, '{}'), storage);
  await api.get('/api/status');
  assert.equal(requests[0].headers.Authorization, undefined);
  api.setToken('secret');
  await api.post('/x');
  await api.stream('/api/events', { 'Last-Event-ID': '1' });
  assert.deepEqual(
    requests.slice(1).map(({ headers }) => headers.Authorization),
    ['Bearer secret', 'Bearer secret'],
  );
  assert.equal(requests[1].method, 'POST');
  assert.equal(requests[2].headers['Last-Event-ID'], '1');
  assert.equal(new Api({ fetch: null, storage }).hasToken, true);
  api.setToken('');
  assert.deepEqual(storage.values, {});
});

test('a_storage_that_is_forbidden_is_done_without', async () => {
  const refuse = () => {
    throw new Error('SecurityError');
  };
  const { api } = apiThat(() => answer(200, '{}'), {
    getItem: refuse,
    setItem: refuse,
    removeItem: refuse,
  });
  api.setToken('secret');
  assert.equal(api.hasToken, true);
});

test('what_the_server_says_is_wrong_is_passed_on', async () => {
  const { api } = apiThat(() =>
    answer(409, '{"error":"the breaker is half_open: its trial decides"}'),
  );
  await assert.rejects(api.post('/x'), {
    status: 409,
    message: 'the breaker is half_open: its trial decides',
  });
  const plain = apiThat(() => answer(502, '<html>'));
  await assert.rejects(plain.api.get('/x'), { status: 502, message: 'status 502' });
  const refused = apiThat(() => answer(401, '{"error":"the token is missing or wrong"}'));
  await assert.rejects(refused.api.get('/x'), { isTokenRefused: true });
});

test('no_answer_and_a_wrong_one_are_told_apart', async () => {
  const down = apiThat(() => {
    throw new TypeError('Failed to fetch');
  });
  await assert.rejects(down.api.get('/x'), { status: 0, message: 'Sluice cannot be reached' });
  const odd = apiThat(() => answer(200, 'not json'));
  await assert.rejects(odd.api.get('/x'), { status: 0, message: /cannot be understood/ });
});

test('snapshots_come_every_second_unless_there_is_a_reason', () => {
  const after = (changes) => intervalAfter({ isHidden: false, workMs: 5, failures: 0, ...changes });
  assert.equal(after({}), 1000);
  assert.equal(after({ isHidden: true }), 15_000);
  assert.equal(after({ workMs: 300 }), 3000, 'large ones leave the reader nine tenths of the time');
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((failures) => after({ failures })),
    [1000, 2000, 4000, 8000, 8000],
  );
  assert.equal(spacingAfter(1), 250);
  assert.equal(spacingAfter(100), 500);
});
