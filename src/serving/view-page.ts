import { Injectable } from '@nestjs/common';
import { encodeToken } from '../runtime/frontier.js';
import { Reading } from '../runtime/reading/reading.js';
import { typeAt, type DescribedColumn, type DescribedType } from '../runtime/reading/view-description.js';
import type { ViewStatus } from '../runtime/reading/view-status.js';
import { explainView } from '../view/explain.js';

/** What `GET /views` and `GET /views/{view}` say. */
@Injectable()
export class ViewPage {
  constructor(private readonly reading: Reading) {}

  summary(status: ViewStatus) {
    const parked = status.partitions.filter((partition) => partition.parked);
    const waiting = status.partitions.filter((partition) => partition.waiting);
    return {
      name: status.name,
      state: status.state,
      generation: status.generation,
      /** Views that it reads, and that are parked. */
      waitingFor: status.waitingFor,
      /** Streams that never had an entry: what waits for their time waits for the first. */
      waitingForFirst: status.waitingForFirst,
      /** How long it keeps its streams from being trimmed, where it is parked. */
      holdsBackTrimming: status.holdsBackTrimming,
      /** It was put back by a rollback, and this newer one had served. */
      rolledBackFrom: status.rolledBackFrom,
      rows: status.rows,
      lag: status.lag,
      checksum: status.checksum,
      errors: status.errors,
      late: status.late,
      conflicts: status.conflicts,
      parkedKeys: status.parkedKeys,
      waitingEvents: status.waitingEvents,
      parked: parked.map(({ partition, parked: reason }) => ({ partition, ...reason! })),
      /** Partitions whose commits Redis refuses at the moment. */
      waiting: waiting.map(({ partition, waiting: reason }) => ({ partition, reason })),
      key: status.description?.key ?? this.reading.views.catalog.views.get(status.name)?.key ?? [],
      /** Its rows depend on when they were processed: a rebuild shows others. */
      ...(status.description?.processingTime && { processingTime: true as const }),
      description: status.description?.text ?? null,
      href: `/views/${encodeURIComponent(status.name)}`,
    };
  }

  whole(status: ViewStatus) {
    const { views } = this.reading;
    const declared = views.catalog.views.get(status.name) ?? null;
    const columns = status.description?.columns ?? [];
    return {
      ...this.summary(status),
      fingerprint: status.fingerprint,
      /** What is declared here; another than the above is being rebuilt, or waits for the newest release. */
      declaredFingerprint: declared?.fingerprint ?? null,
      version: status.version,
      position: encodeToken(status.frontier),
      time: status.time,
      partitions: status.partitions,
      generations: status.generations,
      columns: columns.map(({ name, type }: DescribedColumn) => ({
        name,
        type: typeText(type),
        nullable: type.nullable,
        ...detail(type),
      })),
      indexes: (status.description?.indexes ?? []).map((index) => ({
        name: index.name,
        columns: index.columns.map(({ path, descending }) => ({
          path,
          descending,
          type: typeText(typeAt(columns, path) ?? JSON_TYPE),
        })),
      })),
      explain: declared ? explainView(declared).text : null,
    };
  }
}

const JSON_TYPE: DescribedType = { kind: 'json', nullable: true };

/** A type in a word: `string`, `instant`, `integer`, `array of number` … */
export function typeText(type: DescribedType): string {
  switch (type.kind) {
    case 'string':
      return type.format ?? 'string';
    case 'number':
      return type.integer ? 'integer' : 'number';
    case 'array':
      return `array of ${typeText(type.element)}`;
    default:
      return type.kind;
  }
}

function detail(type: DescribedType): { values?: readonly (string | number)[]; columns?: unknown[] } {
  if (type.kind === 'enum') return { values: type.values };
  if (type.kind === 'object')
    return {
      columns: type.columns.map((column) => ({
        name: column.name,
        type: typeText(column.type),
        nullable: column.type.nullable,
        ...detail(column.type),
      })),
    };
  return {};
}
