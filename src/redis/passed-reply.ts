import { ARRAY, BULK, MINUS, NEWLINE, RETURN, ZERO } from './protocol-bytes.js';

/** Where a reply ends that comes in pieces: its values are counted, not read. */
export class PassedReply {
  /** Values that are still to come, and bytes of the text at hand. */
  #values = 0;
  #bytes = 0;
  /** The beginning of a line that is cut: what kind of value it is, and the number so far. */
  #kind = 0;
  #number = 0;
  #negative = false;

  get isOver(): boolean {
    return this.#values === 0;
  }

  /** Where in these bytes the reply ends, or they do. */
  end(bytes: Buffer, from: number): number {
    if (this.#values === 0) this.#values = 1;
    let at = from;
    while (at < bytes.length && this.#values > 0) {
      if (this.#bytes > 0) {
        const some = Math.min(this.#bytes, bytes.length - at);
        at += some;
        this.#bytes -= some;
        if (this.#bytes === 0) this.#values--;
      } else at = this.#line(bytes, at);
    }
    return at;
  }

  #line(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#kind === 0) {
      this.#kind = bytes[at++]!;
      this.#number = 0;
      this.#negative = false;
    }
    if (this.#kind !== ARRAY && this.#kind !== BULK) {
      const end = bytes.indexOf(NEWLINE, at);
      if (end === -1) return bytes.length;
      this.#kind = 0;
      this.#values--;
      return end + 1;
    }
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === NEWLINE) {
        this.#begin();
        return at + 1;
      }
      if (byte === MINUS) this.#negative = true;
      else if (byte !== RETURN) this.#number = this.#number * 10 + byte - ZERO;
    }
    return at;
  }

  #begin(): void {
    if (this.#negative) this.#values--;
    else if (this.#kind === BULK) this.#bytes = this.#number + 2;
    else this.#values += this.#number - 1;
    this.#kind = 0;
  }
}
