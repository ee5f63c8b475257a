/** Lets the circuits of a process step side by side, or one of them alone: what ends the process then is that one. */
export class StepGate {
  #stepping = 0;
  /** Settles when whoever is alone, or waits to be, has finished. */
  #alone: Promise<void> | null = null;
  #idle: (() => void) | null = null;

  async together<T>(step: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    this.#stepping++;
    try {
      return await step();
    } finally {
      if (--this.#stepping === 0) this.#idle?.();
    }
  }

  async alone<T>(step: () => Promise<T>): Promise<T> {
    while (this.#alone !== null) await this.#alone;
    let open!: () => void;
    this.#alone = new Promise((resolve) => (open = resolve));
    try {
      if (this.#stepping > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
      return await step();
    } finally {
      this.#idle = null;
      this.#alone = null;
      open();
    }
  }
}
