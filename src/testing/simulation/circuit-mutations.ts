import { ExchangeOutput } from '../../circuit/exchange-output.js';
import { KeyedState } from '../../circuit/keyed-state.js';
import { OrderedState } from '../../circuit/ordered-state.js';
import { RowIndex } from '../../circuit/row-index.js';
import { TimedRows } from '../../circuit/timed-rows.js';
import { WindowTexts } from '../../circuit/window-texts.js';
import { Checksum } from '../../zset/checksum.js';
import { Delta } from '../../zset/delta.js';
import { type Mutation, withMethod } from './mutation.js';
import { nearSubject, plainSubject, subjectInTime, windowsMovedSubject, windowsSubject } from './subjects.js';

/** What every column lags behind its sources, taken away, however deep in a plan it is said. */
function withoutLags(said: unknown, seen = new Set<unknown>()): void {
  if (typeof said !== 'object' || said === null || seen.has(said)) return;
  seen.add(said);
  if ('delayMs' in said && 'source' in said && Number(said.delayMs) > 0) said.delayMs = 0;
  for (const part of Object.values(said)) withoutLags(part, seen);
}

/** A state that holds what a tick changed no longer than until it is on its way. */
const unpinned = <S extends KeyedState<unknown> | OrderedState>(state: { readonly prototype: S }) =>
  withMethod(
    state,
    'seal',
    (seal) =>
      function (this: S) {
        seal.call(this);
        this.acknowledge();
      },
  );

/** So little that mostly nothing comes in it, which would be a pair that is missing then. */
const EARLY_MS = 100;

/** Rules of what a circuit remembers, and of the time it goes by. */
export const circuitMutations: readonly Mutation[] = [
  {
    breaks: 'what a tick has changed is not forgotten before its commit is answered',
    code: () => {
      const takeBack = [unpinned(KeyedState), unpinned(OrderedState)];
      return () => takeBack.forEach((each) => each());
    },
  },
  {
    breaks: 'a member of an index goes with its row',
    subject: plainSubject,
    code: () => withMethod(RowIndex, 'remove', () => () => {}),
  },
  {
    breaks: 'the checksum of a view is that of its rows, also when some go',
    subject: plainSubject,
    code: () =>
      withMethod(
        Checksum,
        'add',
        (add) =>
          function (this: Checksum, text, weight) {
            add.call(this, text, Math.abs(weight));
          },
      ),
  },
  {
    breaks: 'an event is alone when nothing near it can come any more, and not before',
    subject: nearSubject,
    code: () =>
      withMethod(
        TimedRows,
        'wantOver',
        (wantOver) =>
          function (this: TimedRows, boundMs, ...rest) {
            wantOver.call(this, boundMs + EARLY_MS, ...rest);
          },
      ),
  },
  {
    breaks: 'a pane stays until the last of its windows is over',
    subject: windowsSubject,
    code: () =>
      withMethod(
        WindowTexts,
        'ends',
        (ends) =>
          function (this: WindowTexts, from) {
            const { first } = ends.call(this, from);
            return { first, last: first };
          },
      ),
  },
  {
    breaks: 'a late row says how late it was when it moves',
    subject: windowsMovedSubject,
    code: () =>
      withMethod(
        ExchangeOutput,
        'step',
        (step) =>
          function (this: ExchangeOutput, deltas) {
            return step.call(
              this,
              deltas.map(({ rows, weights }) => new Delta(rows, weights)),
            );
          },
      ),
  },
  {
    breaks: 'the watermark of a column lags behind that of its stream as the column does',
    subject: (random) => {
      const subject = subjectInTime(random);
      withoutLags(subject.views);
      return subject;
    },
  },
];
