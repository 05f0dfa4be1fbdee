/** The whole output of one document: header, tabs, panes and detail, wired to its pointer. */

import { ZygDocument } from '../model/document';
import { lineHeats } from '../model/heat';
import { GraphName, Links, Lit, Target } from '../model/links';
import { Pointer, pointerOf, same } from '../model/pointer';
import { Detail, describeDocument } from './detail';
import { html, uniquePrefix } from './dom';
import { GraphPane } from './graphpane';
import { Header } from './header';
import { legend } from './legend';
import { Listing } from './listing';
import { Tabs } from './tabs';

const LINE_HEIGHT = 20;
const LOWEST = 220;
const HIGHEST = 460;

export class DocumentView {
  readonly element: HTMLElement;

  constructor(private document: ZygDocument) {
    this._links = new Links(document);
    this._pointer = pointerOf(document.id);
    this._detail = new Detail(this._links);
    this._header = new Header(this._links, {
      onHover: id => this._hover(id === null ? null : { kind: 'node', graph: 'forward', id }),
      onPin: id => this._pin({ kind: 'node', graph: 'forward', id })
    });
    this._split = this._splitButton();
    this._tabs = new Tabs(
      uniquePrefix(),
      'Views',
      [
        { id: 'source', label: 'Source', panel: this._panels.source },
        ...(isDrawn(document)
          ? [
              { id: 'forward', label: 'Forward graph', panel: this._panels.forward },
              { id: 'pullback', label: 'Pullback graph', panel: this._panels.pullback }
            ]
          : []),
        { id: 'forward-ir', label: 'Forward IR', panel: this._panels['forward-ir'] },
        { id: 'pullback-ir', label: 'Pullback IR', panel: this._panels['pullback-ir'] },
        { id: 'code', label: 'Generated code', panel: this._panels.code }
      ],
      id => this._show(id as PanelName)
    );
    const body = html('div', { class: 'zyg-body' }, ...Object.values(this._panels));
    body.style.height = `${startHeight(document)}px`;
    this.element = html(
      'section',
      { class: 'zyg-view', 'aria-label': describeDocument(document) },
      this._header.element,
      html('div', { class: 'zyg-bar' }, this._tabs.element, this._split),
      body,
      this._detail.element,
      legend(document.scale)
    );
    this._body = body;
    this._tabs.select(firstPanel(document));
    this._pointer.join(this._light, this);
    this._light();
  }

  dispose(): void {
    this._pointer.leave(this._light, this);
    this._graphs.forEach(pane => pane.dispose());
  }

  private _splitButton(): HTMLElement {
    const button = html(
      'button',
      {
        type: 'button',
        class: 'zyg-split',
        'aria-pressed': 'true',
        title: 'Keep the source beside the other views'
      },
      'Side by side'
    );
    button.addEventListener('click', () => {
      button.setAttribute('aria-pressed', String(!this._isSplit()));
      this._show(this._shown);
    });
    return button;
  }

  private _isSplit(): boolean {
    return this._split.getAttribute('aria-pressed') === 'true';
  }

  /** Shows one panel; side by side, the source keeps it company, and the graph the source. */
  private _show(name: PanelName): void {
    this._shown = name;
    const beside = name === 'source' ? (isDrawn(this.document) ? 'forward' : 'code') : 'source';
    const visible = new Set<PanelName>(this._isSplit() ? [name, beside] : [name]);
    for (const panel of visible) {
      this._build(panel);
    }
    for (const [panel, element] of Object.entries(this._panels)) {
      element.hidden = !visible.has(panel as PanelName);
    }
    this._body?.classList.toggle('zyg-two', visible.size === 2);
    this._body?.classList.toggle('zyg-even', name === 'source');
    this._light();
  }

  /** Fills a panel when it is first looked at: nothing is drawn that nobody sees. */
  private _build(name: PanelName): void {
    const panel = this._panels[name];
    if (panel.firstChild !== null) {
      return;
    }
    switch (name) {
      case 'source':
        this._source = this._sourceListing();
        panel.append(this._source.element);
        break;
      case 'code':
        this._code = this._codeListing();
        panel.append(this._code.element);
        break;
      case 'forward':
      case 'pullback':
        panel.append(this._graphPane(name).element);
        break;
      case 'forward-ir':
        panel.append(irText('Forward IR', this.document.ir.forward));
        break;
      case 'pullback-ir':
        panel.append(irText('Pullback IR', this.document.ir.pullback));
        break;
    }
  }

  private _sourceListing(): Listing {
    const { source } = this.document;
    const heats = lineHeats(this.document);
    return new Listing({
      label: `Source, ${source.file}`,
      text: source.text,
      firstLine: source.firstLine,
      heats,
      describe: line => {
        const heat = heats.get(line);
        const text = source.text.split('\n')[line - source.firstLine] ?? '';
        const note = heat === undefined ? '' : `, sensitivity ${heat.text}`;
        return `Line ${line}${note}: ${text.trim()}`;
      },
      hasTarget: line => this._links.hasLine(line),
      onHover: line => this._hover(line === null ? null : { kind: 'line', line }),
      onPin: line => this._pin({ kind: 'line', line }),
      onEscape: () => this._pointer.clear(this)
    });
  }

  private _codeListing(): Listing {
    const lines = this.document.code.text.split('\n');
    return new Listing({
      label: 'Generated code',
      text: this.document.code.text,
      firstLine: 1,
      heats: null,
      describe: line => `Line ${line}: ${(lines[line - 1] ?? '').trim()}`,
      hasTarget: line => this._links.hasCode(line),
      onHover: line => this._hover(line === null ? null : { kind: 'code', line }),
      onPin: line => this._pin({ kind: 'code', line }),
      onEscape: () => this._pointer.clear(this)
    });
  }

  private _graphPane(graph: GraphName): GraphPane {
    const pane = new GraphPane({
      label: graph === 'forward' ? 'Forward graph' : 'Pullback graph',
      graph: this.document.graphs[graph],
      scale: this.document.scale,
      onHover: id => this._hover(id === null ? null : { kind: 'node', graph, id }),
      onPin: id => this._pin({ kind: 'node', graph, id }),
      onEscape: () => this._pointer.clear(this)
    });
    this._graphs.set(graph, pane);
    return pane;
  }

  private _hover(target: Target | null): void {
    this._origin = target;
    this._pointer.hover(target, this);
  }

  private _pin(target: Target): void {
    this._origin = target;
    this._pointer.toggle(target, this);
  }

  private _light(): void {
    const { target, pinned } = this._pointer;
    const lit = this._links.resolve(target);
    const kept = ownOf(pinned);
    // A pane follows what other panes point at, and stands still under its own pointer.
    const follows = (kind: Target['kind'], graph?: GraphName) =>
      this._pointer.arrived &&
      (this._pointer.mover !== this ||
        this._origin?.kind !== kind ||
        (this._origin.kind === 'node' && this._origin.graph !== graph));
    this._header.light(lit.forward, kept.forward);
    this._source?.light(lit.lines, lit.span, kept.lines);
    this._code?.light(lit.code, null, kept.code);
    if (follows('line')) {
      this._source?.reveal(lit.lines);
    }
    if (follows('code')) {
      this._code?.reveal(lit.code);
    }
    for (const [graph, pane] of this._graphs) {
      pane.light(lit[graph], kept[graph]);
      if (follows('node', graph)) {
        pane.reveal(lit[graph]);
      }
    }
    this._detail.show(target, lit, target !== null && same(target, pinned));
  }

  private _links: Links;
  private _pointer: Pointer;
  private _detail: Detail;
  private _header: Header;
  private _split: HTMLElement;
  private _tabs: Tabs;
  private _body: HTMLElement | null = null;
  private _source: Listing | null = null;
  private _code: Listing | null = null;
  private _graphs = new Map<GraphName, GraphPane>();
  private _shown: PanelName = 'source';
  /** What this view itself pointed at last. */
  private _origin: Target | null = null;
  private _panels = {
    source: html('div', { class: 'zyg-panel zyg-sourcepanel' }),
    forward: html('div', { class: 'zyg-panel' }),
    pullback: html('div', { class: 'zyg-panel' }),
    'forward-ir': html('div', { class: 'zyg-panel' }),
    'pullback-ir': html('div', { class: 'zyg-panel' }),
    code: html('div', { class: 'zyg-panel' })
  };
}

/** A document may come without its graphs. */
function isDrawn({ graphs }: ZygDocument): boolean {
  return graphs.forward.nodes.length > 0;
}

function firstPanel(document: ZygDocument): PanelName {
  const { view } = document;
  if ((view === 'forward' || view === 'pullback') && !isDrawn(document)) {
    return 'source';
  }
  return view === 'ir' ? 'forward-ir' : view;
}

type PanelName = 'source' | 'forward' | 'pullback' | 'forward-ir' | 'pullback-ir' | 'code';

/** The pinned thing itself, without what it lights. */
function ownOf(pinned: Target | null): Pick<Lit, 'lines' | 'forward' | 'pullback' | 'code'> {
  const when = <T>(condition: boolean, value: () => T) => new Set(condition ? [value()] : []);
  const node = pinned?.kind === 'node' ? pinned : null;
  return {
    lines: when(pinned?.kind === 'line', () => (pinned as { line: number }).line),
    code: when(pinned?.kind === 'code', () => (pinned as { line: number }).line),
    forward: when(node?.graph === 'forward', () => node!.id),
    pullback: when(node?.graph === 'pullback', () => node!.id)
  };
}

function irText(label: string, text: string): HTMLElement {
  return html('pre', { class: 'zyg-ir', tabindex: 0, 'aria-label': label }, text);
}

/** Tall enough for the source and the graph, within reason. */
function startHeight({ source, graphs }: ZygDocument): number {
  const lines = source.text.split('\n').length * LINE_HEIGHT + 16;
  const wanted = Math.max(lines, graphs.forward.layout.height + 40);
  return Math.min(Math.max(wanted, LOWEST), HIGHEST);
}
