import { StillwaterError } from '../../errors/stillwater-error.js';
import type { Clock } from '../clock.js';
import { contained } from '../contained.js';
import { covers, decodeToken, encodeToken, restrictTo } from '../frontier.js';
import type { ReadingLimits } from './reading-limits.js';
import type { RowsReader } from './rows-reader.js';
import type { ServedView } from './served-view.js';

/** How long a client is asked to wait before it tries again. */
export const RETRY_AFTER_SECONDS = 1;

/** A view did not contain a position within the time given. */
export class PositionNotReached extends StillwaterError {
  override readonly name = 'PositionNotReached';
  constructor(
    view: string,
    readonly wanted: string,
    readonly reached: string,
    waitMs: number,
  ) {
    super('position-not-reached', {
      what: `View "${view}" does not contain the position asked for yet.`,
      evidence: `at least  ${wanted}\nreached   ${reached || 'nothing'}`,
      consequence: `Nothing was read, after waiting ${waitMs} ms.`,
      remedy: `Ask again in ${RETRY_AFTER_SECONDS} s, or allow a longer wait: Prefer: wait=5`,
    });
  }
}

export class PositionWait {
  constructor(
    readonly reader: RowsReader,
    readonly clock: Clock,
    readonly limits: ReadingLimits,
  ) {}

  /**
   * Returns when the view contains the token's position. Of the token only the sources count that the view reads.
   * @throws StillwaterError `malformed-token`, `position-not-reached`
   */
  async until(view: ServedView, token: string, waitMs: number): Promise<void> {
    const wanted = restrictTo(decodeToken(token), view.generation.sources);
    const limitMs = Math.min(Math.max(0, waitMs), this.limits.waitMsMax);
    const until = this.clock.monotonicMs() + limitMs;
    for (let pause = this.limits.waitPollMs; ; pause = Math.min(pause * 1.5, 20 * this.limits.waitPollMs)) {
      const reached = contained(view.generation, await this.reader.records(view));
      if (covers(reached, wanted)) return;
      const left = until - this.clock.monotonicMs();
      if (left <= 0) throw new PositionNotReached(view.generation.view, token, encodeToken(reached), limitMs);
      await this.clock.sleep(Math.min(pause, left));
    }
  }
}
