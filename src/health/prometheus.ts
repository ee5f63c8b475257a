import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from 'prom-client';
import { type Histogram, Metrics, type Series } from '../runtime/metrics.js';
import { Reading } from '../runtime/reading/reading.js';
import { EventLoop } from './event-loop.js';
import { HealthOptions } from './health-options.js';
import { within } from './within.js';

/** The figures of the runtime in a registry of their own, with those of the process, as Prometheus reads them. */
@Injectable()
export class Prometheus {
  readonly #registry = new Registry();
  readonly #up: Gauge;
  readonly #delay: Gauge;

  constructor(
    private readonly metrics: Metrics,
    private readonly reading: Reading,
    private readonly loop: EventLoop,
    private readonly options: HealthOptions,
  ) {
    collectDefaultMetrics({ register: this.#registry });
    for (const series of metrics.series) this.#add(series);
    for (const histogram of metrics.histograms) this.#registry.registerMetric(histogramMetric(histogram));
    this.#up = new Gauge({
      name: 'stillwater_redis_up',
      help: 'Whether Redis answered when the figures were taken.',
      registers: [this.#registry],
    });
    this.#delay = new Gauge({
      name: 'stillwater_event_loop_delay_ms',
      help: 'How late the event loop was since the figures were last taken.',
      labelNames: ['quantile'],
      registers: [this.#registry],
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    await this.#look();
    for (const [quantile, ms] of Object.entries(this.loop.takeDelays())) this.#delay.set({ quantile }, ms);
    return this.#registry.metrics();
  }

  /** Figures that are looked up rather than counted: how the views are doing now. */
  async #look(): Promise<void> {
    const { metrics } = this;
    try {
      for (const status of await within(
        this.reading.statuses.all(),
        this.options.readyMsMax,
        'Redis did not answer',
      )) {
        const labels = { view: status.name };
        if (status.lag.entries !== null) metrics.lagEntries.set(labels, status.lag.entries);
        if (status.lag.ms !== null) metrics.lagMs.set(labels, status.lag.ms);
        metrics.rows.set(labels, status.rows);
        metrics.viewErrors.set(labels, status.errors);
        metrics.conflicts.set(labels, status.conflicts);
        metrics.parkedKeys.set(labels, status.parkedKeys);
        metrics.waitingEvents.set(labels, status.waitingEvents);
        for (const [source, { clock, watermark }] of Object.entries(status.time)) {
          if (clock) metrics.clockSeconds.set({ ...labels, source }, Date.parse(clock) / 1_000);
          if (watermark) metrics.watermarkSeconds.set({ ...labels, source }, Date.parse(watermark) / 1_000);
        }
        metrics.waitingTasks.set(labels, status.partitions.filter(({ waiting }) => waiting).length);
        metrics.givenUp.set(labels, status.holdsBackTrimming?.over ? 1 : 0);
        metrics.parkedTasks.set(labels, status.partitions.filter(({ parked }) => parked).length);
      }
      this.#up.set(1);
    } catch {
      // What was counted is told all the same; that Redis is gone is a figure of its own.
      this.#up.set(0);
    }
  }

  #add(series: Series): void {
    const { name, help, kind, labels } = series.description;
    const registers = [this.#registry];
    if (kind === 'counter')
      new Counter({
        name,
        help,
        labelNames: labels as string[],
        registers,
        collect() {
          this.reset();
          for (const each of series.values()) this.inc({ ...each.labels }, each.value);
        },
      });
    else
      new Gauge({
        name,
        help,
        labelNames: labels as string[],
        registers,
        collect() {
          this.reset();
          for (const each of series.values()) this.set({ ...each.labels }, each.value);
        },
      });
  }
}

/** A histogram whose counts are taken as they stand; prom-client's own would count again. */
function histogramMetric(histogram: Histogram): Metric {
  const { name, help, bounds } = histogram.description;
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: [...histogram.values()].flatMap(({ labels, counts, count, sum }) => [
      ...counts.map((value, index) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: bounds[index]! },
        value,
      })),
      { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
      { metricName: `${name}_sum`, labels: { ...labels }, value: sum },
      { metricName: `${name}_count`, labels: { ...labels }, value: count },
    ]),
  });
  return {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    collect: undefined,
    get,
    reset: () => {},
  } as unknown as Metric;
}
