// Nothing is changed by a click alone: it is asked first, with what it will do. When the server
// wants the token it is asked for here, and the same thing is tried again with it.

import { setHidden, setText, setUsable } from '../dom.js';
import { TokenField } from './token_field.js';

export class Confirm {
  #dialog = document.getElementById('confirm');
  #title = document.getElementById('confirm-title');
  #text = document.getElementById('confirm-text');
  #error = document.getElementById('confirm-error');
  #button = document.getElementById('confirm-do');
  #cancel = document.getElementById('confirm-cancel');
  #tokenLabel = document.getElementById('confirm-token-label');
  #field = new TokenField(document.getElementById('confirm-token'), this.#error);
  #api;
  #run = null;
  #isRunning = false;

  constructor({ api }) {
    this.#api = api;
    this.#cancel.addEventListener('click', () => this.#dialog.close());
    document.getElementById('confirm-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#dialog.addEventListener('close', () => {
      this.#run = null;
      this.#field.clear();
    });
  }

  // `run()` does it; what it throws is shown. `isHarsh` when it takes something away.
  ask({ title, text, label, isHarsh, run }) {
    if (this.#dialog.open) return;
    setText(this.#title, title);
    setText(this.#text, text);
    setText(this.#button, label);
    setText(this.#error, '');
    this.#button.classList.toggle('harsh', isHarsh);
    setHidden(this.#tokenLabel, true);
    this.#run = run;
    this.#dialog.showModal();
    this.#cancel.focus();
  }

  async #submit() {
    if (this.#isRunning) return; // a second press of Enter
    const run = this.#run;
    if (!this.#tokenLabel.hidden && !this.#takeToken()) return;
    this.#setRunning(true);
    try {
      await run();
      if (this.#run === run) this.#dialog.close();
    } catch (error) {
      if (this.#run === run) this.#show(error);
    }
    this.#setRunning(false);
  }

  #takeToken() {
    const { token } = this.#field;
    if (token !== null) this.#api.setToken(token);
    return token !== null;
  }

  #setRunning(isRunning) {
    this.#isRunning = isRunning;
    setUsable(this.#button, !isRunning);
  }

  #show(error) {
    setText(this.#error, sentence(error.message));
    if (!error.isTokenRefused) return;
    setHidden(this.#tokenLabel, false);
    this.#field.focus();
  }
}

export function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
