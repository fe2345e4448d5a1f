"""What a page tells by colour alone: to whoever sees none of it, or another one, it would say nothing."""

from tests.drivers.vr.browser import Browser

_ALONE = """
const named = ['ok', 'warn', 'bad', 'rec', 'bad-ground', 'rec-ground', 'ask-ground'];
const probe = document.body.appendChild(document.createElement('i'));
const colours = new Set(named.map((name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; }));
probe.remove();
const edges = ['Top', 'Right', 'Bottom', 'Left'];
const has = (one) => {
  const style = getComputedStyle(one), above = getComputedStyle(one.parentElement);
  const own = ['color', 'fill', 'stroke'].filter((what) => style[what] !== above[what]).map((what) => style[what]);
  const drawn = edges.filter((edge) => parseFloat(style[`border${edge}Width`])).map((edge) => style[`border${edge}Color`]);
  return [...own, style.backgroundColor, ...drawn].some((colour) => colours.has(colour));
};
const before = (one) => getComputedStyle(one, '::before').content.replace(/^none$|^normal$/, '');
const words = (one) => one.textContent + [one, ...one.querySelectorAll('*')].map(before).join('');
// what is a word by itself: the phase, and what is pressed
const speaks = (one) => one.matches('.phase, button') && /[a-z]{2}/i.test(one.textContent);
const whole = (one) => one.closest('.ok, .warn, .bad, .rec, .ask, .asked, .trouble, .level, .page') ?? one;
return [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && has(one) && words(one).trim() && !speaks(one))
  .filter((one) => !/[●▲■✓✗?…]/.test(words(whole(one)))).map((one) => whole(one).outerHTML.slice(0, 160));
"""
_ALIKE = """
const kept = (plots) => [...plots.values()].map((one) => one.plot === undefined ? one : one.plot).filter(Boolean);
const all = [app.strips, app.policies.asks, app.policies.timings, app.traces].filter(Boolean).flatMap(({plots}) => kept(plots));
const shown = all.filter(({root}) => root.isConnected);
const way = (plot) => (series, place) => `${series.dash ?? []} ${(plot.numbered ?? []).includes(place + 1) ? place + 1 : ''}`;
const solid = (plot) => plot.series.slice(1).map(way(plot)).filter((line) => !line.startsWith('2,4'));
return [shown.length, shown.filter((plot) => new Set(solid(plot)).size < solid(plot).length).map((plot) => solid(plot))];
"""


def alone(page: Browser) -> list[str]:
    """Elements that have a colour with a meaning, and neither a shape nor a word for it."""
    return [str(one) for one in page.js(_ALONE)]


def lines_alike(page: Browser) -> tuple[int, list[object]]:
    """How many strips are drawn; of those in which two lines differ by colour alone, the lines. Dots are a line's second one: asked for."""
    drawn, alike = page.js(_ALIKE)
    return int(drawn), list(alike)
