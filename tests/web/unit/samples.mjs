// Answers of the API for the unit tests.

export function backendSample(name, changes = {}) {
  return {
    name,
    address: `127.0.0.1:${9000 + name.length}`,
    priority: 0,
    available: true,
    left_out_by: [],
    administrative: { state: 'ready', configured: 'ready' },
    health: { state: 'healthy', probes: true, passed_in_row: 4, failed_in_row: 0 },
    breaker: {
      state: 'closed',
      enabled: true,
      consecutive_failures: 0,
      opens: 0,
      retry_at: null,
      retry_in_ms: null,
      ejected_by: null,
    },
    weight: 1,
    configured_weight: 1,
    active_connections: 0,
    connects: { connected: 0, refused: 0, timeout: 0, local_error: 0, abandoned: 0 },
    ...changes,
  };
}

// A backend's connect times in all: so many in each bucket.
export const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
export function connectSample(counts) {
  let all = 0;
  const cumulative = [...BOUNDS_MS, Infinity].map((bound) => (all += counts[bound] ?? 0));
  return { p50: null, p99: null, bounds: BOUNDS_MS, cumulative };
}

export function openSample(name, retryAt) {
  const backend = backendSample(name, { available: false, left_out_by: ['breaker'] });
  backend.breaker = { ...backend.breaker, state: 'open', opens: 1, retry_at: retryAt };
  return backend;
}

export function snapshotSample(backends, changes = {}) {
  return {
    status: {
      version: '0.1.0',
      pid: 7,
      started_at: '2026-01-01T00:00:00.000Z',
      time: '2026-01-01T00:01:00.000Z',
      connections: { active: 3, max: 1000 },
      backends: { total: backends.length, available: backends.length },
      ...changes,
    },
    clusters: { clusters: [{ name: 'web', policy: 'round_robin', backends }] },
    listeners: { listeners: [{ name: 'front', addresses: [], cluster: 'web' }] },
  };
}

export function eventSample(backend, to, changes = {}) {
  return {
    time: '2026-01-01T00:00:30.000Z',
    kind: 'breaker',
    cluster: 'web',
    backend,
    from: 'closed',
    to,
    why: '5 connect failures in a row, last: refused',
    retry_at: null,
    ...changes,
  };
}
