import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Random } from '../random.js';
import type { SimulatedProcess } from './simulated-process.js';

/** What can happen to a call on its way, and how likely it is. */
export interface Faults {
  /** It never arrives. */
  readonly lostRequest: number;
  /** It is executed, and the caller does not hear of it. */
  readonly lostReply: number;
  /** The caller is told that the connection broke; it is executed afterwards all the same. */
  readonly late: number;
  /** It takes long. */
  readonly slow: number;
}

export const NO_FAULTS: Faults = { lostRequest: 0, lostReply: 0, late: 0, slow: 0 };

const LATENCY_MS_MAX = 3;
const SLOW_MS_MAX = 400;
/** How long a call is on its way at the most. */
export const LATE_MS_MAX = 2_500;

/** They ask nobody. */
const SYNCHRONOUS: ReadonlySet<string | symbol> = new Set(['changelogKey', 'sentKey']);

const OF_OBJECTS: ReadonlySet<string> = new Set(['begin', 'put', 'get', 'list', 'remove']);

/** What the faults of a run are drawn from, and how many there were. */
export class FaultSource {
  faults: Faults = NO_FAULTS;
  /** How often something went back: what was still on its way on a connection that had broken before did not reach what came after. */
  wentBack = 0;
  readonly counts = new Map<keyof Faults | 'none', number>();

  constructor(readonly random: Random) {}

  /** Nothing goes wrong any more, or yet. */
  get areOver(): boolean {
    return this.faults === NO_FAULTS;
  }

  draw(): keyof Faults | 'none' {
    let left = this.random.next();
    for (const kind of ['lostRequest', 'lostReply', 'late', 'slow'] as const) {
      left -= this.faults[kind];
      if (left < 0) return this.#count(kind);
    }
    return this.#count('none');
  }

  #count(kind: keyof Faults | 'none'): keyof Faults | 'none' {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return kind;
  }
}

/**
 * A port of one process, over a connection on which things go wrong. Methods that give no promise (listening) are called
 * at once; a wait is not executed twice or late, for nothing depends on what it says.
 */
export function faultyPort<P extends object>(port: P, process: SimulatedProcess, source: FaultSource): P {
  return new Proxy(port, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown;
      if (typeof method !== 'function' || SYNCHRONOUS.has(name)) return method;
      if (name === 'onAnnouncement')
        return (listener: () => void) => method.call(target, () => process.reach(listener));
      return (...args: unknown[]) =>
        call(() => method.apply(target, args) as Promise<unknown>, String(name), process, source);
    },
  });
}

function call(
  execute: () => Promise<unknown>,
  name: string,
  process: SimulatedProcess,
  source: FaultSource,
): Promise<unknown> {
  const { random } = source;
  const { time } = process;
  const latency = (): number => random.below(LATENCY_MS_MAX + 1);
  return new Promise((resolve, reject) => {
    if (process.dead) return;
    const { wentBack } = source;
    const drawn = source.draw();
    const kind = name === 'waitForNews' && drawn !== 'lostRequest' ? 'none' : drawn;
    const fail = (): void => void process.after(latency(), () => reject(broken(name)));
    const arrive = (ms: number, answer: (settle: () => void) => void): void =>
      void time.after(ms, () => {
        // What a process had not sent when it died is never sent.
        if (process.dead && random.chance(0.5)) return;
        if (kind === 'late' && source.wentBack > wentBack) return;
        execute().then(
          (value) => answer(() => resolve(value)),
          (thrown) => answer(() => reject(thrown)),
        );
      });
    switch (kind) {
      case 'lostRequest':
        return fail();
      case 'lostReply':
        return arrive(latency(), fail);
      case 'late':
        fail();
        return arrive(latency() + random.below(LATE_MS_MAX), () => {});
      case 'slow':
        return arrive(
          random.below(SLOW_MS_MAX),
          (settle) => void process.after(random.below(SLOW_MS_MAX), settle),
        );
      case 'none':
        return arrive(latency(), (settle) => void process.after(latency(), settle));
    }
  });
}

/** Stores of objects fail as they like. */
const broken = (name: string): Error =>
  OF_OBJECTS.has(name)
    ? new Error('socket hang up')
    : new StillwaterError(name === 'append' ? 'append-outcome-unknown' : 'redis-unavailable', {
        what: `The connection broke while ${name} was under way.`,
      });
