/**
 * The graph document, version 1 (docs/graph-document.md), and its reader.
 *
 * A document may come from a hand-edited or hostile notebook, so nothing is believed before
 * `readDocument` has checked it. Tables become `Map`s: a key such as `__proto__` is then a key like
 * any other.
 */

export interface ZygDocument {
  version: number;
  id: string;
  title: string;
  cellId: string | null;
  source: Source;
  result: Result | null;
  inputs: Input[];
  lines: LineEntry[];
  graphs: { forward: Graph; pullback: Graph };
  scale: Scale;
  ir: { forward: string; pullback: string };
  code: { text: string; lines: [number, number][] };
  notes: Note[];
  /** What to show first; a view this reader does not know is the source. */
  view: ViewName;
}

export type ViewName = 'source' | 'forward' | 'pullback' | 'ir' | 'code';

export interface Source {
  file: string;
  firstLine: number;
  text: string;
}

export interface Result {
  name: string;
  node: string;
  text: string;
}

export interface Input {
  name: string;
  node: string;
  value: Summary;
  gradient: Summary | null;
}

export interface LineEntry {
  line: number;
  sensitivity: number | null;
  node: string;
  nodes: string[];
  text: string;
}

export interface Scale {
  min: number | null;
  max: number | null;
}

export interface Note {
  severity: 'error' | 'warning' | 'info';
  code: string;
  message: string;
  line: number | null;
}

export interface Graph {
  nodes: GraphNode[];
  edges: Edge[];
  groups: Group[];
  layout: Layout;
}

export interface GraphNode {
  id: string;
  primal: string;
  kind: 'input' | 'const' | 'op' | 'result';
  label: string;
  name: string;
  line: number | null;
  col: number;
  endLine: number | null;
  endCol: number;
  type: string;
  group: string | null;
  visits: number;
  value: Summary | null;
  cotangent: Summary | null;
  sensitivity: number | null;
}

export interface Edge {
  from: string;
  to: string;
}

export interface Group {
  id: string;
  kind: 'loop' | 'branch' | 'call';
  label: string;
  parent: string | null;
  line: number | null;
}

export interface Summary {
  type: string;
  shape: number[];
  norm: number | null;
  min: number | null;
  max: number | null;
  nan: number;
  inf: number;
  text: string;
}

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Route extends Edge {
  points: [number, number][];
}

export interface Layout {
  width: number;
  height: number;
  nodes: Map<string, Box>;
  edges: Route[];
  groups: Map<string, Box>;
}

export type Reading = { document: ZygDocument } | { problem: string };

const VERSION = 1;
const VIEWS: ViewName[] = ['source', 'forward', 'pullback', 'ir', 'code'];

/** Checks `data` and returns the document, or a sentence for the reader saying what is wrong. */
export function readDocument(data: unknown): Reading {
  const version = (data as { version?: unknown } | null | undefined)?.version;
  if (typeof version === 'number' && version !== VERSION) {
    return {
      problem:
        `This output uses version ${version} of the graph document, and this viewer reads ` +
        `version ${VERSION}. Upgrade zyg-interactive, or run the cell again.`
    };
  }
  try {
    return { document: zygDocument(data, 'document') };
  } catch (error) {
    if (error instanceof Malformed) {
      return { problem: `This output cannot be drawn: ${error.message}. Run the cell again.` };
    }
    throw error;
  }
}

class Malformed extends Error {}

type Reader<T> = (value: unknown, path: string) => T;

function expected(what: string, path: string): never {
  throw new Malformed(`${path} is not ${what}`);
}

const text: Reader<string> = (value, path) =>
  typeof value === 'string' ? value : expected('text', path);

const number: Reader<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? value : expected('a number', path);

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null || value === undefined ? null : read(value, path));
}

function oneOf<T extends string>(...choices: T[]): Reader<T> {
  return (value, path) =>
    choices.find(choice => choice === value) ?? expected(`one of ${choices.join(', ')}`, path);
}

function list<T>(read: Reader<T>): Reader<T[]> {
  return (value, path) =>
    Array.isArray(value)
      ? value.map((item, index) => read(item, `${path}[${index}]`))
      : expected('a list', path);
}

function pair<T>(read: Reader<T>): Reader<[T, T]> {
  const items = list(read);
  return (value, path) => {
    const [first, second, ...rest] = items(value, path);
    return second === undefined || rest.length ? expected('a pair', path) : [first, second];
  };
}

function entries(value: unknown, path: string): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : expected('an object', path);
}

function table<T>(read: Reader<T>): Reader<Map<string, T>> {
  return (value, path) =>
    new Map(entries(value, path).map(([key, item]) => [key, read(item, `${path}.${key}`)]));
}

function object<T extends object>(fields: { [K in keyof T]: Reader<T[K]> }): Reader<T> {
  return (value, path) => {
    const found = new Map(entries(value, path));
    const result = Object.entries<Reader<unknown>>(fields as Record<string, Reader<unknown>>).map(
      ([name, read]) => [name, read(found.get(name), `${path}.${name}`)]
    );
    return Object.fromEntries(result) as T;
  };
}

const viewName: Reader<ViewName> = value =>
  VIEWS.find(choice => choice === value) ?? 'source';

const summary = object<Summary>({
  type: text,
  shape: list(number),
  norm: orNull(number),
  min: orNull(number),
  max: orNull(number),
  nan: number,
  inf: number,
  text
});

const box = object<Box>({ x: number, y: number, w: number, h: number });

const graphNode = object<GraphNode>({
  id: text,
  primal: text,
  kind: oneOf('input', 'const', 'op', 'result'),
  label: text,
  name: text,
  line: orNull(number),
  col: number,
  endLine: orNull(number),
  endCol: number,
  type: text,
  group: orNull(text),
  visits: number,
  value: orNull(summary),
  cotangent: orNull(summary),
  sensitivity: orNull(number)
});

const graph = object<Graph>({
  nodes: list(graphNode),
  edges: list(object<Edge>({ from: text, to: text })),
  groups: list(
    object<Group>({
      id: text,
      kind: oneOf('loop', 'branch', 'call'),
      label: text,
      parent: orNull(text),
      line: orNull(number)
    })
  ),
  layout: object<Layout>({
    width: number,
    height: number,
    nodes: table(box),
    edges: list(object<Route>({ from: text, to: text, points: list(pair(number)) })),
    groups: table(box)
  })
});

const zygDocument = object<ZygDocument>({
  version: number,
  id: text,
  title: text,
  cellId: orNull(text),
  source: object<Source>({ file: text, firstLine: number, text }),
  result: orNull(object<Result>({ name: text, node: text, text })),
  inputs: list(
    object<Input>({ name: text, node: text, value: summary, gradient: orNull(summary) })
  ),
  lines: list(
    object<LineEntry>({
      line: number,
      sensitivity: orNull(number),
      node: text,
      nodes: list(text),
      text
    })
  ),
  graphs: object<ZygDocument['graphs']>({ forward: graph, pullback: graph }),
  scale: object<Scale>({ min: orNull(number), max: orNull(number) }),
  ir: object<ZygDocument['ir']>({ forward: text, pullback: text }),
  code: object<ZygDocument['code']>({ text, lines: list(pair(number)) }),
  notes: list(
    object<Note>({
      severity: oneOf('error', 'warning', 'info'),
      code: text,
      message: text,
      line: orNull(number)
    })
  ),
  view: viewName
});
