import 'reflect-metadata';
import { ConsoleLogger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { exampleViews, loadViews, viewsDirectory } from './cli/load-views.js';
import { watchViews } from './cli/watch-views.js';
import { demoLines, readFlightsWanted, startDemo } from './demo/load-demo.js';
import { bringUpRedis } from './embedded-redis/bring-up-redis.js';
import { messageOf } from './errors/stillwater-error.js';
import { BullRebuilds } from './jobs/bull-rebuilds.js';
import { SourceLog } from './runtime/ports/source-log.js';
import { Runtime } from './runtime/runtime.js';
import { mountDocs } from './serving/mount-docs.js';
import { servingAdapter } from './serving/serving-adapter.js';
import { readSettings } from './settings.js';
import { StillwaterModule } from './stillwater.module.js';

export interface ServiceOptions {
  /** Reload view modules when they are saved. */
  dev: boolean;
  /** Load the example's data. */
  demo: boolean;
  /** How many flights the example loads: a number or `all`. */
  flights?: string;
}

/** Runs the service until it is told to stop. */
export async function startService({ dev, demo, flights }: ServiceOptions): Promise<void> {
  const settings = readSettings(process.env);
  const flightsWanted = flights === undefined ? undefined : readFlightsWanted(flights);
  const directory = settings.viewsDirectory ?? (dev ? viewsDirectory() : exampleViews());
  const isExample = settings.viewsDirectory === null;
  const say = (line: string): void => void process.stderr.write(`${line}\n`);

  const views = await loadViews(directory, { fresh: dev });
  const redis = await bringUpRedis(settings, { say });
  say(`Redis     ${redis.description}`);

  const app = await NestFactory.create<NestFastifyApplication>(
    StillwaterModule.forRoot({ connection: redis.url, views, prefix: settings.prefix, role: settings.role, http: { token: settings.token, standalone: true } }),
    servingAdapter(),
    { logger: new ConsoleLogger({ logLevels: ['log', 'warn', 'error', 'fatal'], timestamp: false }), abortOnError: false },
  ).catch(async (thrown) => {
    await redis.stop();
    throw thrown;
  });

  const stopping = new AbortController();
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      stopping.abort();
      say('Handing over …');
      await app.close();
      await redis.stop();
      say('Stopped.');
    })());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop().then(() => process.exit(0)));

  try {
    mountDocs(app);
    await app.listen(settings.port, settings.host);
    const url = (await app.getUrl()).replace('[::1]', 'localhost');
    say(`Serving   ${url}   (API: ${url}/docs)`);
    if (dev) watchAndRedeploy(app, directory, stopping.signal, say);
    if (isExample && demo && settings.role !== 'api') await startDemo({ log: app.get(SourceLog), prefix: settings.prefix, signal: stopping.signal, ...(flightsWanted && { flights: flightsWanted }) });
    if (isExample && !stopping.signal.aborted) say(['', 'Try:', ...demoLines(url).map((line) => `  ${line}`), ''].join('\n'));
  } catch (thrown) {
    say(messageOf(thrown));
    await stop();
    process.exitCode = 1;
  }
}

/** `dev`: what is saved is deployed. The old code stays in this process, and serves, until its generations are replaced. */
function watchAndRedeploy(app: NestFastifyApplication, directory: string, signal: AbortSignal, say: (line: string) => void): void {
  const close = watchViews(directory, (outcome) => {
    if (outcome instanceof Error) return say(messageOf(outcome));
    void (async () => {
      const { changed, created, unchanged } = await app.get(Runtime).redeploy(outcome);
      if (changed.length > 0) await app.get(BullRebuilds).startChanged(changed);
      say(`Saved: ${created.length} new, ${changed.length} changed${changed.length > 0 ? ` (${changed.join(', ')})` : ''}, ${unchanged.length} unchanged.`);
    })().catch((thrown) => say(messageOf(thrown)));
  });
  signal.addEventListener('abort', close);
}
