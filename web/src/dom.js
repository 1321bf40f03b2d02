// The page's only ways to make and change elements. Text is set as text, never as HTML: names of
// backends are other people's words.

const SVG = 'http://www.w3.org/2000/svg';

// h('p', {class: 'note', text: '…', on: {click}}, child, …); other properties become attributes.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'text') element.textContent = value;
    else if (name === 'on') listen(element, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== undefined && value !== null) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function listen(element, handlers) {
  for (const [event, handler] of Object.entries(handlers)) element.addEventListener(event, handler);
}

// Nothing is written that is there already: a write costs layout, and selections are lost by it.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== String(value)) {
    element.setAttribute(name, value);
  }
}

export function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden;
}

// A button that has no use now. It can still be focused: a disabled one would let the focus fall
// out of the dialog. Whoever listens to it asks canBeUsed().
export function setUsable(button, isUsable) {
  setAttribute(button, 'aria-disabled', isUsable ? null : 'true');
}

export function canBeUsed(button) {
  return button.getAttribute('aria-disabled') !== 'true';
}

// Puts these children in this order, moving only what is not where it belongs.
export function setChildren(parent, children) {
  let at = parent.firstChild;
  for (const child of children) {
    if (child === at) {
      at = at.nextSibling;
    } else {
      parent.insertBefore(child, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// One part of the page for each item, kept while the item is there. `create(item)` returns an
// object with an `element`.
export class KeyedList {
  #parent;
  #create;
  #parts = new Map();

  constructor(parent, create) {
    this.#parent = parent;
    this.#create = create;
  }

  // `items` is [[key, item], …]; returns the parts in that order.
  update(items) {
    const before = this.#parts;
    this.#parts = new Map();
    for (const [key, item] of items) this.#parts.set(key, before.get(key) ?? this.#create(item));
    const parts = [...this.#parts.values()];
    setChildren(
      this.#parent,
      parts.map((part) => part.element),
    );
    return parts;
  }
}

// Shapes, because colour alone tells nothing to some.
const SHAPES = {
  ok: ['M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z', 'M5 8.2l2.1 2.1L11 6.2'],
  open: ['M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z', 'M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8'],
  half: ['M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z', 'M8 4.2v7.6M8 4.2a3.8 3.8 0 0 1 0 7.6'],
  sick: ['M8 2L14.5 13.5H1.5z', 'M8 6.5v3M8 11.4v.2'],
  unknown: [
    'M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z',
    'M6.2 6.4a1.9 1.9 0 1 1 2.6 1.8q-.8.4-.8 1.3M8 11.4v.2',
  ],
  draining: ['M8 1.8C5.6 5.2 3.8 7.4 3.8 10a4.2 4.2 0 0 0 8.4 0C12.2 7.4 10.4 5.2 8 1.8z'],
  maintenance: [
    'M10.6 2.2a3.6 3.6 0 0 0-3.5 4.7L2.6 11.4a1.4 1.4 0 0 0 2 2l4.5-4.5a3.6 3.6 0 0 0 4.5-4.6L11.4 6.5 9.5 4.6z',
  ],
  limit: ['M2 8.2h12M5 4.6h6M5 11.8h6'],
  panic: ['M8 2L14.5 13.5H1.5z', 'M8 6.5v3M8 11.4v.2'],
  weight: ['M3 13.5h10L11.5 6h-7zM8 6a2 2 0 1 0 0-4a2 2 0 0 0 0 4z'],
  none: ['M4 8h8'],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  setIcon(svg, name);
  return svg;
}

export function setIcon(svg, name) {
  const className = `icon icon-${name}`;
  if (svg.getAttribute('class') === className) return;
  svg.setAttribute('class', className);
  svg.replaceChildren(
    ...(SHAPES[name] ?? SHAPES.none).map((shape) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', shape);
      return path;
    }),
  );
}
