/** What belongs together: source lines, nodes of both graphs, lines of generated code. */

import { GraphNode, LineEntry, ZygDocument } from './document';

export type GraphName = 'forward' | 'pullback';

/** What the reader points at. */
export type Target =
  | { kind: 'node'; graph: GraphName; id: string }
  | { kind: 'line'; line: number }
  | { kind: 'code'; line: number };

/** A range of source text; columns are UTF-16 units. */
export interface Span {
  line: number;
  col: number;
  endLine: number;
  endCol: number;
}

/** All that lights up for one target. */
export interface Lit {
  lines: ReadonlySet<number>;
  /** The very expression, where the target is a node. */
  span: Span | null;
  forward: ReadonlySet<string>;
  pullback: ReadonlySet<string>;
  code: ReadonlySet<number>;
  /** The node to describe; null where the target has none. */
  node: GraphNode | null;
  graph: GraphName;
}

export const UNLIT: Lit = {
  lines: new Set(),
  span: null,
  forward: new Set(),
  pullback: new Set(),
  code: new Set(),
  node: null,
  graph: 'forward'
};

export class Links {
  constructor(readonly document: ZygDocument) {
    const { forward, pullback } = document.graphs;
    for (const node of forward.nodes) {
      this._forward.set(node.id, node);
      if (node.line !== null) {
        add(this._nodesOfLine, node.line, node.id);
      }
    }
    for (const node of pullback.nodes) {
      this._pullback.set(node.id, node);
      add(this._adjoints, node.primal, node.id);
    }
    for (const entry of document.lines) {
      this._entries.set(entry.line, entry);
      for (const id of [entry.node, ...entry.nodes]) {
        add(this._nodesOfLine, entry.line, id);
      }
    }
    for (const [generated, line] of document.code.lines) {
      add(this._codeOfLine, line, generated);
      this._lineOfCode.set(generated, line);
    }
  }

  node(graph: GraphName, id: string): GraphNode | null {
    return (graph === 'forward' ? this._forward : this._pullback).get(id) ?? null;
  }

  entry(line: number): LineEntry | null {
    return this._entries.get(line) ?? null;
  }

  /** Pointing at this source line lights something besides itself. */
  hasLine(line: number): boolean {
    return this._nodesOfLine.has(line) || this._codeOfLine.has(line);
  }

  hasCode(line: number): boolean {
    return this._lineOfCode.has(line);
  }

  resolve(target: Target | null): Lit {
    if (target === null) {
      return UNLIT;
    }
    if (target.kind === 'node') {
      return this._ofNode(target.graph, target.id);
    }
    if (target.kind === 'line') {
      return this._ofLine(target.line);
    }
    const line = this._lineOfCode.get(target.line);
    const lit = line === undefined ? UNLIT : this._ofLine(line);
    return { ...lit, code: new Set([target.line]) };
  }

  private _ofNode(graph: GraphName, id: string): Lit {
    const node = this.node(graph, id);
    if (node === null) {
      return UNLIT;
    }
    const lines = new Set(linesOf(node));
    return {
      lines,
      span: spanOf(node),
      forward: new Set([node.primal]),
      pullback: graph === 'pullback' ? new Set([id]) : new Set(this._adjoints.get(id)),
      code: this._codeOf(lines),
      node,
      graph
    };
  }

  private _ofLine(line: number): Lit {
    const forward = new Set(this._nodesOfLine.get(line));
    const pullback = new Set([...forward].flatMap(id => [...(this._adjoints.get(id) ?? [])]));
    const lines = new Set([line]);
    const [first] = forward;
    const chosen = this._entries.get(line)?.node ?? first;
    const node = chosen === undefined ? null : this.node('forward', chosen);
    return {
      lines,
      span: null,
      forward,
      pullback,
      code: this._codeOf(lines),
      node,
      graph: 'forward'
    };
  }

  private _codeOf(lines: ReadonlySet<number>): Set<number> {
    return new Set([...lines].flatMap(line => [...(this._codeOfLine.get(line) ?? [])]));
  }

  private _forward = new Map<string, GraphNode>();
  private _pullback = new Map<string, GraphNode>();
  private _entries = new Map<number, LineEntry>();
  private _nodesOfLine = new Map<number, Set<string>>();
  private _adjoints = new Map<string, Set<string>>();
  private _codeOfLine = new Map<number, Set<number>>();
  private _lineOfCode = new Map<number, number>();
}

/** Beyond this many lines a span is shown by its first line: it is a block, not an expression. */
const LONGEST_SPAN = 40;

function linesOf(node: GraphNode): number[] {
  if (node.line === null) {
    return [];
  }
  const count = (node.endLine ?? node.line) - node.line + 1;
  const shown = count >= 1 && count <= LONGEST_SPAN ? count : 1;
  const first = node.line;
  return Array.from({ length: shown }, (_, index) => first + index);
}

function spanOf(node: GraphNode): Span | null {
  return node.line === null || node.endLine === null
    ? null
    : { line: node.line, col: node.col, endLine: node.endLine, endCol: node.endCol };
}

function add<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set === undefined) {
    sets.set(key, new Set([value]));
  } else {
    set.add(value);
  }
}
