/** The CodeMirror side: sensitivity gutter, lit lines, tooltip, and pointing from the editor. */

import {
  Compartment,
  EditorState,
  Extension,
  RangeSet,
  StateEffect,
  StateField
} from '@codemirror/state';
import {
  BlockInfo,
  Decoration,
  DecorationSet,
  EditorView,
  gutter,
  GutterMarker,
  hoverTooltip,
  Tooltip,
  ViewPlugin,
  ViewUpdate
} from '@codemirror/view';

import { Heat } from '../model/heat';
import { Span } from '../model/links';
import { Pointer, pointerOf } from '../model/pointer';
import { html, paint } from '../view/dom';
import { move, Paint, Painting, place } from './painting';

const STALE = 'stale: run the cell again';

interface Painted {
  paintings: Painting[];
  /** Start positions of the lit lines. */
  lit: number[];
  /** The lit expression, in positions of the text. */
  span: { from: number; to: number } | null;
}

interface Light {
  lit: number[];
  span: Painted['span'];
}

const setPaintings = StateEffect.define<Painting[]>();
const setLight = StateEffect.define<Light>();

const field = StateField.define<Painted>({
  create: () => ({ paintings: [], lit: [], span: null }),
  update(value, transaction) {
    if (transaction.docChanged) {
      const text = transaction.state.doc;
      const paintings = value.paintings.map(painting =>
        move(painting, text, transaction.changes)
      );
      value = { paintings, lit: [], span: null };
    }
    for (const effect of transaction.effects) {
      if (effect.is(setPaintings)) {
        value = { paintings: effect.value, lit: [], span: null };
      } else if (effect.is(setLight)) {
        value = { ...value, ...effect.value };
      }
    }
    return value;
  },
  provide: self => EditorView.decorations.from(self, decorations)
});

const litLine = Decoration.line({ class: 'zyg-editor-lit' });
const litSpan = Decoration.mark({ class: 'zyg-span' });

function decorations({ lit, span }: Painted): DecorationSet {
  const ranges = lit.map(position => litLine.range(position));
  if (span !== null && span.from < span.to) {
    ranges.push(litSpan.range(span.from, span.to));
  }
  return Decoration.set(ranges, true);
}

class HeatMarker extends GutterMarker {
  constructor(
    private heat: Heat,
    private note: string,
    private stale: boolean
  ) {
    super();
  }

  eq(other: HeatMarker): boolean {
    return (
      other.heat.mark === this.heat.mark &&
      other.heat.t === this.heat.t &&
      other.heat.text === this.heat.text &&
      other.note === this.note &&
      other.stale === this.stale
    );
  }

  toDOM(): HTMLElement {
    const title = this.stale ? STALE : `sensitivity ${this.heat.text}\n${this.note}`.trim();
    const badge = html('span', { class: 'zyg-badge', title }, this.heat.text);
    paint(badge, this.heat);
    badge.classList.toggle('zyg-stale', this.stale);
    return badge;
  }
}

function markers(state: EditorState): RangeSet<GutterMarker> {
  const byPosition = new Map<number, HeatMarker>();
  for (const { starts, heats, links, stale } of state.field(field).paintings) {
    for (const [line, heat] of heats) {
      const position = starts.get(line);
      if (position !== undefined) {
        byPosition.set(position, new HeatMarker(heat, links.entry(line)?.text ?? '', stale));
      }
    }
  }
  const ranges = [...byPosition].map(([position, marker]) => marker.range(position));
  return RangeSet.of(ranges, true);
}

/** The painting and the document line at a position of the text; the later painting wins. */
function lineAt(state: EditorState, position: number): { painting: Painting; line: number } | null {
  const { from } = state.doc.lineAt(position);
  for (const painting of [...state.field(field).paintings].reverse()) {
    for (const [line, start] of painting.starts) {
      if (start === from && painting.links.hasLine(line)) {
        return { painting, line };
      }
    }
  }
  return null;
}

/** Carries the pointers of the painted documents to the editor and back. */
class Linking {
  constructor(private view: EditorView) {
    this._follow();
    this._light();
  }

  update(update: ViewUpdate): void {
    if (update.startState.field(field).paintings !== update.state.field(field).paintings) {
      this._follow();
    }
  }

  destroy(): void {
    this._pointers.forEach(pointer => {
      pointer.hover(null, this);
      pointer.leave(this._light, this);
    });
  }

  hover(position: number | null): void {
    const found = position === null ? null : lineAt(this.view.state, position);
    const target = found === null ? null : ({ kind: 'line', line: found.line } as const);
    const chosen = found === null ? null : pointerOf(found.painting.document.id);
    if (this._hovered !== null && this._hovered !== chosen) {
      this._hovered.hover(null, this);
    }
    chosen?.hover(target, this);
    this._hovered = chosen;
  }

  pin(position: number): void {
    const found = lineAt(this.view.state, position);
    if (found !== null) {
      pointerOf(found.painting.document.id).toggle({ kind: 'line', line: found.line }, this);
    }
  }

  private _follow(): void {
    const { paintings } = this.view.state.field(field);
    const wanted = new Set(paintings.map(painting => pointerOf(painting.document.id)));
    // Join before leaving: a pointer that is wanted still must not be let go of in between.
    const before = this._pointers;
    this._pointers = wanted;
    wanted.forEach(pointer => !before.has(pointer) && pointer.join(this._light, this));
    before.forEach(pointer => !wanted.has(pointer) && pointer.leave(this._light, this));
  }

  private _light(): void {
    const lit = new Set<number>();
    let span: Painted['span'] = null;
    for (const { document, links, starts, stale } of this.view.state.field(field).paintings) {
      const { lines, span: wanted } = links.resolve(pointerOf(document.id).target);
      for (const line of lines) {
        const start = starts.get(line);
        if (start !== undefined) {
          lit.add(start);
        }
      }
      span = stale || wanted === null ? span : this._range(wanted, starts);
    }
    const light = { lit: [...lit], span };
    // A pointer may move while the editor is updating (it is being built, or torn down).
    queueMicrotask(() => {
      if (this.view.dom.isConnected) {
        const length = this.view.state.doc.length;
        if (light.lit.every(start => start <= length) && (light.span?.to ?? 0) <= length) {
          this.view.dispatch({ effects: setLight.of(light) });
        }
      }
    });
  }

  private _range(span: Span, starts: Map<number, number>): Painted['span'] {
    const from = starts.get(span.line);
    const to = starts.get(span.endLine);
    if (from === undefined || to === undefined) {
      return null;
    }
    const { doc } = this.view.state;
    const within = (start: number, col: number) => Math.min(start + col, doc.lineAt(start).to);
    return { from: within(from, span.col), to: within(to, span.endCol) };
  }

  private _pointers = new Set<Pointer>();
  private _hovered: Pointer | null = null;
}

const linking = ViewPlugin.fromClass(Linking, {
  eventHandlers: {
    mousemove(event, view) {
      this.hover(lineUnder(event, view));
    },
    mouseleave() {
      this.hover(null);
    }
  }
});

/** The line at the height of the mouse, wherever across it is; null below the last line. */
function lineUnder(event: MouseEvent, view: EditorView): number | null {
  const block = view.lineBlockAtHeight(event.clientY - view.documentTop);
  const height = event.clientY - view.documentTop;
  return height >= block.top && height <= block.bottom ? block.from : null;
}

function onGutter(run: (linking: Linking, position: number | null) => void, leaves = false) {
  return (view: EditorView, block: BlockInfo) => {
    const plugin = view.plugin(linking);
    if (plugin !== null) {
      run(plugin, leaves ? null : block.from);
    }
    return false;
  };
}

const heatGutter = gutter({
  class: 'zyg-gutter',
  markers: view => markers(view.state),
  lineMarkerChange: update =>
    update.startState.field(field).paintings !== update.state.field(field).paintings,
  domEventHandlers: {
    mousemove: onGutter((plugin, position) => plugin.hover(position)),
    mouseout: onGutter((plugin, position) => plugin.hover(position), true),
    click: onGutter((plugin, position) => position !== null && plugin.pin(position))
  }
});

const tooltip = hoverTooltip((view, position): Tooltip | null => {
  const found = lineAt(view.state, position);
  const heat = found?.painting.heats.get(found.line);
  if (found === null || heat === undefined) {
    return null;
  }
  const { from, to } = view.state.doc.lineAt(position);
  return { pos: from, end: to, above: true, create: () => ({ dom: tip(found, heat) }) };
});

function tip({ painting, line }: { painting: Painting; line: number }, heat: Heat): HTMLElement {
  const badge = html('span', { class: 'zyg-badge' }, heat.text);
  paint(badge, heat);
  const note = painting.stale ? STALE : (painting.links.entry(line)?.text ?? '');
  const element = html(
    'div',
    { class: 'zyg-tip' },
    html('div', {}, badge, html('span', { class: 'zyg-tipnote' }, note))
  );
  if (!painting.stale) {
    const { node } = painting.links.resolve({ kind: 'line', line });
    const facts = [node?.label, node?.type, node?.value?.text].filter(fact => fact);
    element.append(...facts.map(fact => html('code', {}, String(fact))));
  }
  return element;
}

/** The gutter takes room only where there is something to show in it. */
const gutterSlot = new Compartment();

/** The extension of one editor, already painted with what is known of its cell. */
export function sensitivity(paints: Paint[]): Extension {
  return [
    field.init(state => ({
      paintings: paints.map(paint => place(paint, state.doc)),
      lit: [],
      span: null
    })),
    gutterSlot.of(paints.length > 0 ? heatGutter : []),
    linking,
    tooltip
  ];
}

/** Replaces everything painted on an editor. */
export function repaint(view: EditorView, paints: Paint[]): void {
  if (view.state.field(field, false) === undefined) {
    return;
  }
  const paintings = paints.map(paint => place(paint, view.state.doc));
  view.dispatch({
    effects: [
      setPaintings.of(paintings),
      gutterSlot.reconfigure(paintings.length > 0 ? heatGutter : [])
    ]
  });
}
