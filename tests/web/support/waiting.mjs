// Waits for what must become true; never for a time.

const EVERY_MS = 10;

export async function eventually(check, what, withinMs = 10_000) {
  const begun = performance.now();
  for (;;) {
    const value = await check();
    if (value) return value;
    if (performance.now() - begun > withinMs) {
      throw new Error(`not within ${withinMs} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
