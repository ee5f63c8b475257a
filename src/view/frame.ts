import type { Build } from './build.js';
import { isInstant, kindOf } from './column.js';
import { DURATION_EXAMPLES, durationMs } from './duration.js';
import { noteOptions, notePart } from './options.js';
import { noteWhole } from './order-nodes.js';
import type { OrderTerm } from './plan.js';
import type { Reach } from '../circuit/over-columns.js';

/** How many rows away a row looks at most. */
export const ROWS_AWAY_MAX = 1_000;

interface Asked {
  /** The column that looks. */
  readonly name: string;
  readonly kind: 'rolling' | 'firstValue' | 'lastValue';
  readonly order: readonly OrderTerm[];
  readonly place: string | null;
}

const ALL = 'all';

/** How far a row sees by what was written of its frame; null, noted, where that has no meaning. */
export function reachOf(build: Build, frame: unknown, asked: Asked): Reach | null {
  const noting = { note: build.note, place: asked.place };
  noteOptions(frame, asked.kind, noting);
  const { rows, range } = (frame ?? {}) as { readonly rows?: unknown; readonly range?: unknown };
  notePart(range ?? rows, ['before', 'after'], `The frame of the column "${asked.name}"`, noting);
  return range === undefined ? ofRows(build, rows, asked) : ofRange(build, range, asked);
}

/** What is asked of both sides; a frame that is no object is of the rows before. */
const sidesOf = (frame: unknown): { readonly before?: unknown; readonly after?: unknown } | null =>
  typeof frame === 'object' && frame !== null ? frame : null;

function ofRows(build: Build, rows: unknown, { name }: Asked): Reach {
  const where = `the frame of the column "${name}"`;
  const sides = sidesOf(rows);
  if (sides === null) {
    if (rows === ALL) return { unit: 'rows', before: null, after: 0 };
    noteWhole(build, where, 'rows', rows as number, 1, ROWS_AWAY_MAX);
    return { unit: 'rows', before: (rows as number) - 1, after: 0 };
  }
  const { before = 0, after = 0 } = sides;
  if (before !== ALL) noteWhole(build, where, 'before', before as number, 0, ROWS_AWAY_MAX);
  noteWhole(build, where, 'after', after as number, 0, ROWS_AWAY_MAX);
  return { unit: 'rows', before: before === ALL ? null : (before as number), after: after as number };
}

/**
 * By the one column of the order: milliseconds of instants, or numbers. To the beginning of the group, or to the rows of equal
 * order, by whatever orders them.
 */
function ofRange(build: Build, range: unknown, { name, order, place }: Asked): Reach | null {
  if (order.length === 0) return null; // Noted already.
  const [term] = order;
  const { before = 0, after = 0 } = sidesOf(range) ?? { before: range };
  if (order.length > 1 || !(isInstant(term!.column.type) || kindOf(term!.column.type) === 'numbers')) {
    if ((before === ALL || before === 0) && after === 0)
      return { unit: 'peers', before: before === ALL ? null : 0, after };
    build.note({
      code: 'bad-order',
      what: `The range of the column "${name}" is measured by the order, which is not one column of instants or of numbers.`,
      evidence: { order: order.map(({ path }) => path).join(', ') },
      remedy: `Order by that column alone, count rows, { rows: 10 }, or take all up to it, { range: 'all' }.`,
      place,
    });
    return null;
  }
  const instants = isInstant(term!.column.type);
  const distanceOf = (given: unknown): number | null => {
    const distance =
      given === 0
        ? 0
        : instants
          ? durationMs(given)
          : typeof given === 'number' && Number.isFinite(given) && given >= 0
            ? given
            : null;
    if (distance === null)
      build.note({
        code: 'bad-option',
        what: `The column "${name}" has an impossible range.`,
        evidence: { range: String(given), order: term!.path },
        remedy: instants
          ? `Write a duration: ${DURATION_EXAMPLES}.`
          : 'Give a number that is not below 0: by so much the values may differ.',
        place,
      });
    return distance;
  };
  const back = before === ALL ? null : distanceOf(before);
  const ahead = distanceOf(after);
  return ahead === null || (back === null && before !== ALL)
    ? null
    : { unit: 'span', before: back, after: ahead };
}
