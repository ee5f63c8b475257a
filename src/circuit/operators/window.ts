import type { Delta } from '../../zset/delta.js';
import { hasInstant, instantMs, instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import type { BuildRow } from '../generated-row.js';
import type { ErrorSink, Operator } from '../operator.js';
import { windowless, type WindowsOf } from '../windows.js';

/** Windows as texts, of the times from `from` up to `to`. */
interface Written {
  readonly from: string;
  readonly to: string;
  /** Null where one of them has an edge that no instant is. */
  readonly windows: readonly (readonly [start: string, end: string])[] | null;
}

/** How many are remembered: mostly many rows fall into few windows. */
const WRITTEN_MAX = 1_000;
const NONE: Written = { from: '', to: '', windows: [] };

/**
 * Gives each row its windows.
 *
 *   in   Δ row
 *   out  Δ row with windowStart and windowEnd     once for each window that the row's time is in, with its weight
 *
 * Linear: nothing is kept. A row without a time has no window, and is an error; so is one of whose windows one reaches
 * beyond the years that instants have: cut off there it would be another window.
 */
export class Window implements Operator {
  /** By where they begin. */
  #written = new Map<number, Written>();
  #last = NONE;

  constructor(
    readonly options: {
      readonly windowsOf: WindowsOf;
      readonly column: string;
      readonly atOf: (row: Row) => Value;
      /** The row with `values[0]` and `values[1]` as the window's start and end. */
      readonly rowOf: BuildRow;
    },
    readonly errors: ErrorSink,
  ) {}

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { atOf, rowOf, column } = this.options;
    const output = input.blank<Row>();
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const at = atOf(row) as string | null;
      const windows = at === null ? null : this.#windowsOf(at);
      if (windows === null) {
        this.errors.add(row, input.weights[index]!, windowless(column, at, 'window'));
        continue;
      }
      for (const window of windows)
        output.push(rowOf(row, window), input.weights[index]!, input.orders?.[index], input.lates?.[index]);
    }
    return output;
  }

  #windowsOf(at: string): Written['windows'] {
    if (at < this.#last.from || at >= this.#last.to) this.#last = this.#find(at);
    return this.#last.windows;
  }

  #find(at: string): Written {
    const { windows, from, to } = this.options.windowsOf(instantMs(at));
    let written = this.#written.get(from);
    if (written === undefined) {
      if (this.#written.size >= WRITTEN_MAX) this.#written.clear();
      const texts = windows.every(({ start, end }) => hasInstant(start) && hasInstant(end))
        ? windows.map(({ start, end }) => [instantText(start), instantText(end)] as const)
        : null;
      written = { from: instantText(from), to: instantText(to), windows: texts };
      this.#written.set(from, written);
    }
    return written;
  }
}
