/**
 * Building elements. Text only ever arrives as text nodes and attribute values; markup is never
 * parsed, so nothing a document says can become an element or a script.
 */

import { Heat } from '../model/heat';

const SVG = 'http://www.w3.org/2000/svg';

type Attributes = { [name: string]: string | number };
type Child = Node | string;

export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Gives `element` the colour of `heat`; the style sheet turns `--zyg-t` into a shade. */
export function paint(element: HTMLElement | SVGElement, heat: Heat): void {
  element.classList.add(`zyg-${heat.mark}`);
  element.style.setProperty('--zyg-t', heat.t.toFixed(3));
}

let renderings = 0;

/** A prefix for element ids that no other rendering on the page has. */
export function uniquePrefix(): string {
  renderings += 1;
  return `zyg-${renderings}`;
}

/** Turns a class on for exactly the keys in `wanted`; `lit` remembers what is on. */
export function light<K>(
  elements: ReadonlyMap<K, Element>,
  lit: Set<K>,
  wanted: ReadonlySet<K>,
  className: string
): void {
  for (const key of lit) {
    if (!wanted.has(key)) {
      elements.get(key)?.classList.remove(className);
      lit.delete(key);
    }
  }
  for (const key of wanted) {
    if (!lit.has(key)) {
      elements.get(key)?.classList.add(className);
      lit.add(key);
    }
  }
}
