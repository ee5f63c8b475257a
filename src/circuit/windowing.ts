import type { Row, Value } from '../zset/value.js';
import type { BuildRow } from './generated-row.js';
import type { ErrorSink } from './operator.js';
import type { TimeWindows, WindowText, WindowTexts } from './window-texts.js';
import { windowless } from './windows.js';

/** How rows are put into windows, and how they are made of the rows and two instants. */
export interface Windowing {
  readonly windows: WindowTexts;
  readonly column: string;
  /** What a row has in the column: an instant, or null. */
  readonly atOf: (row: Row) => Value;
  /** The row with `values[0]` as its windowStart and `values[1]` as its windowEnd. */
  readonly rowOf: BuildRow;
}

type Found = TimeWindows & { readonly windows: readonly WindowText[] };

/** The windows of a row's time; null of a row that has none, which is an error then. */
export function windowsOfRow(
  { windows, column, atOf }: Windowing,
  row: Row,
  weight: number,
  errors: ErrorSink,
): Found | null {
  const at = atOf(row) as string | null;
  const found = at === null ? null : windows.at(at);
  if (found !== null && hasWindows(found)) return found;
  errors.add(row, weight, windowless(column, at, 'window'));
  return null;
}

const hasWindows = (found: TimeWindows): found is Found => found.windows !== null;
