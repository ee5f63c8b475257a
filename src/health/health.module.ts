import { type DynamicModule, Module } from '@nestjs/common';
import { EventLoop } from './event-loop.js';
import { HealthController } from './health.controller.js';
import { HealthOptions } from './health-options.js';
import { MetricsController } from './metrics.controller.js';
import { Prometheus } from './prometheus.js';

/** `/health/live`, `/health/ready` and `/metrics`. Needs, provided globally: `Reading`, `Metrics` and the port `Registry`. */
@Module({})
export class HealthModule {
  static forRoot(options: HealthOptions = new HealthOptions()): DynamicModule {
    return {
      module: HealthModule,
      controllers: [HealthController, MetricsController],
      providers: [{ provide: HealthOptions, useValue: options }, EventLoop, Prometheus],
    };
  }
}
