/** One graph: its drawing, its zoom buttons, and pointing at its nodes with mouse and keys. */

import { Box, Graph, Layout, Scale } from '../model/document';
import { html, light, svg } from './dom';
import { neighbour } from './navigate';
import { PanZoom } from './panzoom';
import { edgeShape, groupName, groupShape, nodeShape } from './shapes';

export interface GraphPaneOptions {
  label: string;
  graph: Graph;
  scale: Scale;
  onHover(id: string | null): void;
  onPin(id: string): void;
  onEscape(): void;
}

export class GraphPane {
  readonly element: HTMLElement;

  constructor(private options: GraphPaneOptions) {
    const layer = this._draw();
    const frame = svg(
      'svg',
      { class: 'zyg-graph', role: 'group', 'aria-label': this._summary() },
      layer
    );
    const { layout } = options.graph;
    this._panzoom = new PanZoom(frame, layer, extent(layout), topmost(layout.nodes));
    this.element = html('div', { class: 'zyg-graphpane' }, frame, this._buttons());
    const first = this._nodes.keys().next();
    if (first.done) {
      this.element.append(html('p', { class: 'zyg-empty' }, 'This graph has no nodes.'));
    } else {
      this._setCurrent(first.value);
    }
    this._listen(frame);
  }

  dispose(): void {
    this._panzoom.dispose();
  }

  light(ids: ReadonlySet<string>, pinned: ReadonlySet<string>): void {
    light(this._nodes, this._lit, ids, 'zyg-lit');
    const edges = new Set<Element>();
    for (const id of ids) {
      this._edges.get(id)?.forEach(edge => edges.add(edge));
    }
    for (const edge of this._litEdges) {
      edge.classList.toggle('zyg-lit', edges.has(edge));
    }
    edges.forEach(edge => edge.classList.add('zyg-lit'));
    this._litEdges = edges;
    for (const [id, node] of this._nodes) {
      node.setAttribute('aria-pressed', String(pinned.has(id)));
    }
  }

  /** Pans until one of these nodes is in sight. */
  reveal(ids: ReadonlySet<string>): void {
    const boxes = [...ids].map(id => this.options.graph.layout.nodes.get(id));
    this._panzoom.reveal(boxes.filter((box): box is Box => box !== undefined));
  }

  private _draw(): SVGGElement {
    const { graph, scale } = this.options;
    const layer = svg('g');
    const names = svg('g', { class: 'zyg-group' });
    const depth = depths(graph);
    const groups = [...graph.groups].sort((a, b) => depth(a.id) - depth(b.id));
    for (const group of groups) {
      const box = graph.layout.groups.get(group.id);
      if (box !== undefined) {
        layer.append(groupShape(group, box));
        names.append(groupName(group, box));
      }
    }
    for (const route of graph.layout.edges) {
      const shape = edgeShape(route);
      if (shape !== null) {
        layer.append(shape);
        for (const id of [route.from, route.to]) {
          this._edges.set(id, [...(this._edges.get(id) ?? []), shape]);
        }
      }
    }
    layer.append(names);
    for (const node of graph.nodes) {
      const box = graph.layout.nodes.get(node.id);
      if (box !== undefined && !this._nodes.has(node.id)) {
        const shape = nodeShape(node, box, scale);
        this._nodes.set(node.id, shape);
        layer.append(shape);
      }
    }
    return layer;
  }

  private _summary(): string {
    const { label, graph } = this.options;
    return `${label}: ${graph.nodes.length} nodes, ${graph.edges.length} edges`;
  }

  private _buttons(): HTMLElement {
    const button = (text: string, label: string, run: () => void) => {
      const element = html('button', { type: 'button', title: label, 'aria-label': label }, text);
      element.addEventListener('click', run);
      return element;
    };
    return html(
      'div',
      { class: 'zyg-zoom', role: 'group', 'aria-label': 'Zoom' },
      button('+', 'Zoom in (or Ctrl+wheel)', () => this._panzoom.zoomIn()),
      button('−', 'Zoom out (or Ctrl+wheel)', () => this._panzoom.zoomOut()),
      button('Fit', 'Show the whole graph', () => this._panzoom.fit())
    );
  }

  private _setCurrent(id: string): void {
    this._nodes.get(this._current)?.setAttribute('tabindex', '-1');
    this._nodes.get(id)?.setAttribute('tabindex', '0');
    this._current = id;
  }

  private _listen(frame: SVGSVGElement): void {
    const { onHover, onPin } = this.options;
    frame.addEventListener('mouseover', event => onHover(nodeAt(event)));
    frame.addEventListener('mouseleave', () => onHover(null));
    frame.addEventListener('focusin', event => {
      const id = nodeAt(event);
      if (id !== null) {
        this._setCurrent(id);
        // A node that the mouse is on is in sight already, and must not move under the pointer.
        if (this._nodes.get(id)?.matches(':focus-visible')) {
          this._panzoom.reveal([this.options.graph.layout.nodes.get(id)!]);
        }
      }
      onHover(id);
    });
    frame.addEventListener('focusout', () => onHover(null));
    frame.addEventListener('click', event => {
      const id = nodeAt(event);
      if (id !== null) {
        onPin(id);
      }
    });
    frame.addEventListener('keydown', event => this._onKey(event));
  }

  private _onKey(event: KeyboardEvent): void {
    const { graph, onPin, onEscape } = this.options;
    if (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End') {
      const id = neighbour(graph, this._current, event.key);
      if (id !== null) {
        this._nodes.get(id)?.focus({ preventScroll: true });
      }
    } else if (event.key === 'Enter' || event.key === ' ') {
      onPin(this._current);
    } else if (event.key === 'Escape') {
      onEscape();
    } else if (event.key === '+' || event.key === '=') {
      this._panzoom.zoomIn();
    } else if (event.key === '-') {
      this._panzoom.zoomOut();
    } else if (event.key === '0') {
      this._panzoom.fit();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _panzoom: PanZoom;
  private _nodes = new Map<string, SVGGElement>();
  private _edges = new Map<string, SVGGElement[]>();
  private _lit = new Set<string>();
  private _litEdges = new Set<Element>();
  private _current = '';
}

function nodeAt(event: Event): string | null {
  const node = event.target instanceof Element ? event.target.closest('[data-node]') : null;
  return node?.getAttribute('data-node') ?? null;
}

/** The stated size, or more where a node or group sticks out of it. */
function extent(layout: Layout): { width: number; height: number } {
  const size = { width: layout.width, height: layout.height };
  for (const box of [...layout.nodes.values(), ...layout.groups.values()]) {
    size.width = Math.max(size.width, box.x + box.w / 2);
    size.height = Math.max(size.height, box.y + box.h / 2);
  }
  return size;
}

function topmost(boxes: Map<string, Box>): Box | null {
  return [...boxes.values()].reduce<Box | null>(
    (best, box) => (best === null || box.y < best.y ? box : best),
    null
  );
}

/** How deep a group is nested; a cycle of parents, which no sound document has, ends the count. */
function depths(graph: Graph): (id: string) => number {
  const parents = new Map(graph.groups.map(group => [group.id, group.parent]));
  return id => {
    const seen = new Set<string>();
    for (let at: string | null = id; at !== null && !seen.has(at); at = parents.get(at) ?? null) {
      seen.add(at);
    }
    return seen.size;
  };
}
