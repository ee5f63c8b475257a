/**
 * While a circuit steps, a function of a view must give the same answer whenever and wherever it is asked: its
 * retraction has to equal its insertion, and a rebuild the live view. What would break this throws instead.
 */
export class ImpureCall extends Error {
  override readonly name = 'ImpureCall';
  constructor(what: string, instead: string) {
    super(
      `A view function called ${what}. Its answer would differ when the row is retracted or replayed: ${instead}.`,
    );
  }
}

const USE_EVENT_TIME = "use the event's time";
const USE_COLUMN = 'make the value where the event is produced and put it into the event';

let depth = 0;

/**
 * Runs `step`, which must be synchronous, with the clock and randomness taken away from it. What is taken away is
 * put back before anything else of the process runs, so that nobody else sees it.
 */
export function pure<T>(step: () => T): T {
  if (depth > 0) return step();
  depth++;
  const restore = takeAway();
  try {
    return step();
  } finally {
    restore();
    depth--;
  }
}

function takeAway(): () => void {
  const realDate = globalThis.Date;
  const random = Math.random;
  globalThis.Date = timelessDate(realDate);
  Math.random = refuse('Math.random()', USE_COLUMN);
  const restorers = [
    shadow(globalThis.performance, 'now', refuse('performance.now()', USE_EVENT_TIME)),
    shadow(globalThis.crypto, 'randomUUID', refuse('crypto.randomUUID()', USE_COLUMN)),
    shadow(globalThis.crypto, 'getRandomValues', refuse('crypto.getRandomValues()', USE_COLUMN)),
  ];
  return () => {
    globalThis.Date = realDate;
    Math.random = random;
    for (const restore of restorers) restore();
  };
}

const refuse = (what: string, instead: string) => (): never => {
  throw new ImpureCall(what, instead);
};

let timeless: { real: DateConstructor; without: DateConstructor } | null = null;

/** `Date` without the present: parsing and calculating are as ever. */
function timelessDate(real: DateConstructor): DateConstructor {
  if (timeless?.real === real) return timeless.without;
  const without = function (this: unknown, ...parts: unknown[]): unknown {
    if (new.target === undefined) throw new ImpureCall('Date()', USE_EVENT_TIME);
    if (parts.length === 0) throw new ImpureCall('new Date() without a time', USE_EVENT_TIME);
    return Reflect.construct(real, parts, new.target === (without as unknown) ? real : new.target);
  } as unknown as DateConstructor;
  Object.defineProperties(without, {
    prototype: { value: real.prototype },
    name: { value: 'Date' },
    parse: { value: real.parse },
    UTC: { value: real.UTC },
    now: { value: refuse('Date.now()', USE_EVENT_TIME) },
  });
  timeless = { real, without };
  return without;
}

/** Puts a property of its own over an inherited or own one. How to take it off again. */
function shadow(holder: object | undefined, name: string, value: unknown): () => void {
  if (holder === undefined) return () => {};
  const own = Object.getOwnPropertyDescriptor(holder, name);
  if (own && !own.configurable) return () => {};
  Object.defineProperty(holder, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: own?.enumerable ?? false,
  });
  return own ? () => Object.defineProperty(holder, name, own) : () => Reflect.deleteProperty(holder, name);
}
