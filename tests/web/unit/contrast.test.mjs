// Colours that must be told apart, in both themes (WCAG 2.2, 1.4.11 and 1.4.3).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const CSS = readFileSync(new URL('../../../web/style/tokens.css', import.meta.url), 'utf8');
const [LIGHT, DARK] = CSS.split('prefers-color-scheme: dark');

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

test('contrast_is_computed_as_wcag_has_it', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.ok(Math.abs(contrast('#767676', '#ffffff') - 4.54) < 0.01);
});

for (const [theme, css] of Object.entries({ light: LIGHT, dark: DARK })) {
  const colour = (name) => new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(css)[1];

  test(`borders_of_fields_are_seen_when_it_is_${theme}`, () => {
    for (const beside of ['surface', 'page', 'sunken']) {
      const is = contrast(colour('line-strong'), colour(beside));
      assert.ok(is >= 3, `${is.toFixed(2)} beside ${beside}`);
    }
  });

  test(`text_can_be_read_when_it_is_${theme}`, () => {
    for (const text of ['text', 'muted', 'accent', 'good', 'warn', 'bad', 'cool']) {
      const is = contrast(colour(text), colour('surface'));
      assert.ok(is >= 4.5, `${text}: ${is.toFixed(2)}`);
    }
  });
}
