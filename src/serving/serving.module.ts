import { type DynamicModule, Module, type OnModuleInit, type Provider } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { Metrics } from '../runtime/metrics.js';
import { Reading } from '../runtime/reading/reading.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import { tellAllowedMethods } from './allowed-methods.js';
import { AppendRecords } from './append-records.js';
import { countRequests } from './count-requests.js';
import { ChangesController } from './changes.controller.js';
import { OpenApi } from './open-api/open-api.js';
import { OpenApiController } from './open-api/open-api.controller.js';
import { ProblemFilter } from './problem.filter.js';
import { LinesBody, NDJSON } from './read-body.js';
import { RebuildsController } from './rebuilds.controller.js';
import { defaultServingLimits } from './serving-limits.js';
import { ResolvedServingOptions, type ServingOptions } from './serving-options.js';
import { SourcePage } from './source-page.js';
import { StreamsController } from './streams.controller.js';
import { TablesController } from './tables.controller.js';
import { TokenGuard } from './token.guard.js';
import { ViewPage } from './view-page.js';
import { ViewsController } from './views.controller.js';

/**
 * The HTTP surface. It needs from elsewhere, provided globally: `Reading`, `Rebuilds`, `Clock`, `Metrics`, and the ports
 * `SourceLog` and `ViewStore`. The application is made with `servingAdapter()`, and shows its description with `mountDocs(app)`.
 */
@Module({})
export class ServingModule implements OnModuleInit {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly options: ResolvedServingOptions,
    private readonly metrics: Metrics,
  ) {}

  static forRoot(options: ServingOptions): DynamicModule {
    const { standalone = true } = options;
    const filters: Provider[] = standalone ? [{ provide: APP_FILTER, useClass: ProblemFilter }] : [];
    return {
      module: ServingModule,
      controllers: [
        OpenApiController,
        ChangesController,
        ViewsController,
        StreamsController,
        TablesController,
        RebuildsController,
      ],
      providers: [
        {
          provide: ResolvedServingOptions,
          inject: [Reading],
          useFactory: (reading: Reading) =>
            new ResolvedServingOptions(
              options.token,
              { ...defaultServingLimits, ...reading.limits, ...options.limits },
              standalone,
            ),
        },
        AppendRecords,
        OpenApi,
        SourcePage,
        TokenGuard,
        ViewPage,
        ...filters,
      ],
      exports: [OpenApi],
    };
  }

  /** Answers are counted. Lines of JSON are read whole, like JSON: events are looked at before any of them is appended. */
  onModuleInit(): void {
    const { httpAdapter } = this.host;
    if (httpAdapter && httpAdapter.getType() !== 'fastify')
      throw new StillwaterError('needs-fastify', {
        what: `The routes of Stillwater need Fastify; this application runs on ${httpAdapter.getType()}.`,
        consequence: 'Nothing was started.',
        remedy:
          'Make the application with `servingAdapter()` of stillwater/nest, or leave `http` out and read views through @InjectView.',
      });
    if (!httpAdapter) return;
    const fastify = httpAdapter.getInstance<FastifyInstance>();
    countRequests(fastify, this.metrics);
    if (this.options.standalone) tellAllowedMethods(fastify);
    if (fastify.hasContentTypeParser(NDJSON)) return;
    fastify.addContentTypeParser<Buffer>(
      NDJSON,
      { parseAs: 'buffer', bodyLimit: this.options.limits.bodyBytesMax },
      (_request, body, done) => done(null, new LinesBody(body)),
    );
  }
}
