import { messageOf, StillwaterError } from '../errors/stillwater-error.js';

/**
 * Redis's answer, or an error in good time: the queue's connection waits for a Redis that is gone, a caller must not.
 * @throws StillwaterError `redis-unreachable`, `redis-refuses`
 */
export async function answered<T>(asked: Promise<T>, withinMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(silent(withinMs)), withinMs);
  });
  try {
    return await Promise.race([asked, late]);
  } catch (thrown) {
    if (thrown instanceof StillwaterError) throw thrown;
    throw new StillwaterError(
      'redis-refuses',
      {
        what: 'The queue of rebuilds could not be used.',
        evidence: `  Redis said  ${messageOf(thrown)}`,
        consequence: 'Nothing was started.',
        remedy: '`stillwater doctor` looks at the Redis.',
      },
      { cause: thrown },
    );
  } finally {
    clearTimeout(timer);
  }
}

const silent = (waitedMs: number): StillwaterError =>
  new StillwaterError('redis-unreachable', {
    what: 'The queue of rebuilds does not answer.',
    evidence: `  waited  ${waitedMs} ms`,
    consequence: 'Whether it was done is not known; asking again does not start a second rebuild of a view.',
    remedy: 'Look at the connection to Redis, then ask again.',
  });
