import { compareText } from '../zset/text-order.js';

/** A chunk that grows beyond this is cut in two: moving what lies behind a text costs as much as a chunk is long. */
const CHUNK_MAX = 512;

/** Different texts in the order of their UTF-8 bytes, in chunks: adding to 100,000 costs what adding to a thousand costs. */
export class SortedTexts {
  /** None is empty. */
  readonly #chunks: string[][] = [];

  static of(texts: readonly string[]): SortedTexts {
    const all = new SortedTexts();
    const sorted = [...texts].sort(compareText);
    for (let at = 0; at < sorted.length; at += CHUNK_MAX) all.#chunks.push(sorted.slice(at, at + CHUNK_MAX));
    return all;
  }

  add(text: string): void {
    const at = this.#chunkOf(text);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      const last = this.#chunks[at - 1];
      if (last === undefined || last.length >= CHUNK_MAX) this.#chunks.push([text]);
      else last.push(text);
      return;
    }
    chunk.splice(placeIn(chunk, text), 0, text);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX >>> 1));
  }

  delete(text: string): void {
    const at = this.#chunkOf(text);
    const chunk = this.#chunks[at]!;
    chunk.splice(placeIn(chunk, text), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** How many texts lie from `from` on and before `to`; null: to the end. Counts no further than `most`, about. */
  count(from: string, to: string | null, most: number): number {
    const first = this.#chunkOf(from);
    const last = to === null ? this.#chunks.length : this.#chunkOf(to);
    if (first === this.#chunks.length) return 0;
    let count = -placeIn(this.#chunks[first]!, from);
    for (let at = first; at < last && count < most; at++) count += this.#chunks[at]!.length;
    if (last < this.#chunks.length && count < most) count += placeIn(this.#chunks[last]!, to!);
    return count;
  }

  /** The texts from `from` on and before `to`, at most `most` of them. */
  up(from: string, to: string | null, most: number): string[] {
    const found: string[] = [];
    const first = this.#chunkOf(from);
    for (let at = first; at < this.#chunks.length && found.length < most; at++) {
      const chunk = this.#chunks[at]!;
      for (let place = at === first ? placeIn(chunk, from) : 0; place < chunk.length; place++) {
        if (found.length === most || (to !== null && compareText(chunk[place]!, to) >= 0)) return found;
        found.push(chunk[place]!);
      }
    }
    return found;
  }

  /** The same from just before `to` downwards; null: from the greatest. */
  down(from: string, to: string | null, most: number): string[] {
    const found: string[] = [];
    const last = to === null ? this.#chunks.length - 1 : Math.min(this.#chunkOf(to), this.#chunks.length - 1);
    for (let at = last; at >= 0 && found.length < most; at--) {
      const chunk = this.#chunks[at]!;
      for (
        let place = (to === null || at < last ? chunk.length : placeIn(chunk, to)) - 1;
        place >= 0;
        place--
      ) {
        if (found.length === most || compareText(chunk[place]!, from) < 0) return found;
        found.push(chunk[place]!);
      }
    }
    return found;
  }

  /** The chunk in which a text is or would be; the number of chunks where it is greater than all. */
  #chunkOf(text: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle]!;
      if (compareText(chunk[chunk.length - 1]!, text) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The place of a text in a chunk, or where it would be. */
function placeIn(chunk: readonly string[], text: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(chunk[middle]!, text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
