import { z } from 'zod';
import { columnNameProblem } from './column-name.js';
import { columnsOf, isSchema } from './columns.js';
import { isInstant, isScalar, typeText, type Column } from './column.js';
import type { EventDecoder, Retention } from './declarations.js';
import { DURATION_EXAMPLES, durationMs, type Duration } from './duration.js';
import { noteFunction, noteUnstorable, type Note } from './expression.js';
import type { Problem } from './problem.js';
import { stampedApart, stampedWithin, stampsOf } from './stamp.js';
import { functionProblem, userFunction, type UserFunction } from './user-function.js';
import { variantsOfSchema } from './variants.js';
import { notePart } from './options.js';

/** What streams and tables are declared with alike. */
export interface RecordOptions {
  /** 1, if not said; a stream's partitions never change. */
  readonly partitions?: number;
  /** The Redis key; the name, if not said. */
  readonly redisKey?: string;
  /** Records are kept for ever, if not said: a view can be rebuilt from all that is kept. */
  readonly retain?: { readonly age?: Duration; readonly entries?: number };
}

const RETAIN_OPTIONS: Readonly<Record<keyof NonNullable<RecordOptions['retain']>, true>> = {
  age: true,
  entries: true,
};
const PARTITIONS_MAX = 1024;
const DECODERS = ['json', 'fields', 'envelope', 'cloudevents'] as const;
const NAME = /^[\p{L}\p{N}_.:-]+$/u;

/** Reads the options of one declaration and notes what is wrong with them. */
export class OptionReader {
  readonly problems: Problem[] = [];

  constructor(
    /** `Stream "flights"`. */
    readonly subject: string,
    readonly place: string | null,
  ) {}

  readonly add: Note = (problem) => void this.problems.push(problem);

  note(code: string, what: string, evidence: Record<string, string>, remedy: string): void {
    this.add({ code, what: `${this.subject} ${what}`, evidence, remedy, place: this.place });
  }

  name(name: unknown): string {
    if (typeof name !== 'string' || !NAME.test(name))
      this.note(
        'bad-name',
        'has a name that cannot stand in a path.',
        { name: typeof name === 'string' ? JSON.stringify(name) : typeof name },
        'Use letters, digits and - _ . : only.',
      );
    return String(name);
  }

  options<O extends object>(given: O, known: Readonly<Record<string, true>>): O {
    notePart(given, Object.keys(known), this.subject, { note: this.add, place: this.place });
    return given ?? ({} as O);
  }

  /** The schema of its records, or that of none, after noting it. */
  schema<S extends z.core.$ZodType>(schema: S): S {
    return isSchema(schema) ? schema : (z.object({}) as never);
  }

  columns(schema: z.core.$ZodType | undefined): readonly Column[] {
    const described = isSchema(schema) ? columnsOf(schema) : null;
    if (described === null) {
      this.note('bad-schema', 'has no schema of objects.', {}, 'Write schema: z.object({ … }).');
      return [];
    }
    noteUnstorable(described.unstorable, this.subject, this.place, this.add);
    if (described.columns.length === 0)
      this.note('no-columns', 'has no columns.', {}, 'Name its fields in the schema.');
    for (const { name } of described.columns) {
      const problem = columnNameProblem(name);
      if (problem !== null)
        this.note('bad-name', `has a column "${name}", which ${problem}.`, {}, 'Name it otherwise.');
    }
    return described.columns;
  }

  /** Names of scalar columns that there are. */
  keyColumns(columns: readonly Column[], names: unknown, option: string): readonly string[] {
    const list = (typeof names === 'string' ? [names] : Array.isArray(names) ? names : []) as string[];
    for (const name of list) {
      const column = columns.find((candidate) => candidate.name === name);
      if (!column) this.#noColumn(columns, name, option);
      else if (!isScalar(column.type))
        this.note(
          'wrong-type',
          `has "${name}" in \`${option}\`, which does not hold text, numbers or booleans.`,
          { [name]: typeText(column.type) },
          'Name a column that does.',
        );
      else if (column.type.nullable)
        this.note(
          'nullable-key',
          `has "${name}" in \`${option}\`, which may be null.`,
          { [name]: typeText(column.type) },
          'Make the column required in the schema.',
        );
    }
    return list;
  }

  eventTime(columns: readonly Column[], name: string | undefined): string | null {
    if (name === undefined) return null;
    const column = columns.find((candidate) => candidate.name === name);
    if (!column) this.#noColumn(columns, name, 'eventTime');
    else if (column.type.nullable || !isInstant(column.type))
      this.note(
        'wrong-type',
        `has "${name}" as its event time, which does not always hold an instant.`,
        { [name]: typeText(column.type) },
        `Declare the column as ${name}: instant().`,
      );
    return name;
  }

  /** Times that Stillwater gives are columns of their own, and in no key: an event does not say them. */
  stamps(schema: z.core.$ZodType, columns: readonly Column[], partitionBy: readonly string[]): void {
    if (!isSchema(schema)) return;
    for (const [name, stamp] of stampsOf(schema, columns))
      if (partitionBy.includes(name))
        this.note(
          'given-time-key',
          `is partitioned by "${name}", which events do not say.`,
          { [name]: `${stamp}Time()` },
          'Name a column that events hold.',
        );
    for (const name of stampedApart(schema, columns))
      this.note(
        'given-time-apart',
        `has "${name}" in several types of events, and not all of them are given the same time there.`,
        { [name]: `${stampsOf(schema, columns).get(name)!}Time() in some` },
        'Declare it alike in all of them, or name it otherwise in some.',
      );
    this.#noStampsWithin(columns);
  }

  /** Of a table: a record says all of its row. */
  noStamps(schema: z.core.$ZodType, columns: readonly Column[]): void {
    if (!isSchema(schema)) return;
    for (const [name, stamp] of stampsOf(schema, columns))
      this.note(
        'given-time-table',
        `has "${name}" as ${stamp}Time(), which the events of streams are given and the records of tables are not.`,
        { [name]: `${stamp}Time()` },
        `Declare it as ${name}: instant(), and write it with each record.`,
      );
    this.#noStampsWithin(columns);
  }

  #noStampsWithin(columns: readonly Column[]): void {
    for (const column of columns.filter(stampedWithin))
      this.note(
        'given-time-within',
        `has entryTime() or processingTime() within "${column.name}", and not as a column.`,
        { [column.name]: typeText(column.type) },
        'Make it a column of the stream.',
      );
  }

  /** `says`: what its event time would say. */
  lateness(
    { lateness, eventTime }: { readonly lateness?: unknown; readonly eventTime?: unknown },
    says: string,
  ): number | null {
    if (lateness === undefined) return null;
    if (eventTime === undefined)
      this.note(
        'no-event-time',
        'has a `lateness` and no event time to measure it by.',
        { lateness: String(lateness) },
        `Name the column that says ${says}: eventTime: '…'.`,
      );
    return this.duration(lateness, 'lateness');
  }

  partitions(partitions: number | undefined): number {
    if (partitions === undefined) return 1;
    if (Number.isInteger(partitions) && partitions >= 1 && partitions <= PARTITIONS_MAX) return partitions;
    this.note(
      'bad-partitions',
      'has an impossible number of partitions.',
      { partitions: String(partitions) },
      `Give a whole number from 1 to ${PARTITIONS_MAX}.`,
    );
    return 1;
  }

  duration(text: unknown, option: string): number {
    const ms = durationMs(text);
    if (ms === null)
      this.note(
        'bad-duration',
        `has a \`${option}\` that is not a duration.`,
        { [option]: JSON.stringify(text) ?? 'undefined' },
        `Write it as ${DURATION_EXAMPLES}.`,
      );
    return ms ?? 0;
  }

  retain(given: RecordOptions['retain']): Retention | null {
    if (given === undefined) return null;
    if (given === null || typeof given !== 'object') {
      this.note(
        'bad-retention',
        'has a `retain` that says neither what age is kept nor how many entries are.',
        { retain: JSON.stringify(given) },
        `Write retain: { age: '30d' }, { entries: 1_000_000 }, or both.`,
      );
      return null;
    }
    const retain = this.options(given, RETAIN_OPTIONS);
    const ageMs = retain.age === undefined ? null : this.duration(retain.age, 'retain.age');
    const entriesMax = retain.entries ?? null;
    if (entriesMax !== null && !(Number.isSafeInteger(entriesMax) && entriesMax > 0))
      this.note(
        'bad-retention',
        'retains an impossible number of entries.',
        { 'retain.entries': String(entriesMax) },
        'Give a whole number above 0.',
      );
    return { ageMs, entriesMax };
  }

  unknownTypes(schema: z.core.$ZodType | undefined, unknownTypes: unknown): 'skip' | 'error' {
    if (unknownTypes === undefined) return 'error';
    if (unknownTypes !== 'skip' && unknownTypes !== 'error')
      this.note(
        'bad-option',
        'has an impossible `unknownTypes`.',
        { unknownTypes: JSON.stringify(unknownTypes) ?? 'undefined' },
        `Write 'skip' or 'error'.`,
      );
    else if (isSchema(schema) && variantsOfSchema(schema) === null)
      this.note(
        'no-event-types',
        'says what an event of an unknown type is, and its events have no types.',
        { unknownTypes },
        'Write schema: z.discriminatedUnion(…), or leave `unknownTypes` out.',
      );
    return unknownTypes === 'skip' ? 'skip' : 'error';
  }

  decoder(decoder: unknown): EventDecoder {
    if (decoder === undefined) return 'any';
    if (typeof decoder === 'function') return this.optionalFunction(decoder, 'decoder')!;
    if ((DECODERS as readonly unknown[]).includes(decoder)) return decoder as EventDecoder;
    this.note(
      'bad-option',
      'has an unknown `decoder`.',
      { decoder: JSON.stringify(decoder) ?? 'undefined' },
      `Write one of ${DECODERS.map((name) => `'${name}'`).join(', ')}, or a function of an entry.`,
    );
    return 'any';
  }

  optionalFunction(fn: unknown, option: string): UserFunction | null {
    if (fn === undefined) return null;
    const problem = functionProblem(fn);
    if (problem !== null) noteFunction(problem, `\`${option}\` of ${this.subject}`, this.place, this.add);
    return userFunction(fn as (value: unknown) => unknown);
  }

  redisKey(redisKey: string | undefined, name: string): string {
    if (redisKey === undefined) return name;
    if (typeof redisKey !== 'string' || redisKey === '')
      this.note('bad-name', 'has an empty Redis key.', {}, 'Leave `redisKey` out, or name a key.');
    return redisKey;
  }

  #noColumn(columns: readonly Column[], name: string, option: string): void {
    const evidence = { [option]: name, columns: columns.map((column) => column.name).join(', ') };
    this.note(
      'unknown-column',
      `has no column "${name}", which \`${option}\` names.`,
      evidence,
      'Name one of its columns.',
    );
  }
}
