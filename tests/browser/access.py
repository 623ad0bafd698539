"""What a page must be for everyone: named fields, a language, headings in order, contrast, room on a small screen.

The rules are WCAG 2.2 AA's (https://www.w3.org/TR/WCAG22/), as far as a program can see them; computed by the browser.
"""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_LOOK = """() => {
  const shown = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
  const wrong = [];
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) wrong.push(`the id ${id} stands twice`);
  if (!document.title.trim()) wrong.push('no title');
  if (!document.documentElement.lang) wrong.push('no language');
  const levels = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(shown).map(h => +h.tagName[1]);
  if (levels.filter(l => l === 1).length !== 1) wrong.push('not one h1');
  levels.forEach((l, at) => { if (l > (levels[at - 1] ?? 0) + 1) wrong.push(`h${l} after h${levels[at - 1] ?? 0}`); });
  if (document.querySelectorAll('main').length !== 1) wrong.push('not one main');
  const skip = document.querySelector('body > a');
  if (!skip || !document.querySelector(skip.getAttribute('href'))) wrong.push('no way past the header');
  for (const e of document.querySelectorAll('input, select, textarea')) {
    const named = [...(e.labels ?? [])].some(l => l.textContent.trim()) || e.getAttribute('aria-label');
    if (e.type !== 'hidden' && !named) wrong.push(`the field ${e.name} has no label`);
  }
  for (const e of document.querySelectorAll('button, a[href]'))
    if (!e.textContent.trim() && !e.getAttribute('aria-label')) wrong.push('a button or link has no name');
  for (const name of ['aria-labelledby', 'aria-describedby'])
    for (const e of document.querySelectorAll(`[${name}]`))
      for (const id of e.getAttribute(name).trim().split(/\\s+/))
        if (!document.getElementById(id)) wrong.push(`${id} is referred to, and is not there`);
  for (const e of document.querySelectorAll('th')) if (!e.scope) wrong.push('a th without scope');
  for (const set of document.querySelectorAll('fieldset')) if (!set.querySelector('legend')) wrong.push('no legend');
  const radios = [...document.querySelectorAll('input[type=radio]')];
  if (radios.some(r => !r.closest('fieldset'))) wrong.push('choices outside of a fieldset');
  const parse = c => {
    const [r, g, b, a = 1] = c.match(/[\\d.]+/g).map(Number);
    return {r, g, b, a};
  };
  const over = (top, under) => ({
    r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a),
    b: top.b * top.a + under.b * (1 - top.a), a: 1,
  });
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? {r: 18, g: 18, b: 18, a: 1}
    : {r: 255, g: 255, b: 255, a: 1};
  const behind = e => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
    return layers.reduce((under, layer) => over(layer, under), canvas);
  };
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = c => 0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const read = [];
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !shown(e)) continue;
    const style = getComputedStyle(e), ground = behind(e), ink = over(parse(style.color), ground);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    read.push(ratio);
    if (ratio < (large ? 3 : 4.5)) wrong.push(`contrast ${ratio.toFixed(2)} of “${texts.currentNode.data.trim()}”`);
  }
  if (!read.length) wrong.push('nothing to read');
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) wrong.push(`${wide} pixels do not fit in the width`);
  return wrong;
}"""


def faults(page: Page) -> list[Any]:
    """What is wrong with the page, in words; nothing where it is well."""
    found: list[Any] = page.evaluate(_LOOK)
    return found
