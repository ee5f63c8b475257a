import type { LogOrder } from '../circuit/place-in-log.js';
import type { Circuit } from '../circuit/circuit.js';
import type { ErrorCollection } from '../circuit/error-collection.js';
import type { ExchangeOutput } from '../circuit/exchange-output.js';
import type { LateRows } from '../circuit/late-rows.js';
import type { ParkedKeys } from '../circuit/parked-keys.js';
import type { ViewOutput } from '../circuit/view-output.js';
import type { SourceDeclaration } from './declarations.js';

/** A stage of a view as what maintains it. */
export interface CompiledStage {
  readonly stage: number;
  readonly circuit: Circuit;
  /** What its ticks change of the rows that are shown; nothing, of a stage that only sends. */
  readonly output: Pick<ViewOutput, 'takeResult' | 'options'>;
  /** What it sends to the stage behind it; null of the last. */
  readonly sent: ExchangeOutput | null;
  /** The circuit's inputs that come from the stage before, in the order in which that one sends them. */
  readonly received: readonly string[];
  readonly errors: ErrorCollection;
  /** The rows that came too late; null if the view leaves none out. */
  readonly lates: LateRows | null;
  /** Groups of folded events that stopped. */
  readonly parking: ParkedKeys;
  readonly inputs: readonly CompiledInput[];
  /** All that the view reads, in whatever stage. */
  readonly sources: readonly SourceDeclaration[];
  /** Sources (`stream:flights`) whose time the circuit acts on; also such as only its upstream views read. */
  readonly timed: ReadonlySet<string>;
  /** Everything the circuit keeps, also what no tick has written yet. */
  readonly states: readonly { readonly name: string; readonly kind: 'keyed' | 'ordered' | 'index' }[];
}

/** A whole view, or the last stage of one. */
export interface CompiledView extends CompiledStage {
  readonly output: ViewOutput;
}

export interface CompiledInput {
  /** Its source's (`inputNameOf`), under which its deltas are given to `Circuit.step`. */
  readonly name: string;
  readonly source: SourceDeclaration;
  /** What its deltas must say of each row's place in the log (`Delta.orders`); null for nothing. */
  readonly order: LogOrder | null;
}
