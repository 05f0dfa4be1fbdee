/** The panel that says everything known about the node or line pointed at. */

import { GraphNode, Summary, ZygDocument } from '../model/document';
import { isBad, nodeHeat, shortNumber } from '../model/heat';
import { Links, Lit, Target } from '../model/links';
import { html, paint } from './dom';

const HINT =
  'Point at a line or a node to see its values. Click, or press Enter, to keep it; ' +
  'arrow keys follow the edges, Esc lets go.';

export class Detail {
  readonly element = html('div', { class: 'zyg-detail', role: 'status' });

  constructor(private links: Links) {
    this.show(null, links.resolve(null), false);
  }

  show(target: Target | null, lit: Lit, pinned: boolean): void {
    const { node } = lit;
    this.element.classList.toggle('zyg-pinned', pinned);
    if (target === null || node === null) {
      this.element.replaceChildren(html('p', { class: 'zyg-hint' }, HINT));
      return;
    }
    this.element.replaceChildren(
      this._headline(node, target, lit),
      html(
        'div',
        { class: 'zyg-cards' },
        card('Value', node.value, 'not recorded'),
        card('Cotangent', this._cotangent(node), 'no gradient: none flows back to here')
      )
    );
    this.element.scrollTop = 0;
  }

  private _headline(node: GraphNode, target: Target, lit: Lit): HTMLElement {
    const heat = nodeHeat(node, this.links.document.scale);
    const badge = html('span', { class: 'zyg-badge' }, heat.text);
    paint(badge, heat);
    const facts = [
      lit.graph === 'pullback' ? `pullback ${node.kind}` : node.kind,
      node.type,
      node.line === null ? '' : `line ${node.line}`,
      node.visits > 1 ? `ran ${node.visits} times` : ''
    ].filter(fact => fact !== '');
    const entry = target.kind === 'line' ? this.links.entry(target.line) : null;
    return html(
      'div',
      { class: 'zyg-headline' },
      badge,
      html('code', { class: 'zyg-name' }, node.label),
      html('span', { class: 'zyg-facts' }, facts.join(' · ')),
      html('span', { class: 'zyg-linenote' }, entry?.text ?? ''),
      html('span', { class: 'zyg-pinmark' }, 'pinned')
    );
  }

  /** An input's gradient is its cotangent, and a document may give only the former. */
  private _cotangent(node: GraphNode): Summary | null {
    const input = this.links.document.inputs.find(item => item.node === node.id);
    return node.cotangent ?? input?.gradient ?? null;
  }
}

function card(title: string, summary: Summary | null, absent: string): HTMLElement {
  const heading = html('span', { class: 'zyg-cardtitle' }, title);
  if (summary === null) {
    return html('div', { class: 'zyg-card' }, heading, html('span', { class: 'zyg-absent' }, absent));
  }
  const facts: [string, string][] = [['', summary.type]];
  for (const [name, value] of [
    ['norm', summary.norm],
    ['min', summary.min],
    ['max', summary.max]
  ] as const) {
    if (value !== null) {
      facts.push([name, shortNumber(value)]);
    }
  }
  const row = facts.map(([name, value]) =>
    html(
      'span',
      { class: 'zyg-fact' },
      html('span', { class: 'zyg-factname' }, name),
      html('span', {}, value)
    )
  );
  if (isBad(summary)) {
    row.push(html('span', { class: 'zyg-fact zyg-alarm' }, nonFinite(summary)));
  }
  return html(
    'div',
    { class: 'zyg-card' },
    html('div', { class: 'zyg-cardhead' }, heading, ...row),
    html('code', { class: 'zyg-repr' }, summary.text)
  );
}

function nonFinite({ nan, inf }: Summary): string {
  return [nan > 0 ? `${nan} NaN` : '', inf > 0 ? `${inf} Inf` : ''].filter(Boolean).join(', ');
}

/** "3 inputs, 12 nodes": what the document holds, for those who cannot see it. */
export function describeDocument({ title, inputs, graphs }: ZygDocument): string {
  return `Gradient of ${title}: ${inputs.length} inputs, ${graphs.forward.nodes.length} nodes`;
}
