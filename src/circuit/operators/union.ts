import { Delta } from '../../zset/delta.js';
import type { Operator } from '../operator.js';

/**
 * All rows of several inputs; equal rows add up (`UNION ALL`).
 *
 *   in   Δ row, several times
 *   out  Δ row
 */
export class Union implements Operator {
  step(inputs: readonly Delta[]): Delta {
    const changed = inputs.filter(({ size }) => size > 0);
    if (changed.length === 1) return changed[0]!;
    const ordered = changed.every(({ orders }) => orders !== undefined);
    const late = changed.some(({ lates }) => lates !== undefined);
    const output = new Delta<any>([], [], ordered ? [] : undefined, late ? [] : undefined);
    for (const input of changed) output.append(input);
    return output;
  }
}
