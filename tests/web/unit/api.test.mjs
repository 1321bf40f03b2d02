import assert from 'node:assert/strict';
import test from 'node:test';

import { Api, backendPath, sessionsPath, tokenProblem } from '../../../web/src/api.js';

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

test('sessions_are_asked_for_by_exact_names', () => {
  assert.equal(sessionsPath({ limit: 100, only: null }), '/api/sessions?limit=100');
  const path = sessionsPath({ limit: 7, only: { cluster: 'a&b', backend: '[::1]:80#?' } });
  const asked = new URL(path, 'http://x').searchParams;
  assert.deepEqual([...asked], [
    ['limit', '7'],
    ['cluster', 'a&b'],
    ['backend', '[::1]:80#?'],
  ]);
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

test('what_can_be_no_token_is_said_and_never_sent', async () => {
  assert.equal(tokenProblem(''), '');
  assert.equal(tokenProblem('correct-horse_battery.staple~!'), '');
  assert.match(tokenProblem('correct–horse'), /character 8 is "–"\.$/);
  assert.match(tokenProblem('🚦x'), /character 1 is "🚦"\.$/u);
  assert.match(tokenProblem('🙂'.slice(0, 1)), /character 1/, 'half of one');
  assert.match(tokenProblem('ab c'), /character 3 is a space\.$/);
  assert.match(tokenProblem('naïve'), /character 3/, 'a server could not have it either');
  const { api, requests } = apiThat(() => answer(200, '{}'));
  api.setToken('good');
  assert.throws(() => api.setToken('correct–horse'), RangeError);
  await api.get('/x');
  assert.equal(requests[0].headers.Authorization, 'Bearer good');
});

test('a_stored_one_that_can_be_no_token_is_dropped', () => {
  const storage = storageOf({ 'sluice-token': 'correct–horse' });
  assert.equal(new Api({ fetch: null, storage }).hasToken, false);
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
