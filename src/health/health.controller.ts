import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { messageOf } from '../errors/stillwater-error.js';
import { Registry } from '../runtime/ports/registry.js';
import { Reading } from '../runtime/reading/reading.js';
import { EventLoop } from './event-loop.js';
import { HealthOptions } from './health-options.js';
import { within } from './within.js';

/**
 * For those who restart processes and route requests. Lag makes nobody unhealthy: a process that is behind is not helped by
 * being stopped.
 */
@Controller('health')
export class HealthController {
  constructor(
    private readonly loop: EventLoop,
    private readonly registry: Registry,
    private readonly reading: Reading,
    private readonly options: HealthOptions,
  ) {}

  /** The event loop turns. */
  @Get('live')
  live(@Res({ passthrough: true }) reply: FastifyReply) {
    const stalledMs = Math.round(this.loop.stalledMs);
    const live = stalledMs <= this.options.stalledMsMax;
    void reply.status(live ? 200 : 503);
    return { status: live ? 'live' : 'stalled', stalledMs };
  }

  /** Redis answers, and every view declared here has a generation to read. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    void reply.header('cache-control', 'no-store');
    try {
      const { generations } = await within(
        this.registry.read(),
        this.options.readyMsMax,
        'Redis did not answer',
      );
      const serving = new Set(generations.filter(({ state }) => state === 'serving').map(({ view }) => view));
      const waiting = [...this.reading.views.catalog.views.keys()].filter((view) => !serving.has(view));
      if (waiting.length > 0) void reply.status(503).header('retry-after', '1');
      return {
        status: waiting.length > 0 ? 'starting' : 'ready',
        redis: 'answers',
        views: { serving: serving.size, waiting },
      };
    } catch (thrown) {
      void reply.status(503).header('retry-after', '1');
      return { status: 'unavailable', redis: messageOf(thrown) };
    }
  }
}
