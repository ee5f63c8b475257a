import { assert } from '../../assert.js';

/** For aggregators that remember too little to take a row back: their plans are refused where a row could go. */
export function refuseRetraction(): never {
  assert(false, 'A row was retracted from a collection that its plan calls append-only.');
}
