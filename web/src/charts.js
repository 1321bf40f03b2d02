// Small charts: a line over time with what is below it shaded. They say nothing that the number
// beside them does not say, so they are hidden from screen readers.

const SVG = 'http://www.w3.org/2000/svg';

export const SPAN_MS = 120_000;
// A longer silence between two samples is a gap: nobody knows what was in it.
const SILENCE_MS_MAX = 15_000;

// The least number of the form 1, 2 or 5 times a power of ten that is not below `value`, so that a
// chart does not change its scale with every sample.
export function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9));
  return nice * power;
}

// Runs of known points, scaled into a box: x grows to the right up to `now`, y from `max` at the
// top to 0 at the bottom.
export function scalePoints(points, { now, max, width, height, spanMs = SPAN_MS }) {
  const runs = [];
  let run = null;
  let before = NaN;
  for (const { tick, value } of points) {
    const isGap = Number.isNaN(value) || tick - before > SILENCE_MS_MAX;
    before = tick;
    if (isGap) run = null;
    if (Number.isNaN(value) || tick < now - spanMs) continue;
    const x = width * (1 - (now - tick) / spanMs);
    const y = height * (1 - Math.min(Math.max(value / max, 0), 1));
    if (!run) runs.push((run = []));
    run.push({ x, y });
  }
  return runs;
}

const number = (value) => String(Math.round(value * 10) / 10);

export function linePath(runs) {
  return runs
    .map((run) =>
      // A point alone is a short stroke, or it would not be seen.
      run.length === 1
        ? `M${number(run[0].x - 1)} ${number(run[0].y)}h1`
        : run.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${number(x)} ${number(y)}`).join(''),
    )
    .join('');
}

export function areaPath(runs, height) {
  return runs
    .filter((run) => run.length > 1)
    .map((run) => {
      const top = run.map(({ x, y }) => `L${number(x)} ${number(y)}`).join('');
      return `M${number(run[0].x)} ${height}${top}L${number(run.at(-1).x)} ${height}Z`;
    })
    .join('');
}

export class Sparkline {
  #line;
  #area;
  #width;
  #height;
  #lastLine = '';

  constructor({ width, height, tone = 'accent' }) {
    this.#width = width;
    this.#height = height;
    this.element = document.createElementNS(SVG, 'svg');
    this.element.setAttribute('class', `spark spark-${tone}`);
    this.element.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('aria-hidden', 'true');
    this.#area = this.#add('path', 'spark-area');
    this.#line = this.#add('path', 'spark-line');
  }

  // `top` is the least value that the top stands for.
  update(points, now, top = 0) {
    const most = points.reduce((max, { value }) => (value > max ? value : max), top);
    const margin = 1.5; // of the stroke
    const runs = scalePoints(points, {
      now,
      max: niceCeiling(most),
      width: this.#width,
      height: this.#height - 2 * margin,
    });
    for (const run of runs) for (const point of run) point.y += margin;
    const line = linePath(runs);
    if (line === this.#lastLine) return;
    this.#lastLine = line;
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', areaPath(runs, this.#height));
  }

  #add(name, className) {
    const element = document.createElementNS(SVG, name);
    element.setAttribute('class', className);
    this.element.append(element);
    return element;
  }
}
