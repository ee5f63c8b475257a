import type { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';

/** A row and by how much its weight changes. */
export interface NetChange {
  readonly row: Row;
  weight: number;
}

/**
 * The changes of a delta by the row's text, weights added up: what changes state is added up first, since state takes no
 * weight below zero while the rows of a delta may come in any order. Weights may come out as 0.
 */
export function netChanges(input: Delta<Row>): Map<string, NetChange> {
  const changes = new Map<string, NetChange>();
  for (let index = 0; index < input.size; index++) {
    const text = JSON.stringify(input.rows[index]);
    const known = changes.get(text);
    if (known) known.weight += input.weights[index]!;
    else changes.set(text, { row: input.rows[index]!, weight: input.weights[index]! });
  }
  return changes;
}
