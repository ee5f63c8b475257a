import type { Delta } from '../zset/delta.js';
import { compareText } from '../zset/text-order.js';
import type { Row } from '../zset/value.js';
import { sameRow } from './same-row.js';

/** Copies of members, as they are shown. */
export interface Shown {
  readonly members: string[];
  readonly rows: Row[];
}

/** What was shown goes and what is shown comes, but for the copies that are shown as they were. */
export function differences(were: Shown, are: Shown, output: Delta<Row>): void {
  for (let was = 0, is = 0; was < were.members.length || is < are.members.length;) {
    const order =
      was === were.members.length
        ? 1
        : is === are.members.length
          ? -1
          : compareText(were.members[was]!, are.members[is]!);
    const same = order === 0 && sameRow(were.rows[was]!, are.rows[is]!);
    if (order <= 0) {
      if (!same) output.push(were.rows[was]!, -1);
      was++;
    }
    if (order >= 0) {
      if (!same) output.push(are.rows[is]!, 1);
      is++;
    }
  }
}
