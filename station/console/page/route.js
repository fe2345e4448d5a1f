// Which page the address names, and how an address is made. Pure. What a page shows is in its address: it can be sent to somebody.

/** The menu, in its order. */
export const PAGES = ['now', 'episodes', 'plan', 'check', 'policies', 'rig', 'setup', 'wall'];
const KNOWN = [...PAGES, 'trash'];

/** `#/episodes/cube/12?row=40` → {page: 'episodes', of: 'cube/12', query}. What is no address of ours is the first page. */
export function route(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [page, ...of] = path.split('/');
  const known = KNOWN.includes(page) ? page : PAGES[0];
  return { page: known, of: known === page ? of.map(decodeURIComponent_).join('/') : '', query: new URLSearchParams(query) };
}

export function address(page, of = '', query = new URLSearchParams()) {
  const path = [page, ...(of ? of.split('/').map(encodeURIComponent) : [])].join('/'), asked = String(query);
  return `#/${path}${asked ? `?${asked}` : ''}`;
}

function decodeURIComponent_(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed it
  }
}
