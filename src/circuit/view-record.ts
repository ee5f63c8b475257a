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
  #row: Row | null | undefined;

  constructor(
    /** The shown row; undefined leaves it to be read from the text when it is asked for. */
    row: Row | null | undefined,
    /** The row's canonical text; '' without a row. */
    public text: string,
    public side: S | undefined,
    public others: [text: string, weight: number][] | null,
  ) {
    this.#row = row;
  }

  get row(): Row | null {
    if (this.#row === undefined) this.#row = this.text === '' ? null : (JSON.parse(this.text) as Row);
    return this.#row;
  }

  /** The same with another side. */
  with(side: S | undefined): ViewRecord<S> {
    return new ViewRecord(this.#row, this.text, side, this.others);
  }

  /** The row is shown, and this is its text. */
  show(row: Row | null, text: string): void {
    this.#row = row;
    this.text = text;
  }

  /** Whether `row` is what is shown; null is no row. Mostly it is the very object. */
  shows(row: Row | null, textOf: (row: Row) => string): boolean {
    if (row === this.#row) return true;
    return row === null ? this.text === '' : textOf(row) === this.text;
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
      const [row, state, others] = text.split('\n') as [string, string?, string?];
      return new ViewRecord(
        undefined,
        row,
        state ? side!.decode(state) : undefined,
        others ? JSON.parse(others) : null,
      );
    },
    clone: (record) => record.with(record.side === undefined ? undefined : side!.clone(record.side)),
  };
}

/** The text of the row shown in a stored record, or '' if it shows none. */
export function shownText(stored: string): string {
  const end = stored.indexOf('\n');
  return end === -1 ? stored : stored.slice(0, end);
}

/** The side of view records, as keyed state of its own. */
export class RecordSide<S> implements Keyed<S> {
  constructor(readonly records: KeyedState<ViewRecord<S>>) {}

  want(key: string): boolean {
    return this.records.want(key);
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
    else this.records.set(key, new ViewRecord<S>(null, '', value, null));
  }

  delete(key: string): void {
    const record = this.records.edit(key);
    if (!record) return;
    record.side = undefined;
    if (record.text === '' && record.others === null) this.records.delete(key);
  }
}
