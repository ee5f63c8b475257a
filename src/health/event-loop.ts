import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';

const BEAT_MS = 500;

/** Watches whether the event loop turns: how late it is, and when it last came round. */
@Injectable()
export class EventLoop implements OnModuleInit, OnModuleDestroy {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  #turned = performance.now();
  #timer: NodeJS.Timeout | null = null;

  onModuleInit(): void {
    this.#delay.enable();
    this.#timer = setInterval(() => (this.#turned = performance.now()), BEAT_MS);
    this.#timer.unref();
  }

  onModuleDestroy(): void {
    this.#delay.disable();
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Since it last turned, beyond the time a turn is expected in. */
  get stalledMs(): number {
    return Math.max(0, performance.now() - this.#turned - BEAT_MS);
  }

  /** Milliseconds it was late, since the last call. */
  takeDelays(): Record<'0.5' | '0.99' | '1', number> {
    const ms = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6) : 0;
    const delays = {
      '0.5': ms(this.#delay.percentile(50)),
      '0.99': ms(this.#delay.percentile(99)),
      '1': ms(this.#delay.max),
    };
    this.#delay.reset();
    return delays;
  }
}
