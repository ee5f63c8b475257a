import type { Build } from './build.js';
import { freezing } from './freezing.js';
import type { WindowShape } from '../circuit/windows.js';
import type { FinalNode, PlanNode, WindowNode } from './plan.js';
import { finalRelation, windowRelation } from './time-relation.js';
import { whyNoWatermark } from './why-no-watermark.js';

/** The nodes of the operators that act on the time of rows, made of what was written; those of `last` and `during` are in `during.ts`. */

export const windowNode = (
  build: Build,
  input: PlanNode,
  shape: WindowShape,
  column: string,
): WindowNode => ({
  op: 'window',
  input,
  shape,
  column,
  relation: windowRelation(input.relation, shape, column),
  place: build.place,
});

export function finalNode(build: Build, input: PlanNode): FinalNode {
  if (freezing(input.relation).length === 0) {
    const { because, remedy } = whyNoWatermark(input);
    build.note({
      code: 'needs-watermark',
      what: 'final() waits until rows can no longer change, and nothing ever says that these cannot.',
      evidence: { because },
      remedy,
      place: build.place,
    });
  }
  return { op: 'final', input, relation: finalRelation(input.relation), place: build.place };
}
