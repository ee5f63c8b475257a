import { randomBytes } from 'node:crypto';
import { pure } from '../circuit/pure.js';
import type { Catalog } from './catalog.js';
import { type Clock, SystemClock } from './clock.js';
import { Code } from './code.js';
import type { Limits } from './limits.js';
import type { Logger } from './logger.js';
import { Metrics } from './metrics.js';
import type { Ports } from './ports/ports.js';
import type { SourceLog } from './ports/source-log.js';
import { Rebuilder } from './rebuilder.js';
import { RegistryWatch } from './registry-watch.js';
import { Retention } from './retention.js';
import { Verifier } from './verifier.js';
import { Worker } from './worker.js';

export interface PartsOptions {
  /** Names the process among those that share the work. */
  readonly id: string;
  readonly ports: Ports;
  readonly catalog: Catalog;
  readonly limits: Limits;
  readonly code?: Code;
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /** Where each part says what happens to it. */
  readonly logger: (part: string) => Logger;
  /** Random text for commits. */
  readonly nonce?: () => string;
  /** Runs one synchronous step of a circuit; by default without clock and randomness. */
  readonly step?: <T>(step: () => T) => T;
}

/** Stored with every commit, and told to clients with every version of a view: short, and not guessed twice. */
const commitNonce = (): string => randomBytes(8).toString('base64url');

/** What one process maintains views with, made of its ports. Nothing starts by itself. */
export class Parts {
  readonly id: string;
  readonly catalog: Catalog;
  readonly limits: Limits;
  readonly code: Code;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: SourceLog;
  readonly registry: RegistryWatch;
  readonly rebuilder: Rebuilder;
  readonly verifier: Verifier;
  readonly retention: Retention;
  readonly worker: Worker;

  constructor({ id, ports, catalog: declared, limits, logger, ...given }: PartsOptions) {
    const { code = new Code(), clock = new SystemClock(), metrics = new Metrics() } = given;
    const { nonce = commitNonce, step = pure } = given;
    const registry = new RegistryWatch(
      ports.registry,
      ports.workers,
      clock,
      limits.registryRefreshMs,
      logger('Registry'),
    );
    const shared = { ...ports, registry, catalog: () => declared, code, clock, limits, id };
    this.id = id;
    this.catalog = declared;
    this.limits = limits;
    this.code = code;
    this.clock = clock;
    this.metrics = metrics;
    this.log = ports.log;
    this.registry = registry;
    this.rebuilder = new Rebuilder(shared);
    this.verifier = new Verifier({ ...shared, rebuilder: this.rebuilder });
    this.retention = new Retention({ ...shared, metrics, logger: logger('Retention') });
    this.worker = new Worker({ ...shared, metrics, logger: logger('Worker'), nonce, step });
  }
}
