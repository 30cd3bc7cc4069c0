// Requests to the server that served this page.

/** A refusal of the server, in its words. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refusal('The server does not answer; is latent-explore still running?', 0);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Refusal(answer.error ?? `The server answered with status ${response.status}.`, response.status);
}

/** The JSON of a path. */
export const get = async (path) => (await send(path)).json();

/** What the server answers to a JSON body. */
export const post = (path, body, headers = {}) =>
  send(path, {
    method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
  });

/** What the server answers to a file. */
export const upload = async (bytes) =>
  (await send('/api/encode', {
    method: 'POST', body: bytes, headers: { 'Content-Type': 'application/octet-stream' },
  })).json();

/** What a view shows: a picture as a blob, all else as its JSON. */
export const shown = async (response) =>
  response.headers.get('Content-Type') === 'image/png' ? response.blob() : response.json();

/** The view of an example of the data; each is asked for once. */
const examples = new Map();
export function example(index) {
  if (!examples.has(index)) {
    const view = send(`/api/example/${index}/view`).then(shown);
    view.catch(() => examples.delete(index));
    examples.set(index, view);
  }
  return examples.get(index);
}

const page = crypto.getRandomValues(new Uint32Array(2)).join('-');
let number = 0;

/**
 * Wishes of which only the newest matters. One request is under way at a time; a wish that comes meanwhile waits, and
 * takes the place of the one that waited. The server drops what is out of date when its turn comes.
 */
export class Latest {
  #wish = null;
  #isBusy = false;

  constructor(path, done, failed) {
    Object.assign(this, { path, done, failed });
  }

  async ask(body) {
    this.#wish = body;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#wish !== null) {
      const wish = this.#wish;
      this.#wish = null;
      try {
        number += 1;
        await this.done(
          await post(this.path, wish, { 'X-Stream': `${page}${this.path}`, 'X-Number': String(number) }));
      } catch (error) {
        if (error.status !== 409) this.failed(error);
      }
    }
    this.#isBusy = false;
  }
}
