import type { BeforeApplicationShutdown } from '@nestjs/common';

/** Says to everything about jobs that the process stops. */
export class JobsShutdown implements BeforeApplicationShutdown {
  readonly #stopping = new AbortController();

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  beforeApplicationShutdown(): void {
    this.begin();
  }

  /** Nest runs the hooks of a phase in an order of its own: whoever comes first begins. */
  begin(): void {
    this.#stopping.abort();
  }
}
