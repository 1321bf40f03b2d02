// A field for the token: what cannot be one is said while it is typed, beside it.

import { tokenProblem } from '../api.js';
import { setAttribute, setText } from '../dom.js';

export class TokenField {
  #input;
  #error;

  // `error` is where everything that is wrong is said.
  constructor(input, error) {
    this.#input = input;
    this.#error = error;
    input.setAttribute('aria-describedby', error.id);
    input.addEventListener('input', () => this.#check());
  }

  // The token; null when it cannot be one, which has been said.
  get token() {
    return this.#check() ? this.#text : null;
  }

  clear() {
    this.#input.value = '';
    setAttribute(this.#input, 'aria-invalid', null);
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  get #text() {
    return this.#input.value.trim();
  }

  #check() {
    const problem = tokenProblem(this.#text);
    const wasWrong = this.#input.hasAttribute('aria-invalid');
    setAttribute(this.#input, 'aria-invalid', problem === '' ? null : 'true');
    // What the server has said stays until there is something new to say.
    if (problem !== '' || wasWrong) setText(this.#error, problem);
    return problem === '';
  }
}
