/** The head of an output: the result, the inputs with their gradients, and the notes. */

import { Input, Note, ZygDocument } from '../model/document';
import { isBad, nodeHeat, shortNumber } from '../model/heat';
import { Links } from '../model/links';
import { html, paint } from './dom';

export interface HeaderActions {
  onHover(node: string | null): void;
  onPin(node: string): void;
}

export class Header {
  readonly element: HTMLElement;

  constructor(
    private links: Links,
    private actions: HeaderActions
  ) {
    const { document } = links;
    this.element = html('header', { class: 'zyg-header' }, this._title(document));
    if (document.inputs.length > 0) {
      const chips = document.inputs.map(input => this._chip(input));
      this.element.append(
        html('div', { class: 'zyg-inputs', role: 'group', 'aria-label': 'Gradients' }, ...chips)
      );
    }
    if (document.notes.length > 0) {
      this.element.append(html('ul', { class: 'zyg-notes' }, ...document.notes.map(noteItem)));
    }
  }

  light(nodes: ReadonlySet<string>, pinned: ReadonlySet<string>): void {
    for (const [chip, node] of this._chips) {
      chip.classList.toggle('zyg-lit', nodes.has(node));
      chip.setAttribute('aria-pressed', String(pinned.has(node)));
    }
  }

  private _title({ title, result }: ZygDocument): HTMLElement {
    const line = html('div', { class: 'zyg-title' }, html('strong', {}, title));
    if (result !== null) {
      const name = result.name === title || result.name === '' ? '' : `${result.name} `;
      line.append(html('span', { class: 'zyg-result' }, `${name}= ${result.text}`));
    }
    return line;
  }

  private _chip(input: Input): HTMLElement {
    const badge = html('span', { class: 'zyg-badge' });
    const node = this.links.node('forward', input.node);
    const heat =
      node !== null && input.gradient !== null
        ? nodeHeat(node, this.links.document.scale)
        : { mark: 'none' as const, t: 0, text: '–' };
    paint(badge, heat);
    badge.textContent = gradientText(input);
    const chip = html(
      'button',
      {
        type: 'button',
        class: 'zyg-chip',
        'aria-pressed': 'false',
        title: `Gradient of ${this.links.document.title} with respect to ${input.name}`
      },
      html('span', { class: 'zyg-inputname' }, input.name),
      html('span', { class: 'zyg-type' }, input.value.type),
      badge
    );
    chip.addEventListener('mouseenter', () => this.actions.onHover(input.node));
    chip.addEventListener('mouseleave', () => this.actions.onHover(null));
    chip.addEventListener('focus', () => this.actions.onHover(input.node));
    chip.addEventListener('blur', () => this.actions.onHover(null));
    chip.addEventListener('click', () => this.actions.onPin(input.node));
    this._chips.push([chip, input.node]);
    return chip;
  }

  private _chips: [HTMLElement, string][] = [];
}

/** A scalar gradient is shown itself, an array's by its norm. */
function gradientText({ gradient }: Input): string {
  if (gradient === null) {
    return 'no path';
  }
  if (isBad(gradient)) {
    return gradient.nan > 0 ? '∇ has NaN' : '∇ has Inf';
  }
  if (gradient.shape.length === 0 && gradient.text.length <= 24) {
    return `∇ ${gradient.text}`;
  }
  return gradient.norm === null ? '∇' : `‖∇‖ ${shortNumber(gradient.norm)}`;
}

function noteItem({ severity, code, message, line }: Note): HTMLElement {
  const place = line === null ? '' : `line ${line}: `;
  return html(
    'li',
    { class: `zyg-note zyg-${severity}` },
    html('span', { class: 'zyg-notecode' }, `${severity} ${code}`.trim()),
    html('span', {}, `${place}${message}`)
  );
}
