// A slider for each latent, those that carry most first.

const some = 16;

/** Sliders in `place` for the latents of `run`; `moved(index, value)` hears of each that a user moves. */
export class Sliders {
  #rows = new Map();
  #shown = 0;

  constructor(run, place, more, moved) {
    Object.assign(this, { run, place, more, moved });
    this.z = run.sliders.map(() => 0);
    more.addEventListener('click', () => this.#grow());
    this.#grow();
  }

  /** Puts all sliders to a latent. */
  set(z) {
    this.z = z;
    for (const index of this.#rows.keys()) this.#put(index);
  }

  #put(index) {
    const { input, output } = this.#rows.get(index);
    input.value = this.z[index];
    output.value = this.z[index].toFixed(2);
  }

  #grow() {
    const { sliders } = this.run;
    const end = Math.min(this.#shown + some, sliders.length);
    for (; this.#shown < end; this.#shown += 1) this.#add(sliders[this.#shown]);
    const left = sliders.length - this.#shown;
    this.more.hidden = left === 0;
    this.more.textContent = `Show ${Math.min(some, left)} more of ${left}`;
  }

  #add(slider) {
    const weight = (s) => s.divergence ?? s.variance;
    const most = weight(this.run.sliders[0]) || 1;
    const row = document.createElement('div');
    row.className = 'slider';
    const label = document.createElement('label');
    label.textContent = `z${slider.index}`;
    label.htmlFor = `z${slider.index}`;
    const input = document.createElement('input');
    Object.assign(input, {
      type: 'range', id: `z${slider.index}`, min: slider.low, max: slider.high,
      step: this.run.step ?? (slider.high - slider.low) / 400,
    });
    input.title = 'Double-click: back to the mean of the data';
    const output = document.createElement('output');
    output.htmlFor = input.id;
    const line = document.createElement('div');
    line.className = 'weight';
    const bar = document.createElement('i');
    const share = document.createElement('b');
    share.style.width = `${(100 * weight(slider)) / most}%`;
    bar.append(share);
    const text = document.createElement('span');
    text.textContent = slider.divergence === undefined
      ? `variance ${slider.variance.toPrecision(2)}` : `${slider.divergence.toFixed(2)} nats`;
    line.append(bar, text);
    row.append(label, input, output, line);
    this.place.append(row);
    this.#rows.set(slider.index, { input, output });
    this.#put(slider.index);
    input.addEventListener('input', () => this.moved(slider.index, Number(input.value)));
    input.addEventListener('dblclick', () => this.moved(slider.index, slider.mean));
  }
}
