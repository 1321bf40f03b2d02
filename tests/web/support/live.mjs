// What a test has started, so that one that fails leaves nothing behind: each file has
// `after(stopAll)`.

const live = new Map();

// Returns `owner`; `stop` is called unless it was forgotten before.
export function keep(owner, stop) {
  live.set(owner, stop);
  return owner;
}

export function forget(owner) {
  live.delete(owner);
}

export async function stopAll() {
  const stops = [...live.values()].reverse();
  live.clear();
  for (const stop of stops) await stop();
}
