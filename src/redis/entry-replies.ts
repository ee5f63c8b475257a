import { isAscii } from 'node:buffer';
import { Command, type Redis } from 'ioredis';
import type { RawEntry } from '../runtime/ports/source-log.js';

/** XRANGE whose reply need not go through ioredis: on a connection that `readEntries` attends it is read as it comes. */
export class EntriesCommand extends Command {
  /** What was read; null where the reply came the ordinary way. */
  entries: RawEntry[] | null = null;

  constructor(redisKey: string, from: string, to: string, countMax: number) {
    super('xrange', [redisKey, from, to, 'COUNT', String(countMax)], { replyEncoding: 'utf8' });
  }

  override transformReply(reply: Buffer | Buffer[]): any {
    return this.entries ?? super.transformReply(reply);
  }
}

/** Reads the entries that come over a connection, from now on and whenever it is made again. */
export function readEntries(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const [parse] = stream.listeners('data') as ((bytes: Buffer) => void)[];
    if (parse === undefined) return;
    stream.off('data', parse);
    const replies = new EntryReplies({
      parse,
      command: () => redis.commandQueue.peekFront()?.command,
      fail: (why) => stream.destroy(new Error(why)),
    });
    stream.prependListener('data', (bytes: Buffer) => replies.take(bytes));
  });
}

export interface ReplyReader {
  /** Takes bytes of whatever is not read here, and before it returns has answered the commands whose replies are complete. */
  readonly parse: (bytes: Buffer) => void;
  /** The command that is answered next. */
  readonly command: () => unknown;
  /** What comes makes no sense; nothing more is expected of the connection. */
  readonly fail: (why: string) => void;
}

const [CARRIAGE_RETURN, NEWLINE, MINUS] = [0x0d, 0x0a, 0x2d];
const [ARRAY, BULK, ZERO] = [0x2a, 0x24, 0x30];
const OK = Buffer.from('+OK\r\n', 'latin1');

/**
 * Stands between a socket and ioredis's parser, which makes a buffer of each part of a reply and then a text of each buffer:
 * for entries that is most of the work of reading them. It follows the replies from one to the next; where the command that
 * is answered is an `EntriesCommand`, the reply is gathered and read here, and the parser is given a mere OK in its place.
 */
export class EntryReplies {
  #entries: GatheredEntries | null = null;
  readonly #passed = new PassedReply();

  constructor(readonly options: ReplyReader) {}

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const from = at;
      if (this.#entries === null && this.#passed.isOver && bytes[at] === ARRAY) {
        const command = this.options.command();
        if (command instanceof EntriesCommand) this.#entries = new GatheredEntries(command);
      }
      if (this.#entries === null) {
        at = this.#passed.end(bytes, at);
        this.options.parse(from === 0 && at === bytes.length ? bytes : bytes.subarray(from, at));
      } else {
        const surplus = this.#entries.gather(bytes.subarray(at));
        if (surplus === MALFORMED) return this.options.fail('the reply to XRANGE holds no entries');
        if (surplus === TOO_LARGE) return this.options.fail('the reply to XRANGE has more than 2 GiB');
        at = bytes.length - surplus;
        if (!this.#entries.isWhole) continue;
        this.#entries.settle();
        this.#entries = null;
        this.options.parse(OK);
      }
    }
  }
}

/** Where a reply ends that comes in pieces: its values are counted, not read. */
class PassedReply {
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
      else if (byte !== CARRIAGE_RETURN) this.#number = this.#number * 10 + byte - ZERO;
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

const MALFORMED = -1;
const CUT = -2;
const TOO_LARGE = -3;
/** Places are numbers of 32 bits. */
const REPLY_BYTES_MAX = 2 ** 31 - 1;
/** Of more no one text is made: that takes the memory once more, and there are none of more than 512 MiB. */
const TEXT_BYTES_MAX = 1 << 24;
/** What has become greater than this is not kept for the next reply. */
const KEPT_BYTES_MAX = 1 << 24;
const KEPT_PLACES_MAX = 1 << 20;

/** Where replies are gathered, one after the other; taken while one is. */
let idle: { bytes: Buffer; places: Int32Array } | null = null;

/** The reply to XRANGE, as far as it has come: `*N  *2 $id *M $field $value …  *2 …`. */
class GatheredEntries {
  #bytes: Buffer;
  #filled = 0;
  /** All before it was gone through. */
  #at = 0;
  /** How many entries there are, and are still to come; −1 while that is not known. */
  #count = -1;
  #left = -1;
  /** Of each entry: where its id begins and ends, how many texts it has, and where each of these begins and ends. */
  #places: Int32Array;
  #known = 0;

  constructor(readonly command: EntriesCommand) {
    ({ bytes: this.#bytes, places: this.#places } = idle ?? {
      bytes: Buffer.allocUnsafeSlow(1 << 18),
      places: new Int32Array(1 << 12),
    });
    idle = null;
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }

  /** How many of the bytes, at their end, belong to what follows; `MALFORMED` where this is no reply to XRANGE, or `TOO_LARGE`. */
  gather(bytes: Buffer): number {
    const filled = this.#filled + bytes.length;
    if (filled > REPLY_BYTES_MAX) return TOO_LARGE;
    if (filled > this.#bytes.length) this.#grow(filled);
    bytes.copy(this.#bytes, this.#filled);
    this.#filled = filled;
    if (this.#left === -1) {
      const count = this.#number(ARRAY);
      if (count < 0) return count === CUT ? 0 : MALFORMED;
      this.#left = this.#count = count;
    }
    while (this.#left > 0) {
      const before = this.#at;
      const known = this.#known;
      const found = this.#entry();
      if (found === MALFORMED) return MALFORMED;
      if (found === CUT) {
        this.#at = before;
        this.#known = known;
        return 0;
      }
      this.#left--;
    }
    return this.#filled - this.#at;
  }

  /** Gives the command its entries. */
  settle(): void {
    const bytes = this.#bytes;
    const places = this.#places;
    const whole = bytes.subarray(0, this.#at);
    const all = whole.length <= TEXT_BYTES_MAX && isAscii(whole) ? whole.toString('latin1') : null;
    const entries: RawEntry[] = new Array(this.#count);
    for (let entry = 0, place = 0; entry < entries.length; entry++) {
      const id = bytes.toString('latin1', places[place++], places[place++]);
      const count = places[place++]!;
      if (count === 2 && isData(bytes, places[place]!, places[place + 1]!)) {
        const from = places[place + 2]!;
        const to = places[place + 3]!;
        // A part of the one text, for it will be parsed and let go; what stays would keep all of that in memory.
        entries[entry] = [
          id,
          ['data', all === null ? bytes.toString('utf8', from, to) : all.slice(from, to)],
        ];
        place += 4;
      } else {
        const fields: string[] = [];
        for (let index = 0; index < count; index++)
          fields.push(bytes.toString('utf8', places[place++], places[place++]));
        entries[entry] = [id, fields];
      }
    }
    this.command.entries = entries;
    if (bytes.length <= KEPT_BYTES_MAX && places.length <= KEPT_PLACES_MAX) idle = { bytes, places };
  }

  #entry(): number {
    const pair = this.#number(ARRAY);
    if (pair !== 2) return pair === CUT ? CUT : MALFORMED;
    const id = this.#text();
    if (id < 0) return id;
    const countAt = this.#note(0);
    const count = this.#number(ARRAY);
    if (count < 0) return count;
    this.#places[countAt] = count;
    for (let index = 0; index < count; index++) {
      const text = this.#text();
      if (text < 0) return text;
    }
    return 0;
  }

  #text(): number {
    const length = this.#number(BULK);
    if (length < 0) return length;
    const from = this.#at;
    const to = from + length;
    if (to + 2 > this.#filled) return CUT;
    this.#note(from);
    this.#note(to);
    this.#at = to + 2;
    return 0;
  }

  #note(place: number): number {
    if (this.#known === this.#places.length) {
      const before = this.#places;
      this.#places = new Int32Array(before.length * 2);
      this.#places.set(before);
    }
    this.#places[this.#known] = place;
    return this.#known++;
  }

  /** The number of a line of this kind; `CUT` where not all of it has come. */
  #number(kind: number): number {
    const bytes = this.#bytes;
    const filled = this.#filled;
    let at = this.#at;
    if (at >= filled) return CUT;
    if (bytes[at++] !== kind) return MALFORMED;
    let number = 0;
    for (; at < filled; at++) {
      const byte = bytes[at]!;
      if (byte === CARRIAGE_RETURN) {
        if (at + 1 >= filled) return CUT;
        this.#at = at + 2;
        return number;
      }
      if (byte < ZERO || byte > ZERO + 9) return MALFORMED;
      number = number * 10 + byte - ZERO;
    }
    return CUT;
  }

  #grow(least: number): void {
    const before = this.#bytes;
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(least, Math.min(before.length * 2, REPLY_BYTES_MAX)));
    before.copy(this.#bytes, 0, 0, this.#filled);
  }
}

/** The name of the one field that most entries have. */
const isData = (bytes: Buffer, from: number, to: number): boolean =>
  to - from === 4 &&
  bytes[from] === 0x64 &&
  bytes[from + 1] === 0x61 &&
  bytes[from + 2] === 0x74 &&
  bytes[from + 3] === 0x61;
