/** Where an arrow key leads in a graph. */

import { Box, Graph } from '../model/document';

/** A step across counts this much more than a step along the arrow's direction. */
const ACROSS = 3;

/**
 * The node that `key` leads to from `id`: Down and Up follow edges, Left and Right go to the
 * neighbour on that side, Home and End to the first and last node. Null where it leads nowhere.
 */
export function neighbour(graph: Graph, id: string, key: string): string | null {
  const boxes = graph.layout.nodes;
  const here = boxes.get(id);
  if (here === undefined) {
    return null;
  }
  switch (key) {
    case 'ArrowDown':
      return nearest(
        graph.edges.filter(edge => edge.from === id).map(edge => edge.to),
        boxes,
        box => Math.abs(box.x - here.x)
      );
    case 'ArrowUp':
      return nearest(
        graph.edges.filter(edge => edge.to === id).map(edge => edge.from),
        boxes,
        box => Math.abs(box.x - here.x)
      );
    case 'ArrowLeft':
      return nearest(boxes.keys(), boxes, box => sideways(here.x - box.x, box.y - here.y));
    case 'ArrowRight':
      return nearest(boxes.keys(), boxes, box => sideways(box.x - here.x, box.y - here.y));
    case 'Home':
      return nearest(boxes.keys(), boxes, box => box.y * ACROSS + box.x);
    case 'End':
      return nearest(boxes.keys(), boxes, box => -box.y * ACROSS - box.x);
    default:
      return null;
  }
}

function sideways(forward: number, across: number): number {
  return forward > 1 ? forward + ACROSS * Math.abs(across) : Infinity;
}

function nearest(
  ids: Iterable<string>,
  boxes: Map<string, Box>,
  distance: (box: Box) => number
): string | null {
  let best: string | null = null;
  let shortest = Infinity;
  for (const id of ids) {
    const box = boxes.get(id);
    const d = box === undefined ? Infinity : distance(box);
    if (d < shortest) {
      best = id;
      shortest = d;
    }
  }
  return best;
}
