/** The shapes of a graph: nodes, edges, groups. */

import { Box, GraphNode, Group, Route, Scale } from '../model/document';
import { Heat, nodeHeat } from '../model/heat';
import { paint, svg } from './dom';

const FONT = 11;
const SMALLEST_FONT = 8;
/** Characters of a value in the second line of a node; the layout leaves room for as many. */
const MOST_DETAIL = 24;
/** Width of a character in a monospaced face, as a part of the font size. */
const CHARACTER = 0.602;
const PADDING = 7;
/** From this height on a node has room for its sensitivity below its label. */
const TWO_LINES = 27;
const ARROW = { length: 7, width: 3 };

export function nodeShape(node: GraphNode, box: Box, scale: Scale): SVGGElement {
  const heat = nodeHeat(node, scale);
  const element = svg('g', {
    class: `zyg-node zyg-kind-${node.kind}`,
    role: 'button',
    tabindex: -1,
    'data-node': node.id,
    'aria-pressed': 'false',
    'aria-label': describe(node, heat.text)
  });
  paint(element, heat);
  const corner = node.kind === 'input' ? box.h / 2 : node.kind === 'const' ? 1 : 5;
  const frame = (grow: number, className: string) =>
    svg('rect', {
      class: className,
      x: left(box) - grow,
      y: top(box) - grow,
      width: box.w + 2 * grow,
      height: box.h + 2 * grow,
      rx: corner + grow
    });
  element.append(frame(4, 'zyg-halo'));
  if (node.kind === 'result') {
    element.append(frame(2.5, 'zyg-double'));
  }
  element.append(frame(0, 'zyg-box'));
  const two = box.h >= TWO_LINES;
  element.append(label(node.label, box, two ? box.y - 5.5 : box.y));
  if (two) {
    element.append(svg('text', { class: 'zyg-sub', x: box.x, y: box.y + 8 }, detail(node, heat)));
  }
  if (node.visits > 1) {
    element.append(visits(node.visits, left(box) + box.w, top(box)));
  }
  return element;
}

/** The second line of a node: what it holds (in the pullback graph its cotangent), and the sensitivity. */
function detail(node: GraphNode, heat: Heat): string {
  const held = node.id.startsWith('b') ? node.cotangent : node.value;
  const text = held === null ? node.type : held.shape.length > 0 ? held.type : held.text;
  const shown = text.length > MOST_DETAIL ? `${text.slice(0, MOST_DETAIL - 1)}…` : text;
  const sensitivity = heat.mark === 'none' ? 'no gradient' : heat.text;
  return shown === '' ? sensitivity : `${shown} · ${sensitivity}`;
}

function describe(node: GraphNode, sensitivity: string): string {
  const parts = [node.label, node.type];
  parts.push(node.sensitivity === null ? 'no gradient' : `sensitivity ${sensitivity}`);
  if (node.line !== null) {
    parts.push(`line ${node.line}`);
  }
  if (node.visits > 1) {
    parts.push(`ran ${node.visits} times`);
  }
  return parts.filter(part => part !== '').join(', ');
}

function label(text: string, box: Box, y: number): SVGTextElement {
  const room = Math.max(box.w - 2 * PADDING, 1);
  const wanted = room / (text.length * CHARACTER);
  const size = Math.min(FONT, Math.max(SMALLEST_FONT, wanted));
  const shown = text.slice(0, Math.max(1, Math.floor(room / (size * CHARACTER) + 0.01)));
  const cut = shown.length < text.length ? `${shown.slice(0, -1)}…` : text;
  return svg('text', { class: 'zyg-label', x: box.x, y, 'font-size': size.toFixed(1) }, cut);
}

function visits(count: number, right: number, top: number): SVGGElement {
  const text = `×${count}`;
  const width = text.length * 5.6 + 7;
  return svg(
    'g',
    { class: 'zyg-visits' },
    svg('rect', { x: right - width + 5, y: top - 7, width, height: 13, rx: 6.5 }),
    svg('text', { x: right - width / 2 + 5, y: top - 0.5 }, text)
  );
}

export function edgeShape(route: Route): SVGGElement | null {
  const end = route.points[route.points.length - 1];
  const before = route.points.findLast(([x, y]) => Math.hypot(end[0] - x, end[1] - y) > 0.5);
  if (before === undefined) {
    return null;
  }
  const distance = Math.hypot(end[0] - before[0], end[1] - before[1]);
  const ux = (end[0] - before[0]) / distance;
  const uy = (end[1] - before[1]) / distance;
  const base: [number, number] = [end[0] - ux * ARROW.length, end[1] - uy * ARROW.length];
  const head = [
    end,
    [base[0] - uy * ARROW.width, base[1] + ux * ARROW.width],
    [base[0] + uy * ARROW.width, base[1] - ux * ARROW.width]
  ];
  return svg(
    'g',
    { class: 'zyg-edge' },
    svg('path', { d: rounded([...route.points.slice(0, -1), base]) }),
    svg('polygon', { points: head.map(point => point.join(',')).join(' ') })
  );
}

/** A path through the middles of the segments, with its corners rounded off. */
function rounded(points: [number, number][]): string {
  const [first, ...rest] = points;
  const last = rest[rest.length - 1] ?? first;
  const bends = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1];
    const middle = index === rest.length - 2 ? last : mean(point, next);
    return `Q${point.join(' ')} ${middle.join(' ')}`;
  });
  return `M${first.join(' ')} ${bends.length ? bends.join(' ') : `L${last.join(' ')}`}`;
}

function mean(a: [number, number], b: [number, number]): [number, number] {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

export function groupShape(group: Group, box: Box): SVGGElement {
  return svg(
    'g',
    { class: `zyg-group zyg-kind-${group.kind}` },
    svg('rect', { x: left(box), y: top(box), width: box.w, height: box.h, rx: 6 })
  );
}

/** The name of a group, apart from its frame: it is drawn above the edges that cross it. */
export function groupName(group: Group, box: Box): SVGTextElement {
  const most = Math.max(4, Math.floor((box.w - 12) / (10 * CHARACTER)));
  const name = group.label.length > most ? `${group.label.slice(0, most - 1)}…` : group.label;
  return svg('text', { x: left(box) + 7, y: top(box) + 11 }, name);
}

function left(box: Box): number {
  return box.x - box.w / 2;
}

function top(box: Box): number {
  return box.y - box.h / 2;
}
