import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, type FactoryProvider, Module, type ModuleMetadata } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Rebuilder } from '../runtime/rebuilder.js';
import { Rebuilds } from '../runtime/rebuilds.js';
import { Verifier } from '../runtime/verifier.js';
import { BullRebuilds } from './bull-rebuilds.js';
import { JobQueue } from './job-queue.js';
import { connectionOf, JOBS_OPTIONS, type JobsOptions, settingsOf } from './jobs-options.js';
import { JobsShutdown } from './jobs-shutdown.js';
import { bullPrefix, type JobData, REBUILDS_QUEUE } from './rebuild-queue.js';
import { RebuildsProcessor } from './rebuilds.processor.js';

export interface JobsModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useFactory: (...dependencies: any[]) => JobsOptions | Promise<JobsOptions>;
  inject?: FactoryProvider['inject'];
}

/**
 * Rebuilds and verifications as BullMQ jobs. Exports `Rebuilds` (and `BullRebuilds`, which it is). Expects `Rebuilder` and
 * `Verifier` from a global module or from `imports`.
 */
@Module({})
export class JobsModule {
  static forRoot(options: JobsOptions, imports: ModuleMetadata['imports'] = []): DynamicModule {
    return JobsModule.forRootAsync({ imports, useFactory: () => options });
  }

  static forRootAsync({ imports = [], useFactory, inject = [] }: JobsModuleAsyncOptions): DynamicModule {
    const options: DynamicModule = {
      module: JobsOptionsModule,
      imports,
      providers: [{ provide: JOBS_OPTIONS, useFactory, inject }, JobsShutdown],
      exports: [JOBS_OPTIONS, JobsShutdown],
    };
    return {
      module: JobsModule,
      global: true,
      imports: [
        ...imports,
        options,
        BullModule.registerQueueAsync({
          name: REBUILDS_QUEUE,
          imports: [options],
          inject: [JOBS_OPTIONS, JobsShutdown],
          useFactory: (of: JobsOptions, shutdown: JobsShutdown) => ({
            connection: connectionOf(of, shutdown),
            prefix: bullPrefix(of.prefix),
          }),
        }),
      ],
      providers: [
        RebuildsProcessor,
        {
          provide: JobQueue,
          useFactory: (queue: Queue<JobData>, of: JobsOptions) => {
            const { limits, logger } = settingsOf(of);
            return new JobQueue(queue, limits, logger);
          },
          inject: [getQueueToken(REBUILDS_QUEUE), JOBS_OPTIONS],
        },
        {
          provide: BullRebuilds,
          useFactory: (queue: JobQueue, rebuilder: Rebuilder, verifier: Verifier, of: JobsOptions) =>
            new BullRebuilds({ queue, rebuilder, verifier, logger: settingsOf(of).logger }),
          inject: [JobQueue, Rebuilder, Verifier, JOBS_OPTIONS],
        },
        { provide: Rebuilds, useExisting: BullRebuilds },
      ],
      exports: [Rebuilds, BullRebuilds],
    };
  }
}

/** Holds the options, so that the queue and the processor are given the same. */
@Module({})
class JobsOptionsModule {}
