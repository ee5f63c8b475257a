import { checkDeclarations, count, view } from 'stillwater';
import { LogWriter } from '../../../src/testing/history.js';
import { ViewRun } from '../../../src/testing/view-run.js';
import type { Verdict } from '../case-file.js';
import { bagDifference } from '../comparison.js';
import { unsupported, verdictOf } from '../unsupported.js';
import { joinedTopics } from './joins.js';
import { keyText, type Topic, valueText } from './topics.js';
import { type Emitted, type KafkaCase, recordsOf, type TopicRecord, type TopicStep } from './topology.js';
import { groupedTopic } from './windowed.js';

/**
 * Maintains what a topology says with the product, a tick for each record, and compares what is emitted.
 *
 * The product shows rows where Kafka Streams emits records. Of joins of streams the records so far are the rows. Of tables the
 * records of a step, applied, leave the rows: that a row is emitted twice on the way, as where a table is joined twice, is no
 * difference. Of streams with tables each record is a row that appears with an event; that a late record of the table corrects
 * it afterwards is the product's own. Of windows each record is a change of a row.
 */
export function runKafkaCase(one: KafkaCase): Verdict {
  try {
    const { operators } = one.topology;
    const isJoin = one.topology.joins !== undefined || operators?.some((name) => /join/i.test(name));
    return isJoin ? runJoin(one) : runGrouped(one);
  } catch (thrown) {
    return verdictOf(thrown);
  }
}

/** A view that is told records one by one, in the order in which they are processed. */
class TopicView {
  readonly #log = new LogWriter();
  readonly #run: ViewRun;
  #arrived = 0;
  #newest = -Infinity;

  constructor(
    rows: any,
    columns: readonly string[],
    readonly topics: readonly Topic[],
  ) {
    // Rows of streams may be equal: they are counted.
    const made: any = view('shown', {
      from: rows.groupBy(...columns).aggregate({ copies: count() }),
    } as any);
    checkDeclarations([made.declaration]);
    this.#run = new ViewRun(made.declaration);
  }

  process(record: TopicRecord, topic: Topic): void {
    this.#arrived++;
    this.#newest = Math.max(this.#newest, record.ts);
    const append = topic.append(record, this.#arrived, this.#log);
    // Time passes in all topics at once.
    this.#run.tick([...append, ...this.topics.flatMap((each) => each.pass(this.#newest, this.#log))]);
    const [error] = this.#run.errorsByView.flatMap(({ errors }) => errors);
    if (error) throw new Error(`the view has an error: ${error.reason} in ${error.row.slice(0, 200)}`);
  }

  rows<T>(of: (row: any) => T): T[] {
    return [...this.#run.rows.values()].flatMap((row: any) => Array<T>(row.copies).fill(of(row)));
  }
}

function runJoin(one: KafkaCase): Verdict {
  const { topics, sideOf, rows, emits } = joinedTopics(one);
  const shown = new TopicView(rows, ['key', 'value', 'ts'], [topics.left, topics.right]);
  const inner = (one.topology.joins ?? []).filter(({ op }) => op === 'join').length > 1;
  /** What Kafka has emitted so far, and what that leaves by key. */
  const emitted: string[] = [];
  const left = new Map<string | null, string>();
  for (const [place, step] of one.steps.entries()) {
    const appeared: string[] = [];
    for (const record of recordsOf(step)) {
      const before = shown.rows(recordText);
      shown.process(record, topics[sideOf(record)]);
      if (sideOf(record) === 'left') appeared.push(...bagDifference(shown.rows(recordText), before).surplus);
      // Of a row that is joined twice Kafka emits no deletion: each join finds that the other has none any more.
      if (inner && record.value === null) left.delete(keyText(record.key));
    }
    for (const { key, value, ts } of step.expect) {
      const [of, text] = [keyText(key), valueText(value)];
      emitted.push(`${of} ${text} ${ts}`);
      if (value === null) left.delete(of);
      else left.set(of, `${of} ${text}`);
    }
    const wrong =
      emits === 'changes'
        ? difference(
            shown.rows(({ key, value }) => `${key} ${value}`),
            [...left.values()],
          )
        : emits === 'rows'
          ? difference(shown.rows(recordText), emitted)
          : difference(appeared, emitted.splice(0));
    if (wrong !== null) return { verdict: 'wrong', reason: `after step ${place}: ${wrong}` };
  }
  return { verdict: 'passed' };
}

const recordText = ({ key, value, ts }: { key: string; value: string; ts: number }): string =>
  `${key} ${value} ${ts}`;

function runGrouped(one: KafkaCase): Verdict {
  const { topic, rows, finished, windowed } = groupedTopic(one);
  const { emit, suppress } = one.topology;
  const inputs = one.steps.flatMap(recordsOf);
  if (new Set(inputs.map((record) => record.topic)).size > 1) return unsupported('several topics');
  const columns = ['key', ...(windowed ? ['start', 'end'] : []), 'value', 'ts'];
  const outputs = new Map<string | undefined, Output>();
  let beyond: string | null = null;
  const outputOf = (step: TopicStep): Output | null => {
    const suppressed =
      step.output === undefined ? suppress !== undefined : step.output.endsWith('suppressed');
    const waits = suppressed ? suppress?.join(', ') : undefined;
    if (waits !== undefined && !/^untilWindowCloses\(unbounded\(\)\)$|^untilTimeLimit\(ZERO/.test(waits)) {
      beyond = `results held back ${waits}`;
      return null;
    }
    const once = emit === 'on-window-close' || (waits?.startsWith('untilWindowCloses') ?? false);
    if (!outputs.has(step.output))
      outputs.set(step.output, new Output(new TopicView(once ? finished : rows, columns, [topic]), windowed));
    return outputs.get(step.output)!;
  };
  const known = one.steps.map(outputOf);
  for (const [place, step] of one.steps.entries()) {
    for (const record of recordsOf(step))
      for (const output of outputs.values()) output.process(record, topic);
    const wrong = known[place]?.differs(step.expect) ?? null;
    if (wrong !== null) return { verdict: 'wrong', reason: `after step ${place}: ${wrong}` };
  }
  return beyond === null ? { verdict: 'passed' } : { verdict: 'unsupported', reason: beyond };
}

/** What a view's rows have become since it was last asked. */
class Output {
  #emitted: string[] = [];
  readonly #left = new Map<string | null, string>();

  constructor(
    readonly shown: TopicView,
    readonly windowed: boolean,
  ) {}

  process(record: TopicRecord, topic: Topic): void {
    const before = this.#rows();
    this.shown.process(record, topic);
    const after = this.#rows();
    for (const [key, { value, ts }] of after)
      if (before.get(key)?.value !== value) this.#emitted.push(`${key} ${value} ${ts}`);
    for (const [key, { ts }] of before) if (!after.has(key)) this.#emitted.push(`${key} null ${ts}`);
  }

  differs(expected: readonly Emitted[]): string | null {
    const emitted = this.#emitted;
    this.#emitted = [];
    if (this.windowed)
      return difference(
        emitted,
        expected.map(({ key, value, ts }) => `${windowText(key)} ${valueText(value)} ${ts}`),
      );
    // A count of none is no row here.
    for (const { key, value } of expected)
      if (value === null || value === 0) this.#left.delete(keyText(key));
      else this.#left.set(keyText(key), `${keyText(key)} ${valueText(value)}`);
    const rows = [...this.#rows()].map(([key, { value }]) => `${key} ${value}`);
    return difference(rows, [...this.#left.values()]);
  }

  #rows(): Map<string, { value: string; ts: number }> {
    return new Map(
      this.shown.rows(({ key, start, end, value, ts }) => [
        this.windowed ? `${key}@${start}/${end}` : key,
        { value, ts },
      ]),
    );
  }
}

function windowText(key: unknown): string {
  const [, of, span] = /^\[(.*)@(\d+\/\d+)\]$/.exec(String(key)) ?? [];
  if (of !== undefined) return `${keyText(of)}@${span}`;
  const window = key as { key: unknown; start: number; end: number };
  return `${keyText(window.key)}@${window.start}/${window.end}`;
}

const SHOWN_MAX = 3;

function difference(found: readonly string[], expected: readonly string[]): string | null {
  const { missing, surplus } = bagDifference(found, expected);
  if (missing.length === 0 && surplus.length === 0) return null;
  const some = (rows: readonly string[]): string => `${rows.length} ${rows.slice(0, SHOWN_MAX).join(' | ')}`;
  return `missing ${some(missing)}; too many ${some(surplus)}`;
}
