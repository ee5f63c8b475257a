import type { InputBatch } from '../../src/runtime/input.js';

/** The rows that a batch brings to the exchange "x". */
export const rowsOf = (batch: InputBatch | null) =>
  batch &&
  batch.inputs!(0, batch.size)
    .get('x')!
    .rows.map(({ row }) => row);
