import type { FileMetaData } from 'hyparquet';
import { demoDataMissing, demoFile } from './demo-files.js';

/** One departure, as an event of the stream `flights`. */
export interface Flight {
  /** Scheduled departure. */
  readonly at: string;
  /** Minutes. */
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** As many as the file holds. */
export const FLIGHTS_TOTAL = 3_000_000;

const MINUTE_MS = 60_000;

/** What is wanted of a row group: who may still come before what has been read. */
interface GroupBounds {
  readonly rows: number;
  readonly firstScheduled: number;
  readonly leastDelayMs: number;
}

/**
 * All departures in the order in which they *happened*: scheduled time plus delay, ties in the order of the file. The
 * file is in order of scheduled time, so a row group is sorted together with what was held back of those before it, and
 * given out as far as no later group can come before: they begin at a scheduled time and have a least delay, both
 * written in the file's own statistics. Runs of flights; never more than about a group and a day in memory.
 */
export async function* flightsByDeparture(): AsyncGenerator<Flight[]> {
  const path = demoFile('flights-3m.parquet');
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await reader(
    'hyparquet',
    () => import('hyparquet'),
  );
  const { compressors } = await reader('hyparquet-compressors', () => import('hyparquet-compressors'));

  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const groups = boundsOf(metadata);
  let rowStart = 0;
  let waiting: { departed: number; flight: Flight }[] = [];
  for (const [index, group] of groups.entries()) {
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      rowStart,
      rowEnd: rowStart + group.rows,
    });
    rowStart += group.rows;
    for (const row of rows) {
      const scheduled = row.date as Date;
      const delay = Number(row.delay);
      waiting.push({
        departed: scheduled.getTime() + delay * MINUTE_MS,
        flight: {
          at: scheduled.toISOString(),
          delay,
          distance: Number(row.distance),
          origin: row.origin as string,
          destination: row.destination as string,
        },
      });
    }
    // A stable sort, and rows are added in the order of the file: ties stay in it.
    waiting.sort((left, right) => left.departed - right.departed);
    const nextAt = Math.min(
      ...groups.slice(index + 1).map((later) => later.firstScheduled + later.leastDelayMs),
    );
    const end = waiting.findIndex(({ departed }) => departed > nextAt);
    const ready = end === -1 ? waiting : waiting.slice(0, end);
    waiting = end === -1 ? [] : waiting.slice(end);
    yield ready.map(({ flight }) => flight);
  }
}

function boundsOf(metadata: FileMetaData): GroupBounds[] {
  return metadata.row_groups.map((group) => {
    const least = (column: string) =>
      group.columns.find(({ meta_data }) => meta_data?.path_in_schema[0] === column)?.meta_data?.statistics
        ?.min_value;
    const firstScheduled = least('date');
    const leastDelay = least('delay');
    if (!(firstScheduled instanceof Date) || leastDelay === undefined)
      throw demoDataMissing('flights-3m.parquet has no statistics');
    return {
      rows: Number(group.num_rows),
      firstScheduled: firstScheduled.getTime(),
      leastDelayMs: Number(leastDelay) * MINUTE_MS,
    };
  });
}

async function reader<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw demoDataMissing(`the package ${name} was not found`, error);
  }
}
