// Rows of examples to choose from.

import { show } from './views.js';

/** Puts cells in `list`: `{ caption, name, load, choose }`, where `load` promises the view. */
export function fill(list, cells) {
  list.replaceChildren(...cells.map(({ caption, name, load, choose }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.title = name;
    button.setAttribute('aria-label', name);
    button.addEventListener('click', choose);
    const view = document.createElement('div');
    view.className = 'view';
    const text = document.createElement('span');
    text.className = 'caption';
    text.textContent = caption;
    button.append(view, text);
    load.then((data) => show(view, data, name)).catch(() => { text.textContent = 'lost'; });
    const item = document.createElement('li');
    item.append(button);
    return item;
  }));
}
