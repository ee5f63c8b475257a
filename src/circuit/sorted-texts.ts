import { compareText, isOrderedByUnits } from '../zset/text-order.js';

/** A chunk that grows beyond this is cut in two: moving what lies behind a text costs as much as a chunk is long. */
const CHUNK_MAX = 512;

type Below = (left: string, right: string) => boolean;
const belowByUnits: Below = (left, right) => left < right;
const belowByBytes: Below = (left, right) => compareText(left, right) < 0;

/** Different texts in the order of their UTF-8 bytes, in chunks: adding to 100,000 costs what adding to a thousand costs. */
export class SortedTexts {
  /** None is empty. */
  readonly #chunks: string[][] = [];
  /** Whether the engine orders all of them rightly: each is looked through once, and not at every comparison. */
  #byUnits = true;

  static of(texts: readonly string[]): SortedTexts {
    const all = new SortedTexts();
    all.#byUnits = texts.every(isOrderedByUnits);
    const sorted = all.#byUnits ? [...texts].sort() : [...texts].sort(compareText);
    for (let at = 0; at < sorted.length; at += CHUNK_MAX) all.#chunks.push(sorted.slice(at, at + CHUNK_MAX));
    return all;
  }

  add(text: string): void {
    const below = this.#belowFor(text);
    if (below === belowByBytes) this.#byUnits = false;
    const at = this.#chunkOf(text, below);
    const chunk = this.#chunks[at];
    if (chunk === undefined) {
      const last = this.#chunks[at - 1];
      if (last === undefined || last.length >= CHUNK_MAX) this.#chunks.push([text]);
      else last.push(text);
      return;
    }
    chunk.splice(placeIn(chunk, text, below), 0, text);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(at + 1, 0, chunk.splice(CHUNK_MAX >>> 1));
  }

  delete(text: string): void {
    const below = this.#belowFor(text);
    const at = this.#chunkOf(text, below);
    const chunk = this.#chunks[at]!;
    chunk.splice(placeIn(chunk, text, below), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** How many texts lie from `from` on and before `to`; null: to the end. Counts no further than `most`, about. */
  count(from: string, to: string | null, most: number): number {
    const below = this.#belowFor(from, to);
    const first = this.#chunkOf(from, below);
    const last = to === null ? this.#chunks.length : this.#chunkOf(to, below);
    if (first === this.#chunks.length) return 0;
    let count = -placeIn(this.#chunks[first]!, from, below);
    for (let at = first; at < last && count < most; at++) count += this.#chunks[at]!.length;
    if (last < this.#chunks.length && count < most) count += placeIn(this.#chunks[last]!, to!, below);
    return count;
  }

  /** The texts from `from` on and before `to`, at most `most` of them. */
  up(from: string, to: string | null, most: number): string[] {
    const found: string[] = [];
    const below = this.#belowFor(from, to);
    const first = this.#chunkOf(from, below);
    for (let at = first; at < this.#chunks.length && found.length < most; at++) {
      const chunk = this.#chunks[at]!;
      for (let place = at === first ? placeIn(chunk, from, below) : 0; place < chunk.length; place++) {
        if (found.length === most || (to !== null && !below(chunk[place]!, to))) return found;
        found.push(chunk[place]!);
      }
    }
    return found;
  }

  /** The same from just before `to` downwards; null: from the greatest. */
  down(from: string, to: string | null, most: number): string[] {
    const found: string[] = [];
    const below = this.#belowFor(from, to);
    const end = this.#chunks.length - 1;
    const last = to === null ? end : Math.min(this.#chunkOf(to, below), end);
    for (let at = last; at >= 0 && found.length < most; at--) {
      const chunk = this.#chunks[at]!;
      for (
        let place = (to === null || at < last ? chunk.length : placeIn(chunk, to, below)) - 1;
        place >= 0;
        place--
      ) {
        if (found.length === most || below(chunk[place]!, from)) return found;
        found.push(chunk[place]!);
      }
    }
    return found;
  }

  /** The chunk in which a text is or would be; the number of chunks where it is greater than all. */
  #chunkOf(text: string, below: Below): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle]!;
      if (below(chunk[chunk.length - 1]!, text)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** How these are compared with a text, or two. */
  #belowFor(text: string, other: string | null = null): Below {
    return this.#byUnits && isOrderedByUnits(text) && (other === null || isOrderedByUnits(other))
      ? belowByUnits
      : belowByBytes;
  }
}

/** The place of a text in a chunk, or where it would be. */
function placeIn(chunk: readonly string[], text: string, below: Below): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (below(chunk[middle]!, text)) low = middle + 1;
    else high = middle;
  }
  return low;
}
