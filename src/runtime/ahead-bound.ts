import { instantText, toInstantText } from '../zset/instant-text.js';
import type { Row } from '../zset/value.js';
import { type Position, timeOf } from './position.js';

/**
 * Finds events dated too far ahead of their entries. Ids rise, so what is not ahead of one entry is not ahead of
 * those after it: nearly all events are settled by one comparison of texts.
 */
export class AheadBound {
  #harmless: string;

  constructor(
    readonly eventTime: string | null,
    first: Position | undefined,
    readonly aheadMsMax: number,
  ) {
    this.#harmless = eventTime === null || first === undefined ? '' : instantText(timeOf(first) + aheadMsMax);
  }

  ahead(row: Row, id: Position): string | null {
    if (this.eventTime === null) return null;
    const time = toInstantText(row[this.eventTime]);
    if (time === null || time <= this.#harmless) return null;
    this.#harmless = instantText(timeOf(id) + this.aheadMsMax);
    if (time <= this.#harmless) return null;
    return `ahead of its entry: \`${this.eventTime}\` is ${time}, the entry was appended at ${instantText(timeOf(id))}; more than ${this.aheadMsMax / 3_600_000} h ahead is not believed.`;
  }
}
