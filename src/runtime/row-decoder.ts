import { messageOf } from '../errors/stillwater-error.js';
import type { Row, Value } from '../zset/value.js';
import { applySchema, conformField, isFields, type RowIssue, type RowShape, setField } from './conform.js';
import { generateDecoder } from './generated-decoder.js';

/**
 * Makes rows of parsed JSON: what the schema accepts, in canonical form, fields in the order of the columns, null
 * where one is missing.
 *
 * The schema decides, always. Generated code takes the plain values of plain schemas, which are nearly all, at close
 * to the cost of parsing them; what it does not take for certain goes to zod, as does everything a refinement, a
 * transformation or an unknown check has a say in.
 */
export class RowDecoder {
  readonly #fast: ((value: unknown) => Row | undefined) | null;

  constructor(readonly shape: RowShape) {
    this.#fast = generateDecoder(shape);
  }

  /** The row, or null if the value is none; `issues` says why. */
  decode(value: unknown): Row | null {
    return this.#fast?.(value) ?? this.decodeBySchema(value);
  }

  /** The same answer without the generated code. */
  decodeBySchema(value: unknown): Row | null {
    const decided = this.#decide(value);
    return 'row' in decided ? decided.row : null;
  }

  /** What is wrong with a value that `decode` refused. Never empty for one. */
  issues(value: unknown): RowIssue[] {
    const decided = this.#decide(value);
    return 'row' in decided ? [] : decided.issues;
  }

  #decide(value: unknown): { row: Row } | { issues: RowIssue[] } {
    const { schema, columns } = this.shape;
    const decided = applySchema(schema, value);
    if ('issues' in decided) return decided;
    const issues: RowIssue[] = [];
    const row: Record<string, Value> = {};
    if (!isFields(decided.value))
      return { issues: [{ path: '', message: 'The schema gives something that is not an object.' }] };
    for (const column of columns) {
      try {
        setField(row, column.name, conformField(decided.value, column, ''));
      } catch (thrown) {
        issues.push({ path: column.name, message: messageOf(thrown) });
      }
    }
    return issues.length > 0 ? { issues } : { row };
  }
}
