// The admin API, with the token that was typed in: it is kept for the tab's life and nowhere else.

const TOKEN_KEY = 'sluice-token';
const REQUEST_MS_MAX = 10_000;

// What went wrong, for a person. `status` is 0 when there was no answer at all.
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }

  get isTokenRefused() {
    return this.status === 401;
  }
}

// What is wrong with it, for the reader; '' when nothing is. A request could not be sent with other
// characters, and no token has any: a dash that some program made longer, say.
export function tokenProblem(token) {
  const other = /[^\x21-\x7e]/u.exec(token);
  if (!other) return '';
  const which = /\s/.test(other[0]) ? 'a space' : `"${other[0]}"`;
  const place = [...token.slice(0, other.index)].length + 1;
  return `A token has plain ASCII characters only; character ${place} is ${which}.`;
}

export class Api {
  #fetch;
  #storage;
  #token = '';

  // `storage` is as sessionStorage, or null where a browser has none to give.
  constructor({ fetch, storage }) {
    this.#fetch = fetch;
    this.#storage = storage;
    try {
      this.#token = storage?.getItem(TOKEN_KEY) ?? '';
    } catch {
      this.#storage = null;
    }
    if (tokenProblem(this.#token) !== '') this.setToken('');
  }

  get hasToken() {
    return this.#token !== '';
  }

  // One that has no tokenProblem().
  setToken(token) {
    if (tokenProblem(token) !== '') throw new RangeError(tokenProblem(token));
    this.#token = token;
    try {
      if (token === '') this.#storage?.removeItem(TOKEN_KEY);
      else this.#storage?.setItem(TOKEN_KEY, token);
    } catch {
      this.#storage = null; // full or forbidden: it lives as long as this page then
    }
  }

  // {body, text length} of a GET that succeeded.
  async get(path) {
    return this.#ask('GET', path);
  }

  async post(path) {
    return (await this.#ask('POST', path)).body;
  }

  // The open answer of the event stream: its body is yet to be read.
  async stream(path, headers, signal) {
    const response = await this.#send(path, { headers: this.#headers(headers), signal });
    if (!response.ok) throw await toError(response);
    return response;
  }

  async #ask(method, path) {
    const cancel = new AbortController();
    const patience = setTimeout(() => cancel.abort(), REQUEST_MS_MAX);
    try {
      const response = await this.#send(path, {
        method,
        headers: this.#headers({}),
        signal: cancel.signal,
      });
      if (!response.ok) throw await toError(response);
      const text = await response.text();
      return { body: JSON.parse(text), size: text.length };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (cancel.signal.aborted) throw new ApiError('there was no answer in time', 0);
      throw new ApiError(`the answer cannot be understood: ${error.message}`, 0);
    } finally {
      clearTimeout(patience);
    }
  }

  async #send(path, options) {
    try {
      return await this.#fetch(path, { cache: 'no-store', redirect: 'error', ...options });
    } catch {
      throw new ApiError('Sluice cannot be reached', 0);
    }
  }

  #headers(more) {
    return this.#token === '' ? more : { ...more, Authorization: `Bearer ${this.#token}` };
  }
}

async function toError(response) {
  let message = `status ${response.status}`;
  try {
    message = JSON.parse(await response.text()).error ?? message;
  } catch {
    // Not from Sluice itself: its number must do.
  }
  return new ApiError(String(message), response.status);
}

// `only` is {cluster, backend}, or null for all.
export function sessionsPath({ limit, only }) {
  return `/api/sessions?${new URLSearchParams({ limit, ...only })}`;
}

export function backendPath(cluster, backend, action) {
  const names = [cluster, backend].map(encodeURIComponent);
  return `/api/clusters/${names[0]}/backends/${names[1]}/${action}`;
}
