import type { Row } from '../zset/value.js';
import type { Codec, Keyed } from './operator.js';
import type { KeyedState } from './keyed-state.js';

/**
 * What is stored under one view key: the row that is shown, and beside it, in the same value,
 *
 *   side     the state of the group that the row is the result of, where the view's key is the group's key:
 *            one field to write for each changed group instead of two
 *   others   all rows under this key with their weights, where it is not simply the shown one, once
 */
export class ViewRecord<S = unknown> {
  constructor(
    /** The shown row's canonical text; '' without a row. The row itself is made of it when it is asked for: few are. */
    public text: string,
    public side: S | undefined,
    public others: [text: string, weight: number][] | null,
  ) {}

  get row(): Row | null {
    return this.text === '' ? null : (JSON.parse(this.text) as Row);
  }
}

/** `row`, `row LF side`, `LF side`, `row LF side LF others`: JSON texts hold no line feeds. */
export function viewRecordCodec<S>(side: Codec<S> | null): Codec<ViewRecord<S>> {
  return {
    encode(record) {
      let text = record.text;
      if (record.side !== undefined || record.others)
        text += '\n' + (record.side === undefined ? '' : side!.encode(record.side));
      if (record.others) text += '\n' + JSON.stringify(record.others);
      return text;
    },
    decode(text) {
      const afterRow = text.indexOf('\n');
      if (afterRow === -1) return new ViewRecord<S>(text, undefined, null);
      const row = text.slice(0, afterRow);
      const afterSide = text.indexOf('\n', afterRow + 1);
      const state = afterSide === -1 ? text.slice(afterRow + 1) : text.slice(afterRow + 1, afterSide);
      const others = afterSide === -1 ? null : JSON.parse(text.slice(afterSide + 1));
      return new ViewRecord<S>(row, state === '' ? undefined : side!.decode(state), others);
    },
  };
}

/** The side of view records, as keyed state of its own. */
export class RecordSide<S> implements Keyed<S> {
  constructor(readonly records: KeyedState<ViewRecord<S>>) {}

  want(key: string): boolean {
    return this.records.want(key);
  }

  wantEach(keys: readonly string[]): boolean {
    return this.records.wantEach(keys);
  }

  get(key: string): S | undefined {
    return this.records.get(key)?.side;
  }

  edit(key: string): S | undefined {
    return this.records.edit(key)?.side;
  }

  set(key: string, value: S): void {
    const record = this.records.edit(key);
    if (record) record.side = value;
    else this.records.set(key, new ViewRecord<S>('', value, null));
  }

  delete(key: string): void {
    const record = this.records.edit(key);
    if (!record) return;
    record.side = undefined;
    if (record.text === '' && record.others === null) this.records.delete(key);
  }
}
