// Where the token is typed in: when the reader wants to, and when the server lets nobody read
// without.

import { setText } from '../dom.js';
import { sentence } from './confirm.js';
import { TokenField } from './token_field.js';

export class TokenBox {
  #dialog = document.getElementById('token');
  #error = document.getElementById('token-error');
  #field = new TokenField(document.getElementById('token-input'), this.#error);
  #button = document.getElementById('token-button');
  #api;
  #onChange;
  #isDismissed = false; // who has said no is not asked again without wanting to

  constructor({ api, onChange }) {
    this.#api = api;
    this.#onChange = onChange;
    this.#button.addEventListener('click', () => this.#open(''));
    document.getElementById('token-cancel').addEventListener('click', () => {
      this.#isDismissed = true;
      this.#dialog.close();
    });
    this.#dialog.addEventListener('cancel', () => {
      this.#isDismissed = true; // by Escape
    });
    this.#dialog.addEventListener('close', () => {
      this.#field.clear();
    });
    document.getElementById('token-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#take();
    });
    this.#showWhether();
  }

  // The server has refused to tell anything.
  demand(error) {
    if (this.#dialog.open) {
      setText(this.#error, sentence(error.message));
    } else if (!this.#isDismissed) {
      this.#open(this.#api.hasToken ? sentence(error.message) : '');
    }
  }

  // It has told something, so the token, if it wants one, is right.
  accepted() {
    this.#showWhether();
  }

  #open(error) {
    if (this.#dialog.open) return;
    setText(this.#error, error);
    this.#dialog.showModal();
    this.#field.focus();
  }

  #take() {
    const { token } = this.#field;
    if (token === null) return;
    this.#api.setToken(token);
    this.#dialog.close();
    this.#isDismissed = false; // a wrong one is told
    this.#showWhether();
    this.#onChange();
  }

  #showWhether() {
    setText(this.#button, this.#api.hasToken ? 'Token set' : 'Token');
  }
}
