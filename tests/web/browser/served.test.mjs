// The page as it is served: one document, kept by the browser while it is the same, read by
// anybody.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { stopAll } from '../support/live.mjs';
import { confOf, Sluice } from '../support/sluice.mjs';

const TOKEN = 'correct-horse-battery-staple';

let sluice;
before(async () => {
  sluice = await Sluice.start(confOf([{ name: 'none', address: '127.0.0.1:9' }]), { token: TOKEN });
});
after(stopAll);

const ask = (options = {}) => fetch(sluice.url, options);

// fetch() lets nobody choose these.
function askAs(headers) {
  return new Promise((resolve, reject) => {
    const asked = request(sluice.url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('it_needs_no_token_and_nothing_else', async () => {
  const answer = await ask();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  const text = await answer.text();
  console.log(`${text.length} characters`);
  assert.ok(text.length < 160_000);
  const links = text.match(/\b(?:src|href)="[^"#]*"/g) ?? [];
  assert.deepEqual(
    links.filter((link) => !link.startsWith('href="data:')),
    [],
    'nothing is loaded',
  );
  assert.ok(!/\bimport\b.*\bfrom\b/.test(text) && !text.includes('@import'));
});

test('a_browser_that_has_it_is_not_sent_it_again', async () => {
  const first = await ask();
  const tag = first.headers.get('etag');
  assert.match(tag, /^"[0-9a-f]{32}"$/);
  assert.equal(first.headers.get('cache-control'), 'no-cache');
  const second = await ask({ headers: { 'If-None-Match': tag } });
  assert.equal(second.status, 304);
  assert.equal(await second.text(), '');
  const other = await ask({ headers: { 'If-None-Match': '"other"' } });
  assert.equal(other.status, 200);
  const api = await fetch(new URL('/api/status', sluice.url));
  assert.equal(api.headers.get('cache-control'), 'no-store', 'what the API says is kept by nobody');
});

test('it_is_only_looked_at', async () => {
  const head = await ask({ method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), '');
  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await ask({ method });
    assert.equal(answer.status, 405, method);
  }
  assert.equal((await fetch(new URL('/?x=1', sluice.url))).status, 200);
});

test('another_site_cannot_have_it', async () => {
  assert.equal(await askAs({}), 200);
  assert.equal(await askAs({ Host: 'evil.example' }), 403);
  assert.equal(await askAs({ Origin: 'http://evil.example' }), 403);
});
