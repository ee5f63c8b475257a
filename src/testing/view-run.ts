import { shownText } from '../zset/shown-text.js';
import { Checksum } from '../zset/checksum.js';
import { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import { EntryDecoder } from '../runtime/decode-entry.js';
import { partitionKeys } from '../runtime/placement.js';
import { type CompiledView, compileView, inputNameOf } from '../view/compile-plan.js';
import { sourcesOf } from '../view/plan-nodes.js';
import type { ViewDeclaration } from '../view/plan.js';
import type { KeptError } from '../circuit/error-collection.js';
import type { Append } from './history.js';
import { MemoryStates } from './memory-states.js';

/** A view, the views it reads, and all their state, maintained in memory as a worker would maintain them. */
export class ViewRun {
  readonly #views: MaintainedView[];
  readonly #decoders = new Map<string, EntryDecoder>();

  constructor(
    readonly view: ViewDeclaration,
    /** How many values each view may keep beside what is committed; little makes every tick load again. */
    cacheEntriesMax = 1_000_000,
  ) {
    this.#views = withUpstreams(view).map((declaration) => new MaintainedView(declaration, cacheEntriesMax));
  }

  /** One tick of every view over these entries, each partition's in the order of the log. */
  tick(append: Append): void {
    const deltas = new Map<string, Delta>();
    const errors: DecodeErrors = new Map();
    for (const [partition, entries] of byPartition(append)) {
      const { source } = entries[0]!;
      let decoder = this.#decoders.get(partition);
      if (decoder === undefined)
        this.#decoders.set(partition, (decoder = new EntryDecoder(source, entries[0]!.partition)));
      const batch = decoder.decode(entries.map(({ entry }) => entry));
      const name = inputNameOf(source);
      const delta = batch.delta(0, entries.length, true);
      const known = deltas.get(name);
      if (known) known.append(delta);
      else deltas.set(name, delta);
      errors.set(name, [...(errors.get(name) ?? []), ...batch.errors]);
    }
    for (const view of this.#views) deltas.set(inputNameOf(view.declaration), view.tick(deltas, errors));
  }

  /** As a worker does whose commit was refused: the tick is computed and thrown away, and nothing of it may be left. */
  tickInVain(append: Append): void {
    for (const view of this.#views) view.inVain = true;
    try {
      this.tick(append);
    } finally {
      for (const view of this.#views) view.inVain = false;
    }
  }

  /** As another worker does that takes over: everything but what was committed is forgotten. */
  takeOver(): void {
    for (const view of this.#views) view.compiled.circuit.drop();
  }

  get rows(): Map<string, Row> {
    return this.#views.at(-1)!.rows();
  }

  /** Of the view itself. */
  get errors(): KeptError[] {
    return this.#views.at(-1)!.errors();
  }

  /** Of the view and all it reads, by view. */
  get errorsByView(): { view: string; errors: KeptError[] }[] {
    return this.#views.map((view) => ({ view: view.declaration.name, errors: view.errors() }));
  }

  get checksum(): string {
    return this.#views.at(-1)!.checksum.toString();
  }

  /** Keys under which there are several different rows. */
  get conflicts(): number {
    return this.#views.at(-1)!.conflicts;
  }
}

type DecodeErrors = Map<string, readonly { reason: string; raw: string }[]>;

class MaintainedView {
  readonly compiled: CompiledView;
  readonly checksum = new Checksum();
  conflicts = 0;
  inVain = false;
  readonly #states = new MemoryStates();

  constructor(
    readonly declaration: ViewDeclaration,
    cacheEntriesMax: number,
  ) {
    this.compiled = compileView(declaration, { budget: { entriesMax: cacheEntriesMax } });
  }

  /** What the view's rows changed by. */
  tick(deltas: ReadonlyMap<string, Delta>, decodeErrors: DecodeErrors): Delta {
    const { circuit, output, errors, inputs } = this.compiled;
    const taken = new Map<string, Delta>();
    for (const { name, needsOrder } of inputs) {
      const delta = deltas.get(name);
      if (delta === undefined) continue;
      taken.set(name, needsOrder ? delta : new Delta(delta.rows, delta.weights));
      const sink = errors.sink('entry');
      for (const { reason, raw } of decodeErrors.get(name) ?? []) sink.add(raw, 1, reason);
    }
    if (taken.size === 0) return Delta.empty;
    this.#states.step(circuit, taken);
    const result = output.takeResult();
    errors.takeResult();
    const changes = new Delta<Row>();
    for (const { before, after } of result.changes) {
      if (before) changes.push(before, -1);
      if (after) changes.push(after, 1);
    }
    if (this.inVain) circuit.discard();
    else {
      this.#states.commit(circuit);
      this.checksum.merge(result.checksum);
      this.conflicts += result.conflicts;
    }
    return changes;
  }

  rows(): Map<string, Row> {
    const rows = new Map<string, Row>();
    for (const [key, stored] of this.#states.keyed.get('rows') ?? []) {
      const text = shownText(stored);
      if (text !== '') rows.set(key, JSON.parse(text) as Row);
    }
    return rows;
  }

  errors(): KeptError[] {
    return [...(this.#states.keyed.get('errors') ?? [])]
      .map(([, text]) => JSON.parse(text) as KeptError)
      .sort((left, right) => left.seen - right.seen);
  }
}

/** A view after all the views it reads. */
function withUpstreams(view: ViewDeclaration): ViewDeclaration[] {
  const found = new Map<string, ViewDeclaration>();
  const visit = (declaration: ViewDeclaration): void => {
    if (found.has(declaration.name)) return;
    for (const source of sourcesOf(declaration.plan)) if (source.kind === 'view') visit(source);
    found.set(declaration.name, declaration);
  };
  visit(view);
  return [...found.values()];
}

function byPartition(append: Append): Map<string, [Append[number], ...Append[number][]]> {
  const found = new Map<string, [Append[number], ...Append[number][]]>();
  for (const entry of append) {
    const partition = `${entry.source.kind}:${partitionKeys(entry.source)[entry.partition]}`;
    const entries = found.get(partition);
    if (entries) entries.push(entry);
    else found.set(partition, [entry]);
  }
  return found;
}
