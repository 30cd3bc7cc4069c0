// The page: one latent, seen as a picture, as a place on the map and as the places of sliders.

import { Latest, example, get, post, shown, upload } from './api.js';
import { LatentMap } from './map.js';
import { Sliders } from './sliders.js';
import { fill } from './strips.js';
import { setRange, show } from './views.js';

const $ = (id) => document.getElementById(id);
const state = { z: [], condition: null, temperature: 0, spread: 1, seed: 1 };
let run;
let sliders;
let map;

function complain(error) {
  $('alert').textContent = error.message;
  $('alert').hidden = false;
}

const decoding = new Latest('/api/decode', async (response) => {
  $('alert').hidden = true;
  await show($('decoded'), await shown(response), 'the decoded example');
}, complain);

const searching = new Latest('/api/neighbors', async (response) => {
  const { neighbors } = await response.json();
  fill($('neighbors'), neighbors.map(({ index, distance }) => ({
    caption: distance.toFixed(2), name: `Go to example ${index}, at distance ${distance.toFixed(2)}`,
    load: example(index), choose: () => pick(index),
  })));
}, complain);

const wish = (z) => ({
  z, condition: state.condition, temperature: state.temperature, seed: state.seed,
});

let searchTimer;

/** Goes to a latent; `words` say what it is, `original` promises the view of what was encoded. */
function go(z, words = '', original = null) {
  state.z = z;
  $('status').textContent = words;
  $('original').hidden = true;
  const place = document.createElement('div');
  place.className = 'view';
  $('original').replaceChildren(place);
  original?.then((data) => show(place, data, `the original of ${words}`)).then(() => {
    // Where nobody has gone on meanwhile.
    if (place.isConnected) $('original').hidden = false;
  }).catch(complain);
  sliders.set(z);
  map.set(z);
  decoding.ask(wish(z));
  // Neighbours are of places where one stays.
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => searching.ask({ z, count: 12 }), 120);
}

async function pick(index) {
  try {
    const { z, label, name } = await get(`/api/example/${index}`);
    go(z, `Example ${index}${label === undefined ? '' : `, ${name ?? `label ${label}`}`}`, example(index));
  } catch (error) {
    complain(error);
  }
}

async function draw() {
  state.seed = (state.seed + 1) % 2 ** 32;
  try {
    const { condition, spread, seed } = state;
    const answer = await post('/api/draw', { condition, spread, seed });
    go((await answer.json()).z, `Draw ${seed - 1}`);
  } catch (error) {
    complain(error);
  }
}

async function encode(bytes, name) {
  try {
    const { z } = await upload(bytes);
    go(z, `${name}, decoded again from its latent`, name.endsWith('.png') ? Promise.resolve(bytes) : null);
  } catch (error) {
    complain(error);
  }
}

// A setting with its number beside it.
function bind(id, key) {
  const input = $(id);
  const output = input.parentElement.querySelector('output');
  input.addEventListener('input', () => {
    state[key] = Number(input.value);
    output.value = state[key].toFixed(2);
    if (key === 'temperature') decoding.ask(wish(state.z));
  });
}

function listenToFiles() {
  const input = $('upload');
  const take = (file) => {
    if (file.size > 1 << 20) complain(new Error(`${file.name} is larger than 1 MiB.`));
    else encode(file, file.name);
  };
  input.addEventListener('change', () => {
    if (input.files.length > 0) take(input.files[0]);
    input.value = '';
  });
  const stage = $('stage');
  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    stage.addEventListener(name, (event) => {
      event.preventDefault();
      stage.classList.toggle('dropping', name === 'dragenter' || name === 'dragover');
      if (name === 'drop' && event.dataTransfer.files.length > 0) take(event.dataTransfer.files[0]);
    });
  }
  $('text-form').addEventListener('submit', (event) => {
    event.preventDefault();
    encode(new TextEncoder().encode($('text').value), 'Your text');
  });
}

// MARK: Path

const ends = { from: null, to: null };
let latents = [];
let walk;

async function path() {
  if (!ends.from || !ends.to) return;
  try {
    const answer = await post('/api/interpolate', {
      ...ends, steps: Number($('steps').value), path: $('kind').value, condition: state.condition,
    });
    latents = (await answer.json()).latents;
    fill($('path'), latents.map((z, index) => ({
      caption: index === 0 ? 'start' : index === latents.length - 1 ? 'end' : String(index),
      name: `Go to step ${index} of the path`,
      load: post('/api/decode', { z, condition: state.condition }).then(shown),
      choose: () => go(z, `Step ${index} of the path`),
    })));
    $('play').hidden = false;
  } catch (error) {
    complain(error);
  }
}

function listenToPath() {
  for (const end of ['from', 'to']) {
    $(end).addEventListener('click', () => {
      ends[end] = state.z;
      $('path-help').textContent = !ends.to ? 'Now go elsewhere and choose where to end.'
        : !ends.from ? 'Now go elsewhere and choose where to start.' : 'Choose a step to go there.';
      path();
    });
  }
  $('kind').addEventListener('change', path);
  $('steps').addEventListener('change', path);
  $('play').addEventListener('click', () => {
    clearInterval(walk);
    let index = 0;
    walk = setInterval(() => {
      if (index >= latents.length) clearInterval(walk);
      else go(latents[index], `Step ${index++} of the path`);
    }, 250);
  });
}

// MARK: Beginning

function describe() {
  document.title = `${run.name}: latent-explore`;
  $('name').textContent = run.name;
  const count = run.latentShape.reduce((a, b) => a * b, 1);
  $('facts').textContent = [
    run.data, `${run.examples.toLocaleString('en')} examples`, run.network, run.objective,
    `posterior ${run.posterior}`, `prior ${run.prior}`, `${count} latents`,
    `${run.parameters.toLocaleString('en')} parameters`,
  ].join(' · ');
  $('order').textContent = run.sliders[0].divergence === undefined
    ? 'by their variance over the data' : 'by their divergence from the prior';
  if (run.note) {
    $('note').textContent = run.note;
    $('note').hidden = false;
  }
  if (run.range) setRange(run.range);
  $('spread-row').hidden = !run.isOpen;
  $('text-form').hidden = run.kind !== 'text';
  $('upload').accept = { picture: '.png,.npy', text: '.txt,text/plain' }[run.kind] ?? '.npy';
  if (run.conditions.length > 0) {
    const any = new Option('any', '');
    $('condition').append(any, ...run.conditions.map((name, index) => new Option(name, index)));
    $('condition').value = run.condition ?? '';
    state.condition = run.condition ?? null;
    $('condition-row').hidden = false;
    $('condition').addEventListener('change', () => {
      state.condition = $('condition').value === '' ? null : Number($('condition').value);
      draw();
    });
  }
}

async function begin() {
  const [facts, places] = await Promise.all([get('/api/run'), get('/api/map')]);
  run = facts;
  describe();
  $('explained').textContent = places.explained === undefined
    ? '' : `two principal components, ${Math.round(100 * places.explained)} % of the variance`;
  sliders = new Sliders(run, $('sliders'), $('more'), (index, value) => {
    go(state.z.map((old, i) => (i === index ? value : old)));
  });
  map = new LatentMap(places, $('map'), $('legend'), (z) => go(z), pick);
  bind('spread', 'spread');
  bind('temperature', 'temperature');
  $('draw').addEventListener('click', draw);
  $('middle').addEventListener('click', () => go(places.middle, 'The middle of the data'));
  listenToFiles();
  listenToPath();
  await pick(0);
  document.querySelector('main').setAttribute('aria-busy', 'false');
}

begin().catch(complain);
