import { Command, type Redis } from 'ioredis';
import type { RawEntry } from '../runtime/ports/source-log.js';
import { GatheredEntries, MALFORMED, TOO_LARGE } from './gathered-entries.js';
import { PassedReply } from './passed-reply.js';
import { ARRAY } from './protocol-bytes.js';

/**
 * XRANGE whose reply need not go through ioredis: on a connection that `readEntries` attends it is read as it comes.
 *
 * Its promise says only that it was answered; what was read is taken. V8 makes a function that is assigned to a property, as
 * each command of ioredis has one, among what is old: so a command, its promise and all they hold live until the whole heap is
 * collected, and every collection of what is new copies them once more.
 */
export class EntriesCommand extends Command {
  /** What was read, until it is taken. */
  entries: RawEntry[] | null = null;

  constructor(redisKey: string, from: string, to: string, countMax: number) {
    super('xrange', [redisKey, from, to, 'COUNT', String(countMax)], { replyEncoding: 'utf8' });
  }

  /** Once it is answered. */
  take(): RawEntry[] {
    const entries = this.entries;
    this.entries = null;
    return entries!;
  }

  override transformReply(reply: Buffer | Buffer[]): any {
    this.entries ??= super.transformReply(reply) as unknown as RawEntry[];
    return null;
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

const OK = Buffer.from('+OK\r\n', 'latin1');

/**
 * Stands between a socket and ioredis's parser, which makes a buffer of each part of a reply and then a text of each buffer:
 * for entries that is most of the work of reading them. It follows the replies from one to the next; where the command that
 * is answered is an `EntriesCommand`, the reply is gathered and read here, and the parser is given a mere OK in its place.
 */
export class EntryReplies {
  #gathered: { readonly command: EntriesCommand; readonly reply: GatheredEntries } | null = null;
  readonly #passed = new PassedReply();

  constructor(readonly options: ReplyReader) {}

  take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const from = at;
      if (this.#gathered === null && this.#passed.isOver && bytes[at] === ARRAY) {
        const command = this.options.command();
        if (command instanceof EntriesCommand) this.#gathered = { command, reply: new GatheredEntries() };
      }
      if (this.#gathered === null) {
        at = this.#passed.end(bytes, at);
        this.options.parse(from === 0 && at === bytes.length ? bytes : bytes.subarray(from, at));
      } else {
        const { command, reply } = this.#gathered;
        const surplus = reply.gather(bytes.subarray(at));
        if (surplus === MALFORMED) return this.options.fail('the reply to XRANGE holds no entries');
        if (surplus === TOO_LARGE) return this.options.fail('the reply to XRANGE has more than 2 GiB');
        at = bytes.length - surplus;
        if (!reply.isWhole) continue;
        command.entries = reply.take();
        this.#gathered = null;
        this.options.parse(OK);
      }
    }
  }
}
