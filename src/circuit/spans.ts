import { compareText } from '../zset/text-order.js';

/** A group's members from a text on up to but not including another. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

/** The same members in spans that do not meet, in order. */
export function united(spans: readonly Span[]): Span[] {
  const apart: { from: string; to: string }[] = [];
  for (const { from, to } of [...spans].sort((left, right) => compareText(left.from, right.from))) {
    const last = apart.at(-1);
    if (last === undefined || compareText(last.to, from) < 0) apart.push({ from, to });
    else if (compareText(last.to, to) < 0) last.to = to;
  }
  return apart;
}
