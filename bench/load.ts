import type { Redis } from 'ioredis';

/** Commands of one pipeline while a stream is loaded. */
const PIPELINE_COMMANDS = 2_000;

/** Appends texts as entries with one event each, or as entries of several where `eventsPerEntry` is given. */
export async function load(
  redis: Redis,
  stream: string,
  texts: Iterable<string> | AsyncIterable<string>,
  { eventsPerEntry = 1 }: { eventsPerEntry?: number } = {},
): Promise<number> {
  let pipeline = redis.pipeline();
  let sending: Promise<unknown> = Promise.resolve();
  let some: string[] = [];
  let loaded = 0;
  const append = (): void => {
    if (eventsPerEntry === 1) pipeline.xadd(stream, '*', 'data', some[0]!);
    else pipeline.xadd(stream, '*', 'batch', `[${some.join(',')}]`);
    loaded += some.length;
    some = [];
  };
  const send = async (): Promise<void> => {
    // One pipeline is made while the one before it is answered.
    await sending;
    sending = pipeline.exec().then((replies) => {
      const failure = replies?.find(([error]) => error !== null)?.[0];
      if (failure) throw failure;
    });
    pipeline = redis.pipeline();
  };
  for await (const text of texts) {
    some.push(text);
    if (some.length === eventsPerEntry) append();
    if (pipeline.length >= PIPELINE_COMMANDS) await send();
  }
  if (some.length > 0) append();
  await send();
  await sending;
  return loaded;
}

/** The last entry of a stream: where whoever reads it has come to its end. */
export async function endOf(redis: Redis, stream: string): Promise<string> {
  const [entry] = await redis.xrevrange(stream, '+', '-', 'COUNT', 1);
  return entry?.[0] ?? '0-0';
}
