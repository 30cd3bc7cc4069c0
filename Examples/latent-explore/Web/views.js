// Examples as something to be seen: pictures, texts, and numbers as bars or lines.

const svg = (name, attributes = {}) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

// Of all numbers that are shown: axes that jump would hide what moves.
const range = { low: -1, high: 1 };

/** Takes the range of the data for all views. */
export function setRange([low, high]) {
  range.low = Math.min(0, low);
  range.high = Math.max(0, high);
}

const colors = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6d3b', '#7a4ea3'];

/** Beyond so many, bars of a table are too thin to be told apart. */
const mostBars = 64;

function numbers({ shape: [rows, channels], values }) {
  const all = values.map(Number);
  const extent = range.high - range.low || 1;
  const [width, height] = [400, 300];
  const y = (value) => height - ((value - range.low) / extent) * height;
  const picture = svg('svg', { viewBox: `0 -4 ${width} ${height + 8}`, preserveAspectRatio: 'none' });
  picture.append(svg('line', {
    x1: 0, x2: width, y1: y(0), y2: y(0), stroke: 'currentColor', 'stroke-opacity': 0.3,
    'vector-effect': 'non-scaling-stroke',
  }));
  if (rows === 1 && channels <= mostBars) {
    const step = width / channels;
    all.forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const bar = svg('rect', {
        x: index * step + step * 0.12, width: step * 0.76, y: Math.min(y(value), y(0)),
        height: Math.max(1, Math.abs(y(value) - y(0))), fill: 'currentColor',
      });
      const title = svg('title');
      title.textContent = `${index}: ${value.toPrecision(4)}`;
      bar.append(title);
      picture.append(bar);
    });
    return picture;
  }
  const [count, lines] = rows === 1 ? [channels, 1] : [rows, channels];
  for (let line = 0; line < lines; line += 1) {
    const points = [];
    for (let index = 0; index < count; index += 1) {
      const value = all[index * lines + line];
      if (Number.isFinite(value)) points.push(`${(index / Math.max(1, count - 1)) * width},${y(value)}`);
    }
    picture.append(svg('polyline', {
      points: points.join(' '), fill: 'none', stroke: lines === 1 ? 'currentColor' : colors[line % colors.length],
      'stroke-width': 1.5, 'vector-effect': 'non-scaling-stroke', 'stroke-linejoin': 'round',
    }));
  }
  return picture;
}

/** Shows an example in `place`, which a screen reader calls by `name`. */
export async function show(place, data, name) {
  if (data instanceof Blob) {
    // A picture is put in its place when it is ready, so that nothing flickers.
    const picture = new Image();
    picture.alt = name;
    picture.draggable = false;
    picture.src = URL.createObjectURL(data);
    await picture.decode();
    URL.revokeObjectURL(picture.src);
    place.replaceChildren(picture);
  } else if ('text' in data) {
    const text = document.createElement('pre');
    text.textContent = data.text;
    place.replaceChildren(text);
  } else {
    const picture = numbers(data);
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', name);
    place.replaceChildren(picture);
  }
}
