import { Command } from 'ioredis';
import { BULK, NEWLINE, RETURN, ZERO } from '../protocol-bytes.js';

/** The longest header of an argument, `$…\r\n`, and what follows the argument. */
const AROUND = 16;

/**
 * Where commands are written before they are sent, one at a time; as large as the largest so far, within reason. Large ones are
 * sent from there: a copy of each commit is megabytes that the system has to find and to clear.
 */
let room = Buffer.allocUnsafeSlow(1 << 20);
const ROOM_MAX = 1 << 26;
/** What is smaller is copied: many that wait for a slow socket must not have a room each. */
const COPIED_BYTES_MAX = 1 << 16;
/** Who was given what lies there; mostly it has sent all by the time of the next. */
let sender: Sender | null = null;

/** A socket, as far as it says whether all it was given has been sent. */
export interface Sender {
  readonly writableLength: number;
  readonly destroyed: boolean;
}

/**
 * EVALSHA with its arguments written for the wire here, and once: ioredis looks at each of thousands of arguments several
 * times, makes one text of all, and has that encoded. Not for pipelines, which keep what they are given.
 */
export class EncodedCall extends Command {
  #all: readonly string[];

  constructor(all: readonly string[]) {
    // What ioredis itself wants to know of a command: its name, and a key, which says where it goes on a cluster.
    super('evalsha', all[1] === '0' ? ['', '0'] : ['', '1', all[2]!], { replyEncoding: 'utf8' });
    this.#all = all;
  }

  override toWritable(socket: object): Buffer {
    return encodeCommand(this.name, this.#all, socket as Sender);
  }

  /** Answered, it is not sent again: what it was sent with is let go, for commands live long (`entry-replies.ts`). */
  override transformReply(reply: Buffer | Buffer[]): any {
    this.#all = [];
    return super.transformReply(reply);
  }
}

/** A command as Redis reads it: an array of strings, each behind its length in bytes. To be given to the socket at once. */
export function encodeCommand(name: string, args: readonly string[], to: Sender): Buffer {
  const isFree = sender === null || (!sender.destroyed && sender.writableLength === 0);
  if (!isFree || room.length > ROOM_MAX) room = Buffer.allocUnsafeSlow(1 << 20);
  sender = null;
  let at = writeHead(0, '*', args.length + 1);
  at = writeText(at, name);
  for (let index = 0; index < args.length; index++) at = writeText(at, args[index]!);
  if (at < COPIED_BYTES_MAX) return Buffer.from(room.subarray(0, at));
  sender = to;
  return room.subarray(0, at);
}

function writeHead(at: number, sign: string, count: number): number {
  return at + room.write(`${sign}${count}\r\n`, at, 'latin1');
}

/** Mostly a text has as many bytes as characters; where it has not, its header is written again, and it behind that. */
function writeText(at: number, text: string): number {
  const { length } = text;
  if (room.length < at + length * 3 + AROUND) grow(at + length * 3 + AROUND);
  const start = writeLength(at, length);
  let bytes = room.write(text, start, 'utf8');
  let end = start + bytes;
  if (bytes !== length) {
    const again = writeLength(at, bytes);
    if (again !== start) bytes = room.write(text, again, 'utf8');
    end = again + bytes;
  }
  room[end] = RETURN;
  room[end + 1] = NEWLINE;
  return end + 2;
}

function writeLength(at: number, length: number): number {
  if (length >= 10_000) return writeHead(at, '$', length);
  room[at++] = BULK;
  if (length >= 1_000) room[at++] = ZERO + Math.floor(length / 1_000);
  if (length >= 100) room[at++] = ZERO + (Math.floor(length / 100) % 10);
  if (length >= 10) room[at++] = ZERO + (Math.floor(length / 10) % 10);
  room[at++] = ZERO + (length % 10);
  room[at++] = RETURN;
  room[at++] = NEWLINE;
  return at;
}

function grow(least: number): void {
  const before = room;
  room = Buffer.allocUnsafeSlow(Math.max(least, before.length * 2));
  before.copy(room);
}
