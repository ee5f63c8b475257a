import { messageOf, StillwaterError } from '../errors/stillwater-error.js';

/** Replies that say that a command was not begun, by their first word. */
const REFUSALS =
  /^(OOM|READONLY|LOADING|MASTERDOWN|NOREPLICAS|BUSY|MISCONF|TRYAGAIN|CLUSTERDOWN|MOVED|ASK|NOPERM|NOAUTH|WRONGPASS)\b/;

/** An answer of Redis, as against a connection that gave none. */
export function isReply(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === 'ReplyError';
}

/**
 * Why Redis refused to begin a command, or null. An error from inside a script is not a refusal, whatever its first
 * word: the script may have written before it.
 */
export function refusalOf(thrown: unknown): string | null {
  return isReply(thrown) && REFUSALS.test(thrown.message) && !thrown.message.includes('@user_script')
    ? thrown.message
    : null;
}

export const isWrongType = (thrown: unknown): boolean =>
  isReply(thrown) && thrown.message.includes('WRONGTYPE');

/** The reply whose first word is NOSCRIPT: nothing was run. */
export const isUnknownScript = (thrown: unknown): boolean =>
  isReply(thrown) && thrown.message.startsWith('NOSCRIPT');

/** Errors of the program, which no repeat heals: they must not look like a broken connection. */
const MISTAKES = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'InvariantError']);
const isOurMistake = (thrown: unknown): boolean =>
  MISTAKES.has((thrown as Error | null)?.name ?? 'TypeError');

/** What was thrown while doing `what`, as an error with a code: `wrong-type`, `redis-refused`, `redis-unavailable` or `redis-error`. */
export function redisError(thrown: unknown, what: string): StillwaterError {
  if (isOurMistake(thrown)) throw thrown;
  if (thrown instanceof StillwaterError) return thrown;
  const evidence = `  Redis says  ${messageOf(thrown)}`;
  if (isWrongType(thrown))
    return new StillwaterError(
      'wrong-type',
      {
        what: `${what} failed: a key holds another type than Stillwater keeps there.`,
        evidence,
        consequence: 'Nothing was changed.',
        remedy: 'Look at the key with TYPE; rename or delete it, or give Stillwater another prefix.',
      },
      { cause: thrown },
    );
  if (refusalOf(thrown) !== null)
    return new StillwaterError(
      'redis-refused',
      {
        what: `${what} was refused by Redis.`,
        evidence,
        consequence: 'Nothing was changed.',
        remedy: 'It is tried again. `stillwater doctor` says what this Redis lacks.',
      },
      { cause: thrown },
    );
  if (isReply(thrown))
    return new StillwaterError(
      'redis-error',
      { what: `${what} failed.`, evidence, remedy: '`stillwater doctor` reads the state of this Redis.' },
      { cause: thrown },
    );
  return new StillwaterError(
    'redis-unavailable',
    {
      what: `${what} got no answer from Redis.`,
      evidence,
      consequence: 'If it was to write, it may or may not have been done.',
      remedy: 'It is tried again when Redis answers.',
    },
    { cause: thrown },
  );
}

/** Runs `work`; what it throws becomes a `redisError`. */
export async function answered<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw redisError(thrown, what);
  }
}

/**
 * The value of one command of a pipeline or transaction; its error is thrown. One that was sent in part over a connection that broke, and in
 * part over the next, has no value for some of its commands: as if there had been no answer.
 */
export function valueOf(replies: [Error | null, unknown][] | null, index: number): unknown {
  const reply = replies?.[index];
  if (reply === undefined) throw new Error('A transaction of Redis gave no reply.');
  const [error, value] = reply;
  if (error) throw error;
  return value;
}
