// The plane in which the latents of the data vary most. Where one stands is a ring; what lies outside of the plane stays
// as it is when one moves in it.

// Told apart also by most who see fewer colours (after Okabe and Ito 2008).
const colors = [
  '#e69f00', '#56b4e9', '#009e73', '#b8a500', '#0072b2', '#d55e00', '#cc79a7', '#7a7a7a', '#8c572b', '#7a3399',
];
const colorOf = (label) => colors[((label % colors.length) + colors.length) % colors.length];

/** Pixels from the pointer to a point that is meant. */
const reach = 10;

/** A legend of more labels would be larger than the map. */
const mostLabels = 24;

export class LatentMap {
  /** `moved(z)` hears of each place that a user goes to, `picked(index)` of each example that one chooses. */
  constructor(map, canvas, legend, moved, picked) {
    Object.assign(this, { map, canvas, moved, picked });
    this.z = map.middle;
    this.plain = document.createElement('i');
    this.plain.className = 'plain';
    canvas.append(this.plain);
    const { places } = map;
    const bounds = (axis) => {
      let [low, high] = [Infinity, -Infinity];
      for (let i = axis; i < places.length; i += 2) {
        low = Math.min(low, places[i]);
        high = Math.max(high, places[i]);
      }
      return [low, high];
    };
    const [[left, right], [bottom, top]] = [bounds(0), bounds(1)];
    this.center = [(left + right) / 2, (bottom + top) / 2];
    this.extent = Math.max(right - left, top - bottom) * 1.12 || 2;
    const labels = [...new Set(map.labels ?? [])].sort((a, b) => a - b);
    if (labels.length <= mostLabels) {
      legend.replaceChildren(...labels.map((label) => {
        const item = document.createElement('li');
        item.textContent = map.names[label] ?? label;
        item.style.setProperty('--color', colorOf(label));
        return item;
      }));
    }
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#resize());
    this.#listen();
  }

  /** Stands at a latent. */
  set(z) {
    this.z = z;
    this.#draw();
  }

  #place() {
    return this.map.axes.map((axis) =>
      axis.reduce((sum, weight, i) => sum + weight * (this.z[i] - this.map.middle[i]), 0)).concat(0).slice(0, 2);
  }

  #go(x, y) {
    const place = this.#place();
    const steps = [x - place[0], y - place[1]];
    const z = [...this.z];
    this.map.axes.forEach((axis, direction) => {
      axis.forEach((weight, i) => { z[i] += weight * steps[direction]; });
    });
    this.moved(z);
  }

  #pixel([x, y]) {
    const { side, width, height } = this;
    return [
      width / 2 + ((x - this.center[0]) / this.extent) * side,
      height / 2 - ((y - this.center[1]) / this.extent) * side,
    ];
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    const [column, row] = [event.clientX - box.left, event.clientY - box.top];
    return {
      column, row,
      x: this.center[0] + ((column - this.width / 2) / this.side) * this.extent,
      y: this.center[1] - ((row - this.height / 2) / this.side) * this.extent,
    };
  }

  /** The example nearest to a pixel, within a distance. */
  #nearest(column, row, distance) {
    const { places } = this.map;
    let [best, least] = [-1, distance * distance];
    for (let i = 0; i < places.length; i += 2) {
      const [a, b] = this.#pixel([places[i], places[i + 1]]);
      const square = (a - column) ** 2 + (b - row) ** 2;
      if (square < least) [best, least] = [i / 2, square];
    }
    return best;
  }

  #listen() {
    const { canvas } = this;
    let start = null;
    let hasMoved = false;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      start = this.#at(event);
      hasMoved = false;
    });
    canvas.addEventListener('pointermove', (event) => {
      const { column, row, x, y } = this.#at(event);
      if (!start) return;
      hasMoved ||= Math.hypot(column - start.column, row - start.row) > 4;
      if (hasMoved) this.#go(x, y);
    });
    canvas.addEventListener('pointerup', (event) => {
      if (!start) return;
      start = null;
      if (hasMoved) return;
      const { column, row, x, y } = this.#at(event);
      const index = this.#nearest(column, row, reach);
      if (index >= 0) this.picked(index);
      else this.#go(x, y);
    });
    canvas.addEventListener('pointercancel', () => { start = null; });
    canvas.addEventListener('keydown', (event) => {
      const step = (this.extent / 60) * (event.shiftKey ? 5 : 1);
      const moves = {
        ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step],
      };
      const [x, y] = this.#place();
      if (event.key in moves) {
        this.#go(x + moves[event.key][0], y + moves[event.key][1]);
      } else if (event.key === 'Enter') {
        const index = this.#nearest(...this.#pixel([x, y]), Infinity);
        if (index >= 0) this.picked(index);
      } else {
        return;
      }
      event.preventDefault();
    });
  }

  // The points are drawn once for a size and copied under the ring.
  #resize() {
    const { canvas } = this;
    const ratio = devicePixelRatio;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    this.side = Math.min(this.width, this.height);
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(this.height * ratio);
    if (canvas.width === 0 || canvas.height === 0) return;
    this.points = new OffscreenCanvas(canvas.width, canvas.height);
    const paper = this.points.getContext('2d');
    paper.scale(ratio, ratio);
    const { places, labels } = this.map;
    const radius = places.length > 2000 ? 2.2 : 3.2;
    // Resolved for the colours that the page has now.
    const plain = getComputedStyle(this.plain).color;
    paper.globalAlpha = 0.65;
    for (let i = 0; i < places.length; i += 2) {
      const [column, row] = this.#pixel([places[i], places[i + 1]]);
      paper.fillStyle = labels ? colorOf(labels[i / 2]) : plain;
      paper.beginPath();
      paper.arc(column, row, radius, 0, 2 * Math.PI);
      paper.fill();
    }
    this.#draw();
  }

  #draw() {
    if (!this.points) return;
    const paper = this.canvas.getContext('2d');
    const ratio = devicePixelRatio;
    const style = getComputedStyle(this.canvas);
    paper.setTransform(1, 0, 0, 1, 0, 0);
    paper.clearRect(0, 0, this.canvas.width, this.canvas.height);
    paper.drawImage(this.points, 0, 0);
    paper.scale(ratio, ratio);
    const place = this.#pixel(this.#place());
    // Beyond the edge the ring stays at it, so that one knows the direction.
    const column = Math.min(this.width - 9, Math.max(9, place[0]));
    const row = Math.min(this.height - 9, Math.max(9, place[1]));
    for (const [color, width] of [
      [style.backgroundColor, 6], [style.color, 2.5],
    ]) {
      paper.strokeStyle = color;
      paper.lineWidth = width;
      paper.beginPath();
      paper.arc(column, row, 7, 0, 2 * Math.PI);
      paper.stroke();
    }
  }
}
